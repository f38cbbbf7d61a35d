//! One signed request with retries. Bodies are whole in memory and requests are idempotent, so that
//! every request can be sent again; responses are short.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderValue};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use super::chain::FALLBACK_REGION;
use super::retry::{Transport, of_transport, pause};
use super::{AwsError, Chain, Signer, Unsigned};
use sparkify_config::{Access, Limits};

/// Attempts to connect to a server that never responded.
const UNREACHED: u32 = 3;
/// Codes of transient errors in responses with status 400.
const TRANSIENT: [&[u8]; 3] = [b"Throttl", b"TooManyRequests", b"RequestTimeout"];

/// Client of one service.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    chain: Chain,
    signer: Arc<Signer>,
    service: &'static str,
    limits: Limits,
    region: Mutex<String>,
    /// True once the server has responded.
    reached: AtomicBool,
    threads: Threads,
}

/// Threads that the program does not wait for when it ends.
#[derive(Debug)]
struct Threads(Option<Runtime>);

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// A request to send.
pub(super) struct Request<'a> {
    pub method: Method,
    /// Returns the URL for a region.
    pub url: &'a (dyn Fn(&str) -> String + Sync),
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// Time added to the read timeout.
    pub patience: Duration,
    pub doing: &'static str,
    pub location: &'a str,
}

