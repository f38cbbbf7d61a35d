//! Markdown table output (GitHub flavored), streamed.

use std::io::{self, Write};

use super::Writer;
use super::table::{clean, shown};
use sparkify_warehouse::{RowSink, Value, WarehouseError};

/// Characters that would be read as markup in a cell.
const MARKUP: &[char] = &['\\', '|', '`', '*', '_', '[', ']', '<', '>', '&', '~', '#', '$'];

/// Writes rows as a Markdown table.
pub struct MarkdownWriter<'a> {
    out: &'a mut dyn Write,
    columns: Vec<String>,
    has_header: bool,
}

impl<'a> MarkdownWriter<'a> {
    /// Creates a writer to `out`.
    pub fn new(out: &'a mut dyn Write) -> Self {
        Self { out, columns: Vec::new(), has_header: false }
    }

    /// Writes the header. Columns that hold a number in the first row are right-aligned.
    fn header(&mut self, first: &[Value]) -> io::Result<()> {
        self.has_header = true;
        let names: Vec<String> = self.columns.iter().map(|name| escaped(&clean(name))).collect();
        self.line(&names)?;
        let rules: Vec<String> = (0..self.columns.len())
            .map(|column| match first.get(column) {
                Some(value) if value.is_number() => "---:".into(),
                _ => "---".into(),
            })
            .collect();
        self.line(&rules)
    }

    fn line(&mut self, cells: &[String]) -> io::Result<()> {
        writeln!(self.out, "| {} |", cells.join(" | "))
    }

    fn write_row(&mut self, row: &[Value]) -> io::Result<()> {
        if !self.has_header {
            self.header(row)?;
        }
        let cells: Vec<String> = row.iter().map(|value| escaped(&shown(value))).collect();
        self.line(&cells)
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if MARKUP.contains(&c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

impl RowSink for MarkdownWriter<'_> {
    fn start(&mut self, columns: Vec<String>) -> Result<(), WarehouseError> {
        self.columns = columns;
        Ok(())
    }

    fn row(&mut self, row: Vec<Value>) -> Result<(), WarehouseError> {
        self.write_row(&row).map_err(WarehouseError::Sink)
    }
}

impl Writer for MarkdownWriter<'_> {
    fn finish(&mut self) -> Result<(), WarehouseError> {
        let header = if self.has_header { Ok(()) } else { self.header(&[]) };
        header.and_then(|()| self.out.flush()).map_err(WarehouseError::Sink)
    }
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn markup_in_cells_is_escaped() {
        assert_eq!(escaped("a|b <b> _c_"), r"a\|b \<b\> \_c\_");
    }
}
