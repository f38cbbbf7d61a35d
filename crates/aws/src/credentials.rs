//! Who asks: what the settings say, as keys that sign; asked for, kept, and asked for again before they expire.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, AwsAuthorizer, AwsCredential};
use object_store::client::{HttpRequest, HttpRequestBody};
use object_store::{ClientOptions, CredentialProvider, RetryConfig};
use quick_xml::de::from_str;
use reqwest::Client;
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::Mutex;

use super::AwsError;
use sparkify_config::{Credentials, Keys};

/// Keys that expire sooner than this are asked for anew.
const EARLY: time::Duration = time::Duration::minutes(5);
/// A program or a server that gives keys is given so long.
const PATIENCE: Duration = Duration::from_mins(1);

type Provider = Arc<dyn CredentialProvider<Credential = AwsCredential>>;

/// The credentials of one client.
#[derive(Debug)]
pub struct Signer {
    who: Credentials,
    /// Where the machine gives them, what asks it.
    machine: Option<Provider>,
    held: Mutex<Option<Held>>,
    http: Client,
    region: String,
}

/// Keys and until when they are good.
#[derive(Debug, Clone)]
struct Held {
    keys: Arc<AwsCredential>,
    until: Option<OffsetDateTime>,
}

/// Keys as a program or a container's server prints them.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Printed {
    access_key_id: String,
    secret_access_key: String,
    #[serde(alias = "SessionToken")]
    token: Option<String>,
    expiration: Option<String>,
}

