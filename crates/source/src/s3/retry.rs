//! What went wrong with one request, whether another try makes sense, and how long to wait before it.

use super::limiter::Permit;
use crate::SourceError;
use sparkify_aws::Transport;

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
        let pause = sparkify_aws::pause(self.made);
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

/// A failure below HTTP as what it means for the request.
pub(super) fn of_transport(error: reqwest::Error, server: &str, reached: bool) -> Trouble {
    match sparkify_aws::of_transport(error, server, reached) {
        Transport::Late(reason) => Trouble::Busy(reason),
        Transport::Passing(reason) => Trouble::Passing(reason),
        Transport::Final { reason, hint } => Trouble::Final(SourceError::Store {
            doing: "reach",
            location: server.to_owned(),
            reason,
            hint: hint.to_owned(),
        }),
    }
}
