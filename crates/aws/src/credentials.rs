//! Signatures, and the cache of the credentials that make them.

use std::fmt;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::sync::Mutex;

use super::AwsError;
use super::failure::{self, Profile};

/// Credentials are refreshed this long before they expire.
const EARLY: Duration = Duration::from_mins(5);
/// Longest time that a source of credentials may take: a `credential_process` may ask the user.
const TIMEOUT: Duration = Duration::from_mins(1);
/// Pause between attempts to refresh credentials that are still valid.
const RETRY: Duration = Duration::from_secs(30);

/// Signs requests with credentials that it caches and refreshes.
pub struct Signer {
    /// `None` means that requests are not signed.
    provider: Option<SharedCredentialsProvider>,
    profile: Profile,
    cached: Mutex<Option<Cached>>,
}

/// Credentials, and the time of their next refresh.
struct Cached {
    credentials: Credentials,
    refresh_at: Option<SystemTime>,
}

/// A request to sign.
#[derive(Debug)]
pub struct Unsigned<'a> {
    /// HTTP method.
    pub method: &'a Method,
    /// The whole URL, percent-encoded.
    pub url: &'a str,
    /// Headers to send; all of them are signed.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: &'a [u8],
    /// Name of the service in signatures.
    pub service: &'a str,
    /// Region that the signature is valid for.
    pub region: &'a str,
}

impl Signer {
    /// Signs with the credentials of `provider`; `profile` is named in errors.
    pub(super) fn new(provider: Option<SharedCredentialsProvider>, profile: Profile) -> Self {
        Self { provider, profile, cached: Mutex::default() }
    }

    /// Leaves requests unsigned.
    pub(super) fn anonymous() -> Self {
        Self::new(None, Profile::default())
    }

    /// Fetches the credentials unless they are cached. Fails if there are none.
    pub async fn check(&self) -> Result<(), AwsError> {
        self.credentials().await.map(drop)
    }

    /// Returns the headers to send: those of the request and its signature.
    pub async fn sign(&self, request: Unsigned<'_>) -> Result<HeaderMap, AwsError> {
        match self.credentials().await? {
            Some(credentials) => signed(request, credentials),
            None => Ok(request.headers),
        }
    }

    async fn credentials(&self) -> Result<Option<Credentials>, AwsError> {
        let Some(provider) = &self.provider else { return Ok(None) };
        let credentials = self.cached(provider).await;
        credentials.map(Some).map_err(|error| failure::of_credentials(&error, &self.profile))
    }

    /// Returns the cached credentials, refreshed if their time has come. While they are valid, a
    /// failed refresh is not an error.
    async fn cached(
        &self,
        provider: &SharedCredentialsProvider,
    ) -> Result<Credentials, CredentialsError> {
        let mut cached = self.cached.lock().await;
        let now = SystemTime::now();
        let current = cached.as_ref().filter(|held| held.refresh_at.is_none_or(|at| now < at));
        if let Some(current) = current {
            return Ok(current.credentials.clone());
        }
        let fetched = match tokio::time::timeout(TIMEOUT, provider.provide_credentials()).await {
            Ok(fetched) => fetched,
            Err(_) => Err(CredentialsError::provider_timed_out(TIMEOUT)),
        };
        let error = match fetched {
            Ok(credentials) => {
                let refresh_at = credentials.expiry().map(|expiry| refresh_at(now, expiry));
                *cached = Some(Cached { credentials: credentials.clone(), refresh_at });
                return Ok(credentials);
            }
            Err(error) => error,
        };
        let valid =
            cached.as_mut().filter(|held| held.credentials.expiry().is_some_and(|at| now < at));
        let Some(held) = valid else { return Err(error) };
        tracing::debug!("credentials were not refreshed: {}", failure::text(&error));
        held.refresh_at = Some(now + RETRY);
        Ok(held.credentials.clone())
    }
}

/// Returns the time of the next refresh: early, but not before half of the remaining time, so that
/// credentials with a short life are not fetched for every request.
fn refresh_at(now: SystemTime, expiry: SystemTime) -> SystemTime {
    let left = expiry.duration_since(now).unwrap_or_default();
    now + left.saturating_sub(EARLY).max(left.min(EARLY) / 2)
}

impl ProvideCredentials for Signer {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            match &self.provider {
                Some(provider) => self.cached(provider).await,
                None => Err(CredentialsError::not_loaded("requests are anonymous")),
            }
        })
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("profile", &self.profile).finish_non_exhaustive()
    }
}

