//! S3 and AWS settings: endpoint, region, addressing, limits, and the source of credentials.
//!
//! Flags, environment and `dwh.cfg` are read once, when the settings are resolved; a malformed value
//! is an error at once. Profiles, tokens and metadata services are not read here: [`Access`] names the
//! source of credentials, and the crate that calls AWS resolves it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{ConfigError, Secret};

/// S3 options of the command line.
#[derive(Debug, Default, Clone)]
pub struct S3Flags {
    /// `--endpoint-url`
    pub endpoint_url: Option<String>,
    /// `--region`
    pub region: Option<String>,
    /// `--addressing-style`
    pub addressing_style: Option<String>,
    /// `--no-sign-request`
    pub no_sign_request: bool,
    /// `--request-payer`
    pub request_payer: bool,
    /// `--concurrency`
    pub concurrency: Option<String>,
}

/// Environment variables that are read after the settings are resolved.
const VARIABLES: &[&str] = &[
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "HOME",
];

/// Default concurrency limit; a higher one helps only with a distant, fast server.
const CONCURRENCY: usize = 256;
/// Default number of attempts per request.
const ATTEMPTS: u32 = 10;
/// Default read timeout.
const READ_TIMEOUT: Duration = Duration::from_secs(20);
/// Prefetch buffer in bytes when no memory limit was given.
const AHEAD: u64 = 64 << 20;

/// S3 settings from flags, environment and `dwh.cfg`.
#[derive(Debug, Clone)]
pub struct S3Settings {
    endpoint: Option<String>,
    region: Option<String>,
    addressing: Option<Addressing>,
    anonymous: bool,
    requester_pays: bool,
    limits: Limits,
    /// `[AWS] KEY`, `SECRET` and `TOKEN` of `dwh.cfg`.
    filed: [Option<Secret>; 3],
    /// `[AWS] PROFILE` of `dwh.cfg`.
    filed_profile: Option<String>,
    /// Values of [`VARIABLES`]; any of them may be a secret.
    environment: BTreeMap<&'static str, Secret>,
}

/// Concurrency, buffer and time limits.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Concurrency limit of requests.
    pub concurrency: usize,
    /// Prefetch buffer in bytes.
    pub ahead: u64,
    /// Attempts per request.
    pub attempts: u32,
    /// Longest time that a connection may deliver no byte.
    pub read_timeout: Duration,
}

/// Place of the bucket's name in a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressing {
    /// `https://host/bucket/key`
    Path,
    /// `https://bucket.host/key`
    Virtual,
}

/// Resolved settings of requests to AWS or an S3-compatible server.
#[derive(Debug, Clone)]
pub struct Access {
    /// Endpoint of S3 other than Amazon's: `http(s)://host[:port][/path]`, without a final `/`.
    pub endpoint: Option<String>,
    /// Region, where one is configured.
    pub region: Option<String>,
    /// Profile of the shared AWS files; `None` means `default`.
    pub profile: Option<String>,
    /// Addressing style; `None` means the one that suits the server.
    pub addressing: Option<Addressing>,
    /// Requester-pays bucket.
    pub requester_pays: bool,
    /// Concurrency, buffer and time limits.
    pub limits: Limits,
    /// Source of credentials.
    pub credentials: Credentials,
}

/// Source of credentials that the user chose.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// Requests are not signed.
    Anonymous,
    /// Static keys from the environment or `dwh.cfg`.
    Keys(Keys),
    /// The standard AWS credential chain, starting with [`Access::profile`].
    Chain,
}

/// Static access key.
#[derive(Debug, Clone)]
pub struct Keys {
    /// Access key ID; every signed request contains it.
    pub id: Secret,
    /// Secret access key.
    pub secret: Secret,
    /// Session token of temporary keys.
    pub token: Option<Secret>,
}

