//! Where rows lie as files on their way into a cluster, and as whom it reads them.

use std::time::Duration;

use super::ConfigError;

/// A folder of files that is older belongs to nobody any more.
const KEEP: Duration = Duration::from_hours(24);

/// What was said about files on their way.
#[derive(Debug, Clone)]
pub struct StagingSettings {
    /// `s3://BUCKET/PREFIX`, if anybody named one.
    pub location: Option<String>,
    /// The same for lists of objects that the cluster fetches itself.
    pub manifest: Option<String>,
    /// The ARN of the role that reads them.
    pub role: Option<String>,
    /// How many slices the cluster has; asked of it where nobody says.
    pub slices: Option<usize>,
    /// How long a folder is left alone that somebody may still be using.
    pub keep: Duration,
}

impl Default for StagingSettings {
    fn default() -> Self {
        Self { location: None, manifest: None, role: None, slices: None, keep: KEEP }
    }
}

impl StagingSettings {
    /// Reads what was written, each as the flag, the environment or the file has it.
    pub(super) fn resolve(
        location: Option<String>,
        manifest: Option<String>,
        role: Option<String>,
        slices: Option<String>,
        keep: Option<String>,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            location: location.map(parse_location).transpose()?,
            manifest: manifest.map(parse_location).transpose()?,
            role: role.map(parse_role).transpose()?,
            slices: slices.map(|written| parse_slices(&written)).transpose()?,
            keep: keep.map_or(Ok(KEEP), |written| parse_hours(&written))?,
        })
    }
}

fn parse_location(written: String) -> Result<String, ConfigError> {
    let bucket = written.strip_prefix("s3://").and_then(|place| place.split('/').next());
    // What is in a prefix becomes part of statements and of patterns: quotes have no place there.
    let fits = |c: char| !c.is_control() && !['\'', '"', '\\'].contains(&c);
    if bucket.is_some_and(|bucket| !bucket.is_empty()) && written.chars().all(fits) {
        return Ok(written.trim_end_matches('/').to_owned());
    }
    Err(ConfigError::Value {
        what: "the place for files",
        written,
        hint: "write it as `s3://BUCKET/PREFIX`",
    })
}

fn parse_role(written: String) -> Result<String, ConfigError> {
    let fits = |byte: u8| byte.is_ascii_graphic() && !b"'\"\\".contains(&byte);
    // Several roles, one taken on with another, stand behind each other with commas.
    let is_role = |part: &str| part.starts_with("arn:aws") && part.contains(":role/");
    if written.bytes().all(fits) && written.split(',').all(is_role) {
        return Ok(written);
    }
    Err(ConfigError::Value {
        what: "the role",
        written,
        hint: "write its ARN: `arn:aws:iam::123456789012:role/NAME`",
    })
}

fn parse_slices(written: &str) -> Result<usize, ConfigError> {
    let number = written.parse().ok().filter(|number| (1..=4096).contains(number));
    number.ok_or_else(|| ConfigError::Value {
        what: "the number of slices",
        written: written.into(),
        hint: "give a whole number from 1 to 4096",
    })
}

fn parse_hours(written: &str) -> Result<Duration, ConfigError> {
    let hours = written.parse::<f64>().ok().filter(|hours| (0.0..=8760.0).contains(hours));
    hours.map(|hours| Duration::from_secs_f64(hours * 3600.0)).ok_or_else(|| ConfigError::Value {
        what: "how long files are left alone",
        written: written.into(),
        hint: "give hours from 0 to 8760",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_becomes_part_of_a_statement_is_looked_at() {
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
