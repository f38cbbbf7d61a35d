//! Profiles: TOML files with the numbers expected of a warehouse; see `docs/reference/verify.md`.
//!
//! Parsing is strict, since an ignored key would be an expectation that is never compared. Unknown
//! keys, unknown names and expectations that cannot fail are errors with their line or name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;

use sparkify_config::suggest;
use sparkify_load::data_tests;

/// Built-in profiles: name and TOML text.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("strict", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../sql/verify/strict.toml"))),
    ("course", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../sql/verify/course.toml"))),
    ("koito", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../sql/verify/koito.toml"))),
    ("maloja", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../sql/verify/maloja.toml"))),
    (
        "your-spotify",
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../sql/verify/your-spotify.toml")),
    ),
];

/// Largest profile that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// Expectations of a warehouse.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Heading of the output.
    pub title: String,
    /// True if an explained difference is no failure: the expected numbers count something else.
    #[serde(default)]
    pub accepts_explained: bool,
    /// Property of the data that the profile is about. Other data are not compared.
    pub data: Option<Condition>,
    /// Conditions on the data, by name, for the key `when`.
    #[serde(default)]
    pub conditions: BTreeMap<String, Condition>,
    /// Expectations in the order of the output.
    #[serde(default, rename = "expect")]
    pub expectations: Vec<Expectation>,
}

/// Property of the data that expectations and causes may require.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Description of the property.
    #[serde(rename = "says")]
    pub description: String,
    /// Query that returns true or false.
    pub query: String,
}

/// Expected number, or other value, with its possible causes of difference.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// Unique name, often that of a table.
    pub name: String,
    /// Short description of the value.
    #[serde(default, rename = "says")]
    pub description: String,
    /// Query that returns the value. Excludes `check`.
    pub query: Option<String>,
    /// Data test of `sparkify check`; the value is its number of failing rows.
    pub check: Option<String>,
    /// Expected value. Excludes `equals`.
    pub value: Option<Expected>,
    /// Query that returns the expected value.
    pub equals: Option<String>,
    /// Largest accepted distance between two numbers.
    #[serde(default)]
    pub tolerance: f64,
    /// Condition that must hold; the expectation is skipped otherwise.
    pub when: Option<String>,
    /// Possible causes of a difference.
    #[serde(default, rename = "cause")]
    pub causes: Vec<Cause>,
}

/// Value in a profile.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Expected {
    /// TOML integer.
    Int(i64),
    /// TOML float.
    Double(f64),
    /// TOML boolean.
    Bool(bool),
    /// TOML string.
    Text(String),
}

/// Possible cause of a difference, with a query for the responsible rows.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cause {
    /// Sentence that follows the number of rows.
    #[serde(rename = "says")]
    pub description: String,
    /// Query that returns the responsible rows. Excludes `rest`.
    pub rows: Option<String>,
    /// Number that each row adds to the found value to reach the expected one.
    #[serde(default = "one")]
    pub each: i64,
    /// True if the cause explains the difference that other causes leave, provided that its sign is
    /// that of `each`.
    #[serde(default)]
    pub rest: bool,
    /// Condition that must hold; the cause is ignored otherwise.
    pub when: Option<String>,
}

fn one() -> i64 {
    1
}

