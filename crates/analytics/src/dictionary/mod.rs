//! What does each table and column mean? The data dictionary, as data, as a page and as Markdown.
//!
//! Nothing is described here: descriptions, grain, rules, keys and sources stand in the headers under `sql/`, beside what they describe, and the keys of
//! records in the reader's own list. A warehouse, where there is one, adds its types, its rows and what its checks find now. The same warehouse gives the same
//! bytes: a dictionary in version control changes when the data or its meaning does.

mod gather;
mod html;
mod markdown;
mod plan;
mod references;
mod svg;
mod words;

use std::fmt;

use serde::Serialize;

/// What stands near the head of each file that is written, and says that it may be replaced.
pub const MARKER: &str = "<!-- written by `sparkify docs`: changes are lost -->";

/// Everything that is told.
#[derive(Debug, Clone, Serialize)]
pub struct Dictionary {
    /// The warehouse that was asked; none when there was none.
    pub warehouse: Option<State>,
    /// The model, then staging, then bookkeeping.
    pub tables: Vec<Table>,
    /// Every check, in the order in which a load runs them.
    pub checks: Vec<Check>,
    /// Every question that has a name.
    pub questions: Vec<Asked>,
}

/// The warehouse at the moment at which it was asked.
#[derive(Debug, Clone, Serialize)]
pub struct State {
    /// Its engine.
    pub engine: &'static str,
    /// The last load that was published; none before the first.
    pub load: Option<Load>,
}

/// A load that was published.
#[derive(Debug, Clone, Serialize)]
pub struct Load {
    /// Its number.
    pub number: i64,
    /// When it began, UTC: `2018-11-05 10:00:00.000`.
    pub started_at: String,
}

/// What a table is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The star schema.
    Model,
    /// The rows that were read.
    Staging,
    /// What was loaded.
    Bookkeeping,
}

impl Kind {
    /// In the order in which people ask.
    pub const ALL: [Self; 3] = [Self::Model, Self::Staging, Self::Bookkeeping];

    /// As a heading.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Model => "The model",
            Self::Staging => "Staging",
            Self::Bookkeeping => "Bookkeeping",
        }
    }
}

/// A table.
#[derive(Debug, Clone, Serialize)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub kind: Kind,
    /// What one row is.
    pub description: &'static str,
    /// What else its header says: grain, source, rule ….
    pub notes: Vec<Note>,
    /// The columns that tell its rows apart.
    pub key: Vec<&'static str>,
    /// How many rows it has; unknown without a warehouse.
    pub rows: Option<u64>,
    /// Its columns, in order.
    pub columns: Vec<Column>,
}

/// A line of a table's header.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Note {
    /// `grain`, `source`, `rule` ….
    pub label: &'static str,
    /// What it says.
    pub words: &'static str,
}

/// A column.
#[derive(Debug, Clone, Serialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type in the warehouse's words; without one, as its table's file declares it.
    #[serde(rename = "type")]
    pub data_type: String,
    /// Whether it may be null.
    pub nullable: bool,
    /// What it holds.
    pub description: String,
    /// Whether it is part of the key.
    pub key: bool,
    /// The table whose key it holds.
    pub references: Option<&'static str>,
    /// The columns that it is made from, as the file says: `staging_songs.year, 0 as null`.
    pub from: Option<&'static str>,
    /// The keys of records that it comes from in the end: `events.userId`.
    pub record_keys: Vec<String>,
}

/// A check, and what came of it.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// What it claims.
    pub claim: &'static str,
    /// How many rows are against it now; unknown without a warehouse.
    pub offending: Option<u64>,
}

/// A question that has a name.
#[derive(Debug, Clone, Serialize)]
pub struct Asked {
    /// Its name.
    pub name: &'static str,
    /// What it asks.
    pub asks: &'static str,
    /// The bounds that it takes, as options: `--since`.
    pub takes: Vec<String>,
}

/// How the column `from` is read.
const FROM: &str = "`from` says which columns a column is made from and, behind ←, which keys of the records in event and song files that leads to: `events.userId` is `userId` of an event.";

impl Dictionary {
    /// The page: one file that needs no other.
    pub fn html(&self) -> impl fmt::Display {
        html::Page(self)
    }

    /// The same as Markdown, with the diagram as Mermaid.
    pub fn markdown(&self) -> impl fmt::Display {
        markdown::Document(self)
    }

    /// How many checks failed.
    pub fn failed(&self) -> usize {
        self.checks.iter().filter(|check| check.offending.is_some_and(|rows| rows > 0)).count()
    }

    fn of(&self, kind: Kind) -> impl Iterator<Item = &Table> {
        self.tables.iter().filter(move |table| table.kind == kind)
    }

    fn has(&self, table: &str, column: &str) -> bool {
        let table = self.tables.iter().find(|known| known.name == table);
        table.is_some_and(|table| table.columns.iter().any(|known| known.name == column))
    }

    /// What a column is made from: the name of each column that is told here as `link` has it, every other word as `text` has it.
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

    /// When it was asked and what that says about its numbers, as a sentence.
    fn standing(&self) -> String {
        match &self.warehouse {
            None => "Written without a warehouse: there are no row counts and no results of checks, and types are those that the SQL declares.".into(),
            Some(State { engine, load: None }) => {
                format!("Types, rows and checks are those of a {engine} warehouse into which nothing was loaded yet.")
            }
            Some(State { engine, load: Some(Load { number, started_at }) }) => {
                // To the second is enough for people.
                let second = started_at.split('.').next().unwrap_or_default();
                format!("Types and rows are those of a {engine} warehouse after load {number} ({second} UTC); the checks were run on all of it when this was written.")
            }
        }
    }
}

impl Column {
    /// For people.
    fn nulls(&self) -> &'static str {
        if self.nullable { "yes" } else { "no" }
    }
}
