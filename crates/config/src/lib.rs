//! What was asked for? Flags beat the environment, which beats `dwh.cfg`, which beats the default.
//!
//! This room alone reads the environment and the configuration file. It touches no network and knows no SQL; it gives out
//! [`Settings`], in which everything has been decided, and [`Secret`]s, which print as `****`.

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

use thiserror::Error;

pub use cluster::{AwsSettings, ClusterFlags, ClusterSettings, Form, Prefix};
pub use cluster_rules::NODE_TYPES;
pub use data_api::DataApiTarget;
pub use s3::{Access, Addressing, Credentials, Keys, Limits, S3Flags, S3Settings, parse_endpoint};
pub use secret::Secret;
pub use server::{DEFAULT_SCHEMA, Host, Server, TlsMode};
pub use staging::StagingSettings;
pub use url::{DEFAULT as DEFAULT_WAREHOUSE, WarehouseUrl};
pub use write_back::{Entry, write_back};

/// The configuration file that is read when it is there and none was named.
pub const DEFAULT_FILE: &str = "dwh.cfg";

/// What a command line may say; whatever is `None` is looked for elsewhere.
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
    /// `--memory`
    pub memory: Option<String>,
    /// `--threads`
    pub threads: Option<String>,
    /// `--staging`
    pub staging: Option<String>,
    /// `--manifest`
    pub manifest: Option<String>,
    /// `--log-jsonpath`
    pub log_jsonpath: Option<String>,
    /// What is said about S3.
    pub s3: S3Flags,
}

/// Everything decided.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the tables are.
    pub warehouse: WarehouseUrl,
    /// Where the song objects lie, as written; none when nobody said.
    pub song_data: Option<String>,
    /// Where the event objects lie, as written; none when nobody said.
    pub log_data: Option<String>,
    /// The `JSONPaths` file by which a warehouse that fetches event objects itself finds their values; without one, it goes by the names of keys.
    pub log_jsonpath: Option<String>,
    /// The share of rejects among a load's records above which it fails, from 0 to 1.
    pub max_reject_share: f64,
    /// Memory for the warehouse's own work, in bytes; it spills to disk beyond. Where a location is in S3, an eighth of what was allowed is kept back
    /// for the bytes fetched ahead.
    pub memory: u64,
    /// Threads that read and transform.
    pub threads: usize,
    /// How S3 is reached.
    pub s3: S3Settings,
    /// Where rows lie as files on their way into a cluster.
    pub staging: StagingSettings,
    /// The configuration file, if there is one.
    pub file: Option<PathBuf>,
    /// What in the configuration file meant nothing to us.
    pub warnings: Vec<String>,
}

/// Why the settings make no sense.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write the configuration file `{}`", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is no `dwh.cfg`.
    #[error("cannot understand the configuration file `{}`: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, without any value.
        reason: String,
        /// What to write instead.
        hint: String,
    },
    /// The warehouse's URL is none of ours.
    #[error("cannot understand the warehouse `{written}`")]
    Warehouse {
        /// The URL, without a password.
        written: String,
        /// What to write instead.
        hint: String,
    },
    /// A shared AWS file exists or is named by a variable, and cannot be read.
    #[error("cannot read the shared AWS file `{}`", path.display())]
    Shared {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Half a key, or a key with characters that no key contains.
    #[error("cannot sign requests to `AWS`: {reason}")]
    Credentials {
        /// What is wrong, without any value.
        reason: String,
        /// What to do.
        hint: String,
    },
    /// A value that is out of its range or form.
    #[error("cannot understand {what} `{written}`")]
    Value {
        /// Which setting.
        what: &'static str,
        /// The value.
        written: String,
        /// What it may be.
        hint: &'static str,
    },
}

impl ConfigError {
    /// What a person can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Unreadable { .. } => "name another file with `--config`".into(),
            Self::Unwritable { .. } => "check who may write to it and its folder".into(),
            Self::Shared { .. } => {
                "check AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE and the permissions of the file"
                    .into()
            }
            Self::Malformed { hint, .. }
            | Self::Warehouse { hint, .. }
            | Self::Credentials { hint, .. } => hint.clone(),
            Self::Value { hint, .. } => (*hint).into(),
        }
    }
}

