//! Connections and requests: counters, request log, holds and faults around the S3 service.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use s3s::Body;
use s3s::service::S3Service;
use tokio::net::{TcpListener, TcpStream};

use crate::access::{rejection, service};
use crate::fault::{Fault, corrupted, error_response};
use crate::hold;
use crate::state::State;
use crate::transfer::Transfer;

/// Message of an error for which the connection is reset, not just closed.
const RESET: &str = "reset";
/// Header that makes the service ignore the range of a request. It is not part of the signature.
pub(crate) const IGNORE_RANGE: &str = "x-emulator-ignore-range";

pub(crate) async fn accept(listener: TcpListener, state: Arc<State>) {
    let service = service(&state);
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        tokio::spawn(serve(stream, Arc::clone(&state), service.clone()));
    }
}

async fn serve(stream: TcpStream, state: Arc<State>, service: S3Service) {
    let respond = service_fn(|request| {
        let (state, service) = (Arc::clone(&state), service.clone());
        async move { respond(request, &state, &service).await }
    });
    let mut connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), respond);
    // Other errors are injected faults or disconnected clients.
    if let Err(error) = (&mut connection).await
        && error.is_user()
        && std::error::Error::source(&error).is_some_and(|cause| cause.to_string() == RESET)
    {
        // Without lingering, closing a socket sends RST.
        let _ = connection.into_parts().io.inner().set_zero_linger();
    }
}

/// Request in flight, which is counted until it is dropped.
struct InFlight<'a>(&'a State);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn respond(
    mut request: Request<Incoming>,
    state: &Arc<State>,
    service: &S3Service,
) -> io::Result<Response<Body>> {
    let in_flight = state.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
    let _in_flight = InFlight(state);
    state.max_in_flight.fetch_max(in_flight, Ordering::Relaxed);
    state.request_count.fetch_add(1, Ordering::Relaxed);
    let line = log(&request, state);
    let path = request.uri().path().to_owned();
    let transfer =
        is_download(&request).then(|| Transfer::begin(state, &path, range_start(&request)));
    let latency = Duration::from_micros(state.latency.load(Ordering::Relaxed));
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    hold::pass(state, &line).await;
    let max_concurrent = state.max_concurrent.load(Ordering::Relaxed);
    if max_concurrent > 0 && in_flight > max_concurrent {
        return Ok(error_response(503, "SlowDown", ""));
    }
    if let Some(rejection) = rejection(&request, state) {
        return Ok(rejection);
    }
    let fault = state.take_fault(&line);
    match &fault {
        Some(Fault::Status(status, code)) => return Ok(error_response(*status, code, "")),
        Some(Fault::Reset) => return Err(io::Error::other(RESET)),
        Some(Fault::IgnoreRange) => {
            request.headers_mut().insert(IGNORE_RANGE, HeaderValue::from_static(""));
        }
        Some(fault) => change_object(&path, fault, state),
        None => {}
    }
    let response = service.call(request.map(Body::from)).await.map_err(io::Error::other)?;
    let response = match fault {
        Some(Fault::ResetAfter) => return Err(io::Error::other(RESET)),
        Some(fault) => corrupted(response, &fault).await,
        None => response,
    };
    Ok(match transfer {
        Some(transfer) => transfer.attach(response),
        None => response,
    })
}

/// Returns true for `GET /bucket/key`, which is not a listing.
fn is_download(request: &Request<Incoming>) -> bool {
    let key = request.uri().path().get(1..).and_then(|path| path.split_once('/'));
    request.method() == "GET" && key.is_some_and(|(_, key)| !key.is_empty())
}

/// Returns the first byte of the requested range.
fn range_start(request: &Request<Incoming>) -> u64 {
    let range = request.headers().get("range").and_then(|range| range.to_str().ok());
    let start = range.and_then(|range| range.strip_prefix("bytes=")?.split('-').next());
    start.and_then(|start| start.parse().ok()).unwrap_or_default()
}

/// Adds the request to the log: its first line and its conditions.
fn log(request: &Request<Incoming>, state: &State) -> String {
    let header = |name: &str| {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok());
        value.map_or(String::new(), |value| format!(" {name}: {value}"))
    };
    let conditions = ["range", "if-match", "if-none-match"].map(header).concat();
    let line = format!("{} {}{conditions}", request.method(), request.uri());
    state.log.lock().expect("a lock").push(line.clone());
    line
}

/// Changes the requested object, as another client could at this moment.
fn change_object(path: &str, fault: &Fault, state: &State) {
    let Some((bucket, key)) = path.strip_prefix('/').and_then(|path| path.split_once('/')) else {
        return;
    };
    match fault {
        Fault::Overwritten(other) => state.put(bucket, key, Bytes::from_static(other.as_bytes())),
        Fault::Deleted => state.remove(bucket, key),
        _ => {}
    }
}
