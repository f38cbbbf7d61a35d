//! Configuration file `dwh.cfg`, in the INI dialect of Python's configparser, except that `%` is
//! literal.
//!
//! Values may be quoted. Sections and keys come in any order and case. Unknown keys are warnings,
//! since other scripts use the file too. A line that is not `KEY = VALUE` is an error, as are a
//! repeated key and a comment after a value: the dialect has no such comments, so the comment would
//! be part of a path.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use configparser::ini::{Ini, IniDefault};

use super::suggest;
use super::{ConfigError, Secret};

/// Keys that describe a cluster, in `[DWH]` or `[CLUSTER]`, as the course's scripts name them.
const DWH: &[&str] = &[
    "DWH_CLUSTER_TYPE",
    "DWH_NUM_NODES",
    "DWH_NODE_TYPE",
    "DWH_BASE_CAPACITY",
    "DWH_MAX_CAPACITY",
    "DWH_USAGE_LIMIT",
    "DWH_IAM_ROLE_NAME",
    "DWH_CLUSTER_IDENTIFIER",
    "DWH_DB",
    "DWH_DB_USER",
    "DWH_DB_PASSWORD",
    "DWH_PORT",
    "DWH_REGION",
];
const S3: &[&str] = &[
    "LOG_DATA",
    "LOG_FORMAT",
    "LOG_JSONPATH",
    "SONG_DATA",
    "STAGING",
    "MANIFEST",
    "ENDPOINT_URL",
    "REGION",
    "ADDRESSING_STYLE",
    "NO_SIGN_REQUEST",
    "REQUEST_PAYER",
    "CONCURRENCY",
    "READ_TIMEOUT",
];

/// Known sections and their keys, in upper case. The keys of a section are one or more lists.
const KNOWN: &[(&str, &[&[&str]])] = &[
    ("CLUSTER", &[&["HOST", "DB_NAME", "DB_USER", "DB_PASSWORD", "DB_PORT"], DWH]),
    ("IAM_ROLE", &[&["ARN", "PERMISSIONS_BOUNDARY"]]),
    ("S3", &[S3]),
    ("AWS", &[&["KEY", "SECRET", "REGION", "PROFILE", "TOKEN"]]),
    ("DWH", &[DWH]),
    ("WAREHOUSE", &[&["URL", "SCHEMA", "ERASURE_KEY"]]),
];

/// Keys whose values are secret.
const SECRETS: &[(&str, &str)] = &[
    ("CLUSTER", "DB_PASSWORD"),
    ("WAREHOUSE", "ERASURE_KEY"),
    ("CLUSTER", "DWH_DB_PASSWORD"),
    ("DWH", "DWH_DB_PASSWORD"),
    ("AWS", "SECRET"),
    ("AWS", "TOKEN"),
];
/// Keys whose values may contain any character.
const ANY_CHARACTER: &[&str] = &["DB_PASSWORD", "DWH_DB_PASSWORD", "KEY", "SECRET", "TOKEN", "URL"];

/// Values of known keys, and warnings about unknown ones.
#[derive(Debug, Default)]
pub(super) struct ConfigFile {
    /// Secrets, since any value may be a password.
    values: BTreeMap<(String, String), Secret>,
    /// Messages about unknown sections and keys, without their values.
    pub warnings: Vec<String>,
}

