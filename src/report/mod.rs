//! What do the tables say? The questions that have a name, and results written as a table, CSV or JSON.
//!
//! This room changes nothing and opens nothing: it writes to whatever it is given.

mod csv;
mod json;
mod table;

use std::io::Write;

use crate::sql_files;
use crate::warehouse::{RowSink, SqlFile, WarehouseError};

pub use csv::CsvWriter;
pub use json::JsonWriter;
pub use table::{TableWriter, grouped, plain_table, shown};

/// The questions that have a name.
pub const QUESTIONS: &[SqlFile] = sql_files![
    "report":
    "row_counts", "top_songs", "top_artists", "top_users", "plays_by_hour", "plays_by_weekday",
    "plays_by_level", "match_coverage", "history",
];

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
}

/// A writer of `format` to `out`.
pub fn writer<'a>(format: Format, out: &'a mut dyn Write) -> Box<dyn Writer + 'a> {
    match format {
        Format::Table => Box::new(TableWriter::new(out)),
        Format::Csv => Box::new(CsvWriter::new(out)),
        Format::Json => Box::new(JsonWriter::new(out)),
    }
}