impl Default for S3Settings {
    fn default() -> Self {
        let limits = Limits {
            concurrency: CONCURRENCY,
            ahead: AHEAD,
            attempts: ATTEMPTS,
            read_timeout: READ_TIMEOUT,
        };
        Self {
            endpoint: None,
            region: None,
            addressing: None,
            anonymous: false,
            requester_pays: false,
            limits,
            filed: [None, None, None],
            filed_profile: None,
            environment: BTreeMap::new(),
        }
    }
}

impl S3Settings {
    /// Reads flags, environment and file. `ahead` is the prefetch buffer in bytes.
    pub(super) fn resolve(
        flags: &S3Flags,
        environment: &dyn Fn(&str) -> Option<String>,
        file: &dyn Fn(&str, &str) -> Option<String>,
        ahead: u64,
    ) -> Result<Self, ConfigError> {
        let pick = |flag: &Option<String>, variables: &[&str], key: &str| {
            let said = || variables.iter().find_map(|name| environment(name));
            flag.clone().or_else(said).or_else(|| file("S3", key))
        };
        let switch = |flag: bool, variable: &str, key: &'static str| {
            let said = pick(&flag.then(|| "true".into()), &[variable], key);
            said.map_or(Ok(false), |written| parse_switch(key, &written))
        };
        let endpoint =
            pick(&flags.endpoint_url, &["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"], "ENDPOINT_URL");
        let region = pick(&flags.region, &["AWS_REGION", "AWS_DEFAULT_REGION"], "REGION");
        let addressing =
            pick(&flags.addressing_style, &["SPARKIFY_ADDRESSING_STYLE"], "ADDRESSING_STYLE");
        let concurrency = pick(&flags.concurrency, &["SPARKIFY_CONCURRENCY"], "CONCURRENCY");
        let timeout = pick(&None, &["SPARKIFY_READ_TIMEOUT"], "READ_TIMEOUT");
        let attempts = environment("AWS_MAX_ATTEMPTS");
        let limits = Limits {
            concurrency: number("the concurrency", concurrency.as_deref(), CONCURRENCY, 1024)?,
            ahead,
            attempts: number("AWS_MAX_ATTEMPTS", attempts.as_deref(), ATTEMPTS, 100)?,
            read_timeout: timeout.map_or(Ok(READ_TIMEOUT), |text| parse_seconds(&text))?,
        };
        let found = VARIABLES.iter().filter_map(|name| Some((*name, environment(name)?)));
        Ok(Self {
            endpoint: endpoint.map(|written| parse_endpoint(&written)).transpose()?,
            region: region.or_else(|| filed_region(file)).map(parse_region).transpose()?,
            addressing: addressing.map_or(Ok(None), |written| parse_addressing(&written))?,
            anonymous: switch(
                flags.no_sign_request,
                "SPARKIFY_NO_SIGN_REQUEST",
                "NO_SIGN_REQUEST",
            )?,
            requester_pays: switch(flags.request_payer, "SPARKIFY_REQUEST_PAYER", "REQUEST_PAYER")?,
            limits,
            filed: ["KEY", "SECRET", "TOKEN"].map(|key| file("AWS", key).map(Secret::new)),
            filed_profile: file("AWS", "PROFILE"),
            environment: found.map(|(name, value)| (name, Secret::new(value))).collect(),
        })
    }

    /// Returns the settings of requests that read.
    pub fn access(&self) -> Result<Access, ConfigError> {
        self.check_shared_files()?;
        let profile = self.variable("AWS_PROFILE").or(self.filed_profile.as_deref());
        let credentials = if self.anonymous { Credentials::Anonymous } else { self.credentials()? };
        Ok(Access {
            endpoint: self.endpoint.clone(),
            region: self.region.clone(),
            profile: profile.map(str::to_owned),
            addressing: self.addressing,
            requester_pays: self.requester_pays,
            limits: self.limits,
            credentials,
        })
    }

    /// Returns the settings of requests that must be signed: a bucket may be read anonymously while
    /// a write or an API call needs credentials.
    pub fn signing(&self) -> Result<Access, ConfigError> {
        Self { anonymous: false, ..self.clone() }.access()
    }

    fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(Secret::reveal)
    }

    /// Fails if a shared AWS file exists and cannot be read, or a variable names one that does not
    /// exist: the SDK treats both as empty.
    fn check_shared_files(&self) -> Result<(), ConfigError> {
        let home = self.variable("HOME").map(|home| Path::new(home).join(".aws"));
        let files = [("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials")];
        for (variable, name) in files {
            let named = self.variable(variable).map(PathBuf::from);
            let may_be_missing = named.is_none();
            let Some(path) = named.or_else(|| Some(home.as_ref()?.join(name))) else { continue };
            // The SDK expands the home directory.
            if path.starts_with("~") {
                continue;
            }
            match File::open(&path) {
                Err(error) if may_be_missing && error.kind() == ErrorKind::NotFound => {}
                Err(source) => return Err(ConfigError::Shared { path, source }),
                Ok(_) => {}
            }
        }
        Ok(())
    }

    /// Returns the configured keys, names and addresses, which a message may repeat.
    pub(super) fn private_values(&self) -> Vec<String> {
        let filed = self.filed.iter().flatten();
        let secrets = filed.chain(self.environment.values()).map(|value| value.reveal().to_owned());
        secrets.chain(self.filed_profile.clone()).chain(self.endpoint.clone()).collect()
    }

    /// Returns the first explicit source: keys of the environment, `AWS_PROFILE`, keys of `dwh.cfg`;
    /// otherwise the chain decides.
    fn credentials(&self) -> Result<Credentials, ConfigError> {
        let variable = |name| self.environment.get(name);
        let names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
        if let Some(keys) = keys("the environment", names, names.map(variable))? {
            return Ok(Credentials::Keys(keys));
        }
        if self.variable("AWS_PROFILE").is_some() {
            return Ok(Credentials::Chain);
        }
        let filed = self.filed.each_ref().map(Option::as_ref);
        let filed = keys("`[AWS]` of `dwh.cfg`", ["KEY", "SECRET", "TOKEN"], filed)?;
        Ok(filed.map_or(Credentials::Chain, Credentials::Keys))
    }
}

