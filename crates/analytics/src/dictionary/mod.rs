//! Data dictionary of all tables and columns, as JSON, HTML, Markdown and sources of dbt.
//!
//! Descriptions, grain, rules, keys and sources come from the headers under `sql/`; record keys are
//! the reader's. An existing warehouse adds its types, row counts and current test results. The
//! output is deterministic: in version control it changes only with the data or its meaning.

mod dbt;
mod gather;
mod html;
mod lineage;
mod markdown;
mod plan;
mod references;
mod svg;
mod words;

use std::fmt;

use serde::Serialize;

/// Marker of generated files, which may be overwritten.
pub const MARKER: &str = "<!-- written by `sparkify docs`: changes are lost -->";

/// Text that marks a generated file in any format.
pub const MARKER_TEXT: &str = "written by `sparkify docs`: changes are lost";

/// Content of the data dictionary.
#[derive(Debug, Clone, Serialize)]
pub struct Dictionary {
    /// State of the warehouse; `None` without one.
    pub warehouse: Option<State>,
    /// Model, then staging, then load metadata.
    pub tables: Vec<Table>,
    /// Data tests in the order in which a load runs them.
    #[serde(rename = "checks")]
    pub tests: Vec<DataTest>,
    /// Saved queries in the order in which they are listed.
    #[serde(rename = "questions")]
    pub queries: Vec<SavedQueryEntry>,
}

/// State of the warehouse when the dictionary was generated.
#[derive(Debug, Clone, Serialize)]
pub struct State {
    /// Name of the engine.
    pub engine: &'static str,
    /// Last published load.
    pub load: Option<Load>,
}

/// Published load.
#[derive(Debug, Clone, Serialize)]
pub struct Load {
    /// Load ID.
    pub number: i64,
    /// Start time, UTC: `2018-11-05 10:00:00.000`.
    pub started_at: String,
}

/// Group of tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Star schema.
    Model,
    /// Accepted records.
    Staging,
    /// Loads, objects and rejected records.
    #[serde(rename = "bookkeeping")]
    LoadMetadata,
}

impl Kind {
    /// All groups in display order.
    pub const ALL: [Self; 3] = [Self::Model, Self::Staging, Self::LoadMetadata];

    /// Returns the heading of the group.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Model => "Model",
            Self::Staging => "Staging",
            Self::LoadMetadata => "Load metadata",
        }
    }
}

/// Documented table.
#[derive(Debug, Clone, Serialize)]
pub struct Table {
    /// Table name.
    pub name: &'static str,
    /// Group of the table.
    pub kind: Kind,
    /// Description of one row.
    pub description: &'static str,
    /// Further lines of the SQL header: grain, source, rule ….
    pub notes: Vec<Note>,
    /// Key columns.
    pub key: Vec<&'static str>,
    /// Row count; `None` without a warehouse.
    pub rows: Option<u64>,
    /// Columns in declared order.
    pub columns: Vec<Column>,
}

/// Labelled line of a table's SQL header.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Note {
    /// `grain`, `source`, `rule` ….
    pub label: &'static str,
    /// Text of the line.
    pub words: &'static str,
}

/// Documented column.
#[derive(Debug, Clone, Serialize)]
pub struct Column {
    /// Column name.
    pub name: String,
    /// Data type as the warehouse reports it; without a warehouse, as declared.
    #[serde(rename = "type")]
    pub data_type: String,
    /// True if the column may be null.
    pub nullable: bool,
    /// Description from the SQL file.
    pub description: String,
    /// True if the column is part of the key.
    pub key: bool,
    /// Referenced table (foreign key).
    pub references: Option<&'static str>,
    /// Source columns as declared: `staging_songs.year, 0 as null`.
    pub from: Option<&'static str>,
    /// Record keys at the origin of the lineage: `events.userId`.
    pub record_keys: Vec<String>,
}

/// Data test with its result.
#[derive(Debug, Clone, Serialize)]
pub struct DataTest {
    /// Test name.
    pub name: &'static str,
    /// Condition that the data must meet.
    #[serde(rename = "claim")]
    pub condition: &'static str,
    /// Number of failing rows; `None` without a warehouse.
    #[serde(rename = "offending")]
    pub failing_rows: Option<u64>,
}

/// Saved query in the dictionary.
#[derive(Debug, Clone, Serialize)]
pub struct SavedQueryEntry {
    /// Query name.
    pub name: &'static str,
    /// Description of the result.
    #[serde(rename = "asks")]
    pub description: &'static str,
    /// Supported options: `--since`.
    #[serde(rename = "takes")]
    pub options: Vec<String>,
}

/// Explanation of the column `from`.
const FROM: &str = "`from` lists the source columns of a column and, after ←, the record keys in event and song files that they come from: `events.userId` is the key `userId` of an event.";

impl Dictionary {
    /// Formats the dictionary as a self-contained HTML page.
    pub fn html(&self) -> impl fmt::Display {
        html::Page(self)
    }

    /// Formats the dictionary as Markdown with a Mermaid diagram.
    pub fn markdown(&self) -> impl fmt::Display {
        markdown::Document(self)
    }

    /// Formats the tables as sources of dbt (`sources.yml`) in a schema of a database; without
    /// one, of the database of dbt's connection.
    pub fn dbt<'a>(&'a self, database: Option<&'a str>, schema: &'a str) -> impl fmt::Display + 'a {
        dbt::Sources { dictionary: self, database, schema }
    }

    /// Returns the number of failed tests.
    pub fn failed(&self) -> usize {
        self.tests.iter().filter(|test| test.failing_rows.is_some_and(|rows| rows > 0)).count()
    }

    fn of(&self, kind: Kind) -> impl Iterator<Item = &Table> {
        self.tables.iter().filter(move |table| table.kind == kind)
    }

    fn has(&self, table: &str, column: &str) -> bool {
        let table = self.tables.iter().find(|known| known.name == table);
        table.is_some_and(|table| table.columns.iter().any(|known| known.name == column))
    }

    /// Formats the sources of a column: names of documented columns with `link`, other words with
    /// `text`.
    fn sources(
        &self,
        column: &Column,
        link: impl Fn(&str) -> String,
        text: impl Fn(&str) -> String,
    ) -> String {
        let linked = |word: &str| {
            let name = word.trim_end_matches([',', ':']);
            match name.split_once('.') {
                Some((table, of)) if self.has(table, of) => link(name) + &word[name.len()..],
                _ => text(word),
            }
        };
        column.from.unwrap_or_default().split(' ').map(linked).collect::<Vec<_>>().join(" ")
    }

    /// Describes the state of the warehouse in a sentence.
    fn status(&self) -> String {
        match &self.warehouse {
            None => "Generated without a warehouse: no row counts, no test results, and types as declared in SQL.".into(),
            Some(State { engine, load: None }) => {
                format!("Types, row counts and test results are of an empty {engine} warehouse (no published load).")
            }
            Some(State { engine, load: Some(Load { number, started_at }) }) => {
                // Fractions of a second are omitted.
                let second = started_at.split('.').next().unwrap_or_default();
                format!("Types and row counts are of a {engine} warehouse after load {number} ({second} UTC). The tests ran on all data when this file was generated.")
            }
        }
    }
}

impl Column {
    /// Formats `nullable`.
    fn nulls(&self) -> &'static str {
        if self.nullable { "yes" } else { "no" }
    }
}
