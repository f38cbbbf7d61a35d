//! Errors of the control plane: the attempted operation, the response of AWS, and a hint.

use std::time::Duration;

use aws_sdk_sts::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use thiserror::Error;

use sparkify_config::redact;

/// Error of a cluster operation.
#[derive(Debug, Error)]
pub enum ClusterError {
    /// AWS refused the request.
    #[error("cannot {doing}: {message} (`{code}`)")]
    Refused {
        /// Attempted operation, as an infinitive.
        doing: String,
        /// Error code of AWS.
        code: String,
        /// Error message of AWS, without secrets.
        message: String,
    },
    /// No response from AWS.
    #[error("cannot {doing}: {reason}")]
    Unreachable {
        /// Attempted operation, as an infinitive.
        doing: String,
        /// Cause of the failure.
        reason: String,
    },
    /// A resource of this name exists, and sparkify did not create it.
    #[error("{what} `{name}` already exists and was not created by sparkify")]
    Foreign {
        /// Kind of resource, with article.
        what: &'static str,
        /// Name of the resource.
        name: String,
    },
    /// The resource reached a state from which it does not become available.
    #[error("{what} ended in the state `{state}`")]
    Failed {
        /// Awaited resource.
        what: String,
        /// Final state.
        state: String,
    },
    /// The resource did not reach the expected state in time.
    #[error("{what} is `{state}` after {} s", after.as_secs())]
    TimedOut {
        /// Awaited resource.
        what: String,
        /// Last state.
        state: String,
        /// Timeout.
        after: Duration,
    },
    /// The user interrupted the operation.
    #[error("stopped; {}", summary(progress))]
    Interrupted {
        /// Resources found, created or deleted before the interruption.
        progress: Vec<String>,
    },
    /// The operation is not possible.
    #[error("{message}")]
    Cannot {
        /// Reason.
        message: String,
        /// Hint for the user.
        hint: String,
    },
}

fn summary(progress: &[String]) -> String {
    if progress.is_empty() {
        return "this run created or deleted nothing".into();
    }
    format!("so far: {}", progress.join(", "))
}

/// Error codes for an unknown, wrong or expired access key.
const CREDENTIAL_CODES: &[&str] = &[
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "AuthFailure",
    "UnrecognizedClientException",
    "IncompleteSignature",
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
];
/// Error codes for missing permissions.
const PERMISSION_CODES: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "UnauthorizedException",
    "NotAuthorized",
    "AccessDeniedFault",
];

impl ClusterError {
    /// Returns true if AWS responded with this error code. Services append `Exception` or `Fault`
    /// inconsistently, so both suffixes are ignored.
    pub(super) fn is(&self, code: &str) -> bool {
        let plain =
            |text: &str| text.trim_end_matches("Exception").trim_end_matches("Fault").to_owned();
        matches!(self, Self::Refused { code: found, .. } if plain(found) == plain(code))
    }

    /// Returns true if the identity lacks a permission.
    pub(super) fn is_permission(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if PERMISSION_CODES.contains(&code.as_str()))
    }

    /// Returns true for a transient error: a role that is not visible yet (IAM is eventually
    /// consistent), another change in progress, or throttling.
    pub(super) fn is_transient(&self) -> bool {
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
                // A conflict with an existing name is permanent; with another change it is
                // transient.
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

    /// Returns the next action for the user.
    pub fn hint(&self) -> String {
        match self {
            Self::Refused { code, .. } if CREDENTIAL_CODES.contains(&code.as_str()) => {
                "check the access key in the environment, in `~/.aws` or in [AWS] of dwh.cfg; `aws sts get-caller-identity` shows its owner".into()
            }
            Self::Refused { .. } if self.is_permission() => {
                "ask an administrator for the permission; docs/how-to/redshift.md has the policy".into()
            }
            Self::Refused { code, .. } if code.contains("Quota") || code.contains("Limit") => {
                "remove unused resources, or request a higher quota".into()
            }
            Self::Refused { code, .. } if code.contains("Capacity") => {
                "try again later, or use another node type or region".into()
            }
            Self::Refused { .. } => {
                "fix the reported problem and run the command again: it continues where it stopped".into()
            }
            Self::Unreachable { .. } => {
                "check the network, the region and AWS_ENDPOINT_URL, and run the command again: it continues where it stopped".into()
            }
            Self::Foreign { what: "the role", .. } => {
                "set its ARN in [IAM_ROLE] of dwh.cfg to use it unchanged, or choose another name with `--role-name`".into()
            }
            Self::Foreign { .. } => {
                "choose another name with `--name`; the existing resource is not changed".into()
            }
            Self::Failed { .. } => {
                "delete it with `sparkify cluster down`, then run `up` again".into()
            }
            Self::TimedOut { .. } => {
                "run the command again: it continues where it stopped; pass `--timeout 2h` to wait longer, or delete it with `sparkify cluster down`".into()
            }
            Self::Interrupted { .. } => {
                "run the command again to continue, or run `sparkify cluster down` to delete it".into()
            }
            Self::Cannot { hint, .. } => hint.clone(),
        }
    }

    pub(super) fn cannot(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Cannot { message: message.into(), hint: hint.into() }
    }
}

/// Converts an error of the SDK. Headers and body of the response are not included: they may
/// contain secrets.
#[expect(clippy::needless_pass_by_value, reason = "used with `map_err`")]
pub(super) fn sdk_error<E, R>(doing: &str, error: SdkError<E, R>) -> ClusterError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    match error.code() {
        Some(code) => ClusterError::Refused {
            doing: doing.into(),
            code: code.into(),
            message: redact::without_secrets(error.message().unwrap_or("no reason given")),
        },
        None => ClusterError::Unreachable { doing: doing.into(), reason: reason(&error) },
    }
}

/// Returns the innermost causes of an error without a service response.
fn reason<E, R>(error: &SdkError<E, R>) -> String
where
    E: std::error::Error + 'static,
    R: std::fmt::Debug,
{
    if let SdkError::TimeoutError(_) = error {
        return "no response in time".into();
    }
    if let SdkError::ResponseError(_) | SdkError::ServiceError(_) = error {
        return "the response is not from this service".into();
    }
    let text = DisplayErrorContext(error).to_string();
    // After the chain of causes, the SDK appends the debug form of the error in parentheses.
    let chain = text.split(" (").next().unwrap_or_default();
    let inner = chain.rsplit(": ").take(2).collect::<Vec<_>>();
    redact::without_secrets(&inner.into_iter().rev().collect::<Vec<_>>().join(": "))
}
