//! CSV output with RFC 4180 quoting. Null is an empty field, empty text is `""`.

use std::borrow::Cow;
use std::io::{self, Write};

use super::Writer;
use sparkify_warehouse::{RowSink, Value, WarehouseError};

/// Writes rows as CSV.
pub struct CsvWriter<'a> {
    out: &'a mut dyn Write,
}

impl<'a> CsvWriter<'a> {
    /// Creates a writer to `out`.
    pub fn new(out: &'a mut dyn Write) -> Self {
        Self { out }
    }

    fn line<'v>(&mut self, fields: impl Iterator<Item = Option<Cow<'v, str>>>) -> io::Result<()> {
        for (index, field) in fields.enumerate() {
            if index > 0 {
                self.out.write_all(b",")?;
            }
            match field {
                Some(text) if text.is_empty() => self.out.write_all(b"\"\"")?,
                // Most fields need no quoting: they skip the encoder and its buffer.
                Some(text) if !text.contains(['"', ',', '\n', '\r']) => {
                    self.out.write_all(text.as_bytes())?;
                }
                Some(text) => self.out.write_all(&quoted(&text))?,
                None => {}
            }
        }
        self.out.write_all(b"\n")
    }
}

fn quoted(text: &str) -> Vec<u8> {
    let mut buffer = vec![0; text.len() * 2 + 2];
    let (_, _, used) = {
        let mut writer = csv_core::Writer::new();
        let (result, read, written) = writer.field(text.as_bytes(), &mut buffer);
        let (_, closed) = writer.finish(&mut buffer[written..]);
        (result, read, written + closed)
    };
    buffer.truncate(used);
    buffer
}

impl RowSink for CsvWriter<'_> {
    fn start(&mut self, columns: Vec<String>) -> Result<(), WarehouseError> {
        self.line(columns.into_iter().map(|name| Some(name.into()))).map_err(WarehouseError::Sink)
    }

    fn row(&mut self, row: Vec<Value>) -> Result<(), WarehouseError> {
        let fields = row.iter().map(|value| match value {
            Value::Null => None,
            Value::Text(text) => Some(Cow::from(text)),
            value => Some(value.to_string().into()),
        });
        self.line(fields).map_err(WarehouseError::Sink)
    }
}

impl Writer for CsvWriter<'_> {
    fn finish(&mut self) -> Result<(), WarehouseError> {
        self.out.flush().map_err(WarehouseError::Sink)
    }
}