impl Settings {
    /// Decides every setting from `flags`, the environment (`SPARKIFY_…`) and the configuration file.
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
        let warehouse = warehouse.or_else(|| file.cluster());
        let warehouse = warehouse.as_deref().unwrap_or(DEFAULT_WAREHOUSE);
        let schema = pick(&flags.schema, "SPARKIFY_SCHEMA", Some(("WAREHOUSE", "SCHEMA")));
        let warehouse = WarehouseUrl::resolve(warehouse, schema, environment)?;
        let share = pick(&flags.max_reject_share, "SPARKIFY_MAX_REJECT_SHARE", None);
        let memory = pick(&flags.memory, "SPARKIFY_MEMORY", None);
        let threads = pick(&flags.threads, "SPARKIFY_THREADS", None);
        let song_data = pick(&flags.song_data, "SPARKIFY_SONG_DATA", Some(("S3", "SONG_DATA")));
        let log_data = pick(&flags.log_data, "SPARKIFY_LOG_DATA", Some(("S3", "LOG_DATA")));
        let far = [&song_data, &log_data].into_iter().flatten().any(|at| at.starts_with("s3://"));
        let memory = memory.as_deref().map_or(Ok(512 << 20), parse_size)?;
        let ahead = memory / 8;
        let filed = |section: &str, key: &str| file.get(section, key).map(str::to_owned);
        let staging = StagingSettings::resolve(
            pick(&flags.staging, "SPARKIFY_STAGING", Some(("S3", "STAGING"))),
            pick(&flags.manifest, "SPARKIFY_MANIFEST", Some(("S3", "MANIFEST"))),
            pick(&None, "SPARKIFY_IAM_ROLE", Some(("IAM_ROLE", "ARN"))),
            pick(&None, "SPARKIFY_SLICES", None),
            pick(&None, "SPARKIFY_STAGING_HOURS", None),
        )?;
        let log_jsonpath =
            pick(&flags.log_jsonpath, "SPARKIFY_LOG_JSONPATH", Some(("S3", "LOG_JSONPATH")));
        let s3 = S3Settings::resolve(&flags.s3, environment, &filed, ahead)?;
        Ok(Self {
            warnings: [file.warnings, warehouse.warnings().to_vec()].concat(),
            warehouse,
            song_data,
            log_data,
            log_jsonpath,
            max_reject_share: share.as_deref().map_or(Ok(0.01), parse_share)?,
            memory: if far { memory - ahead } else { memory },
            s3,
            staging,
            threads: threads.as_deref().map_or_else(|| Ok(cores()), parse_threads)?,
            file: path.exists().then_some(path),
        })
    }
}

/// The configuration file, and what it says; one that nobody named may be missing.
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

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn parse_threads(written: &str) -> Result<usize, ConfigError> {
    written.parse().ok().filter(|threads| (1..=512).contains(threads)).ok_or_else(|| {
        ConfigError::Value {
            what: "the number of threads",
            written: written.into(),
            hint: "give a whole number from 1 to 512",
        }
    })
}

/// `1%`, `0.5 %` or `0.01`, as a share from 0 to 1.
fn parse_share(written: &str) -> Result<f64, ConfigError> {
    let number = written.trim();
    let (number, unit) = match number.strip_suffix('%') {
        Some(percent) => (percent.trim_end(), 100.0),
        None => (number, 1.0),
    };
    let share = number.parse::<f64>().ok().map(|value| value / unit);
    share.filter(|share| (0.0..=1.0).contains(share)).ok_or_else(|| ConfigError::Value {
        what: "the share of rejects",
        written: written.into(),
        hint: "give a percentage such as `1%`, or a share from 0 to 1 such as `0.01`",
    })
}

/// `512MB`, `2 GiB`, `1g`: bytes in powers of 1,024, at least 64 MiB.
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
        what: "the memory",
        written: written.into(),
        hint: "give at least 64 MB, for example `512MB` or `2GB`",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_beat_the_environment_beats_the_file_beats_the_default() {
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
    fn shares_and_sizes_are_read_as_people_write_them() {
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
