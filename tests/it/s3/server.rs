//! A bucket in memory behind real HTTP: signatures are verified, and everything that goes wrong between here and a store can be asked for.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::host::{S3Host, VirtualHost};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, S3Result, s3_error};
use tokio::net::{TcpListener, TcpStream};

use super::protocol::Bucket;

/// What a connection ends with that is to be reset, and not just closed.
const RESET: &str = "reset";

/// The one bucket that there is.
pub(crate) const BUCKET: &str = "bucket";
/// The one key that may sign.
pub(crate) const KEY: &str = "KEYOFTHETESTS";
/// What it signs with.
pub(crate) const SECRET: &str = "the+secret/of=the+tests";

/// An object.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) bytes: Bytes,
    /// Counts up: each version has its own.
    pub(crate) version: u64,
}

/// What goes wrong with an answer.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// This status and code instead of an answer.
    Refused(u16, &'static str),
    /// The connection is reset before an answer.
    Reset,
    /// The body breaks off after so many bytes, and the connection with it.
    CutAt(usize),
    /// The body gives so many bytes and then nothing.
    StallAt(usize),
    /// The header tells so many bytes more or less than there are, and the body is as long as the header says or ends.
    LengthOff(i64),
    /// The object becomes another one just before the answer.
    Rewritten(&'static str),
    /// The object is removed just before the answer.
    Removed,
}

/// What the server shares with who runs it.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) objects: RwLock<BTreeMap<String, Stored>>,
    /// Part of a URL, what goes wrong there, how often still.
    faults: Mutex<Vec<(String, Fault, usize)>>,
    latency: AtomicU64,
    /// More at once than this are refused; 0 is no limit.
    pub(crate) at_once: AtomicUsize,
    /// Requests may be unsigned.
    pub(crate) is_public: AtomicBool,
    /// Who asks must say that he pays.
    pub(crate) requester_pays: AtomicBool,
    /// Encode keys in listings when asked to.
    pub(crate) encodes: AtomicBool,
    /// The region to sign for; empty is any.
    pub(crate) region: Mutex<String>,
    /// A session token that has expired.
    pub(crate) expired: Mutex<Option<String>>,
    pub(crate) requests: AtomicUsize,
    pub(crate) in_flight: AtomicUsize,
    pub(crate) most_in_flight: AtomicUsize,
    /// Each request's method, path and query, `range` and `if-match`.
    pub(crate) log: Mutex<Vec<String>>,
    versions: AtomicU64,
}

/// A running server; dropping it ends it.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) state: Arc<State>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Server {
    /// Begins to serve on a free port of this machine.
    pub(crate) fn start() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("threads");
        let state = Arc::new(State::default());
        state.encodes.store(true, Ordering::Relaxed);
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("an address");
        runtime.spawn(accept(listener, Arc::clone(&state), service(&state)));
        Self { address, state, runtime: Some(runtime) }
    }

    /// The URL that a client is given.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://localhost:{}", self.address.port())
    }

    pub(crate) fn put(&self, key: &str, bytes: impl Into<Bytes>) {
        self.state.put(key, bytes.into());
    }

    /// Each answer comes so much later.
    pub(crate) fn delay(&self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).expect("a short while");
        self.state.latency.store(micros, Ordering::Relaxed);
    }

    /// The next `times` requests whose URL has `part` in it go wrong.
    pub(crate) fn fail(&self, part: &str, fault: Fault, times: usize) {
        self.state.faults.lock().expect("a lock").push((part.to_owned(), fault, times));
    }

    /// Nothing goes wrong any more.
    pub(crate) fn mend(&self) {
        self.state.faults.lock().expect("a lock").clear();
    }

    /// How many faults were asked for and did not happen.
    pub(crate) fn faults_left(&self) -> usize {
        self.state.faults.lock().expect("a lock").iter().map(|(_, _, times)| times).sum()
    }

    /// What was requested since the last time.
    pub(crate) fn requested(&self) -> Vec<String> {
        std::mem::take(&mut self.state.log.lock().expect("a lock"))
    }
}

impl State {
    pub(crate) fn put(&self, key: &str, bytes: Bytes) {
        let version = self.versions.fetch_add(1, Ordering::Relaxed);
        self.objects.write().expect("a lock").insert(key.to_owned(), Stored { bytes, version });
    }

    fn fault(&self, url: &str) -> Option<Fault> {
        let mut faults = self.faults.lock().expect("a lock");
        let (_, fault, times) =
            faults.iter_mut().find(|(part, _, times)| *times > 0 && url.contains(part.as_str()))?;
        *times -= 1;
        Some(fault.clone())
    }
}

fn service(state: &Arc<State>) -> S3Service {
    let mut builder = S3ServiceBuilder::new(Bucket(Arc::clone(state)));
    builder.set_auth(OneKey);
    builder.set_access(Door(Arc::clone(state)));
    builder.set_host(Hosts);
    builder.build()
}

