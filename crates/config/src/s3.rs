//! How is S3 reached? Endpoint, region, way of addressing, limits, and which credentials.
//!
//! What was typed, the environment and `dwh.cfg` are looked at once, when the settings are resolved, and what is malformed there is an error at
//! once. The shared files of AWS are read only when a location is in S3: [`S3Settings::access`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::profile::Profiles;
use super::{ConfigError, Secret};

/// What the command line may say about S3; whatever is not said is looked for elsewhere.
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

/// The environment's names that matter here: those of AWS, and ours.
const VARIABLES: &[&str] = &[
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_ENDPOINT_URL_STS",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_REDSHIFT_DATA",
    "AWS_MAX_ATTEMPTS",
    "HOME",
    "SPARKIFY_ADDRESSING_STYLE",
    "SPARKIFY_NO_SIGN_REQUEST",
    "SPARKIFY_REQUEST_PAYER",
    "SPARKIFY_CONCURRENCY",
    "SPARKIFY_READ_TIMEOUT",
];

/// Requests under way at once, unless it is said otherwise; more only helps a store that is far away and fast.
const CONCURRENCY: usize = 256;
/// How often a request is tried before it is given up.
const ATTEMPTS: u32 = 10;
/// A connection without a byte for so long is given up.
const READ_TIMEOUT: Duration = Duration::from_secs(20);
/// What is fetched ahead of the readers when nobody said how much memory there is, in bytes.
const AHEAD: u64 = 64 << 20;

/// Everything that was said about S3, before the shared files of AWS are looked at.
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
    /// Any of these may be a secret.
    environment: BTreeMap<&'static str, Secret>,
}

/// How much at once, and how long.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Requests under way at once, at most.
    pub concurrency: usize,
    /// Bytes held that were fetched ahead of the readers, at most.
    pub ahead: u64,
    /// How often a request is tried.
    pub attempts: u32,
    /// How long a connection may give no byte.
    pub read_timeout: Duration,
}

/// How a bucket stands in a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressing {
    /// `https://host/bucket/key`
    Path,
    /// `https://bucket.host/key`
    Virtual,
}

/// How S3 is reached, with everything decided.
#[derive(Debug, Clone)]
pub struct Access {
    /// A server other than Amazon's: `http(s)://host[:port][/path]`, without a `/` at the end.
    pub endpoint: Option<String>,
    /// The region, if anybody said one.
    pub region: Option<String>,
    /// How the bucket is addressed; none means as it suits the server.
    pub addressing: Option<Addressing>,
    /// The one who asks pays.
    pub requester_pays: bool,
    /// Bounds of time and number.
    pub limits: Limits,
    /// Who asks.
    pub credentials: Credentials,
}

/// Who asks: keys, or where keys are to be had.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// Nobody: requests are not signed.
    Anonymous,
    /// Nothing was found, in any of the usual places.
    Nowhere,
    /// Keys that were written down.
    Keys(Keys),
    /// A program that prints keys as JSON.
    Process(Secret),
    /// A role that is taken on with other credentials.
    Role {
        /// Its ARN.
        arn: String,
        /// What the session is called in the logs of AWS.
        session: String,
        /// What the role's owner wants to hear.
        external_id: Option<Secret>,
        /// Who takes it on.
        base: Box<Credentials>,
        /// The server of AWS STS, if it is not Amazon's.
        sts: Option<String>,
    },
    /// A role that is taken on with a token in a file, as Kubernetes gives it.
    WebIdentity {
        /// The file.
        token_file: String,
        /// The role's ARN.
        arn: String,
        /// What the session is called in the logs of AWS.
        session: String,
        /// The server of AWS STS, if it is not Amazon's.
        sts: Option<String>,
    },
    /// The server that gives keys to a container.
    Container {
        /// Its URL.
        url: String,
        /// What it wants to hear.
        token: Option<Secret>,
        /// The file that holds what it wants to hear.
        token_file: Option<String>,
    },
    /// The server that gives keys to a virtual machine; another than Amazon's if it is named.
    Instance(Option<String>),
}

/// An access key.
#[derive(Debug, Clone)]
pub struct Keys {
    /// Its name; it stands in every request.
    pub id: Secret,
    /// What signs.
    pub secret: Secret,
    /// What a temporary key comes with.
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
    /// Decides what flags, environment and file decide. `ahead` is the memory for bytes fetched ahead.
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
            region: region.or_else(|| file("AWS", "REGION")).map(parse_region).transpose()?,
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

    /// Everything decided, after a look at the shared files of AWS.
    pub fn access(&self) -> Result<Access, ConfigError> {
        let profiles = self.profiles()?;
        let named = self.variable("AWS_PROFILE").or(self.filed_profile.as_deref());
        let of_profile = |key: &str| profiles.get(named.unwrap_or("default"), key);
        let endpoint = match (&self.endpoint, of_profile("endpoint_url")) {
            (None, Some(written)) => Some(parse_endpoint(written)?),
            (endpoint, _) => endpoint.clone(),
        };
        let region = match (&self.region, of_profile("region")) {
            (None, Some(written)) => Some(parse_region(written.into())?),
            (region, _) => region.clone(),
        };
        let credentials =
            if self.anonymous { Credentials::Anonymous } else { self.credentials(&profiles)? };
        Ok(Access {
            endpoint,
            region,
            addressing: self.addressing,
            requester_pays: self.requester_pays,
            limits: self.limits,
            credentials,
        })
    }

