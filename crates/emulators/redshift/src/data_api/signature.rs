//! Verification of AWS Signature Version 4 for the service `redshift-data`.
//!
//! The canonical request is built from the received request, signed with the configured key and
//! compared. `Host` and every `x-amz-` header must be signed. The date may differ from the current
//! time by at most five minutes.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use ring::{digest, hmac};

use super::error::ApiError;
use super::http::Request;
use crate::clock::amz_date;
use crate::options::DataApiOptions;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const SERVICE: &str = "redshift-data";
const SKEW: Duration = Duration::from_mins(5);

/// Verifies the signature of a request.
pub(crate) fn verify(request: &Request, options: &DataApiOptions) -> Result<(), ApiError> {
    let header = request.header("authorization").ok_or_else(|| {
        ApiError::new("MissingAuthenticationTokenException", "Missing Authentication Token")
    })?;
    let field = |name: &str| -> Result<&str, ApiError> {
        let parts = header.strip_prefix(ALGORITHM).unwrap_or_default().split(',');
        let found =
            parts.filter_map(|part| part.trim().split_once('=')).find(|(key, _)| *key == name);
        found.map(|(_, value)| value).ok_or_else(|| {
            ApiError::new(
                "IncompleteSignatureException",
                format!("Authorization header requires '{name}' parameter."),
            )
        })
    };
    let (credential, names, given) =
        (field("Credential")?, field("SignedHeaders")?, field("Signature")?);
    let [key, day, region, service, "aws4_request"] = credential.split('/').collect::<Vec<_>>()[..]
    else {
        return Err(invalid("Credential must have exactly 5 slash-delimited elements"));
    };
    if key != options.access_key {
        return Err(ApiError::new(
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ));
    }
    if (region, service) != (options.region.as_str(), SERVICE) {
        return Err(invalid(&format!(
            "Credential should be scoped to a valid region and to correct service: '{SERVICE}'."
        )));
    }
    let date = request.header("x-amz-date").unwrap_or_default();
    let now = SystemTime::now();
    if date < amz_date(now - SKEW).as_str()
        || date > amz_date(now + SKEW).as_str()
        || !date.starts_with(day)
    {
        return Err(invalid(&format!(
            "Signature expired: {date} is not within five minutes of {}",
            amz_date(now)
        )));
    }
    let names: Vec<&str> = names.split(';').collect();
    let present = request.headers.iter().map(|(name, _)| name.as_str());
    for name in present.filter(|name| *name == "host" || name.starts_with("x-amz-")) {
        if !names.contains(&name) {
            return Err(invalid(&format!(
                "'{name}' must be a 'SignedHeader' in the AWS Authorization."
            )));
        }
    }
    let signed = sign(request, options, &names, &[day, region, service], date);
    if signed == given {
        Ok(())
    } else {
        Err(invalid(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.",
        ))
    }
}

fn invalid(message: &str) -> ApiError {
    ApiError::new("InvalidSignatureException", message)
}

/// Computes the signature of a request; `scope` is date, region and service.
fn sign(
    request: &Request,
    options: &DataApiOptions,
    names: &[&str],
    scope: &[&str; 3],
    date: &str,
) -> String {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let mut query: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    query.sort_unstable();
    let mut canonical = format!("{}\n{path}\n{}\n", request.method, query.join("&"));
    for name in names {
        let value = request.header(name).unwrap_or_default();
        let _ = writeln!(
            canonical,
            "{name}:{}",
            value.split_whitespace().collect::<Vec<_>>().join(" ")
        );
    }
    let _ = write!(canonical, "\n{}\n{}", names.join(";"), sha256_hex(&request.body));
    let scope_text = format!("{}/aws4_request", scope.join("/"));
    let to_sign =
        format!("{ALGORITHM}\n{date}\n{scope_text}\n{}", sha256_hex(canonical.as_bytes()));
    let secret = format!("AWS4{}", options.secret_key);
    let key = scope
        .iter()
        .chain(&["aws4_request"])
        .fold(secret.into_bytes(), |key, part| hmac_sha256(&key, part.as_bytes()));
    hex(&hmac_sha256(&key, to_sign.as_bytes()))
}

fn hmac_sha256(key: &[u8], text: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text).as_ref().to_vec()
}

fn sha256_hex(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