impl ConfigFile {
    /// Reads and parses the file at `path`.
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_path_buf(), source })?;
        let mut file = Self::parse(&text).map_err(|(reason, hint)| ConfigError::Malformed {
            path: path.into(),
            reason,
            hint,
        })?;
        file.warnings.extend(file.exposure(path));
        Ok(file)
    }

    /// Returns a warning if other users of the machine can read a secret in the file.
    #[cfg(unix)]
    fn exposure(&self, path: &Path) -> Option<String> {
        use std::os::unix::fs::PermissionsExt;
        let mode = path.metadata().ok()?.permissions().mode();
        let is_secret = |(section, key): &(&str, &str)| self.get(section, key).is_some();
        let (_, key) = SECRETS.iter().find(|it| is_secret(it))?;
        let path = path.display();
        (mode & 0o004 != 0).then(|| {
            format!(
                "every user of this machine can read `{key}` in `{path}`: run `chmod 600 {path}`"
            )
        })
    }

    #[cfg(not(unix))]
    fn exposure(&self, _: &Path) -> Option<String> {
        None
    }

    /// Returns the value of a known key, without quotes; none if it is empty.
    pub(super) fn get(&self, section: &str, key: &str) -> Option<&str> {
        let value = self.values.get(&(section.into(), key.into()))?.reveal();
        (!value.is_empty()).then_some(value)
    }

    /// Returns the URL of the cluster in `[CLUSTER]`; none while HOST is empty, before a cluster
    /// exists.
    pub(super) fn cluster_url(&self) -> Option<String> {
        let value = |key: &str| self.get("CLUSTER", key).map(percent_encode);
        // The AWS console appends port and database to the endpoint.
        let endpoint = self.get("CLUSTER", "HOST")?.trim_start_matches("redshift://");
        let (address, database) = endpoint.split_once('/').unwrap_or((endpoint, ""));
        let (host, port) = address.split_once(':').unwrap_or((address, ""));
        let pick = |key: &str, otherwise: &str| {
            value(key).or_else(|| (!otherwise.is_empty()).then(|| percent_encode(otherwise)))
        };
        let credentials = match (value("DB_USER"), value("DB_PASSWORD")) {
            (Some(user), Some(password)) => format!("{user}:{password}@"),
            (Some(user), None) => format!("{user}@"),
            (None, _) => String::new(),
        };
        let port = pick("DB_PORT", port).map_or(String::new(), |port| format!(":{port}"));
        let database = pick("DB_NAME", database).unwrap_or_default();
        Some(format!("redshift://{credentials}{}{port}/{database}", percent_encode(host)))
    }

    fn parse(text: &str) -> Result<Self, (String, String)> {
        check_lines(text)?;
        let mut defaults = IniDefault::default();
        defaults.comment_symbols = vec!['#', ';'];
        // A `#` or `;` inside a line is part of the value, since passwords may contain them.
        defaults.inline_comment_symbols = Some(Vec::new());
        defaults.delimiters = vec!['=', ':'];
        defaults.case_sensitive = true;
        let sections = Ini::new_from_defaults(defaults)
            .read(text.trim_start_matches('\u{feff}').to_owned())
            .map_err(|reason| (reason, "write it as sections of `KEY = VALUE`".to_owned()))?;
        let mut file = Self::default();
        for (section, keys) in sections {
            for (key, value) in keys {
                file.insert(&section, &key, value.as_deref().unwrap_or_default())?;
            }
        }
        file.warnings.sort();
        Ok(file)
    }

    fn insert(&mut self, section: &str, key: &str, value: &str) -> Result<(), (String, String)> {
        let (upper_section, upper_key) = (section.to_uppercase(), key.to_uppercase());
        let Some((_, keys)) = KNOWN.iter().find(|(name, _)| *name == upper_section) else {
            let hint = suggest::nearest(&upper_section, KNOWN.iter().map(|(name, _)| *name))
                .map_or(String::new(), |name| format!(", did you mean `[{name}]`?"));
            let warning = format!("unknown section `[{section}]` in the configuration file{hint}");
            if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
            return Ok(());
        };
        let keys = keys.iter().copied().flatten().copied();
        if keys.clone().any(|known| known == upper_key) {
            let value = unquoted(value.trim());
            if !ANY_CHARACTER.contains(&upper_key.as_str()) && has_comment(value) {
                return Err((
                    format!("`{key}` in `[{section}]` has a comment after its value"),
                    "write the comment on a line of its own".into(),
                ));
            }
            self.values.insert((upper_section, upper_key), Secret::new(value));
        } else {
            let hint = suggest::nearest(&upper_key, keys)
                .map_or(String::new(), |name| format!(", did you mean `{name}`?"));
            self.warnings.push(format!("unknown setting `{key}` in `[{section}]`{hint}"));
        }
        Ok(())
    }
}

/// Returns true if a value contains white space and a comment symbol after it.
fn has_comment(value: &str) -> bool {
    [" #", " ;", "\t#", "\t;"].iter().any(|symbol| value.contains(symbol))
}

/// Refuses lines that the library accepts: keys without a value, keys before the first section, and
/// repeated keys, of which it would take the last.
fn check_lines(text: &str) -> Result<(), (String, String)> {
    let (mut section, mut seen) = (None, BTreeSet::new());
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if line.starts_with('[') && line.ends_with(']') {
            section = Some(line.to_uppercase());
            continue;
        }
        let key = line.split_once(['=', ':']).map(|(key, _)| key.trim());
        let (Some(section), Some(key)) = (&section, key) else {
            if key.is_some() {
                return Err((
                    format!("line {number} is before the first section"),
                    "add a section header such as `[S3]` above it".into(),
                ));
            }
            // The message does not quote the line, since it may be a password.
            return Err((
                format!("line {number} is neither a section nor `KEY = VALUE`"),
                "write `[SECTION]`, `KEY = VALUE`, or a comment that starts with `#`".into(),
            ));
        };
        if !seen.insert((section.clone(), key.to_uppercase())) {
            return Err((
                format!("line {number} repeats the key `{key}` of `{section}`"),
                "remove one of them".into(),
            ));
        }
    }
    Ok(())
}

/// Percent-encodes a part of a URL.
fn percent_encode(part: &str) -> String {
    part.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
            text.push(byte.into());
        } else {
            text = format!("{text}%{byte:02X}");
        }
        text
    })
}