impl Access {
    /// Fills in endpoint and region of the profile where no flag, variable or `dwh.cfg` sets them.
    pub fn or_profile(
        mut self,
        endpoint: Option<&str>,
        region: Option<&str>,
    ) -> Result<Self, ConfigError> {
        if self.endpoint.is_none() {
            self.endpoint = endpoint.map(parse_endpoint).transpose()?;
        }
        if self.region.is_none() {
            self.region = region.map(|written| parse_region(written.into())).transpose()?;
        }
        Ok(self)
    }
}

/// Returns the key of three parts, of which the last may be missing; `None` if all are missing.
/// Fails on half a key and on characters that no key contains.
fn keys(
    place: &str,
    names: [&str; 3],
    parts: [Option<&Secret>; 3],
) -> Result<Option<Keys>, ConfigError> {
    let missing = |name: &str, other: &str| ConfigError::Credentials {
        reason: format!("{place} has `{other}` and no `{name}`"),
        hint: format!("set `{name}` too, or remove `{other}`"),
    };
    for (name, part) in names.iter().zip(parts) {
        // Other bytes would break a header, and may be the rest of a pasted line.
        if part.is_some_and(|part| !part.reveal().bytes().all(|byte| byte.is_ascii_graphic())) {
            return Err(ConfigError::Credentials {
                reason: format!("`{name}` of {place} holds a space or a character that no key has"),
                hint: "copy the key again, without the text around it".into(),
            });
        }
    }
    match parts {
        [None, None, _] => Ok(None),
        [Some(_), None, _] => Err(missing(names[1], names[0])),
        [None, Some(_), _] => Err(missing(names[0], names[1])),
        [Some(id), Some(secret), token] => Ok(Some(Keys {
            id: id.clone(),
            secret: secret.clone(),
            token: token.filter(|token| !token.reveal().is_empty()).cloned(),
        })),
    }
}

