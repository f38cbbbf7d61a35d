//! A profile: what is expected of a warehouse, as a team writes it down. `docs/verify.md` says how.
//!
//! It is read strictly, since a key that is passed over is an expectation that nobody holds: unknown keys, names that mean nothing, and
//! expectations that cannot fail are errors with their line or their name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;

use sparkify_config::suggest;
use sparkify_load::data_tests;

/// The profiles that come with the program, by name, as their files have them.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("strict", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../sql/verify/strict.toml"))),
    ("course", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../sql/verify/course.toml"))),
];

/// The longest profile that is read.
const LONGEST: u64 = 1 << 20;

/// What is expected of a warehouse.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Whose expectations these are.
    pub title: String,
    /// What the data may be like, by name.
    #[serde(default)]
    pub conditions: BTreeMap<String, Condition>,
    /// What is expected, in the order in which it is told.
    #[serde(default, rename = "expect")]
    pub expectations: Vec<Expectation>,
}

/// Something that the data is like, or is not.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// What it is that holds.
    pub says: String,
    /// Answers true or false.
    pub query: String,
}

/// One number, or other value, that a warehouse should have.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// What it is called, often a table's name.
    pub name: String,
    /// What is counted, in a few words.
    #[serde(default)]
    pub says: String,
    /// Answers one value.
    pub query: Option<String>,
    /// Or a check of `sparkify check`: the value is the number of rows against it.
    pub check: Option<String>,
    /// What it should be.
    pub value: Option<Expected>,
    /// Or a query that answers what it should be.
    pub equals: Option<String>,
    /// How far a number may be from that.
    #[serde(default)]
    pub tolerance: f64,
    /// The condition without which nothing is expected.
    pub when: Option<String>,
    /// Why it may be something else.
    #[serde(default, rename = "cause")]
    pub causes: Vec<Cause>,
}

/// A value as a profile writes it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Expected {
    /// A whole number.
    Int(i64),
    /// Any number.
    Double(f64),
    /// True or false.
    Bool(bool),
    /// Text.
    Text(String),
}

/// Why a value differs, and the rows that show it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cause {
    /// A sentence, to be read behind the number of rows.
    pub says: String,
    /// Answers the rows.
    pub rows: Option<String>,
    /// What each row adds to the value that was found, on the way to the one that was expected.
    #[serde(default = "one")]
    pub each: i64,
    /// Or it accounts for whatever the other causes leave, where that is on the side that `each` names.
    #[serde(default)]
    pub rest: bool,
    /// The condition without which it is no cause.
    pub when: Option<String>,
}

fn one() -> i64 {
    1
}

/// Why a profile cannot be used.
#[derive(Debug, Error)]
pub enum ProfileError {
    /// There is none of that name.
    #[error("there is no profile `{name}`")]
    Unknown {
        /// What was written.
        name: String,
    },
    /// Its file cannot be read.
    #[error("cannot read the profile `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It says something that is no profile.
    #[error("cannot understand the profile `{name}`: {reason}")]
    Malformed {
        /// Its name or file.
        name: String,
        /// What is wrong, and where.
        reason: String,
        /// What to write instead.
        hint: String,
    },
}

impl ProfileError {
    /// What a person can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Unknown { name } => {
                let names = BUILT_IN.iter().map(|(name, _)| *name);
                suggest::hint(name, names, "name `strict`, `course` or a file")
            }
            Self::Unreadable { .. } => "name a file that is there and is text".into(),
            Self::Malformed { hint, .. } => hint.clone(),
        }
    }
}

