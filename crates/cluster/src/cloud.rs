//! How is AWS reached? One configuration for every client: region, credentials, endpoints as the SDK finds them, and the TLS that this program has already.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_sts::config::{Credentials, ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::{Builder, Connector, tls};

use super::ClusterError;
use super::error::refusal;
use super::signed::Signed;
use sparkify_config::{AwsSettings, ClusterSettings};

/// The clients.
pub(super) struct Cloud {
    pub redshift: aws_sdk_redshift::Client,
    pub serverless: aws_sdk_redshiftserverless::Client,
    pub iam: aws_sdk_iam::Client,
    pub sts: aws_sdk_sts::Client,
    /// The services whose crates would cost more than they bring.
    pub signed: Signed,
    pub region: String,
}

/// Who asks.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub account: String,
    pub arn: String,
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: String,
}

impl Cloud {
    pub(super) async fn connect(settings: &ClusterSettings) -> Result<Self, ClusterError> {
        let config = configuration(&settings.aws).await;
        let Some(region) = config.region().map(ToString::to_string) else {
            return Err(ClusterError::cannot(
                "no region is said",
                "give `--region`, AWS_REGION, a profile with one, or DWH_REGION in [DWH] of dwh.cfg",
            ));
        };
        let provider = config.credentials_provider();
        let credentials = match &provider {
            Some(provider) => provider.provide_credentials().await.ok(),
            None => None,
        };
        let Some(credentials) = credentials else {
            return Err(ClusterError::cannot(
                "no credentials for AWS were found",
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or KEY and SECRET in [AWS] of dwh.cfg; after `aws sso login`, `aws configure export-credentials --format env` prints them",
            ));
        };
        Ok(Self {
            redshift: aws_sdk_redshift::Client::new(&config),
            serverless: aws_sdk_redshiftserverless::Client::new(&config),
            iam: aws_sdk_iam::Client::new(&config),
            sts: aws_sdk_sts::Client::new(&config),
            signed: Signed::new(&settings.aws, &region, credentials)?,
            region,
        })
    }

    /// Who asks.
    pub(super) async fn caller(&self) -> Result<Caller, ClusterError> {
        let doing = "ask AWS who this is";
        let answer = self.sts.get_caller_identity().send().await;
        let answer = answer.map_err(|error| refusal(doing, error))?;
        let arn = answer.arn().unwrap_or_default().to_owned();
        Ok(Caller {
            account: answer.account().unwrap_or_default().to_owned(),
            partition: arn.split(':').nth(1).unwrap_or("aws").to_owned(),
            arn,
        })
    }
}

async fn configuration(aws: &AwsSettings) -> aws_config::SdkConfig {
    let http = Builder::new().build_with_connector_fn(|settings, components| {
        let mut connector = Connector::builder().proxy_config(ProxyConfig::from_env());
        connector.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            connector.set_sleep_impl(components.sleep_impl());
        }
        connector
            .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
            .build()
    });
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(10))
        .operation_attempt_timeout(Duration::from_mins(1));
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http)
        .retry_config(RetryConfig::standard().with_max_attempts(5))
        .timeout_config(timeouts.build());
    if let Some(region) = &aws.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(profile) = &aws.profile
        && aws.keys.is_none()
    {
        loader = loader.profile_name(profile);
    }
    if let Some(keys) = &aws.keys {
        let token = keys.token.as_ref().map(|token| token.reveal().to_owned());
        let (id, secret) = (keys.id.reveal(), keys.secret.reveal());
        let keys = Credentials::new(id, secret, token, None, "settings");
        loader = loader.credentials_provider(SharedCredentialsProvider::new(keys));
    }
    loader.load().await
}
