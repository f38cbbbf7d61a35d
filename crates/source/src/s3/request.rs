//! One request to a bucket: its URL, its signature, and its response. The requests are written
//! here, since the `Path` of `object_store` cannot hold every key (`a//b`, a trailing `/`), and
//! since concurrency follows from each response.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Response};
use tokio::time::timeout;

use super::error_response::{ErrorResponse, FailedRequest};
use super::limiter::Limiter;
use super::retry::{AttemptError, Retry, of_transport};
use crate::SourceError;
use sparkify_aws::{Signer, Unsigned, encoded};
use sparkify_config::{Access, Addressing, Limits};

/// Region if none is configured: most servers accept any, and AWS responds with the right one.
const REGION: &str = "us-east-1";
/// Longest body of an error response and of a page of a listing, in bytes.
const LONGEST_ERROR: usize = 64 << 10;
const LONGEST_PAGE: usize = 32 << 20;
/// Most attempts to connect to a server that never responded.
const UNREACHED: u32 = 3;

/// Client of one bucket.
#[derive(Debug)]
pub(super) struct Client {
    pub bucket: String,
    pub limits: Limits,
    pub limiter: Arc<Limiter>,
    http: reqwest::Client,
    signer: Arc<Signer>,
    endpoint: Option<String>,
    addressing: Addressing,
    region: Mutex<String>,
    /// True if the region is configured: then a response does not change it.
    region_is_fixed: bool,
    requester_pays: bool,
    /// True if the server ever responded.
    reached: AtomicBool,
    /// True if a range read was ever answered with a range, and with the whole object.
    ranged: AtomicBool,
    unranged: AtomicBool,
}

/// Read request.
#[derive(Debug, Clone)]
pub(super) struct ReadRequest<'a> {
    pub method: Method,
    /// Key; empty for the bucket itself.
    pub key: &'a str,
    /// Query with its `?`; empty if there is none.
    pub query: String,
    pub headers: Vec<(HeaderName, String)>,
    /// Verb for messages: list or read.
    pub doing: &'static str,
    pub location: &'a str,
}

/// Pace of a body: a server that sends one byte a second would never reach a timeout between two
/// chunks. Only the time that was spent waiting for the server counts.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Time waited since the last [`Pace::LEAST`] bytes.
    waited: Duration,
    bytes: usize,
}

impl Pace {
    /// Bytes that must arrive within the read timeout, unless the body ends before.
    const LEAST: usize = 4 << 10;

    fn add(&mut self, waited: Duration, bytes: usize) {
        self.waited += waited;
        self.bytes += bytes;
        if self.bytes >= Self::LEAST {
            *self = Self::default();
        }
    }
}

impl Client {
    pub(super) fn new(
        bucket: &str,
        access: &Access,
        signer: Arc<Signer>,
        limiter: Arc<Limiter>,
    ) -> Result<Self, SourceError> {
        // The certificate of AWS covers only one label before the host name.
        let suits = match (&access.endpoint, bucket.contains('.')) {
            (Some(_), _) | (None, true) => Addressing::Path,
            (None, false) => Addressing::Virtual,
        };
        let addressing = access.addressing.unwrap_or(suits);
        let http = http_client(access, bucket)?;
        let region = access.region.as_deref().unwrap_or(REGION);
        Ok(Self {
            bucket: bucket.to_owned(),
            limits: access.limits,
            limiter,
            signer,
            http,
            endpoint: access.endpoint.clone(),
            addressing,
            region: Mutex::new(region.to_owned()),
            region_is_fixed: access.region.is_some(),
            requester_pays: access.requester_pays,
            reached: AtomicBool::new(false),
            ranged: AtomicBool::new(false),
            unranged: AtomicBool::new(false),
        })
    }

    /// Returns the URL of the server in this region, without the bucket.
    fn server(&self, region: &str) -> String {
        match &self.endpoint {
            Some(endpoint) => endpoint.clone(),
            None if region.starts_with("cn-") => format!("https://s3.{region}.amazonaws.com.cn"),
            None => format!("https://s3.{region}.amazonaws.com"),
        }
    }

