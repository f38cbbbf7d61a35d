//! Newline-delimited JSON output, streamed. Timestamps, integers wider than 64 bits and bytes are
//! strings.

use std::io::{self, Write};

use serde_json::{Map, Value as Json};

use super::Writer;
use sparkify_warehouse::{RowSink, Value, WarehouseError};

/// Writes rows as newline-delimited JSON.
pub struct LinesWriter<'a> {
    out: &'a mut dyn Write,
    columns: Vec<String>,
}

impl<'a> LinesWriter<'a> {
    /// Creates a writer to `out`.
    pub fn new(out: &'a mut dyn Write) -> Self {
        Self { out, columns: Vec::new() }
    }

    fn line(&mut self, row: &[Value]) -> io::Result<()> {
        serde_json::to_writer(&mut *self.out, &object(&self.columns, row)?)?;
        self.out.write_all(b"\n")
    }
}

/// Converts a row to a JSON object. Of columns with the same name, the last one wins.
pub(super) fn object(columns: &[String], row: &[Value]) -> io::Result<Map<String, Json>> {
    let cells = row.iter().map(serde_json::to_value).collect::<Result<Vec<Json>, _>>()?;
    Ok(columns.iter().cloned().zip(cells).collect())
}

impl RowSink for LinesWriter<'_> {
    fn start(&mut self, columns: Vec<String>) -> Result<(), WarehouseError> {
        self.columns = columns;
        Ok(())
    }

    fn row(&mut self, row: Vec<Value>) -> Result<(), WarehouseError> {
        self.line(&row).map_err(WarehouseError::Sink)
    }
}

impl Writer for LinesWriter<'_> {
    fn finish(&mut self) -> Result<(), WarehouseError> {
        self.out.flush().map_err(WarehouseError::Sink)
    }
}
