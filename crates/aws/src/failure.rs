//! Messages and hints for credentials that could not be fetched. They contain no secret.

use std::error::Error;
use std::io::ErrorKind;

use aws_config::meta::ProviderChainError;
use aws_config::profile::{ProfileFileLoadError, ProfileSet};
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sso::operation::get_role_credentials::GetRoleCredentialsError;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;

use super::AwsError;
use sparkify_config::{ConfigError, redact, suggest};

/// Longest chain of `source_profile` that is followed.
const DEEPEST: usize = 10;
/// Texts of the SDK that precede the cause and add nothing.
const GENERAL: [&str; 7] = [
    "an error occurred while loading credentials",
    "an error occurred while loading an access token",
    "the credential provider was not enabled",
    "the credentials provider was not properly configured",
    "unexpected credentials error",
    "service error",
    "dispatch failure",
];

/// Hint where a service did not respond.
const NETWORK: &str = "check the network, the region and the AWS_ENDPOINT_URL variables";

/// Profile that messages and hints name.
#[derive(Debug, Clone, Default)]
pub(super) struct Profile {
    name: String,
    /// The profile that signs in through SSO: this one or one of its sources.
    sso: Option<String>,
}

impl Profile {
    pub(super) fn new(name: &str, profiles: &ProfileSet) -> Self {
        Self { name: name.to_owned(), sso: sso_profile(name, profiles) }
    }
}

fn sso_profile(name: &str, profiles: &ProfileSet) -> Option<String> {
    let mut name = name;
    for _ in 0..DEEPEST {
        let profile = profiles.get_profile(name)?;
        if profile.get("sso_session").or_else(|| profile.get("sso_start_url")).is_some() {
            return Some(name.to_owned());
        }
        name = profile.get("source_profile")?;
    }
    None
}

/// Failed request to a service that returns credentials.
struct Refusal {
    /// The request, as the subject of a sentence.
    what: &'static str,
    code: Option<String>,
    /// `None` if no response was received.
    status: Option<u16>,
    message: Option<String>,
    hint: &'static str,
}

impl Refusal {
    fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        const ROLE: &str =
            "check the role's ARN, its trust policy and the credentials that assume it";
        let found = refused::<AssumeRoleError>(error, "the request for the role", ROLE);
        found
            .or_else(|| {
                let what = "the request for the role with a web identity token";
                refused::<AssumeRoleWithWebIdentityError>(error, what, ROLE)
            })
            .or_else(|| {
                let hint = "check `sso_account_id` and `sso_role_name` of the profile";
                refused::<GetRoleCredentialsError>(error, "the SSO request for the role", hint)
            })
    }

    /// Returns the message; `text` is that of the error.
    fn reason(&self, text: &str) -> String {
        let Some(status) = self.status else {
            return format!("{} got no response: {text}", self.what);
        };
        let code = self.code.as_ref().map_or(String::new(), |code| format!("{code}, "));
        let reason = format!("{} was refused ({code}HTTP {status})", self.what);
        match &self.message {
            Some(message) => format!("{reason}: {message}"),
            None => reason,
        }
    }
}

fn refused<E>(
    error: &(dyn Error + 'static),
    what: &'static str,
    hint: &'static str,
) -> Option<Refusal>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let error = error.downcast_ref::<SdkError<E>>()?;
    let status = error.raw_response().map(|response| response.status().as_u16());
    let hint = if status.is_some() { hint } else { NETWORK };
    let (code, message) = (error.code().map(str::to_owned), error.message().map(str::to_owned));
    Some(Refusal { what, code, status, message, hint })
}

/// Explains why no credentials were fetched, and what to do.
pub(super) fn of_credentials(error: &CredentialsError, profile: &Profile) -> AwsError {
    if let Some(attempts) = attempts(error) {
        let hint = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or KEY and SECRET in [AWS] of dwh.cfg; `--no-sign-request` reads a public bucket";
        return unsigned(format!("no AWS credentials found; tried {attempts}"), hint);
    }
    let text = text(error);
    let refusal = causes(error).find_map(Refusal::of);
    let code = refusal.as_ref().and_then(|refusal| refusal.code.as_deref()).unwrap_or_default();
    let name = &profile.name;
    if let Some(sso) = &profile.sso
        && (code == "UnauthorizedException"
            || text.contains("SSO token")
            || text.contains("sso/cache"))
    {
        let reason = match &refusal {
            Some(refusal) => refusal.reason(&text),
            None => text,
        };
        let hint = format!("run `aws sso login --profile {sso}`");
        return unsigned(
            format!("the SSO session of the profile `{sso}` is not valid: {reason}"),
            hint,
        );
    }
    if let Some(refusal) = refusal {
        return unsigned(refusal.reason(&text), refusal.hint);
    }
    if text.contains("external process") {
        return of_process(&text, name);
    }
    if text.contains("cargo feature") {
        let reason =
            format!("the profile `{name}` signs in with `aws login`, which is not supported");
        let hint = format!(
            "run `eval \"$(aws configure export-credentials --profile {name} --format env)\"` first"
        );
        return unsigned(reason, hint);
    }
    if let Some(error) = missing_file(error) {
        let hint = "check `web_identity_token_file` of the profile, AWS_WEB_IDENTITY_TOKEN_FILE and AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
        return unsigned(format!("the token file cannot be read ({error})"), hint);
    }
    let hint = format!(
        "check the profile `{name}` and the AWS variables of the environment; docs/reference/s3.md lists the sources of credentials"
    );
    unsigned(text, hint)
}

