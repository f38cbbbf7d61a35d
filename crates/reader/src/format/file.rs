//! File of a log format, as TOML. `docs/reference/formats.md` describes it.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::time::TimeForm;

/// Content of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FormatFile {
    /// Short description.
    pub title: String,
    /// Paths to the records, each ending in `[*]`.
    #[serde(default)]
    pub records: Vec<String>,
    /// Lists of keys: a file that has all keys of a list is taken for this format.
    #[serde(default)]
    pub recognized_by: Vec<Vec<String>>,
    /// True if double-encoded text is repaired.
    #[serde(default)]
    pub repair_text: bool,
    /// True if empty text is null.
    #[serde(default)]
    pub empty_is_null: bool,
    /// Keys whose text is masked in the bytes of rejected records.
    #[serde(default)]
    pub private: Vec<String>,
    /// Fields that identify a record, each with alternatives. They give the session and the item.
    #[serde(default)]
    pub identity: Vec<Paths>,
    /// Source of each staging column.
    pub columns: BTreeMap<String, ColumnEntry>,
    /// Rules that name the page of a record; the first one that applies counts.
    #[serde(default)]
    pub rules: Vec<Rule>,
}

/// One path, or several of which the first that has a value counts.
#[derive(Debug, Default)]
pub(super) struct Paths(pub Vec<UnitPath>);

/// Path, and the unit of the number there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UnitPath {
    pub path: String,
    #[serde(default)]
    pub unit: Unit,
}

/// Unit of a duration.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Unit {
    /// Seconds.
    #[default]
    S,
    /// Milliseconds.
    Ms,
}

/// Source of a column.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Column {
    #[serde(default)]
    pub path: Paths,
    /// Constant, instead of paths.
    pub value: Option<toml::Value>,
    /// Separator of all values at the paths, and of the elements of lists.
    pub join: Option<String>,
    /// True if joined values are sorted.
    #[serde(default)]
    pub sort: bool,
    /// True if the number 0 is null.
    #[serde(default)]
    pub zero_is_null: bool,
    /// Forms of a time, in the order in which they are tried.
    #[serde(default)]
    pub forms: Vec<TimeForm>,
    /// Whether the time is that of the start or the end of the play.
    #[serde(default)]
    pub anchor: Anchor,
    /// Conditions under which the time is that of the end.
    #[serde(default)]
    pub end_when: Vec<Condition>,
    /// Duration that leads from the end to the start.
    #[serde(default)]
    pub duration: Paths,
}

/// Moment of a play that its time names.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Anchor {
    #[default]
    Start,
    End,
}

/// Rule that names the page of the records to which all its conditions apply, or leaves them out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub page: Option<String>,
    pub leave_out: Option<String>,
    pub when: Vec<Condition>,
}

/// Condition on the values of a record: exactly one of its members.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Condition {
    /// Paths of which one has a value.
    pub present: Option<Paths>,
    /// Paths of which none has a value.
    pub absent: Option<Paths>,
    /// Paths of which none leads to a member, not even to null.
    pub missing: Option<Paths>,
    /// Paths for the conditions below.
    pub path: Option<Paths>,
    /// The value is one of these texts.
    pub is: Option<Vec<String>>,
    /// The value is none of these texts, or there is none.
    pub is_not: Option<Vec<String>>,
    /// The value is a number below this one.
    pub below: Option<f64>,
}

impl<'de> Deserialize<'de> for Paths {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PathsVisitor)
    }
}

struct PathsVisitor;

impl<'de> Visitor<'de> for PathsVisitor {
    type Value = Paths;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a path, or a list of paths or of tables with `path` and `unit`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Paths, E> {
        Ok(Paths(vec![UnitPath { path: text.to_owned(), unit: Unit::default() }]))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Paths, A::Error> {
        Ok(Paths(vec![UnitPath::deserialize(MapAccessDeserializer::new(map))?]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Paths, A::Error> {
        let mut paths = Vec::new();
        while let Some(Paths(one)) = list.next_element()? {
            paths.extend(one);
        }
        Ok(Paths(paths))
    }
}

/// Column as written: a path, a list of paths or a table.
#[derive(Debug)]
pub(super) struct ColumnEntry(pub Column);

impl<'de> Deserialize<'de> for ColumnEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ColumnVisitor)
    }
}

struct ColumnVisitor;

impl<'de> Visitor<'de> for ColumnVisitor {
    type Value = ColumnEntry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a path, a list of paths, or a table")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<ColumnEntry, E> {
        let path = PathsVisitor.visit_str(text)?;
        Ok(ColumnEntry(Column { path, ..Column::default() }))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<ColumnEntry, A::Error> {
        let path = PathsVisitor.visit_seq(list)?;
        Ok(ColumnEntry(Column { path, ..Column::default() }))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ColumnEntry, A::Error> {
        Column::deserialize(MapAccessDeserializer::new(map)).map(ColumnEntry)
    }
}
