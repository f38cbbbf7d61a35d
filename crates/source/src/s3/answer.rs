//! What a store's refusal means: from status and error code to words that a person can act on. The store's own text is not repeated, since it may
//! quote what was signed; its code is.

use quick_xml::de::from_str;
use reqwest::StatusCode;
use serde::Deserialize;

use super::retry::Trouble;
use crate::SourceError;

/// The body of a refusal.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Refusal {
    code: String,
    region: Option<String>,
}

/// A refusal, as far as it was understood.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: StatusCode,
    /// The code, letters and digits alone; empty when the store gave none.
    pub code: String,
    /// Where the bucket lies, if the store said so.
    pub region: Option<String>,
}

/// What was asked, for the words about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    /// list or read
    pub doing: &'static str,
    /// `s3://bucket/…`
    pub location: &'a str,
    pub bucket: &'a str,
    /// The server's name.
    pub server: &'a str,
}

impl Answer {
    pub(super) fn new(status: StatusCode, header: Option<&str>, body: &str) -> Self {
        let refusal: Refusal = from_str(body).unwrap_or_default();
        let code = refusal.code.chars().filter(char::is_ascii_alphanumeric).take(60).collect();
        let fits = |region: &String| {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            !region.is_empty() && region.len() <= 64 && region.bytes().all(fits)
        };
        let region = header.map(str::to_owned).or(refusal.region).filter(fits);
        Self { status, code, region }
    }

    /// Whether the store lies, or signs, in another region than it was asked in.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.status.is_redirection()
            || matches!(
                self.code.as_str(),
                "AuthorizationHeaderMalformed"
                    | "PermanentRedirect"
                    | "TemporaryRedirect"
                    | "IllegalLocationConstraintException"
            )
    }

    /// What it means for the request.
    pub(super) fn trouble(&self, asked: Asked<'_>) -> Trouble {
        let said = self.said();
        match (self.status.as_u16(), self.code.as_str()) {
            (408 | 429 | 503 | 504, _)
            | (_, "SlowDown" | "Throttling" | "ThrottlingException" | "RequestTimeout") => {
                Trouble::Busy(format!("`{}` has too much to do ({said})", asked.server))
            }
            (500..=599, code) if code != "NotImplemented" => {
                Trouble::Passing(format!("`{}` failed ({said})", asked.server))
            }
            (412 | 416, _) => {
                Trouble::Final(SourceError::Changed { path: asked.location.to_owned() })
            }
            _ => Trouble::Final(self.refused(asked, &said)),
        }
    }

    fn said(&self) -> String {
        match (self.status.as_u16(), self.code.as_str()) {
            (status, "") => format!("HTTP {status}"),
            (status, code) => format!("{code}, HTTP {status}"),
        }
    }

    fn refused(&self, asked: Asked<'_>, said: &str) -> SourceError {
        let Asked { doing, location, bucket, server } = asked;
        if self.status == StatusCode::NOT_FOUND && self.code != "NoSuchBucket" && doing == "read" {
            return SourceError::Gone { path: location.to_owned() };
        }
        let (reason, hint) = match (self.status.as_u16(), self.code.as_str()) {
            (_, "NoSuchBucket") => (
                format!("there is no bucket `{bucket}` at `{server}` ({said})"),
                "check the bucket's name, and `--endpoint-url` if it is not Amazon's".to_owned(),
            ),
            (_, "ExpiredToken" | "TokenRefreshRequired" | "ExpiredTokenException") => (
                format!("the credentials have expired ({said})"),
                "get new ones, for example with `aws sso login` or by asking for a new session token".into(),
            ),
            (_, "InvalidAccessKeyId" | "InvalidToken" | "InvalidClientTokenId") => (
                format!("`{server}` does not know this access key ({said})"),
                "check AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN, or the profile that has them".into(),
            ),
            (_, "SignatureDoesNotMatch") => (
                format!("the signature is wrong ({said})"),
                "check AWS_SECRET_ACCESS_KEY, and that nothing between here and the store changes requests".into(),
            ),
            (_, "RequestTimeTooSkewed") => (
                format!("the clocks of this machine and of `{server}` differ too much ({said})"),
                "set this machine's clock".into(),
            ),
            _ if self.is_elsewhere() => (
                format!("the bucket `{bucket}` is not in the region that was asked ({said})"),
                match &self.region {
                    Some(region) => format!("give `--region {region}`"),
                    None => "give its region with `--region`".into(),
                },
            ),
            (401 | 403, _) => (format!("access is denied ({said})"), denied_hint(doing)),
            _ => (
                format!("`{server}` refused ({said})"),
                "check that it speaks S3, and how its buckets are addressed: `--addressing-style path` or `virtual`".into(),
            ),
        };
        SourceError::Store { doing, location: location.to_owned(), reason, hint }
    }
}

fn denied_hint(doing: &str) -> String {
    let action = if doing == "list" { "s3:ListBucket" } else { "s3:GetObject" };
    format!(
        "these credentials need `{action}`; `--no-sign-request` reads a public bucket, `--request-payer` one whose readers pay"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_to_do_and_repeats_nothing() {
        let body = "<?xml version=\"1.0\"?><Error><Code>SignatureDoesNotMatch</Code>\
            <StringToSign>hunter2</StringToSign></Error>";
        let answer = Answer::new(StatusCode::FORBIDDEN, None, body);
        let asked = Asked { doing: "read", location: "s3://b/k", bucket: "b", server: "h" };
        let Trouble::Final(error) = answer.trouble(asked) else { panic!("final") };
        assert_eq!(
            error.to_string(),
            "cannot read `s3://b/k`: the signature is wrong (SignatureDoesNotMatch, HTTP 403)"
        );
        let moved = Answer::new(StatusCode::MOVED_PERMANENTLY, Some("eu-west-1"), "not XML");
        let Trouble::Final(error) = moved.trouble(asked) else { panic!("final") };
        assert_eq!(error.hint(), "give `--region eu-west-1`");
        let busy = Answer::new(StatusCode::SERVICE_UNAVAILABLE, None, "");
        assert!(matches!(busy.trouble(asked), Trouble::Busy(_)));
    }
}