    /// The same for whoever writes or calls: what is read without a signature may lie beside what takes one.
    pub fn signing(&self) -> Result<Access, ConfigError> {
        Self { anonymous: false, ..self.clone() }.access()
    }

    /// The server of the Data API, if it is not Amazon's.
    pub fn data_api_endpoint(&self) -> Result<Option<String>, ConfigError> {
        let named = ["AWS_ENDPOINT_URL_REDSHIFT_DATA", "AWS_ENDPOINT_URL"];
        let written = named.iter().find_map(|name| self.variable(name));
        written.map(parse_endpoint).transpose()
    }

    fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(Secret::reveal)
    }

    fn profiles(&self) -> Result<Profiles, ConfigError> {
        let home = self.variable("HOME").map(|home| Path::new(home).join(".aws"));
        let place = |variable: &str, name: &str| -> (Option<PathBuf>, bool) {
            match self.variable(variable) {
                Some(path) => (Some(path.into()), true),
                None => (home.as_ref().map(|home| home.join(name)), false),
            }
        };
        Profiles::read(
            place("AWS_CONFIG_FILE", "config"),
            place("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
        )
    }

    /// The first place that has credentials, in the order in which the tools of AWS look; `dwh.cfg` stands behind the environment.
    fn credentials(&self, profiles: &Profiles) -> Result<Credentials, ConfigError> {
        let sts = self.variable("AWS_ENDPOINT_URL_STS");
        let variable = |name| self.environment.get(name);
        let names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
        if let Some(keys) = keys("the environment", names, names.map(variable))? {
            return Ok(Credentials::Keys(keys));
        }
        if let Some(profile) = self.variable("AWS_PROFILE") {
            return profiles.credentials(profile, sts);
        }
        let filed = self.filed.each_ref().map(Option::as_ref);
        if let Some(keys) = keys("`[AWS]` of `dwh.cfg`", ["KEY", "SECRET", "TOKEN"], filed)? {
            return Ok(Credentials::Keys(keys));
        }
        if let Some(profile) = &self.filed_profile {
            return profiles.credentials(profile, sts);
        }
        if let (Some(file), Some(arn)) =
            (self.variable("AWS_WEB_IDENTITY_TOKEN_FILE"), self.variable("AWS_ROLE_ARN"))
        {
            return Ok(Credentials::WebIdentity {
                token_file: file.into(),
                arn: arn.into(),
                session: self.variable("AWS_ROLE_SESSION_NAME").unwrap_or("sparkify").into(),
                sts: sts.map(str::to_owned),
            });
        }
        if profiles.has_credentials("default") {
            return profiles.credentials("default", sts);
        }
        Ok(self.of_machine())
    }

    /// What the machine itself may give: the container's server, or the virtual machine's.
    fn of_machine(&self) -> Credentials {
        let relative = self.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
        let url = relative.map(|path| format!("http://169.254.170.2{path}"));
        let full = self.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
        if let Some(url) = url.or_else(|| full.map(str::to_owned)) {
            let file = self.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
            return Credentials::Container {
                url,
                token: self.environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN").cloned(),
                token_file: file.map(str::to_owned),
            };
        }
        let disabled = self.variable("AWS_EC2_METADATA_DISABLED");
        if disabled.is_some_and(|written| written.eq_ignore_ascii_case("true")) {
            return Credentials::Nowhere;
        }
        let server = self.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
        Credentials::Instance(server.map(str::to_owned))
    }
}

/// A key of three parts, of which the last may be missing; none when all are, an error when it is half a key or cannot be one.
pub(super) fn keys(
    place: &str,
    names: [&str; 3],
    parts: [Option<&Secret>; 3],
) -> Result<Option<Keys>, ConfigError> {
    let missing = |name: &str, other: &str| ConfigError::Credentials {
        reason: format!("{place} has `{other}` and no `{name}`"),
        hint: format!("give `{name}` too, or take `{other}` away"),
    };
    for (name, part) in names.iter().zip(parts) {
        // Anything else would break a header, and may be the rest of a pasted line.
        if part.is_some_and(|part| !part.reveal().bytes().all(|byte| byte.is_ascii_graphic())) {
            return Err(ConfigError::Credentials {
                reason: format!("`{name}` of {place} holds a space or a character that no key has"),
                hint: "copy it again, without what stands around it".into(),
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

/// `https://host:9000/` as `https://host:9000`; credentials, a query or another scheme have no place in it.
fn parse_endpoint(written: &str) -> Result<String, ConfigError> {
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
        written: super::redact::without_password(written),
        hint: "write it as `https://host` or `http://host:9000`, with nothing else in it",
    })
}

/// It becomes part of a host's name.
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