/// The text of the profile that `written` names: one of ours, or a file.
pub fn text(written: &str) -> Result<String, ProfileError> {
    if let Some((_, text)) = BUILT_IN.iter().find(|(name, _)| *name == written) {
        return Ok((*text).to_owned());
    }
    let path = Path::new(written);
    if !path.exists() && !written.contains(['/', '.']) {
        return Err(ProfileError::Unknown { name: written.into() });
    }
    let unreadable = |source| ProfileError::Unreadable { path: path.into(), source };
    let mut text = String::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(LONGEST + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > LONGEST {
        let reason = "it is longer than 1 MiB".into();
        let hint = "split it into several profiles".into();
        return Err(ProfileError::Malformed { name: written.into(), reason, hint });
    }
    Ok(text)
}

/// Reads and checks the profile that `written` names.
pub fn read(written: &str) -> Result<Profile, ProfileError> {
    let text = text(written)?;
    let malformed = |(reason, hint): (String, &str)| ProfileError::Malformed {
        name: written.into(),
        reason,
        hint: hint.into(),
    };
    let profile: Profile = toml::from_str(&text).map_err(|error| {
        let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        let reason = format!("line {line}: {}", error.message().replace('\n', ": "));
        malformed((reason, "`sparkify verify --print` shows one that is right"))
    })?;
    profile.check().map_err(malformed)?;
    Ok(profile)
}

type Fault = (String, &'static str);

impl Profile {
    fn check(&self) -> Result<(), Fault> {
        if self.expectations.is_empty() {
            return Err(("it expects nothing".into(), "write at least one `[[expect]]`"));
        }
        let mut names = BTreeSet::new();
        for (name, condition) in &self.conditions {
            check_query(&condition.query, || format!("the condition `{name}`"))?;
        }
        for expectation in &self.expectations {
            if !names.insert(&expectation.name) {
                let reason = format!("`{}` stands twice", expectation.name);
                return Err((reason, "give each `[[expect]]` a name of its own"));
            }
            self.check_one(expectation)?;
        }
        Ok(())
    }

    fn check_one(&self, expectation: &Expectation) -> Result<(), Fault> {
        let name = &expectation.name;
        let whose = || format!("the expectation `{name}`");
        match (&expectation.query, &expectation.check) {
            (Some(query), None) => check_query(query, whose)?,
            (None, Some(check))
                if data_tests::DATA_TESTS.iter().any(|known| known.name == check) => {}
            (None, Some(check)) => {
                let reason = format!("`{name}` names the check `{check}`, which there is not");
                return Err((reason, "`sparkify check` names them"));
            }
            _ => {
                let reason = format!("`{name}` needs either `query` or `check`");
                return Err((
                    reason,
                    "a query answers one value; a check is one of `sparkify check`",
                ));
            }
        }
        match (&expectation.value, &expectation.equals) {
            (None, Some(query)) => check_query(query, whose)?,
            (Some(_), None) => {}
            (None, None) if expectation.check.is_some() => {}
            _ => {
                let reason = format!("`{name}` needs either `value` or `equals`");
                return Err((reason, "`equals` is a query that answers what is expected"));
            }
        }
        if !(expectation.tolerance >= 0.0 && expectation.tolerance.is_finite()) {
            let reason = format!("the tolerance of `{name}` is no distance");
            return Err((reason, "write a number from 0 on"));
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
                return Err((reason, "`rows` is a query that answers the rows responsible"));
            }
        }
        if cause.each == 0 {
            let reason = format!("a cause of `{name}` adds nothing");
            return Err((reason, "write `each = 1` or `each = -1`"));
        }
        self.check_condition(name, cause.when.as_deref())
    }

    fn check_condition(&self, name: &str, when: Option<&str>) -> Result<(), Fault> {
        match when {
            Some(when) if !self.conditions.contains_key(when) => {
                let reason =
                    format!("`{name}` depends on the condition `{when}`, which there is not");
                Err((reason, "conditions stand under `[conditions.NAME]`"))
            }
            _ => Ok(()),
        }
    }
}

/// A query that only asks. What it could do besides is held back by the connection.
fn check_query(query: &str, whose: impl Fn() -> String) -> Result<(), Fault> {
    let lines = query.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut code = lines.skip_while(|line| line.starts_with("--"));
    let word: String =
        code.next().unwrap_or_default().chars().take_while(|c| c.is_alphabetic()).collect();
    if ["select", "with"].contains(&word.to_lowercase().as_str()) {
        return Ok(());
    }
    Err((format!("{} has a query that is none", whose()), "begin it with `select` or `with`"))
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
