//! `dwh.cfg`: the INI file that these pipelines already have, read as Python's configparser reads it, except that `%` stands for itself.
//!
//! Values may be quoted or not; sections and keys come in any order and any case. Unknown keys are warnings, since
//! the file belongs to other scripts too; a line that is no `KEY = VALUE` is an error, since something was meant by it.

use std::collections::BTreeMap;
use std::path::Path;

use configparser::ini::{Ini, IniDefault};

use super::suggest;
use super::{ConfigError, Secret};

/// What a cluster is to be, as the scripts that create clusters have it in `[DWH]`; others have the same keys in `[CLUSTER]`.
const DWH: &[&str] = &[
    "DWH_CLUSTER_TYPE",
    "DWH_NUM_NODES",
    "DWH_NODE_TYPE",
    "DWH_BASE_CAPACITY",
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

/// Every section and key that is known, in the case in which these files are written; the keys of a section may be several lists.
const KNOWN: &[(&str, &[&[&str]])] = &[
    ("CLUSTER", &[&["HOST", "DB_NAME", "DB_USER", "DB_PASSWORD", "DB_PORT"], DWH]),
    ("IAM_ROLE", &[&["ARN"]]),
    ("S3", &[S3]),
    ("AWS", &[&["KEY", "SECRET", "REGION", "PROFILE", "TOKEN"]]),
    ("DWH", &[DWH]),
    ("WAREHOUSE", &[&["URL", "SCHEMA"]]),
];

/// The file's known values, and what was not known in it.
#[derive(Debug, Default)]
pub(super) struct ConfigFile {
    /// Any of them may be a password.
    values: BTreeMap<(String, String), Secret>,
    /// Keys and sections that mean nothing to us, each as a line for people. Values are never in it.
    pub warnings: Vec<String>,
}

impl ConfigFile {
    /// Reads and checks the file at `path`.
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_path_buf(), source })?;
        Self::parse(&text).map_err(|(reason, hint)| ConfigError::Malformed {
            path: path.into(),
            reason,
            hint,
        })
    }

    /// The value of a known key, without its quotes; an empty value counts as absent.
    pub(super) fn get(&self, section: &str, key: &str) -> Option<&str> {
        let value = self.values.get(&(section.into(), key.into()))?.reveal();
        (!value.is_empty()).then_some(value)
    }

    /// The cluster that `[CLUSTER]` names, as a URL; none while its HOST is empty, as it is until there is one.
    pub(super) fn cluster(&self) -> Option<String> {
        let filed = |key: &str| self.get("CLUSTER", key).map(encoded);
        // The console shows the endpoint with port and database behind it.
        let endpoint = self.get("CLUSTER", "HOST")?.trim_start_matches("redshift://");
        let (place, database) = endpoint.split_once('/').unwrap_or((endpoint, ""));
        let (host, port) = place.split_once(':').unwrap_or((place, ""));
        let pick = |key: &str, otherwise: &str| {
            filed(key).or_else(|| (!otherwise.is_empty()).then(|| encoded(otherwise)))
        };
        let who = match (filed("DB_USER"), filed("DB_PASSWORD")) {
            (Some(user), Some(password)) => format!("{user}:{password}@"),
            (Some(user), None) => format!("{user}@"),
            (None, _) => String::new(),
        };
        let port = pick("DB_PORT", port).map_or(String::new(), |port| format!(":{port}"));
        let database = pick("DB_NAME", database).unwrap_or_default();
        Some(format!("redshift://{who}{}{port}/{database}", encoded(host)))
    }

    fn parse(text: &str) -> Result<Self, (String, String)> {
        check_lines(text)?;
        let mut defaults = IniDefault::default();
        defaults.comment_symbols = vec!['#', ';'];
        // A `#` or `;` inside a line is part of the value: passwords hold them.
        defaults.inline_comment_symbols = Some(Vec::new());
        defaults.delimiters = vec!['=', ':'];
        defaults.case_sensitive = true;
        let sections = Ini::new_from_defaults(defaults)
            .read(text.trim_start_matches('\u{feff}').to_owned())
            .map_err(|reason| (reason, "write it as sections of `KEY = VALUE`".to_owned()))?;
        let mut file = Self::default();
        for (section, keys) in sections {
            for (key, value) in keys {
                file.take(&section, &key, value.as_deref().unwrap_or_default());
            }
        }
        file.warnings.sort();
        Ok(file)
    }

    fn take(&mut self, section: &str, key: &str, value: &str) {
        let (wide_section, wide_key) = (section.to_uppercase(), key.to_uppercase());
        let Some((_, keys)) = KNOWN.iter().find(|(name, _)| *name == wide_section) else {
            let hint = suggest::nearest(&wide_section, KNOWN.iter().map(|(name, _)| *name))
                .map_or(String::new(), |name| format!(", did you mean `[{name}]`?"));
            let warning = format!("`[{section}]` is not a section of ours{hint}");
            if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
            return;
        };
        let keys = keys.iter().copied().flatten().copied();
        if keys.clone().any(|known| known == wide_key) {
            self.values.insert((wide_section, wide_key), Secret::new(unquoted(value.trim())));
        } else {
            let hint = suggest::nearest(&wide_key, keys)
                .map_or(String::new(), |name| format!(", did you mean `{name}`?"));
            self.warnings.push(format!("`{key}` in `[{section}]` is not a key of ours{hint}"));
        }
    }
}