fn unquoted(value: &str) -> &str {
    for quote in ['\'', '"'] {
        if value.len() >= 2 && value.starts_with(quote) && value.ends_with(quote) {
            return &value[1..value.len() - 1];
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    const REAL: &str = "[CLUSTER]\nHOST=''\nDB_NAME=dwh\nDB_USER = dwhuser\nDB_PASSWORD=\"Pass%w;o#rd=1\"\n\
        DB_PORT=5439\n\n[IAM_ROLE]\nARN='arn:aws:iam::1:role/x'\n\n# the bucket\n[S3]\nLOG_DATA='s3://udacity-dend/log_data'\n\
        LOG_JSONPATH='s3://udacity-dend/log_json_path.json'\nSONG_DATA='s3://udacity-dend/song_data'\n";

    #[test]
    fn the_courses_file_is_read() {
        let file = ConfigFile::parse(REAL).unwrap();
        assert_eq!(file.get("S3", "LOG_DATA"), Some("s3://udacity-dend/log_data"));
        assert_eq!(file.get("CLUSTER", "DB_PASSWORD"), Some("Pass%w;o#rd=1"));
        assert_eq!(file.get("IAM_ROLE", "ARN"), Some("arn:aws:iam::1:role/x"));
        assert_eq!(file.get("CLUSTER", "HOST"), None);
        assert_eq!(file.warnings, Vec::<String>::new());
    }

    #[test]
    fn a_cluster_with_a_host_has_a_url() {
        assert_eq!(ConfigFile::parse(REAL).unwrap().cluster_url(), None);
        let filled = REAL.replace("HOST=''", "HOST='dwh.abc.us-west-2.redshift.amazonaws.com'");
        let cluster = ConfigFile::parse(&filled).unwrap().cluster_url();
        assert_eq!(
            cluster.as_deref(),
            Some(
                "redshift://dwhuser:Pass%25w%3Bo%23rd%3D1@dwh.abc.us-west-2.redshift.amazonaws.com:5439/dwh"
            )
        );
        let console =
            ConfigFile::parse("[CLUSTER]\nHOST=h.example:5440/dev\n").unwrap().cluster_url();
        assert_eq!(console.as_deref(), Some("redshift://h.example:5440/dev"));
    }

    #[test]
    fn unknown_names_are_warnings_with_a_suggestion() {
        let file = ConfigFile::parse("[s3]\nlog_dat = x\n[CLUSTERS]\nA=1\n").unwrap();
        assert_eq!(
            file.warnings,
            [
                "unknown section `[CLUSTERS]` in the configuration file, did you mean `[CLUSTER]`?",
                "unknown setting `log_dat` in `[s3]`, did you mean `LOG_DATA`?"
            ]
        );
    }

    #[test]
    fn cluster_keys_may_be_in_either_section() {
        let both = "[CLUSTER]\nDWH_NUM_NODES=2\nDWH_NUM_NODE=2\n[DWH]\nDWH_NUM_NODES=3\n";
        let file = ConfigFile::parse(both).unwrap();
        assert_eq!(file.get("CLUSTER", "DWH_NUM_NODES"), Some("2"));
        assert_eq!(file.get("DWH", "DWH_NUM_NODES"), Some("3"));
        let warning =
            "unknown setting `DWH_NUM_NODE` in `[CLUSTER]`, did you mean `DWH_NUM_NODES`?";
        assert_eq!(file.warnings, [warning]);
    }

    #[test]
    fn a_repeated_key_is_an_error() {
        let twice = "[S3]\nLOG_DATA=a\n[AWS]\nKEY=k\n[s3]\nlog_data : b\n";
        let (reason, _) = ConfigFile::parse(twice).unwrap_err();
        assert_eq!(reason, "line 6 repeats the key `log_data` of `[S3]`");
    }

    #[test]
    fn a_comment_after_a_value_is_an_error_unless_it_may_be_a_password() {
        for value in ["s3://b/log # the bucket", "'s3://b/log' ; the bucket", "a\t# b"] {
            let (reason, _) =
                ConfigFile::parse(&format!("[S3]\nLOG_DATA = {value}\n")).unwrap_err();
            assert_eq!(reason, "`LOG_DATA` in `[S3]` has a comment after its value");
        }
        let text = "[CLUSTER]\nDB_PASSWORD=a #b;c\n[S3]\nLOG_DATA=a#b;c\n[OTHER]\nX=1 # 2\n";
        let file = ConfigFile::parse(text).unwrap();
        assert_eq!(file.get("CLUSTER", "DB_PASSWORD"), Some("a #b;c"));
        assert_eq!(file.get("S3", "LOG_DATA"), Some("a#b;c"));
    }

    #[test]
    fn a_malformed_line_is_an_error_that_does_not_quote_it() {
        let (reason, _) = ConfigFile::parse("[CLUSTER]\nhunter2\n").unwrap_err();
        assert_eq!(reason, "line 2 is neither a section nor `KEY = VALUE`");
        assert!(ConfigFile::parse("HOST=x\n").unwrap_err().0.contains("before the first section"));
    }
}