/// Both answers of STS, as far as they matter.
#[derive(Deserialize)]
struct Assumed {
    #[serde(rename = "AssumeRoleResult", alias = "AssumeRoleWithWebIdentityResult")]
    result: AssumedRole,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AssumedRole {
    credentials: Granted,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Granted {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    expiration: String,
}

impl Signer {
    /// `region` is where STS is asked.
    pub fn new(credentials: Credentials, http: Client, region: &str) -> Result<Self, AwsError> {
        let machine = of_machine(&credentials)?;
        Ok(Self {
            who: credentials,
            machine,
            held: Mutex::default(),
            http,
            region: region.to_owned(),
        })
    }

    /// The keys to sign with now; none when requests are not signed.
    pub async fn keys(&self) -> Result<Option<Arc<AwsCredential>>, AwsError> {
        if let Credentials::Anonymous = self.who {
            return Ok(None);
        }
        if let Some(machine) = &self.machine {
            let keys = machine.get_credential().await.map_err(|error| {
                tracing::debug!(
                    "the machine's credentials: {}",
                    sparkify_config::redact::without_secrets(&error.to_string())
                );
                nowhere()
            })?;
            return Ok(Some(keys));
        }
        let mut held = self.held.lock().await;
        let good = held.as_ref().filter(|held| {
            held.until.is_none_or(|until| until - EARLY > OffsetDateTime::now_utc())
        });
        if let Some(held) = good {
            return Ok(Some(Arc::clone(&held.keys)));
        }
        let fresh = self.fetch(&self.who).await?;
        let keys = Arc::clone(&fresh.keys);
        *held = Some(fresh);
        Ok(Some(keys))
    }

    async fn fetch(&self, credentials: &Credentials) -> Result<Held, AwsError> {
        match credentials {
            Credentials::Keys(keys) => Ok(Held { keys: Arc::new(of_keys(keys)), until: None }),
            Credentials::Process(command) => of_process(command.reveal()).await,
            Credentials::Container { url, token: Some(token), .. } => {
                let asked = self.http.get(url).header("authorization", token.reveal());
                of_json(&self.text(asked, "the container's credentials").await?)
                    .ok_or_else(|| unusable("the container's server"))
            }
            Credentials::Role { arn, session, external_id, base, sts } => {
                let base = Box::pin(self.fetch(base)).await?;
                let mut query = vec![("RoleArn", arn.as_str()), ("RoleSessionName", session)];
                query.extend(external_id.iter().map(|id| ("ExternalId", id.reveal())));
                self.assume("AssumeRole", &query, Some(&base.keys), sts.as_deref()).await
            }
            Credentials::WebIdentity { token_file, arn, session, sts } => {
                let token = std::fs::read_to_string(token_file).map_err(|error| {
                    refused(format!("the token file `{token_file}` cannot be read ({error})"))
                })?;
                let query = [
                    ("RoleArn", arn.as_str()),
                    ("RoleSessionName", session),
                    ("WebIdentityToken", token.trim()),
                ];
                self.assume("AssumeRoleWithWebIdentity", &query, None, sts.as_deref()).await
            }
            _ => Err(nowhere()),
        }
    }

    /// Takes a role on.
    async fn assume(
        &self,
        action: &str,
        query: &[(&str, &str)],
        signs: Option<&AwsCredential>,
        sts: Option<&str>,
    ) -> Result<Held, AwsError> {
        let amazon = format!("https://sts.{}.amazonaws.com", self.region);
        let server = sts.unwrap_or(&amazon).trim_end_matches('/');
        let fixed = [("Action", action), ("DurationSeconds", "3600"), ("Version", "2011-06-15")];
        let pairs = fixed.iter().chain(query);
        let encoded: Vec<String> =
            pairs.map(|(name, value)| format!("{name}={}", super::encoded(value, false))).collect();
        let encoded = encoded.join("&");
        let asked = match signs {
            // The token of a web identity is as good as a password: it has no place in a URL.
            None => self
                .http
                .post(format!("{server}/"))
                .header("content-type", "application/x-www-form-urlencoded")
                .body(encoded),
            Some(keys) => {
                let url = format!("{server}/?{encoded}");
                let mut request = HttpRequest::new(HttpRequestBody::empty());
                *request.uri_mut() =
                    url.parse().map_err(|_| refused(format!("`{server}` is no URL")))?;
                let signed =
                    AwsAuthorizer::new(keys, "sts", &self.region).try_authorize(&mut request, None);
                signed.map_err(|_| unusable("the profile"))?;
                self.http.get(url).headers(request.headers().clone())
            }
        };
        let what = format!("the role that `{server}` was asked for");
        let answer: Assumed = from_str(&self.text(asked, &what).await?)
            .map_err(|_| unusable(&format!("`{server}`")))?;
        let Granted { access_key_id, secret_access_key, session_token, expiration } =
            answer.result.credentials;
        let token = Some(session_token);
        let printed =
            Printed { access_key_id, secret_access_key, token, expiration: Some(expiration) };
        of_printed(printed).ok_or_else(|| unusable(&format!("`{server}`")))
    }

    /// The body of a good answer.
    async fn text(&self, asked: reqwest::RequestBuilder, what: &str) -> Result<String, AwsError> {
        let failed = |error: reqwest::Error| {
            refused(format!("{what} did not come ({})", error.without_url()))
        };
        let answer = asked.timeout(PATIENCE).send().await.map_err(failed)?;
        let status = answer.status();
        let text = answer.text().await.map_err(failed)?;
        if status.is_success() {
            return Ok(text);
        }
        // STS wraps its error once more.
        let code = text.split("<Code>").nth(1).and_then(|rest| rest.split('<').next());
        let code = code.filter(|code| code.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        let code = code.map_or(String::new(), |code| format!("{code}, "));
        Err(refused(format!("{what} was refused ({code}HTTP {})", status.as_u16())))
    }
}

/// What the crate asks for us: the servers of containers and virtual machines.
fn of_machine(credentials: &Credentials) -> Result<Option<Provider>, AwsError> {
    let retry = RetryConfig { max_retries: 1, ..RetryConfig::default() };
    let client = ClientOptions::new()
        .with_connect_timeout(Duration::from_secs(2))
        .with_timeout(Duration::from_secs(5));
    let builder = AmazonS3Builder::new()
        .with_bucket_name("bucket")
        .with_retry(retry)
        .with_client_options(client);
    let builder = match credentials {
        Credentials::Instance(None) => builder,
        Credentials::Instance(Some(server)) => {
            builder.with_metadata_endpoint(server.trim_end_matches('/'))
        }
        Credentials::Container { url, token: None, token_file: Some(file) } => builder
            .with_config(AmazonS3ConfigKey::ContainerCredentialsFullUri, url)
            .with_config(AmazonS3ConfigKey::ContainerAuthorizationTokenFile, file),
        Credentials::Container { url, token: None, token_file: None } => {
            let path = url.strip_prefix("http://169.254.170.2").ok_or_else(|| {
                refused("the container's server wants a token, and none is named".into())
            })?;
            builder.with_config(AmazonS3ConfigKey::ContainerCredentialsRelativeUri, path)
        }
        _ => return Ok(None),
    };
    let store = builder.build().map_err(|_| nowhere())?;
    Ok(Some(Arc::clone(store.credentials())))
}

fn of_keys(keys: &Keys) -> AwsCredential {
    AwsCredential {
        key_id: keys.id.reveal().to_owned(),
        secret_key: keys.secret.reveal().to_owned(),
        token: keys.token.as_ref().map(|token| token.reveal().to_owned()),
    }
}

/// What `credential_process` prints. It runs in a shell, since the setting is a line of one.
async fn of_process(command: &str) -> Result<Held, AwsError> {
    let ran = tokio::process::Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output();
    let failed = |how: String| refused(format!("the `credential_process` of the profile {how}"));
    let output = match tokio::time::timeout(PATIENCE, ran).await {
        Err(_) => return Err(failed(format!("did not end within {} s", PATIENCE.as_secs()))),
        Ok(Err(error)) => return Err(failed(format!("did not start ({error})"))),
        Ok(Ok(output)) => output,
    };
    if !output.status.success() {
        return Err(failed(format!("failed ({})", output.status)));
    }
    of_json(&String::from_utf8_lossy(&output.stdout))
        .ok_or_else(|| failed("printed something else than credentials".into()))
}

fn of_json(text: &str) -> Option<Held> {
    of_printed(serde_json::from_str(text).ok()?)
}

/// Keys go into headers: anything but visible ASCII is none.
fn of_printed(printed: Printed) -> Option<Held> {
    let until = match &printed.expiration {
        Some(text) => Some(OffsetDateTime::parse(text, &Rfc3339).ok()?),
        None => None,
    };
    let visible = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    let parts = [&printed.access_key_id, &printed.secret_access_key];
    if !parts.into_iter().chain(&printed.token).all(|text| visible(text)) {
        return None;
    }
    let keys = AwsCredential {
        key_id: printed.access_key_id,
        secret_key: printed.secret_access_key,
        token: printed.token,
    };
    Some(Held { keys: Arc::new(keys), until })
}

fn nowhere() -> AwsError {
    AwsError {
        doing: "sign requests to",
        location: "S3".into(),
        reason: "no credentials were found in the environment, a profile, `dwh.cfg`, the container or the machine".into(),
        hint: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; `--no-sign-request` reads a public bucket".into(),
    }
}

fn unusable(who: &str) -> AwsError {
    refused(format!("{who} gave no usable credentials"))
}

fn refused(reason: String) -> AwsError {
    AwsError {
        doing: "sign requests to",
        location: "S3".into(),
        reason,
        hint: "check the role, its trust policy and the token; `-vv` says more".into(),
    }
}
