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

use sparkify_warehouse::{RowSink, SqlFile, WarehouseError};

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
pub const QUESTIONS: &[SqlFile] = crate::sql::report::ALL;

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
