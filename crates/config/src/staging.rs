//! Staging files in S3 for loads into a Redshift cluster, and the IAM role that reads them.

use std::time::Duration;

use super::ConfigError;

/// Default age after which staging files are taken for leftovers of a failed load and deleted.
const RETENTION: Duration = Duration::from_hours(24);

/// Settings of staging files.
#[derive(Debug, Clone)]
pub struct StagingSettings {
    /// Prefix `s3://BUCKET/PREFIX` for the files that COPY loads.
    pub location: Option<String>,
    /// Prefix `s3://BUCKET/PREFIX` for the manifests of a direct COPY.
    pub manifest: Option<String>,
    /// ARN of the IAM role that reads the files.
    pub role: Option<String>,
    /// Number of slices of the cluster; queried from the cluster if none.
    pub slices: Option<usize>,
    /// Age below which staging files are kept, since another load may still use them.
    pub retention: Duration,
}

impl Default for StagingSettings {
    fn default() -> Self {
        Self { location: None, manifest: None, role: None, slices: None, retention: RETENTION }
    }
}

impl StagingSettings {
    /// Parses the values of flags, environment and configuration file.
    pub(super) fn resolve(
        location: Option<String>,
        manifest: Option<String>,
        role: Option<String>,
        slices: Option<String>,
        retention: Option<String>,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            location: location.map(parse_location).transpose()?,
            manifest: manifest.map(parse_location).transpose()?,
            role: role.map(parse_role).transpose()?,
            slices: slices.map(|written| parse_slices(&written)).transpose()?,
            retention: retention.map_or(Ok(RETENTION), |written| parse_hours(&written))?,
        })
    }
}

fn parse_location(written: String) -> Result<String, ConfigError> {
    let bucket = written.strip_prefix("s3://").and_then(|place| place.split('/').next());
    // The prefix becomes part of SQL statements and key patterns, so quotes are refused.
    let fits = |c: char| !c.is_control() && !['\'', '"', '\\'].contains(&c);
    if bucket.is_some_and(|bucket| !bucket.is_empty()) && written.chars().all(fits) {
        return Ok(written.trim_end_matches('/').to_owned());
    }
    Err(ConfigError::Value {
        name: "the staging or manifest prefix",
        written,
        hint: "write it as `s3://BUCKET/PREFIX`",
    })
}

fn parse_role(written: String) -> Result<String, ConfigError> {
    let fits = |byte: u8| byte.is_ascii_graphic() && !b"'\"\\".contains(&byte);
    // Chained roles are separated by commas.
    let is_role = |part: &str| part.starts_with("arn:aws") && part.contains(":role/");
    if written.bytes().all(fits) && written.split(',').all(is_role) {
        return Ok(written);
    }
    Err(ConfigError::Value {
        name: "the IAM role",
        written,
        hint: "give its ARN: `arn:aws:iam::123456789012:role/NAME`",
    })
}

fn parse_slices(written: &str) -> Result<usize, ConfigError> {
    let number = written.parse().ok().filter(|number| (1..=4096).contains(number));
    number.ok_or_else(|| ConfigError::Value {
        name: "the number of slices",
        written: written.into(),
        hint: "give a whole number from 1 to 4096",
    })
}

fn parse_hours(written: &str) -> Result<Duration, ConfigError> {
    let hours = written.parse::<f64>().ok().filter(|hours| (0.0..=8760.0).contains(hours));
    hours.map(|hours| Duration::from_secs_f64(hours * 3600.0)).ok_or_else(|| ConfigError::Value {
        name: "the retention of staging files",
        written: written.into(),
        hint: "give hours from 0 to 8760",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_become_part_of_a_statement_are_validated() {
        let staging = |location: &str, role: &str| {
            StagingSettings::resolve(Some(location.into()), None, Some(role.into()), None, None)
        };
        let role = "arn:aws:iam::123456789012:role/redshift";
        assert_eq!(staging("s3://b/p/", role).unwrap().location.as_deref(), Some("s3://b/p"));
        for (location, role) in [
            ("s3://", role),
            ("b/p", role),
            ("s3://b/it's", role),
            ("s3://b/p", "redshift"),
            ("s3://b/p", "arn:aws:iam::1:role/x' gzip"),
        ] {
            assert!(staging(location, role).is_err(), "{location} {role}");
        }
    }
}
