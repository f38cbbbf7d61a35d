//! Request handlers, and the security headers of every response.
//!
//! Errors of the warehouse are responses with status 200 and `{"error": …}`, shown by the page.
//! Other statuses are for requests that the page does not send. Results of saved queries are sent
//! as JSON lines, each as soon as it is known.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full, Limited};
use hyper::body::{Body, Frame, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, SET_COOKIE};
use hyper::{Request, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use time::Date;
use time::macros::format_description;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

use super::Options;
use super::guard::{self, Endpoint, Rejection, Secrets};
use super::work::{Origin, QueryError, QueryRunner};
use crate::page::{LimitedSink, PageKind, html, stream};
use crate::report::Arguments;
use sparkify_warehouse::Connector;
use sparkify_warehouse::{Value, Warehouse, WarehouseError};

/// Most bytes of a request body.
const BODY: usize = 64 << 10;
/// Timeout for reading a body.
const PATIENCE: Duration = Duration::from_secs(10);
/// Timeout for all saved queries of the page.
const DATA_TIMEOUT: Duration = Duration::from_mins(2);
/// Most bytes of text in the result of a statement.
const TEXT: usize = 8 << 20;
/// Content-Security-Policy of responses other than the page.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";

const HEADERS: &[(&str, &str)] = &[
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// State of the server: page, secrets and query runner.
pub(super) struct Site {
    port: u16,
    secrets: Secrets,
    page: Bytes,
    policy: HeaderValue,
    cookie: HeaderValue,
    runner: QueryRunner,
    seconds: u64,
    rows: usize,
}

/// Body of `POST /data`; null is no filter.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DataRequest {
    since: Option<String>,
    until: Option<String>,
    level: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SqlRequest {
    sql: String,
}

impl Site {
    /// Renders the page once, with random secrets for this run.
    pub(super) fn new(
        connector: Arc<dyn Connector>,
        options: &Options,
        port: u16,
    ) -> io::Result<Self> {
        let secrets = Secrets { key: random()?, token: random()? };
        let kind = PageKind::Live(&secrets.token);
        let mut page = Vec::new();
        html::write(&mut page, kind, "")?;
        let policy = format!("{}; frame-ancestors 'none'", html::policy_of(kind));
        let policy = HeaderValue::try_from(policy).map_err(io::Error::other)?;
        let name = Secrets::cookie_name(port);
        let cookie = format!("{name}={}; HttpOnly; SameSite=Lax; Path=/", secrets.key);
        let cookie = HeaderValue::try_from(cookie).map_err(io::Error::other)?;
        let Options { seconds, rows, .. } = *options;
        let runner = QueryRunner::new(connector);
        Ok(Self { port, secrets, page: page.into(), policy, cookie, runner, seconds, rows })
    }

    /// Returns the key that the address of the page needs.
    pub(super) fn key(&self) -> &str {
        &self.secrets.key
    }

    /// Cancels all queries and blocks until they have ended.
    pub(super) fn shut_down(&self) {
        self.runner.shut_down();
    }

    pub(super) async fn handle(self: &Arc<Self>, request: Request<Incoming>) -> Reply {
        let (parts, body) = request.into_parts();
        match guard::authorize(&parts, self.port, &self.secrets) {
            Ok(Endpoint::Page) => self.page(),
            Ok(path) => match read(body).await {
                Ok(body) => self.respond(path, &body).await,
                Err(rejection) => rejected(&rejection),
            },
            Err(rejection) => rejected(&rejection),
        }
    }

    fn page(&self) -> Reply {
        let mut page = response(StatusCode::OK, "text/html; charset=utf-8", self.page.clone());
        page.headers_mut().insert("content-security-policy", self.policy.clone());
        page.headers_mut().insert(SET_COOKIE, self.cookie.clone());
        page
    }

    async fn respond(self: &Arc<Self>, path: Endpoint, body: &[u8]) -> Reply {
        if path == Endpoint::Sql {
            let Ok(statement) = serde_json::from_slice(body) else { return rejected(&UNREADABLE) };
            let answer = self.sql(statement).await.unwrap_or_else(|error| error);
            return response(StatusCode::OK, "application/json", line(&answer));
        }
        let Ok(wanted) = serde_json::from_slice(body) else { return rejected(&UNREADABLE) };
        match arguments(wanted) {
            Ok(arguments) => {
                let lines = Either::Right(self.data(arguments));
                response_of(StatusCode::OK, "application/x-ndjson", lines)
            }
            Err(error) => response(StatusCode::OK, "application/x-ndjson", line(&error)),
        }
    }

    /// Runs the saved queries of the page. The last line is `{"done": true}`, `{"busy": true}` or
    /// an error. The queries end when the client disconnects.
    fn data(self: &Arc<Self>, arguments: Arguments) -> Lines {
        let (sender, receiver) = unbounded_channel();
        let site = Arc::clone(self);
        tokio::spawn(async move {
            let parts = sender.clone();
            let job = move |warehouse: &mut dyn Warehouse| {
                stream(warehouse, &arguments, &mut |part| {
                    let gone = |_| WarehouseError::Sink(io::ErrorKind::BrokenPipe.into());
                    parts.send(line(&part)).map_err(gone)
                })
            };
            let ended = tokio::select! {
                ended = site.runner.run(Origin::Page, DATA_TIMEOUT, job) => ended,
                () = sender.closed() => return,
            };
            let ended = ended.map(|()| json!({ "done": true }));
            let ended = to_json(ended, DATA_TIMEOUT.as_secs()).unwrap_or_else(|error| error);
            let _ = sender.send(line(&ended));
        });
        Lines(receiver)
    }

    async fn sql(&self, SqlRequest { sql }: SqlRequest) -> Result<Json, Json> {
        if sql.trim().is_empty() {
            return Err(error("there is no SQL to run", None));
        }
        let rows = self.rows;
        let job = move |warehouse: &mut dyn Warehouse| {
            let mut sink = LimitedSink::new(rows, TEXT);
            let ended = warehouse.query_each(&sql, &[], &mut sink);
            sink.finish(ended)
        };
        let done = self.runner.run(Origin::User, Duration::from_secs(self.seconds), job).await;
        to_json(done, self.seconds)
    }
}

/// Response of any request.
type Reply = Response<Either<Full<Bytes>, Lines>>;

/// Body whose lines are sent as they arrive.
pub(super) struct Lines(UnboundedReceiver<Bytes>);

impl Body for Lines {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|line| line.map(|line| Ok(Frame::data(line))))
    }
}

