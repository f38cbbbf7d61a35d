//! Clients of the control plane. They share the credential chain of [`sparkify_aws`].

use super::error::sdk_error;
use super::signed::Signed;
use super::{ClusterError, bucket};
use aws_config::SdkConfig;
use sparkify_aws::{AwsError, Chain};
use sparkify_config::ClusterSettings;

/// Clients in one region.
pub(super) struct Cloud {
    pub redshift: aws_sdk_redshift::Client,
    pub serverless: aws_sdk_redshiftserverless::Client,
    pub iam: aws_sdk_iam::Client,
    pub sts: aws_sdk_sts::Client,
    /// Calls to services whose SDK crates are expensive to compile.
    pub signed: Signed,
    pub region: String,
    config: SdkConfig,
}

/// Identity of the credentials.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub account: String,
    pub arn: String,
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: String,
}

impl Cloud {
    /// Resolves region and credentials. Fails if either is missing. Where no region is configured,
    /// it is `fallback`, or that of the bucket: COPY reads from a bucket in the same region without
    /// cost.
    pub(super) async fn connect(
        settings: &ClusterSettings,
        fallback: Option<&str>,
    ) -> Result<Self, ClusterError> {
        let chain = Chain::load(&settings.aws.access).await.map_err(failed)?;
        let mut region = chain.region().await.or_else(|| fallback.map(str::to_owned));
        if region.is_none() {
            region = bucket::region(settings, &chain).await;
        }
        let Some(region) = region else {
            return Err(ClusterError::cannot(
                "no AWS region configured",
                "set `--region`, AWS_REGION, DWH_REGION in [DWH] of dwh.cfg, or the region of the profile",
            ));
        };
        chain.signer().check().await.map_err(failed)?;
        let config = chain.sdk(&region);
        Ok(Self {
            redshift: aws_sdk_redshift::Client::new(&config),
            serverless: aws_sdk_redshiftserverless::Client::new(&config),
            iam: aws_sdk_iam::Client::new(&config),
            sts: aws_sdk_sts::Client::new(&config),
            signed: Signed::new(&settings.aws, &chain, &region)?,
            region,
            config,
        })
    }

    /// Returns the clients of Redshift in another region.
    pub(super) fn redshift_in(
        &self,
        region: &str,
    ) -> (aws_sdk_redshift::Client, aws_sdk_redshiftserverless::Client) {
        let region = aws_config::Region::new(region.to_owned());
        let config = self.config.to_builder().region(region).build();
        let redshift = aws_sdk_redshift::Client::new(&config);
        (redshift, aws_sdk_redshiftserverless::Client::new(&config))
    }

    /// Returns the identity of the credentials.
    pub(super) async fn caller(&self) -> Result<Caller, ClusterError> {
        let doing = "check the AWS identity";
        let answer = self.sts.get_caller_identity().send().await;
        let answer = answer.map_err(|error| sdk_error(doing, error))?;
        let arn = answer.arn().unwrap_or_default().to_owned();
        Ok(Caller {
            account: answer.account().unwrap_or_default().to_owned(),
            partition: arn.split(':').nth(1).unwrap_or("aws").to_owned(),
            arn,
        })
    }
}

/// Converts an error that already explains itself.
pub(super) fn failed(error: AwsError) -> ClusterError {
    ClusterError::cannot(error.to_string(), error.hint)
}