    fn url(&self, region: &str, request: &ReadRequest<'_>) -> String {
        let (server, bucket) = (self.server(region), &self.bucket);
        let base = match (self.addressing, server.split_once("://")) {
            (Addressing::Virtual, Some((scheme, host))) => format!("{scheme}://{bucket}.{host}"),
            _ => format!("{server}/{bucket}"),
        };
        let slash =
            if request.key.is_empty() && self.addressing == Addressing::Path { "" } else { "/" };
        format!("{base}{slash}{}{}", encoded(request.key, true), request.query)
    }

    pub(super) fn region(&self) -> String {
        self.region.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes one attempt, and one more if the bucket is in another region. Returns the response
    /// before its body is read.
    pub(super) async fn attempt(
        &self,
        request: &ReadRequest<'_>,
    ) -> Result<Response, AttemptError> {
        let region = self.region();
        let error = match self.send_in(&region, request).await? {
            Ok(response) => return Ok(response),
            Err(error) => error,
        };
        // Another request may have learned the region meanwhile.
        let other = error.region.clone().filter(|other| *other != region);
        if let (true, false, Some(other)) = (error.is_wrong_region(), self.region_is_fixed, other) {
            tracing::debug!("the bucket `{}` is in {other}", self.bucket);
            self.region.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&other);
            return match self.send_in(&other, request).await? {
                Ok(response) => Ok(response),
                Err(error) => Err(self.classify(&error, &other, request)),
            };
        }
        Err(self.classify(&error, &region, request))
    }

    fn classify(
        &self,
        error: &ErrorResponse,
        region: &str,
        request: &ReadRequest<'_>,
    ) -> AttemptError {
        error.classify(FailedRequest {
            doing: request.doing,
            location: request.location,
            bucket: &self.bucket,
            server: &self.server(region),
        })
    }

    async fn send_in(
        &self,
        region: &str,
        request: &ReadRequest<'_>,
    ) -> Result<Result<Response, ErrorResponse>, AttemptError> {
        let url = self.url(region, request);
        let headers = self.headers(request).map_err(AttemptError::Permanent)?;
        let (method, body, service) = (&request.method, &[], "s3");
        let unsigned = Unsigned { method, url: &url, headers, body, service, region };
        let headers = self.signer.sign(unsigned).await;
        let headers = headers.map_err(|error| AttemptError::Permanent(error.into()))?;
        let server = self.server(region);
        let sent = self.http.request(request.method.clone(), &url).headers(headers).send();
        let response = match timeout(self.limits.read_timeout, sent).await {
            Err(_) => return Err(self.stalled(&server)),
            Ok(Err(error)) => {
                return Err(of_transport(error, &server, self.reached.load(Ordering::Relaxed)));
            }
            Ok(Ok(response)) => response,
        };
        self.reached.store(true, Ordering::Relaxed);
        let status = response.status();
        if status.is_success() {
            return Ok(Ok(response));
        }
        let header = response.headers().get("x-amz-bucket-region");
        let header = header.and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = self.body(response, LONGEST_ERROR, &server).await.unwrap_or_default();
        Ok(Err(ErrorResponse::new(status, header.as_deref(), &String::from_utf8_lossy(&body))))
    }

    /// Returns the error of a stall timeout.
    pub(super) fn stalled(&self, server: &str) -> AttemptError {
        let seconds = self.limits.read_timeout.as_secs_f64();
        AttemptError::Throttled(format!("`{server}` sent no data for {seconds} s"))
    }

    /// Returns the error of a server that sends too slowly.
    fn slow(&self, server: &str, bytes: usize) -> AttemptError {
        let seconds = self.limits.read_timeout.as_secs_f64();
        AttemptError::Throttled(format!("`{server}` sent only {bytes} bytes in {seconds} s"))
    }

    /// Returns the URL of the server, for messages.
    pub(super) fn server_name(&self) -> String {
        self.server(&self.region())
    }

