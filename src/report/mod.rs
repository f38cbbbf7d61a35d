//! What do the tables say? The questions that have a name, and results written as a table, CSV, JSON, Markdown or Parquet.
//!
//! This room changes nothing and opens nothing: it writes to whatever it is given.

mod csv;
mod json;
mod lines;
mod markdown;
mod parquet;
mod question;
mod table;

use std::io::Write;

use crate::sql_files;
use crate::warehouse::{RowSink, SqlFile, WarehouseError};

pub use csv::CsvWriter;
pub use json::JsonWriter;
pub use lines::LinesWriter;
pub use markdown::MarkdownWriter;
pub use parquet::ParquetWriter;
pub use question::{
    Answered, Arguments, Coverage, Parameter, Question, QuestionError, coverage, takes,
};
pub use table::{TableWriter, grouped, plain_table, shown};

/// The questions that have a name.
pub const QUESTIONS: &[SqlFile] = sql_files![
    "report":
    "row_counts", "overview", "top_songs", "top_artists", "top_users", "plays_by_hour",
    "plays_by_weekday", "hour_by_weekday", "plays_by_day", "plays_by_week", "listening_time",
    "plays_by_level", "free_and_paid", "upgrades", "downgrades", "level_changes", "conversion",
    "sessions", "session_lengths", "new_and_returning", "retention", "locations", "states",
    "browsers", "operating_systems", "gender", "songs_by_decade", "who_heard_what_when",
    "match_coverage", "history",
];

/// The question that says what the catalogue knows.
fn coverage_file() -> &'static SqlFile {
    QUESTIONS.iter().find(|question| question.name == "match_coverage").unwrap_or(&QUESTIONS[0])
}

/// A row sink that has something to write behind the last row.
pub trait Writer: RowSink {
    /// Writes what is left.
    fn finish(&mut self) -> Result<(), WarehouseError>;
}

/// The forms in which a result can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Table,
    /// RFC 4180, null as nothing.
    Csv,
    /// An array of objects.
    Json,
    /// An object a line.
    Lines,
    /// A table in a text.
    Markdown,
    /// A file of typed columns.
    Parquet,
}

/// A writer of `format` to `out`.
pub fn writer<'a>(format: Format, out: &'a mut (dyn Write + Send)) -> Box<dyn Writer + 'a> {
    match format {
        Format::Table => Box::new(TableWriter::new(out)),
        Format::Csv => Box::new(CsvWriter::new(out)),
        Format::Json => Box::new(JsonWriter::new(out)),
        Format::Lines => Box::new(LinesWriter::new(out)),
        Format::Parquet => Box::new(ParquetWriter::new(out)),
        Format::Markdown => Box::new(MarkdownWriter::new(out)),
    }
}
