//! Saved queries, and output formats for results: table, CSV, JSON, Markdown and Parquet.
//!
//! This module is read-only and opens no files: callers pass a warehouse and a writer.

mod csv;
mod json;
mod lines;
mod markdown;
mod parquet;
mod saved_query;
mod table;

use std::io::Write;

use sparkify_warehouse::{RowSink, SqlFile, WarehouseError};

pub use csv::CsvWriter;
pub use json::JsonWriter;
pub use lines::LinesWriter;
pub use markdown::MarkdownWriter;
pub use parquet::ParquetWriter;
pub use saved_query::{
    Arguments, Coverage, Parameter, ResultColumn, SavedQuery, SavedQueryError, coverage, levels,
    parameters_hint,
};
pub use table::{Layout, TableWriter, clean, grouped, plain_table, shown};

/// SQL files of all saved queries, in the order in which they are listed.
pub const SAVED_QUERIES: &[SqlFile] = crate::sql::report::ALL;

/// Row sink that writes a result in one of the output formats.
pub trait Writer: RowSink {
    /// Writes the end of the output and flushes it.
    fn finish(&mut self) -> Result<(), WarehouseError>;
}

/// Options of a [`Writer`].
#[derive(Debug, Clone, Copy, Default)]
pub struct WriterOptions {
    /// Columns of the terminal that shows a table; without, a table is complete.
    pub width: Option<u16>,
    /// Table: one line per value.
    pub vertical: bool,
    /// CSV: prefixes text that a spreadsheet would run as a formula with `'`.
    pub escape_formulas: bool,
}

/// Output format of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Aligned text for terminals.
    Table,
    /// RFC 4180 with a header; null is an empty field.
    Csv,
    /// One array of objects.
    Json,
    /// Newline-delimited JSON: one object per line.
    Lines,
    /// Markdown table.
    Markdown,
    /// Typed columns, compressed with Zstandard.
    Parquet,
}

/// Creates the writer of `format` to `out`.
pub fn writer<'a>(
    format: Format,
    options: WriterOptions,
    out: &'a mut (dyn Write + Send),
) -> Box<dyn Writer + 'a> {
    match format {
        Format::Table => Box::new(TableWriter::new(out, options.width, options.vertical)),
        Format::Csv => Box::new(CsvWriter::new(out, options.escape_formulas)),
        Format::Json => Box::new(JsonWriter::new(out)),
        Format::Lines => Box::new(LinesWriter::new(out)),
        Format::Parquet => Box::new(ParquetWriter::new(out)),
        Format::Markdown => Box::new(MarkdownWriter::new(out)),
    }
}
