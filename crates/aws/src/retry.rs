//! Failures below HTTP, in messages without a URL, and exponential backoff.

use std::collections::hash_map::RandomState;
use std::error::Error;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

/// Initial and longest pause of the backoff.
const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(10);

/// A failure below HTTP.
#[derive(Debug)]
pub enum Transport {
    /// No response in time: retry later, with lower concurrency.
    Late(String),
    /// Transient error: retry.
    Passing(String),
    /// Permanent error.
    Final {
        /// The cause.
        reason: String,
        /// What the user can do.
        hint: &'static str,
    },
}

/// Returns the pause before the next attempt: exponential backoff with jitter, so that concurrent
/// requests do not retry at the same time.
pub fn pause(made: u32) -> Duration {
    let longest = FIRST.saturating_mul(1 << made.min(16)).min(LONGEST);
    // Every `RandomState` has other random keys.
    let random = RandomState::new().build_hasher().finish() >> 11;
    let share = random as f64 / (1_u64 << 53) as f64;
    longest.mul_f64(0.25 + 0.75 * share)
}

/// Classifies a failure below HTTP. If the server was `reached` before, its name and certificate are
/// valid, so that an error about them is transient.
pub fn of_transport(error: reqwest::Error, server: &str, reached: bool) -> Transport {
    let error = error.without_url();
    let said = innermost(&error);
    if error.is_timeout() {
        return Transport::Late(format!("`{server}` did not answer in time"));
    }
    if !error.is_connect() {
        return Transport::Passing(format!("the connection to `{server}` broke ({said})"));
    }
    if reached {
        return Transport::Passing(format!("no connection to `{server}` ({said})"));
    }
    let lower = all(&error).to_lowercase();
    if lower.contains("certificate") || lower.contains("unknownissuer") {
        let hint = "add the issuer to the system's certificates, or set SSL_CERT_FILE to a file that contains it";
        Transport::Final { reason: format!("its certificate is not trusted ({said})"), hint }
    } else if lower.contains("corrupt message") || lower.contains("tls") {
        let hint = "if the server uses plain HTTP, set `--endpoint-url http://…`";
        let reason = format!("it does not speak TLS as `https://` requires ({said})");
        Transport::Final { reason, hint }
    } else if lower.contains("dns error") {
        let hint = "check the name in `--endpoint-url`, the region, the bucket, and the network";
        Transport::Final { reason: format!("its name is not known ({said})"), hint }
    } else {
        Transport::Passing(format!("no connection to `{server}` ({said})"))
    }
}

/// Returns the texts of an error and all its causes.
pub fn all(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

fn innermost(error: &dyn Error) -> String {
    let mut inner = error;
    while let Some(cause) = inner.source() {
        inner = cause;
    }
    sparkify_config::redact::without_secrets(&inner.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_differ() {
        assert!(pause(1) <= FIRST * 2 && pause(40) <= LONGEST && pause(40) >= LONGEST / 4);
        assert_ne!(pause(9), pause(9));
    }
}
