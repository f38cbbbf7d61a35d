//! Error responses of S3: classifies status and error code, and explains them to the user. Messages
//! contain the code, but not the server's own text, since that can quote the signed request.

use quick_xml::de::from_str;
use reqwest::StatusCode;
use serde::Deserialize;

use super::retry::AttemptError;
use crate::SourceError;

/// XML body of an error response.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ErrorBody {
    code: String,
    region: Option<String>,
}

/// Error response.
#[derive(Debug)]
pub(super) struct ErrorResponse {
    pub status: StatusCode,
    /// Error code, reduced to letters and digits; empty if there is none.
    pub code: String,
    /// Region of the bucket, if the response names it.
    pub region: Option<String>,
}

/// The failed request, for messages.
#[derive(Debug, Clone, Copy)]
pub(super) struct FailedRequest<'a> {
    /// Verb: list or read.
    pub doing: &'static str,
    /// `s3://bucket/…`
    pub location: &'a str,
    pub bucket: &'a str,
    /// URL of the server.
    pub server: &'a str,
}

impl ErrorResponse {
    /// Parses a response; `header` is its header with the region of the bucket.
    pub(super) fn new(status: StatusCode, header: Option<&str>, body: &str) -> Self {
        let body: ErrorBody = from_str(body).unwrap_or_default();
        let code = body.code.chars().filter(char::is_ascii_alphanumeric).take(60).collect();
        let fits = |region: &String| {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            !region.is_empty() && region.len() <= 64 && region.bytes().all(fits)
        };
        let region = header.map(str::to_owned).or(body.region).filter(fits);
        Self { status, code, region }
    }

    /// Returns true if the bucket is in another region than the request was signed for.
    pub(super) fn is_wrong_region(&self) -> bool {
        self.status.is_redirection()
            || matches!(
                self.code.as_str(),
                "AuthorizationHeaderMalformed"
                    | "PermanentRedirect"
                    | "TemporaryRedirect"
                    | "IllegalLocationConstraintException"
            )
    }

    /// Classifies the error: throttling, transient or permanent.
    pub(super) fn classify(&self, request: FailedRequest<'_>) -> AttemptError {
        let code = self.code_and_status();
        match (self.status.as_u16(), self.code.as_str()) {
            (408 | 429 | 503 | 504, _)
            | (_, "SlowDown" | "Throttling" | "ThrottlingException" | "RequestTimeout") => {
                AttemptError::Throttled(format!(
                    "`{}` is throttling requests ({code})",
                    request.server
                ))
            }
            (500..=599, found) if found != "NotImplemented" => {
                AttemptError::Transient(format!("`{}` failed ({code})", request.server))
            }
            (412 | 416, _) => {
                // The etag or the range no longer matches the object.
                AttemptError::Permanent(SourceError::Changed { path: request.location.to_owned() })
            }
            _ => AttemptError::Permanent(self.permanent(request, &code)),
        }
    }

    fn code_and_status(&self) -> String {
        match (self.status.as_u16(), self.code.as_str()) {
            (status, "") => format!("HTTP {status}"),
            (status, code) => format!("{code}, HTTP {status}"),
        }
    }

    fn permanent(&self, request: FailedRequest<'_>, code: &str) -> SourceError {
        let FailedRequest { doing, location, bucket, server } = request;
        if self.status == StatusCode::NOT_FOUND && self.code != "NoSuchBucket" && doing == "read" {
            return SourceError::Gone { path: location.to_owned() };
        }
        let (reason, hint) = match (self.status.as_u16(), self.code.as_str()) {
            (_, "NoSuchBucket") => (
                format!("there is no bucket `{bucket}` at `{server}` ({code})"),
                "check the name of the bucket, and `--endpoint-url` for other servers than AWS"
                    .to_owned(),
            ),
            (_, "ExpiredToken" | "TokenRefreshRequired" | "ExpiredTokenException") => (
                format!("the credentials have expired ({code})"),
                "renew them, for example with `aws sso login`".into(),
            ),
            (_, "InvalidAccessKeyId" | "InvalidToken" | "InvalidClientTokenId") => (
                format!("`{server}` does not know this access key ({code})"),
                "check AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN, or the profile that has them"
                    .into(),
            ),
            (_, "SignatureDoesNotMatch") => (
                format!("the signature is wrong ({code})"),
                "check AWS_SECRET_ACCESS_KEY, and that no proxy changes requests".into(),
            ),
            (_, "RequestTimeTooSkewed") => (
                format!("the clocks of this machine and of `{server}` differ too much ({code})"),
                "synchronize the clock of this machine".into(),
            ),
            _ if self.is_wrong_region() => (
                format!("the bucket `{bucket}` is not in the requested region ({code})"),
                match &self.region {
                    Some(region) => format!("pass `--region {region}`"),
                    None => "pass its region with `--region`".into(),
                },
            ),
            (401 | 403, _) => (format!("access is denied ({code})"), denied_hint(doing)),
            _ => (
                format!("`{server}` refused the request ({code})"),
                "check that the server supports S3, and try `--addressing-style path` or `virtual`"
                    .into(),
            ),
        };
        SourceError::Store { doing, location: location.to_owned(), reason, hint }
    }
}

fn denied_hint(doing: &str) -> String {
    let action = if doing == "list" { "s3:ListBucket" } else { "s3:GetObject" };
    format!(
        "these credentials need `{action}`; use `--no-sign-request` for a public bucket, `--request-payer` for a requester-pays bucket"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_next_action_and_no_text_of_the_server() {
        let body = "<?xml version=\"1.0\"?><Error><Code>SignatureDoesNotMatch</Code>\
            <StringToSign>hunter2</StringToSign></Error>";
        let response = ErrorResponse::new(StatusCode::FORBIDDEN, None, body);
        let request =
            FailedRequest { doing: "read", location: "s3://b/k", bucket: "b", server: "h" };
        let AttemptError::Permanent(error) = response.classify(request) else { panic!("final") };
        assert_eq!(
            error.to_string(),
            "cannot read `s3://b/k`: the signature is wrong (SignatureDoesNotMatch, HTTP 403)"
        );
        let moved = ErrorResponse::new(StatusCode::MOVED_PERMANENTLY, Some("eu-west-1"), "not XML");
        let AttemptError::Permanent(error) = moved.classify(request) else { panic!("final") };
        assert_eq!(error.hint(), "pass `--region eu-west-1`");
        let busy = ErrorResponse::new(StatusCode::SERVICE_UNAVAILABLE, None, "");
        assert!(matches!(busy.classify(request), AttemptError::Throttled(_)));
    }
}
