//! Verification of AWS Signature Version 4, implemented from its documentation.

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::PrimitiveDateTime;
use time::macros::format_description;

use crate::http::Request;
use crate::{ApiError, KEY, SECRET, error};

/// Splits the credential, `AKID/20261124/us-west-2/redshift/aws4_request`.
fn credential(request: &Request) -> Option<Vec<&str>> {
    let header = request.header("authorization")?.strip_prefix("AWS4-HMAC-SHA256 ")?;
    Some(part(header, "Credential=")?.split('/').collect())
}

fn part<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header.split(',').find_map(|part| part.trim().strip_prefix(name))
}

/// Returns the service for which a request was signed.
pub(crate) fn service(request: &Request) -> Option<String> {
    credential(request)?.get(3).map(|service| (*service).to_owned())
}

fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn sign(key: &[u8], text: &str) -> Vec<u8> {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// Checks the access key, region, age and signature of a request. No wanted region accepts any.
pub(crate) fn verify(
    request: &Request,
    service: &str,
    wanted: Option<&str>,
) -> Result<(), ApiError> {
    let missing =
        || error(403, "MissingAuthenticationToken", "Request is missing Authentication Token");
    let header = request.header("authorization").ok_or_else(missing)?;
    let credential = credential(request).ok_or_else(missing)?;
    let [key, day, region, _, end] = credential.as_slice() else {
        return Err(error(400, "IncompleteSignature", "the credential does not have five parts"));
    };
    if *key != KEY {
        let code = match service {
            "redshift-serverless" | "secretsmanager" => "UnrecognizedClientException",
            "ec2" => "AuthFailure",
            _ => "InvalidClientTokenId",
        };
        return Err(error(403, code, "The security token included in the request is invalid."));
    }
    // IAM is a global service, which signs for us-east-1.
    let is_global = service == "iam" && *region == "us-east-1";
    if wanted.is_some_and(|wanted| *region != wanted) && !is_global || *end != "aws4_request" {
        return Err(error(
            403,
            "SignatureDoesNotMatch",
            "Credential should be scoped to a valid region.",
        ));
    }
    let date = request.header("x-amz-date").ok_or_else(missing)?;
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let sent = PrimitiveDateTime::parse(date, format).map_err(|_| missing())?.assume_utc();
    let age = (OffsetDateTime::now_utc() - sent).whole_seconds().abs();
    if age > 300 || !date.starts_with(*day) {
        return Err(error(403, "RequestExpired", "Signature expired"));
    }
    let names = part(header, "SignedHeaders=").ok_or_else(missing)?;
    let canonical = canonical_request(request, names)?;
    let scope = credential[1..].join("/");
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", digest(canonical.as_bytes()));
    let mut signing_key = sign(format!("AWS4{SECRET}").as_bytes(), day);
    for part in [*region, service, "aws4_request"] {
        signing_key = sign(&signing_key, part);
    }
    if part(header, "Signature=") == Some(hex(&sign(&signing_key, &text)).as_str()) {
        return Ok(());
    }
    Err(error(403, "SignatureDoesNotMatch", "The request signature we calculated does not match"))
}

fn canonical_request(request: &Request, names: &str) -> Result<String, ApiError> {
    let mut headers = String::new();
    for name in names.split(';') {
        let value = request.header(name);
        let value = value.ok_or_else(|| {
            error(403, "SignatureDoesNotMatch", format!("missing header `{name}`"))
        })?;
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        let _ = writeln!(headers, "{name}:{value}");
    }
    if !names.split(';').any(|name| name == "host") {
        return Err(error(403, "SignatureDoesNotMatch", "'Host' must be a signed header"));
    }
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let method = &request.method;
    let body = digest(request.body.as_bytes());
    Ok(format!("{method}\n{path}\n{query}\n{headers}\n{names}\n{body}"))
}
