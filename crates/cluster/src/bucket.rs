//! Region of the bucket that the role reads.

use std::time::Duration;

use sparkify_aws::Chain;
use sparkify_config::ClusterSettings;

/// Returns the region of the first bucket; none if S3 does not report it.
///
/// S3 reports it in every response, also in a refusal, so the request needs no signature.
pub(super) async fn region(settings: &ClusterSettings, chain: &Chain) -> Option<String> {
    let bucket = &settings.prefixes.first()?.bucket;
    let endpoint = chain.access().endpoint.clone();
    let endpoint = endpoint.unwrap_or_else(|| "https://s3.amazonaws.com".to_owned());
    let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().ok()?;
    let response = http.head(format!("{endpoint}/{bucket}")).send().await.ok()?;
    let region = response.headers().get("x-amz-bucket-region")?.to_str().ok()?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (!region.is_empty() && region.bytes().all(fits)).then(|| region.to_owned())
}
