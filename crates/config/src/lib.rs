//! Settings from flags, the environment, `dwh.cfg` and defaults, in this order of precedence.
//!
//! Only this crate reads the environment and the configuration file. It does no network I/O and
//! knows no SQL. Its results are [`Settings`], in which every value is resolved, and [`Secret`]s,
//! which print as `****`.

mod anonymize;
mod cluster;
mod cluster_rules;
mod data_api;
mod file;
mod pgpass;
pub mod redact;
mod s3;
mod secret;
mod server;
pub mod shell;
mod staging;
pub mod suggest;
mod url;
mod write_back;

use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

pub use anonymize::Anonymizer;
pub use cluster::{AwsSettings, ClusterFlags, ClusterSettings, Form, Prefix};
pub use cluster_rules::NODE_TYPES;
pub use data_api::DataApiTarget;
pub use s3::{Access, Addressing, Credentials, Keys, Limits, S3Flags, S3Settings, parse_endpoint};
pub use secret::Secret;
pub use server::{DEFAULT_SCHEMA, Host, Server, TlsMode};
pub use staging::StagingSettings;
pub use url::{DEFAULT as DEFAULT_WAREHOUSE, WarehouseUrl};
pub use write_back::{Entry, read_value, write_back};

/// Default timeout of waiting for the lock of a `DuckDB` file.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);
/// Default configuration file; it may be missing.
pub const DEFAULT_FILE: &str = "dwh.cfg";

/// Values of command-line options; `None` falls back to the environment, the file and the default.
#[derive(Debug, Default, Clone)]
pub struct Flags {
    /// `--config`
    pub config: Option<PathBuf>,
    /// `--warehouse`
    pub warehouse: Option<String>,
    /// `--schema`
    pub schema: Option<String>,
    /// `--song-data`
    pub song_data: Option<String>,
    /// `--log-data`
    pub log_data: Option<String>,
    /// `--max-reject-share`
    pub max_reject_share: Option<String>,
    /// `--allow-superuser`
    pub allow_superuser: bool,
    /// `--wait`
    pub wait: Option<u32>,
    /// `--memory`
    pub memory: Option<String>,
    /// `--threads`
    pub threads: Option<String>,
    /// `--staging`
    pub staging: Option<String>,
    /// `--manifest`
    pub manifest: Option<String>,
    /// `--log-format`
    pub log_format: Option<String>,
    /// `--log-jsonpath`
    pub log_jsonpath: Option<String>,
    /// Options for S3.
    pub s3: S3Flags,
}

/// Resolved settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Warehouse with the tables.
    pub warehouse: WarehouseUrl,
    /// Location of the song objects, as written.
    pub song_data: Option<String>,
    /// Location of the event objects, as written.
    pub log_data: Option<String>,
    /// Format of the event objects; none for the default one.
    pub log_format: Option<LogFormatSetting>,
    /// Share of rejected records above which a load fails, from 0 to 1.
    pub max_reject_share: f64,
    /// Memory limit of the warehouse in bytes; larger work spills to disk. If a location is in S3,
    /// an eighth of the configured memory is reserved for prefetched bytes and not included here.
    pub memory: u64,
    /// Number of threads that read and transform.
    pub threads: usize,
    /// Timeout of waiting for the lock of a `DuckDB` file.
    pub lock_timeout: Duration,
    /// Access to S3.
    pub s3: S3Settings,
    /// Staging files of loads into a Redshift cluster.
    pub staging: StagingSettings,
    /// Key of the hashes of erased persons.
    pub erasure_key: Option<Secret>,
    /// The configuration file, if it exists.
    pub file: Option<PathBuf>,
    /// Warnings about unknown settings and the password file.
    pub warnings: Vec<String>,
}

