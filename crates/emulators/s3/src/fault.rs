//! What goes wrong on the way: refusals, and bodies that are not what they should be.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::Response;
use hyper::body::Frame;
use hyper::header::HeaderMap;
use s3s::Body;

use crate::SECRET;

/// What goes wrong with an answer.
#[derive(Debug, Clone)]
pub enum Fault {
    /// This status and code instead of an answer.
    Refused(u16, &'static str),
    /// The connection is reset before an answer.
    Reset,
    /// What was asked for is done, and the connection reset before the answer.
    Unanswered,
    /// What was asked for is done so much later.
    Late(Duration),
    /// The body breaks off after so many bytes, and the connection with it.
    CutAt(usize),
    /// The body gives so many bytes and then nothing.
    StallAt(usize),
    /// The header tells so many bytes more or less than there are, and the body is as long as the header says or ends.
    LengthOff(i64),
    /// The whole object comes, whatever range was asked for.
    Whole,
    /// The header says that the range begins so many bytes later or earlier.
    RangeOff(i64),
    /// The object becomes another one just before the answer.
    Rewritten(&'static str),
    /// The object is removed just before the answer.
    Removed,
}

/// A refusal that tells a secret in its message: nobody may repeat it.
pub(crate) fn refusal(status: u16, code: &str, more: &str) -> Response<Body> {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>{SECRET}</Message>{more}</Error>"
    );
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status.try_into().expect("a status");
    response
}

/// The answer, with something wrong about its body.
pub(crate) async fn spoiled(response: Response<Body>, fault: &Fault) -> Response<Body> {
    let (mut parts, mut body) = response.into_parts();
    let mut bytes = body.store_all_limited(1 << 30).await.expect("a body");
    let (keep, end) = match *fault {
        Fault::CutAt(at) => (at, End::Break),
        Fault::StallAt(at) => (at, End::Silence),
        Fault::LengthOff(by) => {
            let told = i64::try_from(bytes.len()).expect("a length") + by;
            parts.headers.insert("content-length", told.into());
            (usize::try_from(told).expect("a length"), End::Break)
        }
        Fault::RangeOff(by) => {
            shift(&mut parts.headers, by);
            (bytes.len(), End::Good)
        }
        _ => (bytes.len(), End::Good),
    };
    bytes.truncate(keep.min(bytes.len()));
    Response::from_parts(parts, Body::http_body(Spoiled { bytes: Some(bytes), paused: false, end }))
}

/// `bytes 5-9/10`, and another 5.
fn shift(headers: &mut HeaderMap, by: i64) {
    let range = headers.get("content-range").and_then(|range| range.to_str().ok());
    let range = range.and_then(|range| range.strip_prefix("bytes ")?.split_once('-'));
    if let Some((start, rest)) = range {
        let start = start.parse::<i64>().expect("a range that we sent") + by;
        let range = format!("bytes {start}-{rest}").parse().expect("a header");
        headers.insert("content-range", range);
    }
}

/// How a spoiled body ends.
enum End {
    Good,
    Break,
    Silence,
}

struct Spoiled {
    bytes: Option<Bytes>,
    paused: bool,
    end: End,
}

impl hyper::body::Body for Spoiled {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(bytes) = self.bytes.take() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        // What was given so far is sent before it breaks.
        if !std::mem::replace(&mut self.paused, true) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        match self.end {
            End::Good => Poll::Ready(None),
            End::Break => Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into()))),
            End::Silence => Poll::Pending,
        }
    }
}