/// Formats JSON as a line. What the page sends has no map with keys that are not text.
fn line(value: &impl Serialize) -> Bytes {
    let mut line = serde_json::to_vec(value).unwrap_or_default();
    line.push(b'\n');
    line.into()
}

/// Returns 256 random bits in hexadecimal.
fn random() -> io::Result<String> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    Ok(Value::Bytes(random.to_vec()).to_string())
}

const UNREADABLE: Rejection = Rejection(StatusCode::BAD_REQUEST, "invalid request body");

async fn read(body: Incoming) -> Result<Bytes, Rejection> {
    match timeout(PATIENCE, Limited::new(body, BODY).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(_)) => {
            Err(Rejection(StatusCode::PAYLOAD_TOO_LARGE, "the request body exceeds 64 KB"))
        }
        Err(_) => {
            Err(Rejection(StatusCode::REQUEST_TIMEOUT, "timeout while reading the request body"))
        }
    }
}

fn arguments(DataRequest { since, until, level }: DataRequest) -> Result<Arguments, Json> {
    let day = |written: Option<String>| {
        let Some(written) = written else { return Ok(None) };
        let form = format_description!("[year]-[month]-[day]");
        let hint = "write it as 2018-11-05";
        let day = Date::parse(&written, form);
        day.map(Some).map_err(|_| error(&format!("`{written}` is not a date"), Some(hint)))
    };
    let (since, until) = (day(since)?, day(until)?);
    if since.zip(until).is_some_and(|(first, last)| last < first) {
        return Err(error("the last day is before the first", Some("both days are included")));
    }
    Ok(Arguments { since, until, level, ..Arguments::default() })
}

fn to_json(done: Result<impl Serialize, QueryError>, seconds: u64) -> Result<Json, Json> {
    match done {
        Ok(answer) => serde_json::to_value(answer)
            .map_err(|cause| error(&format!("cannot write the result: {cause}"), None)),
        Err(QueryError::Timeout) => Err(error(
            &format!("timeout: the query took longer than {seconds} s"),
            Some("narrow the query, or start `sparkify serve` with a higher `--time-limit`"),
        )),
        Err(QueryError::Warehouse(WarehouseError::Busy { .. })) => Err(json!({ "busy": true })),
        Err(QueryError::Warehouse(cause)) => {
            Err(error(&cause.to_string(), cause.hint().as_deref()))
        }
    }
}

fn error(message: &str, hint: Option<&str>) -> Json {
    json!({ "error": message, "hint": hint })
}

fn rejected(Rejection(status, words): &Rejection) -> Reply {
    let mut answer = response(*status, "text/plain; charset=utf-8", format!("{words}\n").into());
    // An unread rest of the body must not be parsed as the next request.
    answer.headers_mut().insert("connection", HeaderValue::from_static("close"));
    answer
}

fn response(status: StatusCode, kind: &'static str, body: Bytes) -> Reply {
    response_of(status, kind, Either::Left(Full::new(body)))
}

fn response_of(status: StatusCode, kind: &'static str, body: Either<Full<Bytes>, Lines>) -> Reply {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("content-security-policy", HeaderValue::from_static(NOTHING));
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    answer
}
