//! A few rows by INSERT: their values as literals, as many rows a statement as fit.
//!
//! It is for bookkeeping. Rows in number go through files: a statement is parsed by one node, and each is a block of its own in the table.
//! A row with more bytes than a statement takes comes in with the first of them, and the others are put behind these, a statement each.

use std::fmt::Write as _;

use super::lines::Cursor;
use super::literal;
use sparkify_warehouse::{Batch, Column, ColumnType, RowSource, Value, Values, WarehouseError};

/// A statement is about so long at most, in bytes, unless one row is longer.
const LENGTH: usize = 1 << 20;
/// What stands beside the digits of a row's bytes in a statement takes so much at most: texts of the books, and the statement's own words.
const BESIDE: usize = 12_000;

/// The table that rows go into, as statements have it.
pub(super) struct Target<'a> {
    /// What each INSERT begins with.
    pub head: &'a str,
    /// What puts the bytes `$1` behind those of the column `":column"`, in the rows for which what is behind it holds.
    pub append: &'a str,
    /// The longest statement, in bytes.
    pub longest: usize,
    /// The columns' names, in order.
    pub columns: &'a [String],
}

/// Gives `send` statements until `source` has no more rows; says how many there were.
pub(super) fn insert(
    target: &Target<'_>,
    source: &dyn RowSource,
    mut send: impl FnMut(&str) -> Result<(), WarehouseError>,
) -> Result<u64, WarehouseError> {
    let (types, head) = (source.types(), target.head);
    let most = LENGTH.min(target.longest);
    let (mut batch, mut rows) = (Batch::new(&types), 0);
    let (mut statement, mut behind) = (head.to_owned(), Vec::new());
    loop {
        batch.clear();
        source.next(&mut batch).map_err(failed)?;
        if batch.is_empty() {
            break;
        }
        let mut cursors: Vec<Cursor<'_>> = batch.columns.iter().map(Cursor::new).collect();
        for row in 0..batch.len() {
            let mut values = values(&batch, &types, &mut cursors, row);
            target.shorten(&mut values, &mut behind)?;
            let tuple = tuple(&values, &types)?;
            if statement.len() > head.len() && statement.len() + tuple.len() + 2 > most {
                send(&statement)?;
                statement.truncate(head.len());
            }
            statement.push_str(if statement.len() > head.len() { ",\n" } else { "\n" });
            statement.push_str(&tuple);
            rows += 1;
            if !behind.is_empty() {
                send(&statement)?;
                statement.truncate(head.len());
                behind.drain(..).try_for_each(|statement: String| send(&statement))?;
            }
        }
    }
    if statement.len() > head.len() {
        send(&statement)?;
    }
    Ok(rows)
}

impl Target<'_> {
    /// Cuts the bytes of a row that no statement takes whole; what puts the others behind them goes into `behind`.
    fn shorten(
        &self,
        values: &mut [Value],
        behind: &mut Vec<String>,
    ) -> Result<(), WarehouseError> {
        let room = self.longest.saturating_sub(BESIDE) / 2;
        let is_long = |value: &Value| matches!(value, Value::Bytes(bytes) if bytes.len() > room);
        let Some(at) = values.iter().position(is_long) else { return Ok(()) };
        let Value::Bytes(bytes) = &mut values[at] else { return Ok(()) };
        let rest = bytes.split_off(room);
        let column = self.columns.get(at).map_or_else(String::new, |name| quoted(name));
        let append = self.append.replace("\":column\"", &column);
        let row = self.telling(values)?;
        for piece in rest.chunks(room) {
            let piece = literal::filled(&append, &[Value::Bytes(piece.to_vec())])?;
            behind.push(format!("{piece} {row}"));
        }
        Ok(())
    }

    /// What tells a row from the others: its whole numbers.
    fn telling(&self, values: &[Value]) -> Result<String, WarehouseError> {
        let mut text = String::new();
        for (name, value) in self.columns.iter().zip(values) {
            if matches!(value, Value::Int(_)) {
                text.push_str(if text.is_empty() { "" } else { " and " });
                let _ = write!(text, "{} = ", quoted(name));
                literal::push(&mut text, value)?;
            }
        }
        Ok(text)
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn failed(message: String) -> WarehouseError {
    WarehouseError::Statement { message, hint: None }
}

fn values(
    batch: &Batch,
    types: &[ColumnType],
    cursors: &mut [Cursor<'_>],
    row: usize,
) -> Vec<Value> {
    let columns = batch.columns.iter().zip(types).zip(cursors);
    let value = |((column, kind), cursor): ((&Column, &ColumnType), &mut Cursor<'_>)| {
        if cursor.is_null(row) {
            return Value::Null;
        }
        match (&column.values, kind) {
            (Values::Integer(values), _) => Value::Int(values[row].into()),
            (Values::BigInt(values), ColumnType::Timestamp) => Value::Timestamp(values[row]),
            (Values::BigInt(values), _) => Value::Int(values[row].into()),
            (Values::Double(values), _) => Value::Double(values[row]),
            (Values::Bytes { .. }, ColumnType::Bytes) => Value::Bytes(cursor.bytes(row).to_vec()),
            (Values::Bytes { .. }, _) => {
                Value::Text(String::from_utf8_lossy(cursor.bytes(row)).into_owned())
            }
        }
    };
    columns.map(value).collect()
}

fn tuple(values: &[Value], types: &[ColumnType]) -> Result<String, WarehouseError> {
    let mut tuple = String::from("(");
    for (value, kind) in values.iter().zip(types) {
        if tuple.len() > 1 {
            tuple.push_str(", ");
        }
        if matches!(value, Value::Null) {
            // Of rows that are all null in a column, a bare one has no type.
            let _ = write!(tuple, "cast(null as {})", name(*kind));
        } else {
            literal::push(&mut tuple, value)?;
        }
    }
    tuple.push(')');
    Ok(tuple)
}

fn name(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Integer => "integer",
        ColumnType::BigInt => "bigint",
        ColumnType::Double => "double precision",
        ColumnType::Text => "varchar",
        ColumnType::Bytes => "varbyte",
        ColumnType::Timestamp => "timestamp",
    }
}
