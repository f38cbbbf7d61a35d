//! How is Amazon asked? Keys that sign, one signed request with its tries, and the two services that are spoken to from here: files put into a bucket
//! ([`Landing`]), and calls in JSON ([`Calls`]).
//!
//! It is ground, like `config`: the bytes that are read come through `source`, and what a warehouse sends through `warehouse`; both sign here. Outside,
//! everything waits for its answer: what is asynchronous stays inside. It knows no SQL and no table.

mod calls;
mod client;
mod credentials;
mod landing;
mod retry;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use thiserror::Error;

pub use calls::{Called, Calls};
pub use credentials::Signer;
pub use landing::{Landed, Landing, Upload};
pub use retry::{Transport, all, of_transport, pause};

/// What AWS calls unreserved stays as it is.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const RESERVED_IN_KEYS: &AsciiSet = &RESERVED.remove(b'/');

/// A text as it stands in a URL; the `/` of a key stays.
pub fn encoded(text: &str, is_key: bool) -> String {
    utf8_percent_encode(text, if is_key { RESERVED_IN_KEYS } else { RESERVED }).to_string()
}

/// Why Amazon, or who emulates it, did not do what it was asked.
#[derive(Debug, Error)]
#[error("cannot {doing} `{location}`: {reason}")]
pub struct AwsError {
    /// What was tried.
    pub doing: &'static str,
    /// With what.
    pub location: String,
    /// What came of it, without secrets.
    pub reason: String,
    /// What to do.
    pub hint: String,
}

#[cfg(test)]
mod tests {
    use super::encoded;

    #[test]
    fn keys_emulator_urls_as_aws_wants_them() {
        assert_eq!(encoded("a b/ü+%/~x//y", true), "a%20b/%C3%BC%2B%25/~x//y");
        assert_eq!(encoded("a/b", false), "a%2Fb");
    }
}
