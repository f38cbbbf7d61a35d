//! What went wrong with one request, whether another try makes sense, and how long to wait before it.

use std::collections::hash_map::RandomState;
use std::error::Error;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use super::limiter::Permit;
use crate::source::SourceError;

/// The first pause, and the longest.
const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(10);

/// Why one try came to nothing.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The store has too much to do, or gave no byte in time: fewer at once, and later.
    Busy(String),
    /// The connection, or the store for a moment: once more.
    Passing(String),
    /// Another try would end as this one did.
    Final(SourceError),
}

impl Trouble {
    /// Why to try again, once the place of the request is given back; else the error that ends it.
    pub(super) fn passing(self, permit: Option<Permit>) -> Result<String, SourceError> {
        match self {
            Self::Final(error) => Err(error),
            Self::Passing(reason) => Ok(reason),
            Self::Busy(reason) => {
                permit.into_iter().for_each(Permit::overran);
                Ok(reason)
            }
        }
    }
}

/// The tries of one request.
#[derive(Debug, Default)]
pub(super) struct Tries {
    made: u32,
}

impl Tries {
    /// Counts from the start again: what came since then was worth it.
    pub(super) fn forget(&mut self) {
        self.made = 0;
    }

    /// Waits before the next try; when there were `most`, gives the trouble back as the error that it is.
    pub(super) async fn again(
        &mut self,
        reason: String,
        doing: &'static str,
        location: &str,
        most: u32,
    ) -> Result<(), SourceError> {
        self.made += 1;
        if self.made >= most {
            let reason = format!("{reason}; tried {} times", self.made);
            return Err(given_up(doing, location, reason));
        }
        let pause = pause(self.made);
        tracing::debug!("{doing} `{location}`: {reason}; again in {pause:?}");
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

fn given_up(doing: &'static str, location: &str, reason: String) -> SourceError {
    SourceError::Store {
        doing,
        location: location.to_owned(),
        reason,
        hint: "try again later, or with fewer requests at once: `--concurrency 8`; nothing of this load was published".into(),
    }
}

/// Twice as long as the last time at most, and a random part of it, lest all come back at once.
fn pause(made: u32) -> Duration {
    let longest = FIRST.saturating_mul(1 << made.min(16)).min(LONGEST);
    // Each `RandomState` has keys of its own.
    let random = RandomState::new().build_hasher().finish() >> 11;
    let share = random as f64 / (1_u64 << 53) as f64;
    longest.mul_f64(0.25 + 0.75 * share)
}

/// A failure below HTTP, in words without the URL.
/// A server that was `reached` before has a name and a certificate: what is wrong with them now may pass.
pub(super) fn of_transport(error: reqwest::Error, server: &str, reached: bool) -> Trouble {
    let error = error.without_url();
    let said = innermost(&error);
    if error.is_timeout() {
        return Trouble::Busy(format!("`{server}` did not answer in time"));
    }
    if !error.is_connect() {
        return Trouble::Passing(format!("the connection to `{server}` broke ({said})"));
    }
    if reached {
        return Trouble::Passing(format!("no connection to `{server}` ({said})"));
    }
    let lower = all(&error).to_lowercase();
    let never = |reason: String, hint: &str| {
        Trouble::Final(SourceError::Store {
            doing: "reach",
            location: server.to_owned(),
            reason,
            hint: hint.to_owned(),
        })
    };
    if lower.contains("certificate") || lower.contains("unknownissuer") {
        let hint = "add the issuer to the system's certificates, or name a file that has it in SSL_CERT_FILE";
        never(format!("its certificate is not trusted ({said})"), hint)
    } else if lower.contains("corrupt message") || lower.contains("tls") {
        let hint = "if it speaks plain HTTP, name it as `http://…` with `--endpoint-url`";
        never(format!("it does not speak TLS as `https://` means it ({said})"), hint)
    } else if lower.contains("dns error") {
        let hint = "check the name in `--endpoint-url`, the region, the bucket, and the network";
        never(format!("its name is not known ({said})"), hint)
    } else {
        Trouble::Passing(format!("no connection to `{server}` ({said})"))
    }
}

/// What an error and its causes say, all of it.
pub(super) fn all(error: &dyn Error) -> String {
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
    crate::config::redact::without_secrets(&inner.to_string())
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