/// The library reads a line without a delimiter as a key without a value; here such a line is a mistake.
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
            // The line itself may be a password: it is not shown.
            return Err((
                format!("line {number} is neither a section nor `KEY = VALUE`"),
                "write `[SECTION]`, `KEY = VALUE`, or a comment behind `#`".into(),
            ));
        } else if !in_section {
            return Err((
                format!("line {number} stands before any section"),
                "put a line such as `[S3]` above it".into(),
            ));
        }
    }
    Ok(())
}

/// A part of a URL, in which only letters and digits need no percent sign.
fn encoded(part: &str) -> String {
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
    fn a_real_file_is_read_whole() {
        let file = ConfigFile::parse(REAL).unwrap();
        assert_eq!(file.get("S3", "LOG_DATA"), Some("s3://udacity-dend/log_data"));
        assert_eq!(file.get("CLUSTER", "DB_PASSWORD"), Some("Pass%w;o#rd=1"));
        assert_eq!(file.get("IAM_ROLE", "ARN"), Some("arn:aws:iam::1:role/x"));
        assert_eq!(file.get("CLUSTER", "HOST"), None);
        assert_eq!(file.warnings, Vec::<String>::new());
    }

    #[test]
    fn a_cluster_is_a_url_once_its_host_is_known() {
        assert_eq!(ConfigFile::parse(REAL).unwrap().cluster(), None);
        let filled = REAL.replace("HOST=''", "HOST='dwh.abc.us-west-2.redshift.amazonaws.com'");
        let cluster = ConfigFile::parse(&filled).unwrap().cluster();
        assert_eq!(
            cluster.as_deref(),
            Some(
                "redshift://dwhuser:Pass%25w%3Bo%23rd%3D1@dwh.abc.us-west-2.redshift.amazonaws.com:5439/dwh"
            )
        );
        let console = ConfigFile::parse("[CLUSTER]\nHOST=h.example:5440/dev\n").unwrap().cluster();
        assert_eq!(console.as_deref(), Some("redshift://h.example:5440/dev"));
    }

    #[test]
    fn what_is_not_known_is_a_warning_with_a_guess() {
        let file = ConfigFile::parse("[s3]\nlog_dat = x\n[CLUSTERS]\nA=1\n").unwrap();
        assert_eq!(
            file.warnings,
            [
                "`[CLUSTERS]` is not a section of ours, did you mean `[CLUSTER]`?",
                "`log_dat` in `[s3]` is not a key of ours, did you mean `LOG_DATA`?"
            ]
        );
    }

    #[test]
    fn what_a_cluster_is_to_be_stands_in_either_section() {
        let both = "[CLUSTER]\nDWH_NUM_NODES=2\nDWH_NUM_NODE=2\n[DWH]\nDWH_NUM_NODES=3\n";
        let file = ConfigFile::parse(both).unwrap();
        assert_eq!(file.get("CLUSTER", "DWH_NUM_NODES"), Some("2"));
        assert_eq!(file.get("DWH", "DWH_NUM_NODES"), Some("3"));
        let warning =
            "`DWH_NUM_NODE` in `[CLUSTER]` is not a key of ours, did you mean `DWH_NUM_NODES`?";
        assert_eq!(file.warnings, [warning]);
    }

    #[test]
    fn a_line_that_says_nothing_is_an_error_that_does_not_show_it() {
        let (reason, _) = ConfigFile::parse("[CLUSTER]\nhunter2\n").unwrap_err();
        assert_eq!(reason, "line 2 is neither a section nor `KEY = VALUE`");
        assert!(ConfigFile::parse("HOST=x\n").unwrap_err().0.contains("before any section"));
    }
}