    fn headers(&self, request: &ReadRequest<'_>) -> Result<HeaderMap, SourceError> {
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            let value = HeaderValue::from_str(value).map_err(|_| SourceError::Store {
                doing: request.doing,
                location: request.location.to_owned(),
                reason: "its etag is malformed".into(),
                hint: "check the name and the endpoint".into(),
            })?;
            headers.insert(name, value);
        }
        if self.requester_pays {
            headers.insert("x-amz-request-payer", HeaderValue::from_static("requester"));
        }
        Ok(headers)
    }

    /// Waits for the next chunk of a body; none at its end. A server that sends less than
    /// [`Pace::LEAST`] bytes within the read timeout counts as stalled.
    pub(super) async fn chunk(
        &self,
        response: &mut Response,
        pace: &mut Pace,
        server: &str,
    ) -> Result<Option<Bytes>, AttemptError> {
        let left = self.limits.read_timeout.saturating_sub(pace.waited);
        let started = Instant::now();
        let chunk = match timeout(left, response.chunk()).await {
            Err(_) if pace.waited > self.limits.read_timeout / 2 => {
                return Err(self.slow(server, pace.bytes));
            }
            Err(_) => return Err(self.stalled(server)),
            Ok(Err(error)) => return Err(of_transport(error, server, true)),
            Ok(Ok(chunk)) => chunk,
        };
        pace.add(started.elapsed(), chunk.as_ref().map_or(0, Bytes::len));
        Ok(chunk)
    }

    /// Reads a whole body of at most `longest` bytes.
    async fn body(
        &self,
        mut response: Response,
        longest: usize,
        server: &str,
    ) -> Result<Vec<u8>, AttemptError> {
        let (mut body, mut pace) = (Vec::new(), Pace::default());
        loop {
            match self.chunk(&mut response, &mut pace, server).await? {
                None => return Ok(body),
                Some(chunk) => body.extend_from_slice(&chunk),
            }
            if body.len() > longest {
                return Err(AttemptError::Transient(format!(
                    "`{server}` sent an overlong response"
                )));
            }
        }
    }

    async fn once(&self, request: &ReadRequest<'_>) -> Result<(HeaderMap, Vec<u8>), AttemptError> {
        let mut response = self.attempt(request).await?;
        let headers = std::mem::take(response.headers_mut());
        let body = self.body(response, LONGEST_PAGE, &self.server_name()).await?;
        Ok((headers, body))
    }

    /// Returns the headers and the short body of a response. Retries after transient errors.
    pub(super) async fn short(
        &self,
        request: &ReadRequest<'_>,
    ) -> Result<(HeaderMap, Vec<u8>), SourceError> {
        let mut retry = Retry::default();
        loop {
            let permit = self.limiter.acquire().await;
            let reason = match self.once(request).await {
                Ok((headers, body)) => {
                    permit.succeeded(body.len() as u64);
                    return Ok((headers, body));
                }
                Err(error) => error.retry_reason(Some(permit))?,
            };
            retry.wait(reason, request.doing, request.location, self.most_attempts()).await?;
        }
    }

    /// Records if a range read was answered with a range.
    pub(super) fn saw_ranges(&self, supported: bool) {
        let seen = if supported { &self.ranged } else { &self.unranged };
        seen.store(true, Ordering::Relaxed);
    }

    /// Returns true if the server supports range reads: at least one succeeded and none was
    /// ignored.
    pub(super) fn knows_ranges(&self) -> bool {
        self.ranged.load(Ordering::Relaxed) && !self.refuses_ranges()
    }

    /// Returns true if the server ever ignored a range.
    pub(super) fn refuses_ranges(&self) -> bool {
        self.unranged.load(Ordering::Relaxed)
    }

    /// Returns the current limit of attempts.
    pub(super) fn most_attempts(&self) -> u32 {
        let reached = self.reached.load(Ordering::Relaxed);
        if reached { self.limits.attempts } else { self.limits.attempts.min(UNREACHED) }
    }
}

fn http_client(access: &Access, bucket: &str) -> Result<reqwest::Client, SourceError> {
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("sparkify/", env!("CARGO_PKG_VERSION")))
        // A signature is valid for one host only, and a redirect may lead to any.
        .redirect(reqwest::redirect::Policy::none())
        .http1_only()
        .connect_timeout(access.limits.read_timeout.min(std::time::Duration::from_secs(5)))
        .tcp_nodelay(true);
    // Names below `localhost` are this machine by definition (RFC 6761), but not every system
    // resolves them.
    let host = access.endpoint.as_deref().and_then(|url| url.split("://").nth(1));
    let host = host.and_then(|host| host.split([':', '/']).next());
    if host == Some("localhost") {
        let here = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        builder = builder.resolve(&format!("{bucket}.localhost"), here);
    }
    builder.build().map_err(|error| SourceError::Store {
        doing: "reach",
        location: "S3".into(),
        reason: format!("cannot create an HTTP client ({})", sparkify_aws::all(&error)),
        hint: "check the certificates and proxies of the system".into(),
    })
}
