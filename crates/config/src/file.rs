//! Configuration file `dwh.cfg`, in the INI dialect of Python's configparser, except that `%` is
//! literal.
//!
//! Values may be quoted. Sections and keys come in any order and case. Unknown keys are warnings,
//! since other scripts use the file too. A line that is not `KEY = VALUE` is an error.

use std::collections::BTreeMap;
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
    ("WAREHOUSE", &[&["URL", "SCHEMA"]]),
];

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
        Self::parse(&text).map_err(|(reason, hint)| ConfigError::Malformed {
            path: path.into(),
            reason,
            hint,
        })
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
                file.insert(&section, &key, value.as_deref().unwrap_or_default());
            }
        }
        file.warnings.sort();
        Ok(file)
    }

    fn insert(&mut self, section: &str, key: &str, value: &str) {
        let (upper_section, upper_key) = (section.to_uppercase(), key.to_uppercase());
        let Some((_, keys)) = KNOWN.iter().find(|(name, _)| *name == upper_section) else {
            let hint = suggest::nearest(&upper_section, KNOWN.iter().map(|(name, _)| *name))
                .map_or(String::new(), |name| format!(", did you mean `[{name}]`?"));
            let warning = format!("unknown section `[{section}]` in the configuration file{hint}");
            if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
            return;
        };
        let keys = keys.iter().copied().flatten().copied();
        if keys.clone().any(|known| known == upper_key) {
            self.values.insert((upper_section, upper_key), Secret::new(unquoted(value.trim())));
        } else {
            let hint = suggest::nearest(&upper_key, keys)
                .map_or(String::new(), |name| format!(", did you mean `{name}`?"));
            self.warnings.push(format!("unknown setting `{key}` in `[{section}]`{hint}"));
        }
    }
}

/// Refuses lines that the library accepts: keys without a value, and keys before the first section.
fn check_lines(text: &str) -> Result<(), (String, String)> {
    let mut in_section = false;
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if line.starts_with('[') && line.ends_with(']') {
            in_section = true;
        } else if !line.contains(['=', ':']) {
            // The message does not quote the line, since it may be a password.
            return Err((
                format!("line {number} is neither a section nor `KEY = VALUE`"),
                "write `[SECTION]`, `KEY = VALUE`, or a comment that starts with `#`".into(),
            ));
        } else if !in_section {
            return Err((
                format!("line {number} is before the first section"),
                "add a section header such as `[S3]` above it".into(),
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
    fn a_malformed_line_is_an_error_that_does_not_quote_it() {
        let (reason, _) = ConfigFile::parse("[CLUSTER]\nhunter2\n").unwrap_err();
        assert_eq!(reason, "line 2 is neither a section nor `KEY = VALUE`");
        assert!(ConfigFile::parse("HOST=x\n").unwrap_err().0.contains("before the first section"));
    }
}