/// Invalid or unreadable settings.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write the configuration file `{}`", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// The file is not in the format of `dwh.cfg`.
    #[error("invalid configuration file `{}`: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The mistake; contains no value, since any value may be a secret.
        reason: String,
        /// The expected format.
        hint: String,
    },
    /// The warehouse URL is invalid.
    #[error("invalid warehouse URL `{written}`")]
    Warehouse {
        /// The URL, without a password.
        written: String,
        /// The expected format.
        hint: String,
    },
    /// An AWS configuration or credentials file exists, or was named, and cannot be read.
    #[error("cannot read the AWS configuration file `{}`", path.display())]
    Shared {
        /// The file.
        path: PathBuf,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// AWS credentials are incomplete or unavailable.
    #[error("cannot sign requests to AWS: {reason}")]
    Credentials {
        /// The mistake; contains no value, since any value may be a secret.
        reason: String,
        /// The next action.
        hint: String,
    },
    /// A required value is not set.
    #[error("{name} is not set")]
    Unset {
        /// The setting, with its article.
        name: &'static str,
        /// The next action.
        hint: &'static str,
    },
    /// A value is malformed or out of range.
    #[error("invalid value `{written}` for {name}")]
    Value {
        /// The setting, with its article.
        name: &'static str,
        /// The value; `****` if it is a secret.
        written: String,
        /// The valid values.
        hint: &'static str,
    },
}

impl ConfigError {
    /// Returns the next action for the user.
    pub fn hint(&self) -> String {
        match self {
            Self::Unreadable { .. } => "name another file with `--config`".into(),
            Self::Unwritable { .. } => "check the permissions of the file and its folder".into(),
            Self::Shared { .. } => {
                "check AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE and the file's permissions"
                    .into()
            }
            Self::Malformed { hint, .. }
            | Self::Warehouse { hint, .. }
            | Self::Credentials { hint, .. } => hint.clone(),
            Self::Unset { hint, .. } | Self::Value { hint, .. } => (*hint).into(),
        }
    }
}

impl Settings {
    /// Resolves every setting from `flags`, the environment (`SPARKIFY_…`) and the configuration
    /// file.
    pub fn resolve(flags: &Flags) -> Result<Self, ConfigError> {
        Self::resolve_with(flags, &|name| {
            std::env::var(name).ok().filter(|value| !value.is_empty())
        })
    }

