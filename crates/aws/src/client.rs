//! One signed request, tried again while that makes sense. What is sent is whole in memory and safe to send twice; what comes back is short.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use object_store::aws::AwsAuthorizer;
use object_store::client::{HttpRequest, HttpRequestBody};
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderValue};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use super::retry::{Transport, of_transport, pause};
use super::{AwsError, Signer};
use sparkify_config::{Access, Limits};

/// Where nobody said a region: most servers take any, and Amazon says which one it is.
const REGION: &str = "us-east-1";
/// To a server that never answered, a connection is tried only so often.
const UNREACHED: u32 = 3;
/// Codes of refusals that pass, in bodies of HTTP 400.
const PASSING: [&[u8]; 3] = [b"Throttl", b"TooManyRequests", b"RequestTimeout"];

/// The way to one service.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    signer: Signer,
    service: &'static str,
    pub limits: Limits,
    region: Mutex<String>,
    reached: AtomicBool,
    threads: Threads,
}

/// The threads, which are not waited for at the end.
#[derive(Debug)]
struct Threads(Option<Runtime>);

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// What is sent.
pub(super) struct Request<'a> {
    pub method: Method,
    /// The URL in a region.
    pub url: &'a (dyn Fn(&str) -> String + Sync),
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// How long the answer may take beyond the usual.
    pub patience: Duration,
    pub doing: &'static str,
    pub location: &'a str,
}

/// What came back, good or not.
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

/// Why one try came to nothing.
enum Trouble {
    Passing(String),
    Final(AwsError),
}

impl Client {
    pub(super) fn new(access: &Access, service: &'static str) -> Result<Self, AwsError> {
        // A second call finds it installed, which is as good.
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
            // A signature is for one host, and a redirect may lead anywhere.
            .redirect(reqwest::redirect::Policy::none())
            .http1_only()
            .connect_timeout(access.limits.read_timeout.min(Duration::from_secs(5)))
            .tcp_nodelay(true)
            .build()
            .map_err(|error| {
                failed(format!("no HTTP client can be made ({})", super::all(&error)))
            })?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name(service)
            .enable_all()
            .build()
            .map_err(|_| failed("no thread can be started".into()))?;
        let region = access.region.as_deref().unwrap_or(REGION);
        Ok(Self {
            signer: Signer::new(access.credentials.clone(), http.clone(), region)?,
            http,
            service,
            limits: access.limits,
            region: Mutex::new(region.to_owned()),
            reached: AtomicBool::new(false),
            threads: Threads(Some(runtime)),
        })
    }

    /// The region that is asked now.
    pub(super) fn region(&self) -> String {
        self.region.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends, and waits for the answer; a refusal that does not pass is an answer too.
    pub(super) fn send(&self, request: &Request<'_>) -> Result<Answer, AwsError> {
        match &self.threads.0 {
            Some(runtime) => runtime.block_on(self.persist(request)),
            None => Err(failed(request, "its threads have ended".into())),
        }
    }

    async fn persist(&self, request: &Request<'_>) -> Result<Answer, AwsError> {
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
                "{} `{}`: {reason}; again in {pause:?}",
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
        let asked = self.http.request(request.method.clone(), &url).headers(headers);
        let asked = asked.body(request.body.clone());
        let answer = async {
            let response = asked.send().await?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            Ok(Answer { status, headers, body: response.bytes().await?.to_vec() })
        };
        // A large body takes its time on a narrow line: a mebibyte a second is taken for granted.
        let uploading = Duration::from_secs((request.body.len() >> 20) as u64);
        let patience = self.limits.read_timeout + request.patience + uploading;
        let answer = match timeout(patience, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(self.broken(request, error, &server)),
            Err(_) => return Err(Trouble::Passing(format!("`{server}` gave no answer in time"))),
        };
        self.reached.store(true, Ordering::Relaxed);
        if answer.is_good() {
            return Ok(answer);
        }
        if self.learned_region(&answer, &region) {
            return Err(Trouble::Passing("it is in another region".into()));
        }
        let said = |code: &&[u8]| memchr::memmem::find(&answer.body, code).is_some();
        let passes = matches!(answer.status, 408 | 429 | 500..=599)
            || answer.status == 400 && PASSING.iter().any(said);
        if passes {
            return Err(Trouble::Passing(format!(
                "`{server}` has too much to do (HTTP {})",
                answer.status
            )));
        }
        Ok(answer)
    }

    fn learned_region(&self, answer: &Answer, asked: &str) -> bool {
        let said = answer.headers.get("x-amz-bucket-region").and_then(|value| value.to_str().ok());
        let fits = |region: &&str| {
            let mut bytes = region.bytes();
            (1..=64).contains(&region.len())
                && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let Some(region) = said.filter(fits).filter(|region| *region != asked) else {
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
        let malformed = |what: &str| failed(request, format!("{what} is malformed"));
        let mut signed = HttpRequest::new(HttpRequestBody::from(request.body.clone()));
        *signed.method_mut() = request.method.clone();
        *signed.uri_mut() = url.parse().map_err(|_| malformed("its URL"))?;
        for (name, value) in &request.headers {
            let value = HeaderValue::from_str(value).map_err(|_| malformed("a header"))?;
            signed.headers_mut().insert(*name, value);
        }
        if let Some(keys) = self.signer.keys().await? {
            AwsAuthorizer::new(&keys, self.service, region)
                .try_authorize(&mut signed, None)
                .map_err(|_| failed(request, "the request cannot be signed".into()))?;
        }
        Ok(std::mem::take(signed.headers_mut()))
    }
}

/// An error about a request, with the hint that always holds.
pub(super) fn failed(request: &Request<'_>, reason: String) -> AwsError {
    AwsError {
        doing: request.doing,
        location: request.location.to_owned(),
        reason,
        hint: "try again later; nothing of this load was published".into(),
    }
}
