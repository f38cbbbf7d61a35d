//! AWS Signature Version 4 for requests without a body, as the S3 documentation describes it
//! ("Authenticating Requests: Using the Authorization Header").

use std::time::{SystemTime, UNIX_EPOCH};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ring::{digest, hmac};

use crate::copy::times::calendar;

/// SHA-256 of the empty body.
const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const RESERVED_IN_KEYS: &AsciiSet = &RESERVED.remove(b'/');

/// Percent-encodes a text; keys keep `/`.
pub(super) fn encode(text: &str, is_key: bool) -> String {
    utf8_percent_encode(text, if is_key { RESERVED_IN_KEYS } else { RESERVED }).to_string()
}

fn hmac_sha256(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Returns the headers of a signed GET; `query` must be sorted and encoded.
pub(super) fn headers(
    host: &str,
    path: &str,
    query: &str,
    key: &str,
    secret: &str,
    region: &str,
) -> [(&'static str, String); 3] {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (year, month, day, hour, minute, second) = calendar(i64::try_from(seconds).unwrap_or(0));
    let date = format!("{year:04}{month:02}{day:02}");
    let date_time = format!("{date}T{hour:02}{minute:02}{second:02}Z");
    let signed = "host;x-amz-content-sha256;x-amz-date";
    let canonical = format!(
        "GET\n{path}\n{query}\nhost:{host}\nx-amz-content-sha256:{EMPTY_SHA256}\nx-amz-date:{date_time}\n\n{signed}\n{EMPTY_SHA256}"
    );
    let scope = format!("{date}/{region}/s3/aws4_request");
    let hash = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
    let text = format!("AWS4-HMAC-SHA256\n{date_time}\n{scope}\n{hash}");
    let parts = [date.as_str(), region, "s3", "aws4_request"];
    let derived = parts
        .iter()
        .fold(format!("AWS4{secret}").into_bytes(), |key, part| hmac_sha256(&key, part));
    let signature = hex(&hmac_sha256(&derived, &text));
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={signed}, Signature={signature}"
    );
    [
        ("x-amz-content-sha256", EMPTY_SHA256.to_owned()),
        ("x-amz-date", date_time),
        ("authorization", authorization),
    ]
}
