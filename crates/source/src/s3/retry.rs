//! Retries of a request with exponential backoff and jitter.

use super::limiter::Permit;
use crate::SourceError;
use sparkify_aws::Transport;

/// Error of one attempt.
#[derive(Debug)]
pub(super) enum AttemptError {
    /// Throttling (503 `SlowDown`, 429) or a stall timeout: retried with lower concurrency.
    Throttled(String),
    /// Transient error of the connection or the server: retried.
    Transient(String),
    /// Permanent error: not retried.
    Permanent(SourceError),
}

impl AttemptError {
    /// Returns the reason for a retry and releases the permit; fails with a permanent error.
    pub(super) fn retry_reason(self, permit: Option<Permit>) -> Result<String, SourceError> {
        match self {
            Self::Permanent(error) => Err(error),
            Self::Transient(reason) => Ok(reason),
            Self::Throttled(reason) => {
                permit.into_iter().for_each(Permit::throttled);
                Ok(reason)
            }
        }
    }
}

/// Retry state of one request.
#[derive(Debug, Default)]
pub(super) struct Retry {
    attempts: u32,
}

impl Retry {
    /// Starts to count again, after progress.
    pub(super) fn reset(&mut self) {
        self.attempts = 0;
    }

    /// Waits before the next attempt; fails with `reason` after `most` attempts.
    pub(super) async fn wait(
        &mut self,
        reason: String,
        doing: &'static str,
        location: &str,
        most: u32,
    ) -> Result<(), SourceError> {
        self.attempts += 1;
        if self.attempts >= most {
            let reason = format!("{reason}; tried {} times", self.attempts);
            return Err(given_up(doing, location, reason));
        }
        let pause = sparkify_aws::pause(self.attempts);
        tracing::debug!("{doing} `{location}`: {reason}; next attempt in {pause:?}");
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

fn given_up(doing: &'static str, location: &str, reason: String) -> SourceError {
    SourceError::Store {
        doing,
        location: location.to_owned(),
        reason,
        hint: "try again later, or with lower concurrency: `--concurrency 8`; this load published nothing".into(),
    }
}

/// Classifies a failure below HTTP.
pub(super) fn of_transport(error: reqwest::Error, server: &str, reached: bool) -> AttemptError {
    match sparkify_aws::of_transport(error, server, reached) {
        Transport::Late(reason) => AttemptError::Throttled(reason),
        Transport::Passing(reason) => AttemptError::Transient(reason),
        Transport::Final { reason, hint } => AttemptError::Permanent(SourceError::Store {
            doing: "reach",
            location: server.to_owned(),
            reason,
            hint: hint.to_owned(),
        }),
    }
}