/// Parses an endpoint URL and removes its final `/`. Credentials, a query and other schemes are errors.
pub fn parse_endpoint(written: &str) -> Result<String, ConfigError> {
    let url = written.trim_end_matches('/');
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let fits = |rest: &str| {
        let mut bytes = rest.bytes();
        !rest.is_empty()
            && !rest.starts_with(['/', ':'])
            && bytes.all(|byte| byte.is_ascii_graphic() && !b"@?#\\\"<>`{}|^".contains(&byte))
    };
    if rest.is_some_and(fits) {
        return Ok(url.to_owned());
    }
    Err(ConfigError::Value {
        name: "the endpoint",
        written: super::redact::malformed_url(written),
        hint: "write it as `https://host` or `http://host:9000`",
    })
}

/// Returns the region of `dwh.cfg`: as such, as the course's scripts write it, or as a part of the
/// cluster's host name.
fn filed_region(file: &dyn Fn(&str, &str) -> Option<String>) -> Option<String> {
    file("AWS", "REGION")
        .or_else(|| file("DWH", "DWH_REGION"))
        .or_else(|| file("CLUSTER", "DWH_REGION"))
        .or_else(|| super::data_api::region_of_host(&file("CLUSTER", "HOST")?))
}

/// Parses a region, which becomes part of a host name.
fn parse_region(written: String) -> Result<String, ConfigError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if !written.is_empty() && written.len() <= 64 && written.bytes().all(fits) {
        return Ok(written);
    }
    Err(ConfigError::Value { name: "the region", written, hint: "write it as `eu-west-1`" })
}

fn parse_addressing(written: &str) -> Result<Option<Addressing>, ConfigError> {
    match written.to_lowercase().as_str() {
        "auto" => Ok(None),
        "path" => Ok(Some(Addressing::Path)),
        "virtual" => Ok(Some(Addressing::Virtual)),
        _ => Err(ConfigError::Value {
            name: "the addressing style",
            written: written.into(),
            hint: "give `path`, `virtual` or `auto`",
        }),
    }
}

fn parse_switch(what: &'static str, written: &str) -> Result<bool, ConfigError> {
    match written.to_lowercase().as_str() {
        "true" | "yes" | "on" | "1" | "requester" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err(ConfigError::Value {
            name: what,
            written: written.into(),
            hint: "give true or false",
        }),
    }
}

