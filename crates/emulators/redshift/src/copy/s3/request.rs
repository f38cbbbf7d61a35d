//! GET requests with retries of transient errors: throttling, truncated bodies, lost connections.

use std::time::Duration;

use serde::Deserialize;

use super::S3Reader;
use super::sign;
use crate::copy::ObjectError;

/// Limit of an object's size.
const MAX_OBJECT_BYTES: u64 = 1 << 30;

/// Error of one attempt.
enum AttemptError {
    /// A retry may succeed.
    Transient(ObjectError),
    Permanent(ObjectError),
}

pub(super) fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .timeout_recv_response(Some(Duration::from_secs(20)))
        .timeout_recv_body(Some(Duration::from_mins(1)))
        .build();
    config.into()
}

impl S3Reader {
    /// Returns the body of a GET, after retries if necessary.
    pub(super) fn request(
        &self,
        bucket: &str,
        key: &str,
        query: &[(&str, &str)],
    ) -> Result<Vec<u8>, ObjectError> {
        let mut backoff = self.store.backoff;
        let mut attempt = 1;
        loop {
            match self.attempt(bucket, key, query) {
                Ok(body) => return Ok(body),
                Err(AttemptError::Permanent(error)) => return Err(error),
                Err(AttemptError::Transient(error)) if attempt >= self.store.attempts => {
                    return Err(error);
                }
                Err(AttemptError::Transient(_)) => {}
            }
            std::thread::sleep(backoff);
            backoff *= 2;
            attempt += 1;
        }
    }

    fn attempt(
        &self,
        bucket: &str,
        key: &str,
        query: &[(&str, &str)],
    ) -> Result<Vec<u8>, AttemptError> {
        let curl_error = |number: u32, reason: &str| {
            let message = format!(
                "S3CurlException: {reason}, CurlError {number}, multiCurlError 0, CanRetry 1, UserError 0"
            );
            AttemptError::Transient(ObjectError::Invalid(message))
        };
        let path = if key.is_empty() {
            format!("/{bucket}")
        } else {
            format!("/{bucket}/{}", sign::encode(key, true))
        };
        let query =
            query.iter().map(|(name, value)| format!("{name}={}", sign::encode(value, false)));
        let query = query.collect::<Vec<_>>().join("&");
        let separator = if query.is_empty() { "" } else { "?" };
        let url = format!("{}{path}{separator}{query}", self.store.endpoint);
        let host = self.store.endpoint.split_once("://").map_or("", |(_, host)| host);
        let mut request = self.agent.get(&url);
        for (name, value) in
            sign::headers(host, &path, &query, &self.role.key, &self.role.secret, &self.region)
        {
            request = request.header(name, value);
        }
        let mut response =
            request.call().map_err(|_| curl_error(56, "Recv failure: Connection reset by peer"))?;
        let body = response.body_mut().with_config().limit(MAX_OBJECT_BYTES).read_to_vec();
        let body = body.map_err(|_| curl_error(18, "Transferred a partial file"))?;
        match response.status().as_u16() {
            200 => Ok(body),
            status => Err(service_error(status, &String::from_utf8_lossy(&body))),
        }
    }
}

/// Converts an error response of S3 to Redshift's wording.
fn service_error(status: u16, body: &str) -> AttemptError {
    let code = body.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    let code = code.map_or("Unknown", |(code, _)| code);
    let (status, code, message) = match (status, code) {
        (404, "NoSuchKey") => return AttemptError::Permanent(ObjectError::NotFound(String::new())),
        (_, "AuthorizationHeaderMalformed" | "PermanentRedirect") => (
            301,
            "PermanentRedirect",
            "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all \
             future requests to this endpoint.",
        ),
        (_, "AccessDenied") => (status, code, "Access Denied"),
        (_, "NoSuchBucket") => (status, code, "The specified bucket does not exist"),
        (_, "InvalidAccessKeyId") => {
            (status, code, "The AWS Access Key Id you provided does not exist in our records.")
        }
        (_, "SignatureDoesNotMatch") => (
            status,
            code,
            "The request signature we calculated does not match the signature you provided.",
        ),
        (_, "ExpiredToken") => (status, code, "The provided token has expired."),
        (_, "SlowDown") => (status, code, "Please reduce your request rate."),
        _ => (status, code, "We encountered an internal error. Please try again."),
    };
    let error = ObjectError::Refused { status, code: code.to_owned(), message: message.to_owned() };
    if matches!(status, 429 | 500..) {
        AttemptError::Transient(error)
    } else {
        AttemptError::Permanent(error)
    }
}

/// Page of `ListObjectsV2`.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    #[serde(rename = "Contents", default)]
    pub contents: Vec<Object>,
    #[serde(rename = "NextContinuationToken", default)]
    pub next: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Object {
    #[serde(rename = "Key")]
    pub key: String,
    #[serde(rename = "Size")]
    pub size: u64,
}

pub(super) fn page(body: &[u8]) -> Result<Page, ObjectError> {
    let text = std::str::from_utf8(body).ok();
    let page = text.and_then(|text| quick_xml::de::from_str(text).ok());
    page.ok_or_else(|| {
        ObjectError::Invalid("S3ServiceException: the listing is not valid XML".to_owned())
    })
}