/// Returns the cause if it is a file that cannot be read.
fn missing_file(error: Cause<'_>) -> Option<&std::io::Error> {
    let io = causes(error).find_map(|cause| cause.downcast_ref::<std::io::Error>())?;
    matches!(io.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied).then_some(io)
}

/// Explains a failed `credential_process`. Its output may contain secrets and is not repeated.
fn of_process(text: &str, profile: &str) -> AwsError {
    let text = text.split(". Stderr").next().unwrap_or_default();
    let how = match text.split_once("exited with code ") {
        Some((_, status)) => format!("failed ({status})"),
        None if text.contains("could not") => "printed something else than credentials".into(),
        None => "did not start".into(),
    };
    unsigned(
        format!("the `credential_process` of the profile `{profile}` {how}"),
        "run its command in a shell to see its output",
    )
}

/// Returns the sources that the chain tried, if none of them had credentials.
fn attempts(error: &CredentialsError) -> Option<String> {
    let found = error.source()?.downcast_ref::<ProviderChainError<CredentialsError>>()?;
    let tried = found.attempts().iter().map(|attempt| {
        let source = match attempt.name() {
            "Environment" => "the environment",
            "Profile" => "the profile",
            "WebIdentityToken" => "a web identity token",
            "EcsContainer" => "container credentials",
            "Ec2InstanceMetadata" => "the EC2 instance",
            other => other,
        };
        format!("{source} ({})", text(attempt.error()))
    });
    Some(tried.collect::<Vec<_>>().join(", "))
}

/// Returns the causes of an error, without general phrases and secrets.
pub(super) fn text(error: &(dyn Error + 'static)) -> String {
    let mut said: Vec<String> = Vec::new();
    for cause in causes(error) {
        let cause = cause.to_string();
        if !GENERAL.contains(&cause.as_str()) && said.last() != Some(&cause) {
            said.push(cause);
        }
    }
    if said.is_empty() {
        said.push(error.to_string());
    }
    redact::without_secrets(&said.join(": "))
}

type Cause<'a> = &'a (dyn Error + 'static);

/// Returns an error and its causes.
fn causes(error: Cause<'_>) -> impl Iterator<Item = Cause<'_>> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

/// Explains shared AWS files that cannot be parsed.
pub(super) fn unreadable(error: &ProfileFileLoadError) -> AwsError {
    unsigned(
        format!("the shared AWS files cannot be read: {}", text(error)),
        "fix the line, or name other files in AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE",
    )
}

/// Explains a profile that was chosen and does not exist.
pub(super) fn unknown_profile<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> AwsError {
    let otherwise = "`aws configure list-profiles` lists the profiles";
    unsigned(
        format!("there is no profile `{name}` in the shared AWS files"),
        suggest::hint(name, known, otherwise),
    )
}

/// Explains a malformed endpoint or region of a profile.
pub(super) fn malformed(error: &ConfigError) -> AwsError {
    unsigned(error.to_string(), error.hint())
}

/// Explains a request that cannot be signed as it is.
pub(super) fn unsignable() -> AwsError {
    unsigned("the request cannot be signed", "check the access key for invalid characters")
}

/// Explains a runtime that could not be started.
pub(super) fn no_thread() -> AwsError {
    unsigned("no thread can be started", "check the limits of this process")
}

fn unsigned(reason: impl Into<String>, hint: impl Into<String>) -> AwsError {
    let reason: String = reason.into();
    AwsError {
        doing: "sign requests to",
        location: "AWS".into(),
        reason: redact::without_secrets(&reason),
        hint: hint.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(error: &CredentialsError) -> AwsError {
        of_credentials(error, &Profile { name: "work".into(), sso: Some("base".into()) })
    }

    #[test]
    fn an_expired_sso_session_names_the_command_that_renews_it() {
        let error =
            CredentialsError::provider_error("the SSO token has expired and cannot be refreshed");
        let error = explained(&error);
        assert_eq!(error.hint, "run `aws sso login --profile base`");
        assert!(error.reason.contains("has expired"), "{error}");
    }

    #[test]
    fn the_output_of_a_process_is_not_repeated() {
        let said = "Error retrieving credentials: external process exited with code exit status: 3. Stderr: hunter2";
        let error = explained(&CredentialsError::provider_error(said));
        assert_eq!(
            error.reason,
            "the `credential_process` of the profile `work` failed (exit status: 3)"
        );
    }
}