fn parse_seconds(written: &str) -> Result<Duration, ConfigError> {
    let seconds = written.parse().ok().filter(|seconds| (0.1..=3600.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| ConfigError::Value {
        name: "the read timeout",
        written: written.into(),
        hint: "give seconds from 0.1 to 3600",
    })
}

fn number<T: std::str::FromStr + PartialOrd + From<u8>>(
    what: &'static str,
    written: Option<&str>,
    otherwise: T,
    most: u16,
) -> Result<T, ConfigError> {
    let Some(written) = written else { return Ok(otherwise) };
    let fits = |number: &u16| (1..=most).contains(number);
    let fitting = written.parse::<u16>().ok().filter(fits);
    fitting.and_then(|_| written.parse().ok()).ok_or_else(|| ConfigError::Value {
        name: what,
        written: written.into(),
        hint: if most == 1024 {
            "give a whole number from 1 to 1024"
        } else {
            "give a whole number from 1 to 100"
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(environment: &[(&str, &str)], file: &[(&str, &str)]) -> S3Settings {
        let find = |list: &[(&str, &str)], name: &str| {
            list.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        let variable = |name: &str| find(environment, name);
        let filed = |section: &str, key: &str| find(file, &format!("{section}.{key}"));
        S3Settings::resolve(&S3Flags::default(), &variable, &filed, 0).unwrap()
    }

    const KEYS: [(&str, &str); 2] =
        [("AWS_ACCESS_KEY_ID", "AKIA"), ("AWS_SECRET_ACCESS_KEY", "a/b+c=;#d")];
    const FILE: [(&str, &str); 3] =
        [("AWS.KEY", "FILED"), ("AWS.SECRET", "s"), ("AWS.PROFILE", "filed")];

    #[test]
    fn environment_beats_profile_variable_beats_file_beats_chain() {
        let id = |settings: &S3Settings| match settings.access().unwrap().credentials {
            Credentials::Keys(keys) => keys.id.reveal().to_owned(),
            Credentials::Chain => "chain".into(),
            Credentials::Anonymous => "anonymous".into(),
        };
        let profile = [("AWS_PROFILE", "work")];
        assert_eq!(id(&settings(&[&KEYS[..], &profile].concat(), &FILE)), "AKIA");
        assert_eq!(id(&settings(&profile, &FILE)), "chain");
        assert_eq!(id(&settings(&[], &FILE)), "FILED");
        assert_eq!(id(&settings(&[], &[])), "chain");
        let anonymous = settings(&[("SPARKIFY_NO_SIGN_REQUEST", "1")], &FILE);
        assert_eq!(id(&anonymous), "anonymous");
        assert!(matches!(anonymous.signing().unwrap().credentials, Credentials::Keys(_)));
    }

    #[test]
    fn the_profile_variable_beats_the_profile_of_the_file() {
        let profile = |settings: &S3Settings| settings.access().unwrap().profile;
        assert_eq!(profile(&settings(&[], &FILE[2..])).as_deref(), Some("filed"));
        let named = settings(&[("AWS_PROFILE", "work")], &FILE[2..]);
        assert_eq!(profile(&named).as_deref(), Some("work"));
        assert_eq!(profile(&settings(&[], &[])), None);
    }

    #[test]
    fn a_profile_fills_in_what_no_setting_says() {
        let file = [("S3.REGION", "eu-west-1")];
        let access = settings(&[], &file).access().unwrap();
        let access = access.or_profile(Some("http://h:9000/"), Some("us-east-2")).unwrap();
        assert_eq!(access.region.as_deref(), Some("eu-west-1"));
        assert_eq!(access.endpoint.as_deref(), Some("http://h:9000"));
        for (endpoint, region) in [(Some("h:9000"), None), (None, Some("a/b"))] {
            let access = settings(&[], &[]).access().unwrap();
            assert!(access.or_profile(endpoint, region).is_err(), "{endpoint:?} {region:?}");
        }
    }

    #[test]
    fn the_region_may_be_that_of_the_cluster() {
        let region = |file: &[(&str, &str)]| settings(&[], file).access().unwrap().region;
        let host = (
            "CLUSTER.HOST",
            "wg.123456789012.eu-west-1.redshift-serverless.amazonaws.com:5439/dev",
        );
        assert_eq!(region(&[host]).as_deref(), Some("eu-west-1"));
        assert_eq!(region(&[("DWH.DWH_REGION", "us-west-2"), host]).as_deref(), Some("us-west-2"));
        assert_eq!(region(&[("CLUSTER.HOST", "localhost")]), None);
    }

    #[test]
    fn half_a_key_and_an_unreadable_file_are_errors_without_secrets() {
        let half = settings(&KEYS[1..], &[]).access().unwrap_err();
        assert!(half.to_string().contains("no `AWS_ACCESS_KEY_ID`"), "{half}");
        assert!(!format!("{half:?}").contains("a/b+c"));
        let missing = settings(&[("AWS_CONFIG_FILE", "/nowhere/config")], &[]);
        assert!(matches!(missing.access(), Err(ConfigError::Shared { .. })));
        assert!(settings(&[("HOME", "/nowhere")], &[]).access().is_ok());
    }
}
