//! Calls to services whose SDK crates are expensive to compile: security group rules (EC2), names
//! of secrets (Secrets Manager), and the caller's public address.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;

use super::ClusterError;
use super::cloud::failed;
use sparkify_aws::{Chain, Signer, Unsigned};
use sparkify_config::{AwsSettings, redact};

const VERSION: &str = "2016-11-15";
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// Maximum number of attempts for a request that is throttled or gets no response.
const ATTEMPTS: u32 = 5;

/// Client that signs and sends requests.
pub(super) struct Signed {
    http: reqwest::Client,
    signer: Arc<Signer>,
    region: String,
    ec2: String,
    secrets: String,
    sts: String,
    address: String,
}

/// Error response of EC2.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Refused {
    errors: RefusedErrors,
}
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct RefusedErrors {
    error: Vec<RefusedError>,
}
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct RefusedError {
    code: String,
    message: String,
}

impl Signed {
    pub(super) fn new(
        aws: &AwsSettings,
        chain: &Chain,
        region: &str,
    ) -> Result<Self, ClusterError> {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(30))
            .connect_timeout(Duration::from_secs(10))
            .build()
            .map_err(|error| unreachable("set up HTTPS", &error))?;
        let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let server = |id: &str, name: &str| {
            let configured = chain.endpoint(id).map_err(failed)?;
            Ok(configured.unwrap_or_else(|| format!("https://{name}.{region}.{suffix}")))
        };
        Ok(Self {
            ec2: server("EC2", "ec2")?,
            secrets: server("Secrets Manager", "secretsmanager")?,
            sts: server("STS", "sts")?,
            address: aws.address.clone(),
            region: region.to_owned(),
            http,
            signer: chain.signer(),
        })
    }

    /// Calls EC2. Returns the response as XML.
    pub(super) async fn ec2(
        &self,
        doing: &str,
        action: &str,
        parameters: &[(String, String)],
    ) -> Result<String, ClusterError> {
        let mut body = format!("Action={action}&Version={VERSION}");
        for (name, value) in parameters {
            let _ = write!(body, "&{name}={}", utf8_percent_encode(value, PLAIN));
        }
        let form = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
        let (status, text) = self.send(doing, &self.ec2, "ec2", &form, body).await?;
        if (200..300).contains(&status) {
            return Ok(text);
        }
        let response = quick_xml::de::from_str::<Refused>(&text).unwrap_or_default();
        Err(refused(
            doing,
            status,
            response.errors.error.into_iter().next().map(|e| (e.code, e.message)),
        ))
    }

    /// Returns name and ARN of the secrets whose name starts with `name`.
    pub(super) async fn secrets(&self, name: &str) -> Result<Vec<(String, String)>, ClusterError> {
        let doing = "list the secrets";
        let headers = [
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", "secretsmanager.ListSecrets"),
        ];
        let filter = serde_json::json!({ "Filters": [{ "Key": "name", "Values": [name] }], "MaxResults": 100 });
        let sent = self.send(doing, &self.secrets, "secretsmanager", &headers, filter.to_string());
        let (status, text) = sent.await?;
        let answer: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        let word = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        if !(200..300).contains(&status) {
            let code = word(&answer["__type"]);
            let code = code.rsplit('#').next().unwrap_or_default().to_owned();
            let message = [&answer["message"], &answer["Message"]].map(word).concat();
            return Err(refused(doing, status, Some((code, message))));
        }
        let secrets = answer["SecretList"].as_array().cloned().unwrap_or_default();
        Ok(secrets.iter().map(|secret| (word(&secret["Name"]), word(&secret["ARN"]))).collect())
    }

    /// Returns the caller's public IPv4 address as a range of one address.
    pub(super) async fn own_address(&self) -> Result<String, ClusterError> {
        let doing = format!("determine this machine's address from `{}`", self.address);
        let text = async {
            let answer = self.http.get(&self.address).send().await?.error_for_status()?;
            answer.text().await
        };
        let text = text.await.map_err(|error| unreachable(&doing, &error));
        let parsed = text?.trim().parse::<std::net::Ipv4Addr>();
        parsed.map(|address| format!("{address}/32")).map_err(|_| {
            ClusterError::cannot(
                "cannot determine this machine's address: the response is not an IPv4 address",
                "pass it as `--allow-cidr 203.0.113.7/32`",
            )
        })
    }

    /// Returns the time at AWS from the `Date` header of a response.
    pub(super) async fn date(&self) -> Result<String, ClusterError> {
        let doing = "read the time from AWS";
        let answer = self.http.get(format!("{}/", self.sts)).send().await;
        let answer = answer.map_err(|error| unreachable(doing, &error))?;
        let date = answer.headers().get("date").and_then(|date| date.to_str().ok());
        Ok(date.unwrap_or_default().to_owned())
    }

    async fn send(
        &self,
        doing: &str,
        url: &str,
        service: &str,
        headers: &[(&'static str, &'static str)],
        body: String,
    ) -> Result<(u16, String), ClusterError> {
        let url = format!("{url}/");
        let mut attempts = 0;
        loop {
            attempts += 1;
            let headers = self.headers(&url, service, headers, &body).await?;
            let request = self.http.post(&url).headers(headers).body(body.clone());
            let answer = async {
                let answer = request.send().await?;
                let status = answer.status().as_u16();
                Ok::<_, reqwest::Error>((status, answer.text().await?))
            };
            match answer.await {
                Ok((status, text)) if attempts < ATTEMPTS && is_transient(status, &text) => {}
                Ok(answer) => return Ok(answer),
                Err(error) if attempts == ATTEMPTS => return Err(unreachable(doing, &error)),
                Err(_) => {}
            }
            // Exponential backoff.
            tokio::time::sleep(Duration::from_millis(200) * 2_u32.pow(attempts)).await;
        }
    }

    async fn headers(
        &self,
        url: &str,
        service: &str,
        headers: &[(&'static str, &'static str)],
        body: &str,
    ) -> Result<HeaderMap, ClusterError> {
        let own = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let unsigned = Unsigned {
            method: &Method::POST,
            url,
            headers: own.collect(),
            body: body.as_bytes(),
            service,
            region: &self.region,
        };
        self.signer.sign(unsigned).await.map_err(failed)
    }
}

fn is_transient(status: u16, text: &str) -> bool {
    status >= 500
        || status == 429
        || text.contains("RequestLimitExceeded")
        || text.contains("Throttling")
}

fn refused(doing: &str, status: u16, error: Option<(String, String)>) -> ClusterError {
    let (code, message) =
        error.unwrap_or_else(|| (format!("HTTP {status}"), "no reason given".into()));
    let message = redact::without_secrets(&message);
    ClusterError::Refused { doing: doing.into(), code, message }
}

fn unreachable(doing: &str, error: &reqwest::Error) -> ClusterError {
    let mut reason = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        reason = cause.to_string();
        source = cause.source();
    }
    ClusterError::Unreachable { doing: doing.into(), reason: redact::without_secrets(&reason) }
}