/// `localhost` is the server, and a name in front of it is a bucket.
struct Hosts;

impl S3Host for Hosts {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let name = host.split(':').next().unwrap_or(host);
        Ok(match name.strip_suffix(".localhost") {
            Some(bucket) => VirtualHost::new("localhost").with_bucket(bucket),
            None => VirtualHost::new(name),
        })
    }
}

/// Knows one key, as Amazon would say it.
struct OneKey;

#[async_trait::async_trait]
impl S3Auth for OneKey {
    async fn get_secret_key(&self, key: &str) -> S3Result<SecretKey> {
        if key == KEY { Ok(SECRET.into()) } else { Err(s3_error!(InvalidAccessKeyId)) }
    }
}

/// Lets nobody in who did not sign, unless the bucket is public.
struct Door(Arc<State>);

#[async_trait::async_trait]
impl S3Access for Door {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let pays = context.headers().contains_key("x-amz-request-payer");
        let signed = context.credentials().is_some();
        if !signed && !self.0.is_public.load(Ordering::Relaxed)
            || self.0.requester_pays.load(Ordering::Relaxed) && !pays
        {
            return Err(s3_error!(AccessDenied));
        }
        Ok(())
    }
}

async fn accept(listener: TcpListener, state: Arc<State>, service: S3Service) {
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
    request: Request<Incoming>,
    state: &State,
    service: &S3Service,
) -> io::Result<Response<Body>> {
    let now = state.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
    let _present = Present(state);
    state.most_in_flight.fetch_max(now, Ordering::Relaxed);
    state.requests.fetch_add(1, Ordering::Relaxed);
    note(&request, state);
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
    let url = request.uri().to_string();
    match state.fault(&url) {
        Some(Fault::Refused(status, code)) => Ok(refusal(status, code, "")),
        Some(Fault::Reset) => Err(io::Error::other(RESET)),
        fault => {
            if let (Some(Fault::Rewritten(_) | Fault::Removed), Some(key)) = (&fault, key_of(&url))
            {
                match &fault {
                    Some(Fault::Rewritten(other)) => {
                        state.put(&key, Bytes::from_static(other.as_bytes()));
                    }
                    _ => drop(state.objects.write().expect("a lock").remove(&key)),
                }
            }
            let response = service.call(request.map(Body::from)).await.map_err(io::Error::other)?;
            Ok(match fault {
                Some(fault) => spoiled(response, &fault).await,
                None => response,
            })
        }
    }
}

fn note(request: &Request<Incoming>, state: &State) {
    let header = |name: &str| {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok());
        value.map_or(String::new(), |value| format!(" {name}: {value}"))
    };
    let line =
        format!("{} {}{}{}", request.method(), request.uri(), header("range"), header("if-match"));
    state.log.lock().expect("a lock").push(line);
}

fn key_of(url: &str) -> Option<String> {
    url.split('?').next()?.strip_prefix(&format!("/{BUCKET}/")).map(str::to_owned)
}

/// A wrong region, or a token that is too old.
fn turned_away(request: &Request<Incoming>, state: &State) -> Option<Response<Body>> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let region = state.region.lock().expect("a lock").clone();
    let scope = format!("/{region}/s3/aws4_request");
    if !region.is_empty() && header("authorization").is_some_and(|signed| !signed.contains(&scope))
    {
        let more = format!("<Region>{region}</Region>");
        return Some(refusal(400, "AuthorizationHeaderMalformed", &more));
    }
    let expired = state.expired.lock().expect("a lock").clone();
    if expired.is_some() && header("x-amz-security-token") == expired.as_deref() {
        return Some(refusal(400, "ExpiredToken", ""));
    }
    None
}

fn refusal(status: u16, code: &str, more: &str) -> Response<Body> {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>{SECRET}</Message>{more}</Error>"
    );
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status.try_into().expect("a status");
    response
}

/// The answer, with something wrong about its body.
async fn spoiled(response: Response<Body>, fault: &Fault) -> Response<Body> {
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
        _ => (bytes.len(), End::Good),
    };
    bytes.truncate(keep.min(bytes.len()));
    Response::from_parts(parts, Body::http_body(Spoiled { bytes: Some(bytes), end }))
}

/// How a spoiled body ends.
enum End {
    Good,
    Break,
    Silence,
}

struct Spoiled {
    bytes: Option<Bytes>,
    end: End,
}

impl hyper::body::Body for Spoiled {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match (self.bytes.take(), &self.end) {
            (Some(bytes), _) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            (None, End::Good) => Poll::Ready(None),
            (None, End::Break) => Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into()))),
            (None, End::Silence) => Poll::Pending,
        }
    }
}
