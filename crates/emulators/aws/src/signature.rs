//! Signature version 4, reckoned from its documentation: who sent this, and was it altered on the way?

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::PrimitiveDateTime;
use time::macros::format_description;

use crate::http::Request;
use crate::{KEY, REGION, Refusal, SECRET, refuse};

/// `AKID/20261124/us-west-2/redshift/aws4_request`
fn scope(request: &Request) -> Option<Vec<&str>> {
    let header = request.header("authorization")?.strip_prefix("AWS4-HMAC-SHA256 ")?;
    Some(part(header, "Credential=")?.split('/').collect())
}

fn part<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header.split(',').find_map(|part| part.trim().strip_prefix(name))
}

/// The service that a request was signed for.
pub(crate) fn service(request: &Request) -> Option<String> {
    scope(request)?.get(3).map(|service| (*service).to_owned())
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

/// Refuses a request that nobody we know has signed, or not as it stands.
pub(crate) fn verify(request: &Request, service: &str) -> Result<(), Refusal> {
    let missing =
        || refuse(403, "MissingAuthenticationToken", "Request is missing Authentication Token");
    let header = request.header("authorization").ok_or_else(missing)?;
    let scope = scope(request).ok_or_else(missing)?;
    let [key, day, region, _, end] = scope.as_slice() else {
        return Err(refuse(400, "IncompleteSignature", "the credential has not five parts"));
    };
    if *key != KEY {
        let code = match service {
            "redshift-serverless" | "secretsmanager" => "UnrecognizedClientException",
            "ec2" => "AuthFailure",
            _ => "InvalidClientTokenId",
        };
        return Err(refuse(403, code, "The security token included in the request is invalid."));
    }
    let global = service == "iam" && *region == "us-east-1";
    if *region != REGION && !global || *end != "aws4_request" {
        return Err(refuse(
            403,
            "SignatureDoesNotMatch",
            "Credential should be scoped to a valid region.",
        ));
    }
    let moment = request.header("x-amz-date").ok_or_else(missing)?;
    let form = format_description!("[year][month][day]T[hour][minute][second]Z");
    let sent = PrimitiveDateTime::parse(moment, form).map_err(|_| missing())?.assume_utc();
    let age = (OffsetDateTime::now_utc() - sent).whole_seconds().abs();
    if age > 300 || !moment.starts_with(*day) {
        return Err(refuse(403, "RequestExpired", "Signature expired"));
    }
    let names = part(header, "SignedHeaders=").ok_or_else(missing)?;
    let canonical = canonical(request, names)?;
    let scope = scope[1..].join("/");
    let text = format!("AWS4-HMAC-SHA256\n{moment}\n{scope}\n{}", digest(canonical.as_bytes()));
    let mut signing = sign(format!("AWS4{SECRET}").as_bytes(), day);
    for part in [*region, service, "aws4_request"] {
        signing = sign(&signing, part);
    }
    if part(header, "Signature=") == Some(hex(&sign(&signing, &text)).as_str()) {
        return Ok(());
    }
    Err(refuse(403, "SignatureDoesNotMatch", "The request signature we calculated does not match"))
}

fn canonical(request: &Request, names: &str) -> Result<String, Refusal> {
    let mut headers = String::new();
    for name in names.split(';') {
        let value = request.header(name);
        let value = value
            .ok_or_else(|| refuse(403, "SignatureDoesNotMatch", format!("no header `{name}`")))?;
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        let _ = writeln!(headers, "{name}:{value}");
    }
    if !names.split(';').any(|name| name == "host") {
        return Err(refuse(403, "SignatureDoesNotMatch", "'Host' must be a signed header"));
    }
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let method = &request.method;
    let body = digest(request.body.as_bytes());
    Ok(format!("{method}\n{path}\n{query}\n{headers}\n{names}\n{body}"))
}