    fn resolve_with(
        flags: &Flags,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let (path, file) = configuration(flags, environment)?;
        let pick = |flag: &Option<String>, variable: &str, key: Option<(&str, &str)>| {
            flag.clone().or_else(|| environment(variable)).or_else(|| {
                key.and_then(|(section, key)| file.get(section, key)).map(str::to_owned)
            })
        };
        let warehouse = pick(&flags.warehouse, "SPARKIFY_WAREHOUSE", Some(("WAREHOUSE", "URL")));
        let warehouse = warehouse.or_else(|| file.cluster_url());
        let warehouse = warehouse.as_deref().unwrap_or(DEFAULT_WAREHOUSE);
        let schema = pick(&flags.schema, "SPARKIFY_SCHEMA", Some(("WAREHOUSE", "SCHEMA")));
        let mut warehouse = WarehouseUrl::resolve(warehouse, schema, environment)?;
        let allowed = environment("SPARKIFY_ALLOW_SUPERUSER");
        if flags.allow_superuser || allowed.is_some_and(|it| it == "1" || it == "true") {
            warehouse.allow_superuser();
        }
        let erasure_key = pick(&None, "SPARKIFY_ERASURE_KEY", Some(("WAREHOUSE", "ERASURE_KEY")));
        let erasure_key = erasure_key.map(parse_erasure_key).transpose()?;
        let share = pick(&flags.max_reject_share, "SPARKIFY_MAX_REJECT_SHARE", None);
        let memory = pick(&flags.memory, "SPARKIFY_MEMORY", None);
        let threads = pick(&flags.threads, "SPARKIFY_THREADS", None);
        let song_data = pick(&flags.song_data, "SPARKIFY_SONG_DATA", Some(("S3", "SONG_DATA")));
        let log_data = pick(&flags.log_data, "SPARKIFY_LOG_DATA", Some(("S3", "LOG_DATA")));
        let locations = [&song_data, &log_data];
        locations.into_iter().flatten().try_for_each(|location| check_location(location))?;
        let uses_s3 = locations.into_iter().flatten().any(|location| location.starts_with("s3://"));
        let memory = memory.as_deref().map_or(Ok(512 << 20), parse_size)?;
        let prefetch = memory / 8;
        let from_file = |section: &str, key: &str| file.get(section, key).map(str::to_owned);
        let staging = StagingSettings::resolve(
            pick(&flags.staging, "SPARKIFY_STAGING", Some(("S3", "STAGING"))),
            pick(&flags.manifest, "SPARKIFY_MANIFEST", Some(("S3", "MANIFEST"))),
            pick(&None, "SPARKIFY_IAM_ROLE", Some(("IAM_ROLE", "ARN"))),
            pick(&None, "SPARKIFY_SLICES", None),
            pick(&None, "SPARKIFY_STAGING_HOURS", None),
        )?;
        let log_format = log_format([
            [flags.log_format.clone(), flags.log_jsonpath.clone()],
            [environment("SPARKIFY_LOG_FORMAT"), environment("SPARKIFY_LOG_JSONPATH")],
            [from_file("S3", "LOG_FORMAT"), from_file("S3", "LOG_JSONPATH")],
        ])?;
        let s3 = S3Settings::resolve(&flags.s3, environment, &from_file, prefetch)?;
        let mut warnings = [file.warnings, warehouse.warnings().to_vec()].concat();
        if flags.schema.is_some() && matches!(warehouse, WarehouseUrl::DuckDb(_)) {
            warnings.push("`--schema` has no effect on a DuckDB file".into());
        }
        Ok(Self {
            warnings,
            warehouse,
            erasure_key,
            song_data,
            log_data,
            log_format,
            max_reject_share: share.as_deref().map_or(Ok(0.01), parse_share)?,
            memory: if uses_s3 { memory - prefetch } else { memory },
            s3,
            staging,
            lock_timeout: flags
                .wait
                .map_or(LOCK_TIMEOUT, |seconds| Duration::from_secs(seconds.into())),
            threads: threads.as_deref().map_or_else(|| Ok(cores()), parse_threads)?,
            file: path.exists().then_some(path),
        })
    }
}

/// Choice of the format of event objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogFormatSetting {
    /// Name of a format, or path of its file.
    Format(String),
    /// URL or path of a `JSONPaths` file.
    JsonPaths(String),
}

/// Returns the choice of the first level that has one: flags, environment, file. Each is a name and a
/// `JSONPaths` file, of which a level has one at most.
fn log_format(levels: [[Option<String>; 2]; 3]) -> Result<Option<LogFormatSetting>, ConfigError> {
    for level in levels {
        match level {
            [None, None] => {}
            [Some(name), None] => return Ok(Some(LogFormatSetting::Format(name))),
            [None, Some(location)] => return Ok(Some(LogFormatSetting::JsonPaths(location))),
            [Some(written), Some(_)] => {
                return Err(ConfigError::Value {
                    name: "the log format",
                    written,
                    hint: "a JSONPaths file is a log format too: remove LOG_FORMAT or LOG_JSONPATH",
                });
            }
        }
    }
    Ok(None)
}

