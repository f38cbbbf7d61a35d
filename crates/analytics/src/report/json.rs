//! JSON output: one array of objects. Timestamps, integers over 64 bits and bytes are strings.

use std::io::{self, Write};

use super::Writer;
use super::lines::object;
use sparkify_warehouse::{RowSink, Value, WarehouseError};

/// Writes rows as one JSON array.
pub struct JsonWriter<'a> {
    out: &'a mut dyn Write,
    columns: Vec<String>,
    rows: u64,
}

impl<'a> JsonWriter<'a> {
    /// Creates a writer to `out`.
    pub fn new(out: &'a mut dyn Write) -> Self {
        Self { out, columns: Vec::new(), rows: 0 }
    }

    fn object(&mut self, row: &[Value]) -> io::Result<()> {
        self.out.write_all(if self.rows == 0 { b"[\n  " } else { b",\n  " })?;
        self.rows += 1;
        serde_json::to_writer(&mut *self.out, &object(&self.columns, row)?).map_err(io::Error::from)
    }
}

impl RowSink for JsonWriter<'_> {
    fn start(&mut self, columns: Vec<String>) -> Result<(), WarehouseError> {
        self.columns = columns;
        Ok(())
    }

    fn row(&mut self, row: Vec<Value>) -> Result<(), WarehouseError> {
        self.object(&row).map_err(WarehouseError::Sink)
    }
}

impl Writer for JsonWriter<'_> {
    fn finish(&mut self) -> Result<(), WarehouseError> {
        let end: &[u8] = if self.rows == 0 { b"[]\n" } else { b"\n]\n" };
        self.out.write_all(end).and_then(|()| self.out.flush()).map_err(WarehouseError::Sink)
    }
}
