//! Why it did not work, in words of ours: what was tried, what AWS said, and what to do about it.

use std::time::Duration;

use aws_sdk_sts::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use thiserror::Error;

use sparkify_config::redact;

/// Why there is no cluster, or still one.
#[derive(Debug, Error)]
pub enum ClusterError {
    /// AWS said no.
    #[error("cannot {doing}: {message} (`{code}`)")]
    Refused {
        /// What was tried.
        doing: String,
        /// The code of the error, as AWS names it.
        code: String,
        /// What AWS said.
        message: String,
    },
    /// AWS said nothing.
    #[error("cannot {doing}: {reason}")]
    Unreachable {
        /// What was tried.
        doing: String,
        /// What went wrong on the way.
        reason: String,
    },
    /// Something of that name is there, and is not ours.
    #[error("{what} `{name}` is there already, and was not made by this program")]
    Foreign {
        /// What it is.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// It came to no good state.
    #[error("{what} ended in the state `{state}`")]
    Failed {
        /// What was waited for.
        what: String,
        /// The state.
        state: String,
    },
    /// It did not come to the state in time.
    #[error("{what} is `{state}` after {} s", after.as_secs())]
    TimedOut {
        /// What was waited for.
        what: String,
        /// The last state.
        state: String,
        /// How long.
        after: Duration,
    },
    /// Somebody stopped it.
    #[error("stopped; {}", by_now(there))]
    Interrupted {
        /// What is there by now.
        there: Vec<String>,
    },
    /// What was asked for cannot be done.
    #[error("{message}")]
    Cannot {
        /// Why.
        message: String,
        /// What to do.
        hint: String,
    },
}

fn by_now(there: &[String]) -> String {
    if there.is_empty() {
        return "nothing was made or deleted by this run".into();
    }
    format!("by now: {}", there.join(", "))
}

/// Codes by which AWS says that a key is unknown, wrong or too old.
const KEYS: &[&str] = &[
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "AuthFailure",
    "UnrecognizedClientException",
    "IncompleteSignature",
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
];
/// Codes by which AWS says that the key may not do this.
const RIGHTS: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "UnauthorizedException",
    "NotAuthorized",
    "AccessDeniedFault",
];

impl ClusterError {
    /// Whether AWS answered with this code, however it spells its end.
    pub(super) fn is(&self, code: &str) -> bool {
        let plain =
            |text: &str| text.trim_end_matches("Exception").trim_end_matches("Fault").to_owned();
        matches!(self, Self::Refused { code: found, .. } if plain(found) == plain(code))
    }

    /// Whether it is known to pass when one waits: a role that is not visible yet, another change under way, too many requests.
    pub(super) fn passes(&self) -> bool {
        match self {
            Self::Refused { code, message, .. } => {
                let message = message.to_lowercase();
                let role = message.contains("role")
                    && (message.contains("not valid")
                        || message.contains("is not authorized to assume")
                        || message.contains("cannot be assumed")
                        || message.contains("not found"));
                let throttled = code.contains("Throttl")
                    || ["RequestLimitExceeded", "TooManyRequestsException", "SlowDown"]
                        .contains(&code.as_str());
                // A name that is taken stays taken; another change under way ends.
                let concurrent = self.is("InvalidClusterState")
                    || self.is("Conflict") && !message.contains("already exists")
                    || self.is("ConcurrentModification")
                    || self.is("DependentServiceRequestThrottling");
                (code.starts_with("InvalidParameter") || self.is("Validation")) && role
                    || throttled
                    || concurrent
            }
            _ => false,
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Refused { code, .. } if KEYS.contains(&code.as_str()) => {
                "check the access key: `aws sts get-caller-identity` says whose it is; keys stand in the environment, in `~/.aws` or in [AWS] of dwh.cfg".into()
            }
            Self::Refused { code, .. } if RIGHTS.contains(&code.as_str()) => {
                "an administrator grants it: docs/redshift.md has the policy".into()
            }
            Self::Refused { code, .. } if code.contains("Quota") || code.contains("Limit") => {
                "delete what is not needed any more, or ask AWS for a higher quota".into()
            }
            Self::Refused { code, .. } if code.contains("Capacity") => {
                "try again later, another node type, or another region".into()
            }
            Self::Refused { .. } => {
                "mend what it says and run it again: it goes on where it was".into()
            }
            Self::Unreachable { .. } => {
                "check the network, the region and AWS_ENDPOINT_URL, and run it again: it goes on where it was".into()
            }
            Self::Foreign { what: "the role", .. } => {
                "give its ARN in [IAM_ROLE] of dwh.cfg to use it as it is, or another name with `--role-name`".into()
            }
            Self::Foreign { .. } => {
                "it is left alone: give another name with `--name`".into()
            }
            Self::Failed { .. } => {
                "`sparkify cluster down` deletes it, then `up` tries again".into()
            }
            Self::TimedOut { .. } => {
                "run it again: it goes on where it was; `--timeout 2h` waits longer, `sparkify cluster down` deletes it".into()
            }
            Self::Interrupted { .. } => {
                "run it again to go on, or `sparkify cluster down` to delete it".into()
            }
            Self::Cannot { hint, .. } => hint.clone(),
        }
    }

    pub(super) fn cannot(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Cannot { message: message.into(), hint: hint.into() }
    }
}

/// What the SDK makes of an answer, in our words; no header and no body of it.
#[expect(clippy::needless_pass_by_value, reason = "every call hands its error over")]
pub(super) fn refusal<E, R>(doing: &str, error: SdkError<E, R>) -> ClusterError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    match error.code() {
        Some(code) => ClusterError::Refused {
            doing: doing.into(),
            code: code.into(),
            message: redact::without_secrets(error.message().unwrap_or("no reason is given")),
        },
        None => ClusterError::Unreachable { doing: doing.into(), reason: reason(&error) },
    }
}

/// The innermost cause that says anything.
fn reason<E, R>(error: &SdkError<E, R>) -> String
where
    E: std::error::Error + 'static,
    R: std::fmt::Debug,
{
    if let SdkError::TimeoutError(_) = error {
        return "no answer in time".into();
    }
    if let SdkError::ResponseError(_) | SdkError::ServiceError(_) = error {
        return "the answer is none of this service".into();
    }
    let text = DisplayErrorContext(error).to_string();
    // Behind the chain stands the whole error in the words of its author.
    let chain = text.split(" (").next().unwrap_or_default();
    let inner = chain.rsplit(": ").take(2).collect::<Vec<_>>();
    redact::without_secrets(&inner.into_iter().rev().collect::<Vec<_>>().join(": "))
}