/// Returns the path and content of the configuration file; only the default file may be missing.
fn configuration(
    flags: &Flags,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<(PathBuf, file::ConfigFile), ConfigError> {
    let named = flags.config.clone().or_else(|| environment("SPARKIFY_CONFIG").map(Into::into));
    let path = named.clone().unwrap_or_else(|| DEFAULT_FILE.into());
    let file = match named {
        None if !path.exists() => file::ConfigFile::default(),
        _ => file::ConfigFile::read(&path)?,
    };
    Ok((path, file))
}

/// Refuses a location with credentials, which must not be printed. Where objects are looked up, the
/// rest of the location is checked.
fn check_location(location: &str) -> Result<(), ConfigError> {
    let Some((scheme, rest)) = location.split_once("://") else { return Ok(()) };
    let authority = rest.split('/').next().unwrap_or_default();
    if scheme == "file" || !authority.contains('@') {
        return Ok(());
    }
    Err(ConfigError::Value {
        name: "the location",
        written: redact::malformed_url(location),
        hint: "write it as a path or `s3://BUCKET/PREFIX`; credentials come from the environment or the AWS configuration",
    })
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn parse_threads(written: &str) -> Result<usize, ConfigError> {
    written.parse().ok().filter(|threads| (1..=512).contains(threads)).ok_or_else(|| {
        ConfigError::Value {
            name: "the number of threads",
            written: written.into(),
            hint: "give a whole number from 1 to 512",
        }
    })
}

/// Checks the length of a secret that must not be guessed.
fn parse_erasure_key(written: String) -> Result<Secret, ConfigError> {
    if written.len() >= 32 {
        return Ok(Secret::new(written));
    }
    Err(ConfigError::Value {
        name: "the erasure key",
        written: "****".into(),
        hint: "give at least 32 random characters, for example those of `openssl rand -hex 32`",
    })
}

/// Parses `1%`, `0.5 %` or `0.01` as a share from 0 to 1.
fn parse_share(written: &str) -> Result<f64, ConfigError> {
    let number = written.trim();
    let (number, unit) = match number.strip_suffix('%') {
        Some(percent) => (percent.trim_end(), 100.0),
        None => (number, 1.0),
    };
    let share = number.parse::<f64>().ok().map(|value| value / unit);
    share.filter(|share| (0.0..=1.0).contains(share)).ok_or_else(|| ConfigError::Value {
        name: "the maximum reject share",
        written: written.into(),
        hint: "give a percentage such as `1%`, or a share from 0 to 1 such as `0.01`",
    })
}

/// Parses `512MB`, `2 GiB` or `1g` as bytes, in powers of 1,024; at least 64 MiB.
fn parse_size(written: &str) -> Result<u64, ConfigError> {
    let text = written.trim().to_lowercase();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let shift = match text[digits..].trim() {
        "m" | "mb" | "mib" => Some(20),
        "g" | "gb" | "gib" => Some(30),
        _ => None,
    };
    let bytes = text[..digits].parse::<u64>().ok().zip(shift);
    let bytes = bytes.and_then(|(number, shift)| number.checked_mul(1 << shift));
    bytes.filter(|bytes| (64 << 20..1 << 50).contains(bytes)).ok_or_else(|| ConfigError::Value {
        name: "the memory limit",
        written: written.into(),
        hint: "give at least 64 MB, for example `512MB` or `2GB`",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_override_the_environment_which_overrides_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dwh.cfg");
        std::fs::write(&path, "[S3]\nLOG_DATA=file\nSONG_DATA=file\n").unwrap();
        let flags = Flags { config: Some(path), log_data: Some("flag".into()), ..Flags::default() };
        let environment = |name: &str| {
            ["SPARKIFY_LOG_DATA", "SPARKIFY_WAREHOUSE"].contains(&name).then(|| "duckdb:env".into())
        };
        let settings = Settings::resolve_with(&flags, &environment).unwrap();
        assert_eq!(settings.log_data.as_deref(), Some("flag"));
        assert_eq!(settings.song_data.as_deref(), Some("file"));
        assert_eq!(settings.warehouse, WarehouseUrl::DuckDb("env".into()));
        assert!((settings.max_reject_share - 0.01).abs() < 1e-12);
    }

    #[test]
    fn shares_and_sizes_accept_common_notations() {
        assert!((parse_share("0.5 %").unwrap() - 0.005).abs() < 1e-12);
        assert!((parse_share("0.01").unwrap() - 0.01).abs() < 1e-12);
        for wrong in ["", "2", "-1%", "101%", "NaN", "inf", "one"] {
            assert!(parse_share(wrong).is_err(), "{wrong}");
        }
        assert_eq!(parse_size("2 GiB").unwrap(), 2 << 30);
        for wrong in ["", "12", "1KB", "99999999999999999999GB", "-1GB"] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
    }
}
