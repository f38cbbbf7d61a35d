//! CSV output with RFC 4180 quoting. Null is an empty field, empty text is `""`.

use std::borrow::Cow;
use std::io::{self, Write};

use super::Writer;
use sparkify_warehouse::{RowSink, Value, WarehouseError};

/// Writes rows as CSV.
pub struct CsvWriter<'a> {
    out: &'a mut dyn Write,
    escape_formulas: bool,
}

impl<'a> CsvWriter<'a> {
    /// Creates a writer to `out`. If `escape_formulas`, text that a spreadsheet would run as a
    /// formula gets a `'` before it.
    pub fn new(out: &'a mut dyn Write, escape_formulas: bool) -> Self {
        Self { out, escape_formulas }
    }

    fn line<'v>(&mut self, fields: impl Iterator<Item = Option<Cow<'v, str>>>) -> io::Result<()> {
        for (index, field) in fields.enumerate() {
            if index > 0 {
                self.out.write_all(b",")?;
            }
            let field = match field {
                Some(text) if self.escape_formulas && is_formula(&text) => {
                    Some(Cow::from(format!("'{text}")))
                }
                field => field,
            };
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

/// True for text that spreadsheets run as a formula, or that a separator in another locale makes
/// one.
fn is_formula(text: &str) -> bool {
    let is_number = text.parse::<f64>().is_ok();
    !is_number && text.starts_with(['=', '+', '-', '@', '\t', '\r'])
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_escaped_if_requested() {
        for (text, written) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-2+3|cmd", "'-2+3|cmd"),
            ("-2.5", "-2.5"),
            ("a=b", "a=b"),
            ("+\"x\"", "\"'+\"\"x\"\"\""),
        ] {
            let mut out = Vec::new();
            let mut writer = CsvWriter::new(&mut out, true);
            writer.row(vec![Value::Text(text.into())]).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), format!("{written}\n"));
        }
    }
}