/// A response of any status.
pub(super) struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub(super) fn is_good(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Failure of one attempt.
enum Trouble {
    /// Transient: retry.
    Passing(String),
    Final(AwsError),
}

impl Client {
    /// Resolves `access` for `service`. Without a configured region, the server reports it.
    pub(super) fn new(access: &Access, service: &'static str) -> Result<Self, AwsError> {
        Self::resolve(access, service, false)
    }

    /// Resolves `access` for a service that does not report its region. Fails if none is configured.
    pub(super) fn in_region(access: &Access, service: &'static str) -> Result<Self, AwsError> {
        Self::resolve(access, service, true)
    }

    fn resolve(
        access: &Access,
        service: &'static str,
        needs_region: bool,
    ) -> Result<Self, AwsError> {
        // A provider that is already installed serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let failed = |reason: String| AwsError {
            doing: "reach",
            location: service.into(),
            reason,
            hint: "check the system's certificates and proxies, and the limits of this process"
                .into(),
        };
        let http = reqwest::Client::builder()
            .user_agent(concat!("sparkify/", env!("CARGO_PKG_VERSION")))
            // A signature is valid for one host, and a redirect may name another.
            .redirect(reqwest::redirect::Policy::none())
            .http1_only()
            .connect_timeout(access.limits.read_timeout.min(Duration::from_secs(5)))
            .tcp_nodelay(true)
            .build()
            .map_err(|error| {
                failed(format!("no HTTP client can be created ({})", super::all(&error)))
            })?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name(service)
            .enable_all()
            .build()
            .map_err(|_| failed("no thread can be started".into()))?;
        let (chain, region) = runtime.block_on(async {
            let chain = Chain::load(access).await?;
            let region = if needs_region {
                chain.region().await.ok_or_else(|| AwsError {
                    hint: "set `--region`, AWS_REGION, `[AWS] REGION` in dwh.cfg, or the region of the profile".into(),
                    ..failed("no AWS region configured".into())
                })?
            } else {
                chain.access().region.clone().unwrap_or_else(|| FALLBACK_REGION.into())
            };
            Ok::<_, AwsError>((chain, region))
        })?;
        Ok(Self {
            signer: chain.signer(),
            chain,
            http,
            service,
            limits: access.limits,
            region: Mutex::new(region),
            reached: AtomicBool::new(false),
            threads: Threads(Some(runtime)),
        })
    }

    /// Returns the resolved settings.
    pub(super) fn access(&self) -> &Access {
        self.chain.access()
    }

    /// Returns the configured endpoint of the service with this ID.
    pub(super) fn endpoint(&self, service: &str) -> Result<Option<String>, AwsError> {
        self.chain.endpoint(service)
    }

    /// Returns the region of the next request.
    pub(super) fn region(&self) -> String {
        self.region.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends a request and waits for the response. A permanent refusal is a response.
    pub(super) fn send(&self, request: &Request<'_>) -> Result<Answer, AwsError> {
        match &self.threads.0 {
            Some(runtime) => runtime.block_on(self.retry(request)),
            None => Err(failed(request, "its threads have ended".into())),
        }
    }

    async fn retry(&self, request: &Request<'_>) -> Result<Answer, AwsError> {
        let mut made = 0;
        loop {
            let reason = match self.attempt(request).await {
                Ok(answer) => return Ok(answer),
                Err(Trouble::Final(error)) => return Err(error),
                Err(Trouble::Passing(reason)) => reason,
            };
            made += 1;
            let reached = self.reached.load(Ordering::Relaxed);
            let most =
                if reached { self.limits.attempts } else { self.limits.attempts.min(UNREACHED) };
            if made >= most {
                return Err(failed(request, format!("{reason}; tried {made} times")));
            }
            let pause = pause(made);
            tracing::debug!(
                "{} `{}`: {reason}; retry in {pause:?}",
                request.doing,
                request.location
            );
            tokio::time::sleep(pause).await;
        }
    }

    async fn attempt(&self, request: &Request<'_>) -> Result<Answer, Trouble> {
        let region = self.region();
        let url = (request.url)(&region);
        let headers = self.signed(request, &url, &region).await.map_err(Trouble::Final)?;
        let server = url.split('/').take(3).collect::<Vec<_>>().join("/");
        let sent = self.http.request(request.method.clone(), &url).headers(headers);
        let sent = sent.body(request.body.clone());
        let answer = async {
            let response = sent.send().await?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            Ok(Answer { status, headers, body: response.bytes().await?.to_vec() })
        };
        // A slow line may take a second for each mebibyte of the body.
        let uploading = Duration::from_secs((request.body.len() >> 20) as u64);
        let patience = self.limits.read_timeout + request.patience + uploading;
        let answer = match timeout(patience, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(self.broken(request, error, &server)),
            Err(_) => {
                return Err(Trouble::Passing(format!("`{server}` did not respond in time")));
            }
        };
        self.reached.store(true, Ordering::Relaxed);
        if answer.is_good() {
            return Ok(answer);
        }
        if self.learned_region(&answer, &region) {
            return Err(Trouble::Passing("it is in another region".into()));
        }
        let contains = |code: &&[u8]| memchr::memmem::find(&answer.body, code).is_some();
        let is_transient = matches!(answer.status, 408 | 429 | 500..=599)
            || answer.status == 400 && TRANSIENT.iter().any(contains);
        if is_transient {
            return Err(Trouble::Passing(format!(
                "`{server}` is overloaded (HTTP {})",
                answer.status
            )));
        }
        Ok(answer)
    }

    /// Keeps the bucket's region if the response reports one; true if it is another one.
    fn learned_region(&self, answer: &Answer, asked: &str) -> bool {
        let reported =
            answer.headers.get("x-amz-bucket-region").and_then(|value| value.to_str().ok());
        let fits = |region: &&str| {
            let mut bytes = region.bytes();
            (1..=64).contains(&region.len())
                && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let Some(region) = reported.filter(fits).filter(|region| *region != asked) else {
            return false;
        };
        region.clone_into(&mut self.region.lock().unwrap_or_else(PoisonError::into_inner));
        true
    }

    fn broken(&self, request: &Request<'_>, error: reqwest::Error, server: &str) -> Trouble {
        match of_transport(error, server, self.reached.load(Ordering::Relaxed)) {
            Transport::Late(reason) | Transport::Passing(reason) => Trouble::Passing(reason),
            Transport::Final { reason, hint } => {
                Trouble::Final(AwsError { hint: hint.into(), ..failed(request, reason) })
            }
        }
    }

    async fn signed(
        &self,
        request: &Request<'_>,
        url: &str,
        region: &str,
    ) -> Result<HeaderMap, AwsError> {
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            let value = HeaderValue::from_str(value)
                .map_err(|_| failed(request, "a header is malformed".into()))?;
            headers.insert(*name, value);
        }
        let (method, body, service) = (&request.method, &request.body, self.service);
        self.signer.sign(Unsigned { method, url, headers, body, service, region }).await
    }
}

/// Returns an error about a request, with the general hint.
pub(super) fn failed(request: &Request<'_>, reason: String) -> AwsError {
    AwsError {
        doing: request.doing,
        location: request.location.to_owned(),
        reason,
        hint: "try again later; nothing of this load was published".into(),
    }
}
