//! Aligned text table: numbers right-aligned, null as `∅`, control characters replaced.

use std::io::Write;

use comfy_table::{CellAlignment, ContentArrangement, Table, TableComponent, presets};

use super::Writer;
use sparkify_warehouse::{RowSink, Value, WarehouseError};

/// Writes rows as an aligned table. Buffers all rows, since the widest cell sets the width.
pub struct TableWriter<'a> {
    out: &'a mut dyn Write,
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
}

impl<'a> TableWriter<'a> {
    /// Creates a writer to `out`.
    pub fn new(out: &'a mut dyn Write) -> Self {
        Self { out, columns: Vec::new(), rows: Vec::new() }
    }
}

/// Formats a table of text. Columns with an index in `right` are right-aligned.
pub fn plain_table(header: &[&str], rows: &[Vec<String>], right: &[usize]) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_style(TableComponent::HeaderLines, '─');
    table.set_style(TableComponent::MiddleHeaderIntersections, '─');
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.to_vec());
    for row in rows {
        table.add_row(row.clone());
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 1));
    }
    for column in right {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines: Vec<String> = table.lines().collect();
    let trimmed = lines.iter().flat_map(|line| [line.trim_end(), "\n"]);
    trimmed.collect()
}

/// Formats an integer with thousands separators: `1,944`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Formats a value for a table cell.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Null => "∅".into(),
        value => value
            .to_string()
            .chars()
            .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
            .collect(),
    }
}

impl RowSink for TableWriter<'_> {
    fn start(&mut self, columns: Vec<String>) -> Result<(), WarehouseError> {
        self.columns = columns;
        Ok(())
    }

    fn row(&mut self, row: Vec<Value>) -> Result<(), WarehouseError> {
        self.rows.push(row);
        Ok(())
    }
}

impl Writer for TableWriter<'_> {
    fn finish(&mut self) -> Result<(), WarehouseError> {
        let numeric = |column: &usize| {
            let mut cells = self.rows.iter().filter_map(|row| row.get(*column));
            cells.any(Value::is_number)
        };
        let right: Vec<usize> = (0..self.columns.len()).filter(numeric).collect();
        let header: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        let rows: Vec<Vec<String>> =
            self.rows.iter().map(|row| row.iter().map(shown).collect()).collect();
        let count = rows.len() as u64;
        let plural = if count == 1 { "row" } else { "rows" };
        let text = plain_table(&header, &rows, &right);
        writeln!(self.out, "{text}{} {plural}", grouped(count))
            .and_then(|()| self.out.flush())
            .map_err(WarehouseError::Sink)
    }
}
