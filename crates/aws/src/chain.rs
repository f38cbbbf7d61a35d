//! Region, endpoints and credentials, resolved by the SDK's `aws-config`.
//!
//! Explicit settings come from [`Access`]; everything else is found where the AWS command line finds
//! it. Resolution reads files only. The network is used when credentials are first needed.

use std::sync::Arc;
use std::time::Duration;

use aws_config::identity::IdentityCache;
use aws_config::imds::region::ImdsRegionProvider;
use aws_config::profile::ProfileSet;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::{Builder, Connector, tls};
use aws_types::os_shim_internal::{Env, Fs};
use aws_types::sdk_config::SharedHttpClient;
use aws_types::service_config::ServiceConfigKey;

use super::AwsError;
use super::credentials::Signer;
use super::failure::{self, Profile};
use sparkify_config::{Access, Credentials as Source, Keys, parse_endpoint};

/// Region of STS and of S3 where none is configured. S3 reports the region of a bucket; STS accepts
/// requests for any region there.
pub(super) const FALLBACK_REGION: &str = "us-east-1";
/// Name of the profile that counts when none is chosen.
const DEFAULT_PROFILE: &str = "default";

/// Resolved configuration of requests to AWS.
#[derive(Debug, Clone)]
pub struct Chain {
    access: Access,
    sdk: SdkConfig,
    signer: Arc<Signer>,
}

impl Chain {
    /// Resolves `access`. Fails if the chosen profile does not exist or holds a malformed value.
    pub async fn load(access: &Access) -> Result<Self, AwsError> {
        let name = access.profile.as_deref().unwrap_or(DEFAULT_PROFILE);
        #[expect(clippy::default_trait_access, reason = "the type belongs to an internal crate")]
        let (fs, env, files) = (Fs::real(), Env::real(), Default::default());
        let loaded = aws_config::profile::load(&fs, &env, &files, Some(name.to_owned().into()));
        let profiles = match loaded.await {
            Ok(profiles) => profiles,
            Err(error) if matches!(access.credentials, Source::Chain) => {
                return Err(failure::unreadable(&error));
            }
            // Static keys and anonymous requests do not depend on the files.
            Err(_) => ProfileSet::default(),
        };
        if matches!(access.credentials, Source::Chain)
            && access.profile.is_some()
            && profiles.get_profile(name).is_none()
        {
            return Err(failure::unknown_profile(name, profiles.profiles()));
        }
        let region = access.region.as_deref().or_else(|| profiles.get("region"));
        let sdk = load_sdk(access, name, region.unwrap_or(FALLBACK_REGION)).await;
        let endpoint = configured_endpoint(&sdk, "S3");
        let access = access.clone().or_profile(endpoint.as_deref(), profiles.get("region"));
        let access = access.map_err(|error| failure::malformed(&error))?;
        let signer = match &access.credentials {
            Source::Anonymous => Signer::anonymous(),
            _ => Signer::new(sdk.credentials_provider(), Profile::new(name, &profiles)),
        };
        Ok(Self { access, sdk, signer: Arc::new(signer) })
    }

    /// Returns the settings with region and S3 endpoint of the profile filled in.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Returns the signer, whose credentials all clients of this chain share.
    pub fn signer(&self) -> Arc<Signer> {
        Arc::clone(&self.signer)
    }

    /// Returns the configured region, or that of the EC2 instance.
    pub async fn region(&self) -> Option<String> {
        if self.access.region.is_some() {
            return self.access.region.clone();
        }
        let config = ProviderConfig::without_region();
        let config = match self.sdk.http_client() {
            Some(http) => config.with_http_client(http),
            None => config,
        };
        let provider = ImdsRegionProvider::builder().configure(&config).build();
        provider.region().await.map(|region| region.to_string())
    }

    /// Returns the endpoint of a service that the environment or the profile sets. `service` is the
    /// ID of the service in the SDK.
    pub fn endpoint(&self, service: &str) -> Result<Option<String>, AwsError> {
        let written = configured_endpoint(&self.sdk, service);
        let endpoint = written.as_deref().map(parse_endpoint).transpose();
        endpoint.map_err(|error| failure::malformed(&error))
    }

    /// Returns the configuration of SDK clients in `region`. They share the signer's credentials.
    pub fn sdk(&self, region: &str) -> SdkConfig {
        let provider: Arc<dyn ProvideCredentials> = self.signer();
        let builder = self.sdk.to_builder().region(Region::new(region.to_owned()));
        builder.credentials_provider(SharedCredentialsProvider::new(provider)).build()
    }
}

/// Resolves `access` and fetches its credentials. Returns the resolved settings.
pub fn check(access: &Access) -> Result<Access, AwsError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|_| failure::no_thread())?;
    runtime.block_on(async {
        let chain = Chain::load(access).await?;
        chain.signer.check().await?;
        Ok(chain.access)
    })
}

async fn load_sdk(access: &Access, profile: &str, region: &str) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(10))
        .operation_attempt_timeout(Duration::from_mins(1));
    let loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http_client())
        // The signer caches and refreshes credentials.
        .identity_cache(IdentityCache::no_cache())
        .retry_config(RetryConfig::standard().with_max_attempts(5))
        .timeout_config(timeouts.build())
        .profile_name(profile)
        .region(Region::new(region.to_owned()));
    let loader = match &access.credentials {
        Source::Anonymous => loader.no_credentials(),
        Source::Keys(keys) => loader.credentials_provider(static_keys(keys)),
        Source::Chain => loader,
    };
    loader.load().await
}

fn static_keys(keys: &Keys) -> Credentials {
    let token = keys.token.as_ref().map(|token| token.reveal().to_owned());
    Credentials::new(keys.id.reveal(), keys.secret.reveal(), token, None, "settings")
}

/// HTTP client of the SDK: the TLS library that the program already has, and the system's proxies.
fn http_client() -> SharedHttpClient {
    Builder::new().build_with_connector_fn(|settings, components| {
        let mut connector = Connector::builder().proxy_config(ProxyConfig::from_env());
        connector.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            connector.set_sleep_impl(components.sleep_impl());
        }
        connector
            .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
            .build()
    })
}

/// Returns `AWS_ENDPOINT_URL_<SERVICE>`, `AWS_ENDPOINT_URL`, or the same of the profile.
fn configured_endpoint(sdk: &SdkConfig, service: &str) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id(service)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build();
    sdk.service_config()?.load_config(key.ok()?).filter(|url| !url.is_empty())
}
