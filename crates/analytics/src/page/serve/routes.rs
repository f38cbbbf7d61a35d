//! What is answered on each path, and the headers that every answer has.
//!
//! What the warehouse cannot do is an answer, `{"error": …}`, not a status: the page tells it to its reader. A status other than 200 is a request that
//! the page would not make.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use time::Date;
use time::macros::format_description;
use tokio::time::timeout;

use super::Options;
use super::guard::{self, Path, Refusal};
use super::work::{Trouble, Work};
use crate::page::{Kind, Taker, gather, html};
use crate::report::Arguments;
use sparkify_warehouse::Connector;
use sparkify_warehouse::{Value, Warehouse, WarehouseError};

/// Bytes of a request's body.
const BODY: usize = 64 << 10;
/// So long may it take to come.
const PATIENCE: Duration = Duration::from_secs(10);
/// So long may the questions of the page take.
const QUESTIONS: Duration = Duration::from_mins(2);
/// Bytes of text in a statement's answer.
const TEXT: usize = 8 << 20;
/// What an answer that is no page may do in a browser.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";

const HEADERS: &[(&str, &str)] = &[
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// What is served.
pub(super) struct Site {
    port: u16,
    token: String,
    page: Bytes,
    policy: HeaderValue,
    work: Work,
    seconds: u64,
    rows: usize,
}

/// Bounds as the page asks for them; nothing bounds nothing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    since: Option<String>,
    until: Option<String>,
    level: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    sql: String,
}

impl Site {
    /// The page made once, with a token of this run.
    pub(super) fn new(
        connector: Arc<dyn Connector>,
        options: &Options,
        port: u16,
    ) -> io::Result<Self> {
        let mut random = [0; 32];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let token = Value::Bytes(random.to_vec()).to_string();
        let mut page = Vec::new();
        html::write(&mut page, Kind::Live(&token), "")?;
        let policy = format!("{}; frame-ancestors 'none'", html::policy_of(Kind::Live(&token)));
        let policy = HeaderValue::try_from(policy).map_err(io::Error::other)?;
        let Options { seconds, rows, .. } = *options;
        let work = Work::new(connector);
        Ok(Self { port, token, page: page.into(), policy, work, seconds, rows })
    }

    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        match guard::judge(&parts, self.port, &self.token) {
            Ok(Path::Page) => self.page(),
            Ok(path) => match read(body).await {
                Ok(body) => self.told(path, &body).await,
                Err(refusal) => refused(&refusal),
            },
            Err(refusal) => refused(&refusal),
        }
    }

    fn page(&self) -> Response<Full<Bytes>> {
        let mut page = made(StatusCode::OK, "text/html; charset=utf-8", self.page.clone());
        page.headers_mut().insert("content-security-policy", self.policy.clone());
        page
    }

    async fn told(&self, path: Path, body: &[u8]) -> Response<Full<Bytes>> {
        let answer = if path == Path::Sql {
            let Ok(statement) = serde_json::from_slice(body) else { return refused(&UNREADABLE) };
            self.sql(statement).await
        } else {
            let Ok(wanted) = serde_json::from_slice(body) else { return refused(&UNREADABLE) };
            self.data(wanted).await
        };
        let answer = answer.unwrap_or_else(|error| error);
        made(StatusCode::OK, "application/json", answer.to_string().into())
    }

    async fn data(&self, wanted: Wanted) -> Result<Json, Json> {
        let arguments = arguments(wanted)?;
        let job = move |warehouse: &mut dyn Warehouse| gather(warehouse, &arguments);
        let done = self.work.run(QUESTIONS, job).await;
        told(done, QUESTIONS.as_secs())
    }

    async fn sql(&self, Statement { sql }: Statement) -> Result<Json, Json> {
        if sql.trim().is_empty() {
            return Err(error("there is no SQL to run", None));
        }
        let rows = self.rows;
        let job = move |warehouse: &mut dyn Warehouse| {
            let mut taker = Taker::new(rows, TEXT);
            let ended = warehouse.query_each(&sql, &[], &mut taker);
            taker.taken(ended)
        };
        let done = self.work.run(Duration::from_secs(self.seconds), job).await;
        told(done, self.seconds)
    }
}

const UNREADABLE: Refusal =
    Refusal(StatusCode::BAD_REQUEST, "the request is not what it should be");

async fn read(body: Incoming) -> Result<Bytes, Refusal> {
    match timeout(PATIENCE, Limited::new(body, BODY).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(_)) => Err(Refusal(StatusCode::PAYLOAD_TOO_LARGE, "a request has at most 64 KB")),
        Err(_) => Err(Refusal(StatusCode::REQUEST_TIMEOUT, "the request does not end")),
    }
}

fn arguments(Wanted { since, until, level }: Wanted) -> Result<Arguments, Json> {
    let day = |written: Option<String>| {
        let Some(written) = written else { return Ok(None) };
        let form = format_description!("[year]-[month]-[day]");
        let hint = "write it as 2018-11-05";
        let day = Date::parse(&written, form);
        day.map(Some).map_err(|_| error(&format!("`{written}` is not a date"), Some(hint)))
    };
    let (since, until) = (day(since)?, day(until)?);
    if since.zip(until).is_some_and(|(first, last)| last < first) {
        return Err(error("the last day lies before the first", Some("both are part of it")));
    }
    Ok(Arguments { since, until, level, ..Arguments::default() })
}

fn told(done: Result<impl Serialize, Trouble>, seconds: u64) -> Result<Json, Json> {
    match done {
        Ok(answer) => serde_json::to_value(answer)
            .map_err(|cause| error(&format!("cannot write the answer: {cause}"), None)),
        Err(Trouble::Late) => Err(error(
            &format!("stopped: it took longer than {seconds} s"),
            Some("ask for less, or start `sparkify serve` with another `--time-limit`"),
        )),
        Err(Trouble::Warehouse(WarehouseError::Busy { .. })) => Err(json!({ "busy": true })),
        Err(Trouble::Warehouse(cause)) => Err(error(&cause.to_string(), cause.hint().as_deref())),
    }
}

fn error(message: &str, hint: Option<&str>) -> Json {
    json!({ "error": message, "hint": hint })
}

fn refused(Refusal(status, words): &Refusal) -> Response<Full<Bytes>> {
    let mut answer = made(*status, "text/plain; charset=utf-8", format!("{words}\n").into());
    // What is left of a body that nobody reads is no next request.
    answer.headers_mut().insert("connection", HeaderValue::from_static("close"));
    answer
}

fn made(status: StatusCode, kind: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(body));
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
