//! Connections and requests as they come in, and the faults between them and the protocol.

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

use crate::door::{service, turned_away};
use crate::fault::{Fault, refusal, spoiled};
use crate::state::State;
use crate::traffic::Transfer;

/// What a connection ends with that is to be reset, and not just closed.
const RESET: &str = "reset";
/// A header that nobody signs: no range is known.
pub(crate) const WHOLE: &str = "x-emulator-whole";

pub(crate) async fn accept(listener: TcpListener, state: Arc<State>) {
    let service = service(&state);
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        tokio::spawn(converse(stream, Arc::clone(&state), service.clone()));
    }
}

async fn converse(stream: TcpStream, state: Arc<State>, service: S3Service) {
    let answer = service_fn(|request| {
        let (state, service) = (Arc::clone(&state), service.clone());
        async move { answer(request, &state, &service).await }
    });
    let mut connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
    // What breaks here was meant to, or is the other side's doing.
    if let Err(error) = (&mut connection).await
        && error.is_user()
        && std::error::Error::source(&error).is_some_and(|cause| cause.to_string() == RESET)
    {
        let _ = connection.into_parts().io.inner().set_zero_linger();
    }
}

/// Counts who is here.
struct Present<'a>(&'a State);

impl Drop for Present<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn answer(
    mut request: Request<Incoming>,
    state: &Arc<State>,
    service: &S3Service,
) -> io::Result<Response<Body>> {
    let now = state.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
    let _present = Present(state);
    state.most_in_flight.fetch_max(now, Ordering::Relaxed);
    state.requests.fetch_add(1, Ordering::Relaxed);
    let line = note(&request, state);
    let path = request.uri().path().to_owned();
    let transfer = is_of_object(&request).then(|| Transfer::begin(state, &path));
    let latency = Duration::from_micros(state.latency.load(Ordering::Relaxed));
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let at_once = state.at_once.load(Ordering::Relaxed);
    if at_once > 0 && now > at_once {
        return Ok(refusal(503, "SlowDown", ""));
    }
    if let Some(refused) = turned_away(&request, state) {
        return Ok(refused);
    }
    let fault = state.fault(&line);
    if let Some(Fault::Late(by)) = &fault {
        tokio::time::sleep(*by).await;
    }
    match &fault {
        Some(Fault::Refused(status, code)) => return Ok(refusal(*status, code, "")),
        Some(Fault::Reset) => return Err(io::Error::other(RESET)),
        Some(fault) => change(&path, fault, state),
        None => {}
    }
    if matches!(fault, Some(Fault::Whole)) {
        request.headers_mut().insert(WHOLE, HeaderValue::from_static(""));
    }
    let response = service.call(request.map(Body::from)).await.map_err(io::Error::other)?;
    let response = match fault {
        Some(Fault::Unanswered) => return Err(io::Error::other(RESET)),
        Some(fault) => spoiled(response, &fault).await,
        None => response,
    };
    Ok(match transfer {
        Some(transfer) => transfer.carry(response),
        None => response,
    })
}

/// `GET /bucket/key`, and not a listing.
fn is_of_object(request: &Request<Incoming>) -> bool {
    let key = request.uri().path().get(1..).and_then(|path| path.split_once('/'));
    request.method() == "GET" && key.is_some_and(|(_, key)| !key.is_empty())
}

/// The request's first line and what conditions it has.
fn note(request: &Request<Incoming>, state: &State) -> String {
    let header = |name: &str| {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok());
        value.map_or(String::new(), |value| format!(" {name}: {value}"))
    };
    let line = format!("{} {}", request.method(), request.uri());
    let conditions = ["range", "if-match", "if-none-match"].map(header).concat();
    let noted = format!("{line}{conditions}");
    state.log.lock().expect("a lock").push(noted.clone());
    noted
}

/// Somebody else changes the object just now.
fn change(path: &str, fault: &Fault, state: &State) {
    let Some((bucket, key)) = path.strip_prefix('/').and_then(|path| path.split_once('/')) else {
        return;
    };
    match fault {
        Fault::Rewritten(other) => state.put(bucket, key, Bytes::from_static(other.as_bytes())),
        Fault::Removed => state.remove(bucket, key),
        _ => {}
    }
}
