//! A few rows by INSERT: their values as literals, as many rows a statement as fit.
//!
//! It is for bookkeeping. Rows in number go through files: a statement is parsed by one node, and each is a block of its own in the table.

use std::fmt::Write as _;

use super::lines::Cursor;
use super::literal;
use crate::warehouse::{Batch, ColumnType, RowSource, Value, Values, WarehouseError};

/// A statement is about so long at most, in bytes, unless one row is longer.
const LENGTH: usize = 1 << 20;

/// Gives `send` statements that begin with `head` until `source` has no more rows; says how many there were.
pub(super) fn insert(
    head: &str,
    source: &dyn RowSource,
    longest: usize,
    mut send: impl FnMut(&str) -> Result<(), WarehouseError>,
) -> Result<u64, WarehouseError> {
    let types = source.types();
    let most = LENGTH.min(longest);
    let (mut batch, mut rows) = (Batch::new(&types), 0);
    let mut statement = head.to_owned();
    loop {
        batch.clear();
        source.next(&mut batch).map_err(failed)?;
        if batch.is_empty() {
            break;
        }
        let mut cursors: Vec<Cursor<'_>> = batch.columns.iter().map(Cursor::new).collect();
        for row in 0..batch.len() {
            let tuple = tuple(&batch, &types, &mut cursors, row)?;
            if statement.len() > head.len() && statement.len() + tuple.len() + 2 > most {
                send(&statement)?;
                statement.truncate(head.len());
            }
            statement.push_str(if statement.len() > head.len() { ",\n" } else { "\n" });
            statement.push_str(&tuple);
            rows += 1;
        }
    }
    if statement.len() > head.len() {
        send(&statement)?;
    }
    Ok(rows)
}

fn failed(message: String) -> WarehouseError {
    WarehouseError::Statement { message, hint: None }
}

fn tuple(
    batch: &Batch,
    types: &[ColumnType],
    cursors: &mut [Cursor<'_>],
    row: usize,
) -> Result<String, WarehouseError> {
    let mut tuple = String::from("(");
    for ((column, kind), cursor) in batch.columns.iter().zip(types).zip(cursors) {
        if tuple.len() > 1 {
            tuple.push_str(", ");
        }
        if cursor.is_null(row) {
            // Of rows that are all null in a column, a bare one has no type.
            let _ = write!(tuple, "cast(null as {})", name(*kind));
            continue;
        }
        let value = match (&column.values, kind) {
            (Values::Integer(values), _) => Value::Int(values[row].into()),
            (Values::BigInt(values), ColumnType::Timestamp) => Value::Timestamp(values[row]),
            (Values::BigInt(values), _) => Value::Int(values[row].into()),
            (Values::Double(values), _) => Value::Double(values[row]),
            (Values::Bytes { .. }, ColumnType::Bytes) => Value::Bytes(cursor.bytes(row).to_vec()),
            (Values::Bytes { .. }, _) => {
                Value::Text(String::from_utf8_lossy(cursor.bytes(row)).into_owned())
            }
        };
        literal::push(&mut tuple, &value)?;
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