fn signed(request: Unsigned<'_>, credentials: Credentials) -> Result<HeaderMap, AwsError> {
    let mut headers = request.headers;
    let identity = credentials.into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(request.region)
        .name(request.service)
        .time(SystemTime::now())
        .settings(settings(request.service))
        .build()
        .map_err(|_| failure::unsignable())?;
    let named =
        headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let body = SignableBody::Bytes(request.body);
    let signable = SignableRequest::new(request.method.as_str(), request.url, named, body);
    let output = signable.and_then(|signable| sign(signable, &parameters.into()));
    let (instructions, _) = output.map_err(|_| failure::unsignable())?.into_parts();
    for header in instructions.into_parts().0 {
        let mut value = HeaderValue::from_str(header.value()).map_err(|_| failure::unsignable())?;
        value.set_sensitive(true);
        headers.insert(HeaderName::from_static(header.name()), value);
    }
    Ok(headers)
}

/// Settings of a signature. S3 takes paths as they are sent, so that `a//b` is another key than
/// `a/b`, and requires the hash of the body in a header.
fn settings(service: &str) -> SigningSettings {
    let mut settings = SigningSettings::default();
    if service == "s3" {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    }
    settings
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Provider that counts its calls and returns credentials of this lifetime, or fails.
    #[derive(Debug, Clone, Default)]
    struct Counting {
        calls: Arc<AtomicUsize>,
        seconds: Arc<std::sync::Mutex<Option<u64>>>,
    }

    impl ProvideCredentials for Counting {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            self.calls.fetch_add(1, Ordering::Relaxed);
            let expiry = self.seconds.lock().unwrap().map(Duration::from_secs);
            let expiry = expiry.map(|left| SystemTime::now() + left);
            future::ProvideCredentials::ready(match expiry {
                Some(_) => Ok(Credentials::new("AKIA", "hunter2", None, expiry, "test")),
                None => Err(CredentialsError::provider_error("refused")),
            })
        }
    }

    fn run<T>(work: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(work)
    }

    #[test]
    fn credentials_are_refreshed_five_minutes_before_they_expire() {
        let now = SystemTime::now();
        let after = |minutes| {
            let at = refresh_at(now, now + Duration::from_mins(minutes));
            at.duration_since(now).unwrap()
        };
        assert_eq!(after(60), Duration::from_mins(55));
        assert_eq!(after(6), Duration::from_secs(150));
        assert_eq!(after(4), Duration::from_mins(2));
        assert_eq!(refresh_at(now, now - Duration::from_mins(1)), now);
    }

    #[test]
    fn credentials_are_cached_and_outlive_a_failed_refresh() {
        let provider = Counting::default();
        let signer =
            Signer::new(Some(SharedCredentialsProvider::new(provider.clone())), Profile::default());
        run(async {
            assert!(signer.check().await.is_err());
            *provider.seconds.lock().unwrap() = Some(3600);
            for _ in 0..3 {
                signer.check().await.unwrap();
            }
            assert_eq!(provider.calls.load(Ordering::Relaxed), 2);
            // The time of the refresh has come, and the provider fails.
            signer.cached.lock().await.as_mut().unwrap().refresh_at = Some(SystemTime::now());
            *provider.seconds.lock().unwrap() = None;
            for _ in 0..3 {
                signer.check().await.unwrap();
            }
            assert_eq!(provider.calls.load(Ordering::Relaxed), 3);
        });
        assert!(!format!("{signer:?}").contains("hunter2"));
    }

    #[test]
    fn s3_keys_are_signed_as_they_are_sent() {
        let credentials = Credentials::new("AKIA", "secret", Some("token".into()), None, "test");
        let url = "https://b.s3.eu-west-1.amazonaws.com/a//b%20c/../d/?list-type=2&prefix=a%2F";
        let request = Unsigned {
            method: &Method::GET,
            url,
            headers: HeaderMap::new(),
            body: b"",
            service: "s3",
            region: "eu-west-1",
        };
        let headers = signed(request, credentials).unwrap();
        let authorization = headers["authorization"].to_str().unwrap();
        assert!(authorization.contains("/eu-west-1/s3/aws4_request"), "{authorization}");
        assert_eq!(headers["x-amz-security-token"], "token");
        assert!(headers.contains_key("x-amz-content-sha256"));
        assert!(headers.values().all(HeaderValue::is_sensitive));
    }
}
