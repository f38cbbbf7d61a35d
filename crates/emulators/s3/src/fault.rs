//! Faults of a store or network: error responses, broken connections, and wrong bodies.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::Response;
use hyper::body::Frame;
use hyper::header::HeaderMap;
use s3s::Body;

use crate::SECRET;

/// Fault of a response.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Error response with this HTTP status and error code.
    Status(u16, &'static str),
    /// Connection reset; the request has no effect.
    Reset,
    /// Connection reset instead of the response; the request has its effect.
    ResetAfter,
    /// Connection reset after this number of bytes of the body.
    TruncateAt(usize),
    /// No more data after this number of bytes of the body; the connection stays open.
    StallAt(usize),
    /// Content-Length that is wrong by this difference. The body ends at that length, or where its
    /// data ends.
    WrongLength(i64),
    /// The whole object instead of the requested range.
    IgnoreRange,
    /// Content-Range whose start is wrong by this difference.
    WrongRange(i64),
    /// Object that is overwritten just before the response.
    Overwritten(&'static str),
    /// Object that is deleted just before the response.
    Deleted,
}

/// Formats an error response. Its message contains a secret: tests check that clients never show
/// it.
pub(crate) fn error_response(status: u16, code: &str, details: &str) -> Response<Body> {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>{SECRET}</Message>{details}</Error>"
    );
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status.try_into().expect("a status");
    response
}

/// Applies a fault of the body to a response.
pub(crate) async fn corrupted(response: Response<Body>, fault: &Fault) -> Response<Body> {
    let (mut parts, mut body) = response.into_parts();
    let mut bytes = body.store_all_limited(1 << 30).await.expect("a body");
    let (keep, end) = match *fault {
        Fault::TruncateAt(at) => (at, End::Reset),
        Fault::StallAt(at) => (at, End::Stall),
        Fault::WrongLength(by) => {
            let length = i64::try_from(bytes.len()).expect("a length") + by;
            parts.headers.insert("content-length", length.into());
            (usize::try_from(length).expect("a length"), End::Reset)
        }
        Fault::WrongRange(by) => {
            shift_range(&mut parts.headers, by);
            (bytes.len(), End::Complete)
        }
        _ => (bytes.len(), End::Complete),
    };
    bytes.truncate(keep.min(bytes.len()));
    Response::from_parts(
        parts,
        Body::http_body(Corrupted { bytes: Some(bytes), paused: false, end }),
    )
}

/// Changes the start of the range in `Content-Range: bytes 5-9/10`.
fn shift_range(headers: &mut HeaderMap, by: i64) {
    let range = headers.get("content-range").and_then(|range| range.to_str().ok());
    let range = range.and_then(|range| range.strip_prefix("bytes ")?.split_once('-'));
    if let Some((start, rest)) = range {
        let start = start.parse::<i64>().expect("a valid range") + by;
        let range = format!("bytes {start}-{rest}").parse().expect("a header");
        headers.insert("content-range", range);
    }
}

/// End of a corrupted body.
enum End {
    Complete,
    Reset,
    Stall,
}

struct Corrupted {
    bytes: Option<Bytes>,
    paused: bool,
    end: End,
}

impl hyper::body::Body for Corrupted {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(bytes) = self.bytes.take() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        // Yields once, so that the connection sends the data before the fault.
        if !std::mem::replace(&mut self.paused, true) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        match self.end {
            End::Complete => Poll::Ready(None),
            End::Reset => Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into()))),
            End::Stall => Poll::Pending,
        }
    }
}
