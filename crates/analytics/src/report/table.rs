//! Aligned text table: numbers right-aligned, control characters replaced.
//!
//! Without a width, a table is complete, for files and pipes: null is `∅`. With the width of a
//! terminal it is made to be read: long text is cut with `…`, numbers have thousands separators and
//! the same number of decimals in a column, and a result that is too wide is shown with one line
//! per value.

use std::io::Write;

use comfy_table::{
    CellAlignment, ColumnConstraint, ContentArrangement, Row, Table, TableComponent, Width, presets,
};

use super::Writer;
use sparkify_warehouse::{RowSink, Value, WarehouseError};

/// Least width of a column of text that is cut.
const MIN_TEXT: u16 = 10;
/// Most decimals of a number on a terminal.
const MAX_DECIMALS: usize = 6;
const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// Writes rows as an aligned table. Buffers all rows, since the widest cell sets the width.
pub struct TableWriter<'a> {
    out: &'a mut dyn Write,
    width: Option<u16>,
    vertical: bool,
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
}

impl<'a> TableWriter<'a> {
    /// Creates a writer to `out`; `width` is that of a terminal. If `vertical`, each value has a
    /// line.
    pub fn new(out: &'a mut dyn Write, width: Option<u16>, vertical: bool) -> Self {
        Self { out, width, vertical, columns: Vec::new(), rows: Vec::new() }
    }

    /// Returns the columns with a value that satisfies a condition.
    fn columns_with(&self, fits: impl Fn(&Value) -> bool) -> Vec<usize> {
        let has = |column: &usize| self.rows.iter().any(|row| row.get(*column).is_some_and(&fits));
        (0..self.columns.len()).filter(has).collect()
    }

    /// Formats the cells of a column for a terminal.
    fn readable(&self, column: usize) -> Vec<String> {
        let name = self.columns[column].as_str();
        let values = || self.rows.iter().map(|row| &row[column]);
        let decimals = values().filter_map(decimals_of).max().unwrap_or(0).min(MAX_DECIMALS);
        let is_weekday = name == "weekday"
            && values().all(|value| value.as_i64().is_some_and(|day| (0..7).contains(&day)));
        let is_quantity = !is_identifier(name);
        let cell = |value: &Value| match value {
            Value::Null => "NULL".to_owned(),
            Value::Int(day) if is_weekday => {
                WEEKDAYS[usize::try_from(*day).unwrap_or(0) % 7].to_owned()
            }
            Value::Int(number) if is_quantity => grouped_text(&number.to_string()),
            // Microseconds say nothing to a reader; the data has milliseconds.
            Value::Timestamp(micros) => {
                Value::Timestamp(micros.div_euclid(1000).saturating_mul(1000)).to_string()
            }
            Value::Double(number) if number.is_finite() && number.abs() < 1e15 => {
                grouped_text(&format!("{number:.decimals$}"))
            }
            value => shown(value),
        };
        values().map(cell).collect()
    }
}

/// True for columns whose numbers are names, not quantities.
fn is_identifier(name: &str) -> bool {
    name.ends_with("id")
        || name.ends_with("_in_session")
        || ["year", "load", "ts", "session", "item", "position"].contains(&name)
}

/// Returns the number of decimals in the shortest form of a double.
fn decimals_of(value: &Value) -> Option<usize> {
    let Value::Double(number) = value else { return None };
    let text = format!("{number}");
    Some(text.split_once('.').map_or(0, |(_, decimals)| decimals.len()))
}

/// How a table fits its output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Every cell is complete, on one line.
    Full,
    /// The table has at most this width; text is wrapped.
    Wrap(u16),
    /// The table has at most this width; text is cut.
    Cut(u16),
}

/// Formats a table of text. Columns with an index in `right` are right-aligned, and are neither
/// wrapped nor cut.
pub fn plain_table(
    header: &[&str],
    rows: &[Vec<String>],
    right: &[usize],
    layout: Layout,
) -> String {
    aligned_table(header, rows, (right, right), layout)
}

/// Formats a table whose columns `fixed` are neither wrapped nor cut.
fn aligned_table(
    header: &[&str],
    rows: &[Vec<String>],
    (right, fixed): (&[usize], &[usize]),
    layout: Layout,
) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_style(TableComponent::HeaderLines, '─');
    table.set_style(TableComponent::MiddleHeaderIntersections, '─');
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.iter().map(|name| clean(name)).collect::<Vec<_>>());
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
    if let Layout::Wrap(width) | Layout::Cut(width) = layout {
        let natural: Vec<u16> = table.column_max_content_widths();
        let is_fixed = |column: usize| fixed.contains(&column) || natural[column] <= MIN_TEXT;
        // Between two columns there is a blank of padding and an empty border.
        let total = |least: &dyn Fn(usize) -> u16| {
            (0..natural.len()).map(|column| usize::from(least(column)) + 2).sum::<usize>()
        };
        let is_too_wide = |total: usize| total > usize::from(width);
        if is_too_wide(total(&|column| if is_fixed(column) { natural[column] } else { MIN_TEXT })) {
            return vertical(header, rows, width);
        }
        if is_too_wide(total(&|column| natural[column])) {
            fit(&mut table, is_fixed, width);
            if matches!(layout, Layout::Cut(_)) {
                cut(&mut table, rows.len());
            }
        }
    }
    let lines: Vec<String> = table.lines().collect();
    let trimmed = lines.iter().flat_map(|line| [line.trim_end(), "\n"]);
    trimmed.collect()
}

/// Makes the columns that are not fixed narrower.
fn fit(table: &mut Table, is_fixed: impl Fn(usize) -> bool, width: u16) {
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(width);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_constraint(if is_fixed(index) {
            ColumnConstraint::ContentWidth
        } else {
            ColumnConstraint::LowerBoundary(Width::Fixed(MIN_TEXT + 1))
        });
    }
}

