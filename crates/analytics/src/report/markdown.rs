//! Rows as a Markdown table, as GitHub and most others render it; each row is written as it comes.

use std::io::{self, Write};

use super::Writer;
use super::table::shown;
use sparkify_warehouse::{RowSink, Value, WarehouseError};

/// What would be read as markup in a cell.
const MARKUP: &[char] = &['\\', '|', '`', '*', '_', '[', ']', '<', '>', '&', '~', '#', '$'];

/// Writes a Markdown table to what it is given.
pub struct MarkdownWriter<'a> {
    out: &'a mut dyn Write,
    columns: Vec<String>,
    began: bool,
}

impl<'a> MarkdownWriter<'a> {
    /// A writer to `out`.
    pub fn new(out: &'a mut dyn Write) -> Self {
        Self { out, columns: Vec::new(), began: false }
    }

    /// The head, set to the right where the first row has numbers.
    fn begin(&mut self, first: &[Value]) -> io::Result<()> {
        self.began = true;
        let names: Vec<String> = self.columns.iter().map(|name| escaped(name)).collect();
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

    fn written(&mut self, row: &[Value]) -> io::Result<()> {
        if !self.began {
            self.begin(row)?;
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
        self.written(&row).map_err(WarehouseError::Sink)
    }
}

impl Writer for MarkdownWriter<'_> {
    fn finish(&mut self) -> Result<(), WarehouseError> {
        let began = if self.began { Ok(()) } else { self.begin(&[]) };
        began.and_then(|()| self.out.flush()).map_err(WarehouseError::Sink)
    }
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn a_title_cannot_end_its_cell() {
        assert_eq!(escaped("a|b <b> _c_"), r"a\|b \<b\> \_c\_");
    }
}
