//! The few calls whose SDK crates cost more than they bring: a rule of a security group (EC2), the names of secrets (Secrets Manager), the caller's own address.
//!
//! Requests are written here and signed by `aws-sigv4`, which the SDK brings anyway.

use std::fmt::Write;
use std::time::{Duration, SystemTime};

use aws_sdk_sts::config::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::ClusterError;
use sparkify_config::{AwsSettings, redact};

const VERSION: &str = "2016-11-15";
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// How often a request is tried that got no answer, or was one too many.
const TRIES: u32 = 5;

/// Signs and sends.
pub(super) struct Signed {
    http: reqwest::Client,
    credentials: Credentials,
    region: String,
    ec2: String,
    secrets: String,
    sts: String,
    address: String,
}

/// A refusal of EC2.
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
        region: &str,
        credentials: Credentials,
    ) -> Result<Self, ClusterError> {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(30))
            .connect_timeout(Duration::from_secs(10))
            .build()
            .map_err(|error| unreachable("set up HTTPS", &error))?;
        let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let host = |other: &Option<String>, service: &str| {
            let host = || format!("https://{service}.{region}.{suffix}");
            other.as_ref().map_or_else(host, |url| url.trim_end_matches('/').to_owned())
        };
        Ok(Self {
            ec2: host(&aws.ec2, "ec2"),
            secrets: host(&aws.secrets, "secretsmanager"),
            sts: host(&aws.sts, "sts"),
            address: aws.address.clone(),
            region: region.to_owned(),
            http,
            credentials,
        })
    }

    /// One call of EC2; its answer as XML.
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
        let refused = quick_xml::de::from_str::<Refused>(&text).unwrap_or_default();
        Err(refused_by(
            doing,
            status,
            refused.errors.error.into_iter().next().map(|e| (e.code, e.message)),
        ))
    }

    /// The ARNs of the secrets whose name begins with `name`.
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
            return Err(refused_by(doing, status, Some((code, message))));
        }
        let secrets = answer["SecretList"].as_array().cloned().unwrap_or_default();
        Ok(secrets.iter().map(|secret| (word(&secret["Name"]), word(&secret["ARN"]))).collect())
    }

    /// The address by which the world sees the caller.
    pub(super) async fn own_address(&self) -> Result<String, ClusterError> {
        let doing = format!("learn this machine's address from `{}`", self.address);
        let text = async {
            let answer = self.http.get(&self.address).send().await?.error_for_status()?;
            answer.text().await
        };
        let text = text.await.map_err(|error| unreachable(&doing, &error));
        let parsed = text?.trim().parse::<std::net::Ipv4Addr>();
        parsed.map(|address| format!("{address}/32")).map_err(|_| {
            ClusterError::cannot(
                "this machine's address could not be learned: the answer is no IPv4 address",
                "say it with `--allow-cidr 203.0.113.7/32`",
            )
        })
    }

    /// The time of day at AWS, as it stands at the head of any answer.
    pub(super) async fn date(&self) -> Result<String, ClusterError> {
        let doing = "ask AWS what time it is";
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
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<(u16, String), ClusterError> {
        let url = format!("{url}/");
        let mut tries = 0;
        loop {
            tries += 1;
            let mut request = self.http.post(&url).body(body.clone());
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            for (name, value) in self.signature(&url, service, headers, &body)? {
                request = request.header(name, value);
            }
            let answer = async {
                let answer = request.send().await?;
                let status = answer.status().as_u16();
                Ok::<_, reqwest::Error>((status, answer.text().await?))
            };
            match answer.await {
                Ok((status, text)) if tries < TRIES && is_too_many(status, &text) => {}
                Ok(answer) => return Ok(answer),
                Err(error) if tries == TRIES => return Err(unreachable(doing, &error)),
                Err(_) => {}
            }
            tokio::time::sleep(Duration::from_millis(200) * 2_u32.pow(tries)).await;
        }
    }

    fn signature(
        &self,
        url: &str,
        service: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Vec<(String, String)>, ClusterError> {
        let identity = self.credentials.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build();
        let signed = parameters.ok().and_then(|parameters| {
            let body = SignableBody::Bytes(body.as_bytes());
            let request = SignableRequest::new("POST", url, headers.iter().copied(), body).ok()?;
            sign(request, &parameters.into()).ok()
        });
        let Some(signed) = signed else {
            return Err(ClusterError::cannot(
                "a request could not be signed",
                "check the access key for characters that none has",
            ));
        };
        let headers = signed.output().headers();
        Ok(headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

fn is_too_many(status: u16, text: &str) -> bool {
    status >= 500
        || status == 429
        || text.contains("RequestLimitExceeded")
        || text.contains("Throttling")
}

fn refused_by(doing: &str, status: u16, said: Option<(String, String)>) -> ClusterError {
    let (code, message) =
        said.unwrap_or_else(|| (format!("HTTP {status}"), "no reason is given".into()));
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