/// Keeps the first line of each cell.
fn cut(table: &mut Table, rows: usize) {
    table.set_truncation_indicator("…");
    for index in 0..rows {
        if let Some(row) = table.row_mut(index) {
            row.max_height(1);
        }
    }
    if let Some(mut header) = table.header().cloned() {
        Row::max_height(&mut header, 1);
        table.set_header(header);
    }
}

/// Formats rows with one line per value.
fn vertical(header: &[&str], rows: &[Vec<String>], width: u16) -> String {
    let names: Vec<String> = header.iter().map(|name| clean(name)).collect();
    let widest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        let title = format!("── {} ", index + 1);
        let rest = usize::from(width).min(60).saturating_sub(title.chars().count());
        text.extend([title.as_str(), &"─".repeat(rest), "\n"]);
        for (name, cell) in names.iter().zip(row) {
            text.push_str(format!("{name:<widest$}  {cell}").trim_end());
            text.push('\n');
        }
    }
    text
}

/// Formats an integer with thousands separators: `1,944`.
pub fn grouped(number: u64) -> String {
    grouped_text(&number.to_string())
}

/// Inserts thousands separators into the integral part of a number.
fn grouped_text(number: &str) -> String {
    let (sign, number) = number.strip_prefix('-').map_or(("", number), |rest| ("-", rest));
    let (digits, decimals) = number.split_at(number.find('.').unwrap_or(number.len()));
    let mut grouped = sign.to_owned();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + decimals
}

/// Formats a value for a table cell.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Null => "∅".into(),
        value => clean(&value.to_string()),
    }
}

/// Replaces characters that would act on a terminal or reorder the text around them.
pub fn clean(text: &str) -> String {
    text.chars().map(|c| if is_unsafe(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// True for control characters, and for format characters that change the direction of text.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
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
        let right = self.columns_with(Value::is_number);
        let fixed =
            self.columns_with(|value| value.is_number() || matches!(value, Value::Timestamp(_)));
        let header: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        let rows: Vec<Vec<String>> = if self.width.is_some() {
            let columns: Vec<_> =
                (0..self.columns.len()).map(|column| self.readable(column)).collect();
            (0..self.rows.len())
                .map(|row| columns.iter().map(|cells| cells[row].clone()).collect())
                .collect()
        } else {
            self.rows.iter().map(|row| row.iter().map(shown).collect()).collect()
        };
        let count = rows.len() as u64;
        let plural = if count == 1 { "row" } else { "rows" };
        let layout = self.width.map_or(Layout::Full, Layout::Cut);
        let text = if self.vertical {
            vertical(&header, &rows, self.width.unwrap_or(80))
        } else {
            aligned_table(&header, &rows, (&right, &fixed), layout)
        };
        writeln!(self.out, "{text}{} {plural}", grouped(count))
            .and_then(|()| self.out.flush())
            .map_err(WarehouseError::Sink)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(width: Option<u16>, columns: &[&str], rows: Vec<Vec<Value>>) -> String {
        let mut out = Vec::new();
        let mut writer = TableWriter::new(&mut out, width, false);
        writer.start(columns.iter().map(|name| (*name).to_owned()).collect()).unwrap();
        rows.into_iter().try_for_each(|row| writer.row(row)).unwrap();
        writer.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    fn songs() -> Vec<Vec<Value>> {
        let song = |title: &str, plays, hours| {
            vec![Value::Text(title.into()), Value::Int(plays), Value::Double(hours), Value::Null]
        };
        vec![song("You're The One", 1037, 12.5), song("A title of many words and letters", 9, 0.25)]
    }

    #[test]
    fn a_pipe_gets_complete_cells() {
        let text = table(None, &["song", "plays", "hours", "note"], songs());
        assert!(text.contains("A title of many words and letters"), "{text}");
        assert!(text.contains(" 1037 ") && text.contains("12.5 ") && text.contains('∅'), "{text}");
    }

    #[test]
    fn a_terminal_gets_a_table_that_fits() {
        for width in [40, 45, 80] {
            let text = table(Some(width), &["song", "plays", "hours", "note"], songs());
            let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= usize::from(width), "{width}: {widest}\n{text}");
            for cell in ["1,037", "12.50", "0.25", "NULL"] {
                assert!(text.contains(cell), "{width}: {text}");
            }
            assert_eq!(text.contains('…'), width < 60, "{text}");
        }
    }

    #[test]
    fn a_result_that_is_too_wide_has_a_line_per_value() {
        let text = table(Some(20), &["song", "plays", "hours", "note"], songs());
        assert!(text.starts_with("── 1 ───"), "{text}");
        assert!(text.contains("\nsong   A title of many words and letters\n"), "{text}");
        assert!(text.ends_with("2 rows\n"), "{text}");
    }

    #[test]
    fn identifiers_are_not_quantities_and_weekdays_have_names() {
        let row = vec![Value::Int(2018), Value::Int(123_456), Value::Int(3), Value::Int(-1_234)];
        let text = table(Some(80), &["year", "session_id", "weekday", "change"], vec![row]);
        for cell in ["2018", "123456", "Wednesday", "-1,234"] {
            assert!(text.contains(cell), "{text}");
        }
    }

    #[test]
    fn characters_that_act_on_a_terminal_are_replaced() {
        let row = vec![Value::Text("a\u{1b}[31mb\u{202e}c\u{9b}d".into())];
        for width in [None, Some(80)] {
            let text = table(width, &["x\u{1b}]0;y"], vec![row.clone()]);
            assert!(text.contains("a\u{fffd}[31mb\u{fffd}c\u{fffd}d"), "{text:?}");
            assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
        }
    }
}