/// Errors of reading a profile.
#[derive(Debug, Error)]
pub enum ProfileError {
    /// No built-in profile has this name.
    #[error("unknown profile `{name}`")]
    Unknown {
        /// Name that was given.
        name: String,
    },
    /// The file cannot be read.
    #[error("cannot read the profile `{}`", path.display())]
    Unreadable {
        /// Path of the profile.
        path: PathBuf,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// The text is not a valid profile.
    #[error("invalid profile `{name}`: {reason}")]
    Malformed {
        /// Name or path of the profile.
        name: String,
        /// Fault, with its line or the name of its item.
        reason: String,
        /// Correction.
        hint: String,
    },
}

impl ProfileError {
    /// Returns the next action for the user.
    pub fn hint(&self) -> String {
        match self {
            Self::Unknown { name } => {
                let names = BUILT_IN.iter().map(|(name, _)| *name);
                suggest::hint(
                    name,
                    names,
                    "give `strict`, `course`, `koito`, `maloja`, `your-spotify` or a path",
                )
            }
            Self::Unreadable { .. } => "give the path of an existing UTF-8 text file".into(),
            Self::Malformed { hint, .. } => hint.clone(),
        }
    }
}

/// True if the name is that of a built-in profile, whose queries are part of this program.
pub fn is_built_in(name_or_path: &str) -> bool {
    BUILT_IN.iter().any(|(name, _)| *name == name_or_path)
}

/// Returns the text of a profile: a built-in one by name, or a file by path.
pub fn text(name_or_path: &str) -> Result<String, ProfileError> {
    if let Some((_, text)) = BUILT_IN.iter().find(|(name, _)| *name == name_or_path) {
        return Ok((*text).to_owned());
    }
    let path = Path::new(name_or_path);
    if !path.exists() && !name_or_path.contains(['/', '.']) {
        return Err(ProfileError::Unknown { name: name_or_path.into() });
    }
    let unreadable = |source| ProfileError::Unreadable { path: path.into(), source };
    let mut text = String::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > MAX_BYTES {
        let reason = "it is larger than 1 MiB".into();
        let hint = "split it into several profiles".into();
        return Err(ProfileError::Malformed { name: name_or_path.into(), reason, hint });
    }
    Ok(text)
}

/// Reads and validates a profile: a built-in one by name, or a file by path.
pub fn read(name_or_path: &str) -> Result<Profile, ProfileError> {
    let text = text(name_or_path)?;
    let malformed = |(reason, hint): (String, &str)| ProfileError::Malformed {
        name: name_or_path.into(),
        reason,
        hint: hint.into(),
    };
    let profile: Profile = toml::from_str(&text).map_err(|error| {
        let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        let reason = format!("line {line}: {}", error.message().replace('\n', ": "));
        malformed((reason, "`sparkify verify --print` prints a valid profile"))
    })?;
    profile.check().map_err(malformed)?;
    Ok(profile)
}

type Fault = (String, &'static str);

impl Profile {
    fn check(&self) -> Result<(), Fault> {
        if self.expectations.is_empty() {
            return Err(("no expectations".into(), "write at least one `[[expect]]`"));
        }
        let mut names = BTreeSet::new();
        if let Some(data) = &self.data {
            check_query(&data.query, || "`[data]`".into())?;
        }
        for (name, condition) in &self.conditions {
            check_query(&condition.query, || format!("the condition `{name}`"))?;
        }
        for expectation in &self.expectations {
            if !names.insert(&expectation.name) {
                let reason = format!("duplicate name `{}`", expectation.name);
                return Err((reason, "give each `[[expect]]` a unique name"));
            }
            self.check_one(expectation)?;
        }
        Ok(())
    }

    fn check_one(&self, expectation: &Expectation) -> Result<(), Fault> {
        let name = &expectation.name;
        let item = || format!("the expectation `{name}`");
        match (&expectation.query, &expectation.check) {
            (Some(query), None) => check_query(query, item)?,
            (None, Some(check))
                if data_tests::DATA_TESTS.iter().any(|known| known.name == check) => {}
            (None, Some(check)) => {
                let reason = format!("`{name}` refers to the unknown test `{check}`");
                return Err((reason, "`sparkify check` lists the tests"));
            }
            _ => {
                let reason = format!("`{name}` needs either `query` or `check`");
                return Err((
                    reason,
                    "`query` returns one value; `check` names a test of `sparkify check`",
                ));
            }
        }
        match (&expectation.value, &expectation.equals) {
            (None, Some(query)) => check_query(query, item)?,
            (Some(_), None) => {}
            (None, None) if expectation.check.is_some() => {}
            _ => {
                let reason = format!("`{name}` needs either `value` or `equals`");
                return Err((reason, "`equals` is a query that returns the expected value"));
            }
        }
        if !(expectation.tolerance >= 0.0 && expectation.tolerance.is_finite()) {
            let reason = format!("invalid tolerance of `{name}`");
            return Err((reason, "set a number of at least 0"));
        }
        self.check_condition(name, expectation.when.as_deref())?;
        expectation.causes.iter().try_for_each(|cause| self.check_cause(name, cause))
    }

    fn check_cause(&self, name: &str, cause: &Cause) -> Result<(), Fault> {
        match (&cause.rows, cause.rest) {
            (Some(query), false) => check_query(query, || format!("a cause of `{name}`"))?,
            (None, true) => {}
            _ => {
                let reason = format!("a cause of `{name}` needs either `rows` or `rest = true`");
                return Err((reason, "`rows` is a query that returns the responsible rows"));
            }
        }
        if cause.each == 0 {
            let reason = format!("a cause of `{name}` has `each = 0`");
            return Err((reason, "set `each = 1` or `each = -1`"));
        }
        self.check_condition(name, cause.when.as_deref())
    }

    fn check_condition(&self, name: &str, when: Option<&str>) -> Result<(), Fault> {
        match when {
            Some(when) if !self.conditions.contains_key(when) => {
                let reason = format!("`{name}` refers to the unknown condition `{when}`");
                Err((reason, "define conditions as `[conditions.NAME]`"))
            }
            _ => Ok(()),
        }
    }
}

/// Checks that a query starts with `select` or `with`. This only catches mistakes: the guarded
/// connection is what prevents writes.
fn check_query(query: &str, item: impl Fn() -> String) -> Result<(), Fault> {
    let lines = query.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut code = lines.skip_while(|line| line.starts_with("--"));
    let word: String =
        code.next().unwrap_or_default().chars().take_while(|c| c.is_alphabetic()).collect();
    if ["select", "with"].contains(&word.to_lowercase().as_str()) {
        return Ok(());
    }
    Err((format!("{} has no read-only query", item()), "start it with `select` or `with`"))
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(value) => write!(f, "{value}"),
            Self::Double(value) => write!(f, "{value:?}"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Text(value) => f.write_str(value),
        }
    }
}

impl Serialize for Expected {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Double(value) => serializer.serialize_f64(*value),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Text(value) => serializer.serialize_str(value),
        }
    }
}
