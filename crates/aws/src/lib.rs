//! Signed requests to AWS with retries, and the two protocols that the program speaks through them:
//! files in a bucket ([`Landing`]) and JSON services ([`Calls`]).
//!
//! [`Chain`] resolves region, endpoints and credentials with the SDK; [`Signer`] signs with them.
//! Landing and calls block; asynchronous code stays inside.

mod calls;
mod chain;
mod client;
mod credentials;
mod failure;
mod landing;
mod retry;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use thiserror::Error;

pub use calls::{Called, Calls, Service};
pub use chain::{Chain, check};
pub use credentials::{Signer, Unsigned};
pub use landing::{Landed, Landing, Upload};
pub use retry::{Transport, all, of_transport, pause};

/// Characters that AWS requires to be percent-encoded.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const RESERVED_IN_KEYS: &AsciiSet = &RESERVED.remove(b'/');

/// Percent-encodes a text for a URL; the `/` of a key is kept.
pub fn encoded(text: &str, is_key: bool) -> String {
    utf8_percent_encode(text, if is_key { RESERVED_IN_KEYS } else { RESERVED }).to_string()
}

/// A failed request.
#[derive(Debug, Error)]
#[error("cannot {doing} `{location}`: {reason}")]
pub struct AwsError {
    /// Verb: the action that failed.
    pub doing: &'static str,
    /// The object of the action.
    pub location: String,
    /// The cause, without secrets.
    pub reason: String,
    /// What the user can do.
    pub hint: String,
}

#[cfg(test)]
mod tests {
    use super::encoded;

    #[test]
    fn keys_are_encoded_as_aws_requires() {
        assert_eq!(encoded("a b/ü+%/~x//y", true), "a%20b/%C3%BC%2B%25/~x//y");
        assert_eq!(encoded("a/b", false), "a%2Fb");
    }
}
