//! Multi-row INSERT with literals, for load metadata and other small tables.
//!
//! Many rows are loaded by COPY instead: the leader node parses each INSERT, and each one writes
//! new blocks. If the bytes of a row exceed the statement limit, the INSERT contains the first
//! part, and one UPDATE per further part appends it.

use std::fmt::Write as _;

use super::json_lines::Cursor;
use super::literal;
use sparkify_warehouse::{Batch, Column, ColumnType, RowSource, Value, Values, WarehouseError};

/// Target length of a statement in bytes; one longer row is sent in its own statement.
const STATEMENT_BYTES: usize = 1 << 20;
/// Upper bound of the bytes in a statement other than the hexadecimal digits: the texts of a
/// metadata row, and the SQL.
const OVERHEAD_BYTES: usize = 12_000;

/// SQL for the target table.
pub(super) struct Target<'a> {
    /// Start of each INSERT, up to `values`.
    pub head: &'a str,
    /// UPDATE that appends the bytes `$1` to the column `":column"`; the condition that selects the
    /// row is added at its end.
    pub append: &'a str,
    /// Maximum length of a statement, in bytes.
    pub max_statement_len: usize,
    /// Names of the columns, in order; needed only if there is a column of bytes.
    pub columns: &'a [String],
}

/// Passes statements to `send` until `source` has no more rows. Returns the number of rows.
pub(super) fn insert(
    target: &Target<'_>,
    source: &dyn RowSource,
    mut send: impl FnMut(&str) -> Result<(), WarehouseError>,
) -> Result<u64, WarehouseError> {
    let (types, head) = (source.types(), target.head);
    let most = STATEMENT_BYTES.min(target.max_statement_len);
    let (mut batch, mut rows) = (Batch::new(&types), 0);
    let (mut statement, mut appends) = (head.to_owned(), Vec::new());
    loop {
        batch.clear();
        source.next(&mut batch).map_err(failed)?;
        if batch.is_empty() {
            break;
        }
        let mut cursors: Vec<Cursor<'_>> = batch.columns.iter().map(Cursor::new).collect();
        for row in 0..batch.len() {
            let mut values = values(&batch, &types, &mut cursors, row);
            target.truncate_bytes(&mut values, &mut appends)?;
            let tuple = tuple(&values, &types)?;
            if statement.len() > head.len() && statement.len() + tuple.len() + 2 > most {
                send(&statement)?;
                statement.truncate(head.len());
            }
            statement.push_str(if statement.len() > head.len() { ",\n" } else { "\n" });
            statement.push_str(&tuple);
            rows += 1;
            // The row must exist before the UPDATEs append to it.
            if !appends.is_empty() {
                send(&statement)?;
                statement.truncate(head.len());
                appends.drain(..).try_for_each(|statement: String| send(&statement))?;
            }
        }
    }
    if statement.len() > head.len() {
        send(&statement)?;
    }
    Ok(rows)
}

impl Target<'_> {
    /// Truncates bytes that do not fit into one statement, and adds the UPDATEs that append the
    /// rest to `appends`.
    fn truncate_bytes(
        &self,
        values: &mut [Value],
        appends: &mut Vec<String>,
    ) -> Result<(), WarehouseError> {
        // Two hexadecimal digits per byte.
        let capacity = self.max_statement_len.saturating_sub(OVERHEAD_BYTES) / 2;
        let is_long =
            |value: &Value| matches!(value, Value::Bytes(bytes) if bytes.len() > capacity);
        let Some(at) = values.iter().position(is_long) else { return Ok(()) };
        let Value::Bytes(bytes) = &mut values[at] else { return Ok(()) };
        let rest = bytes.split_off(capacity);
        let column = self.columns.get(at).map_or_else(String::new, |name| quoted(name));
        let append = self.append.replace("\":column\"", &column);
        let row = self.row_condition(values)?;
        for piece in rest.chunks(capacity) {
            let piece = literal::bind(&append, &[Value::Bytes(piece.to_vec())])?;
            appends.push(format!("{piece} {row}"));
        }
        Ok(())
    }

    /// Returns the condition that selects the row: its integer columns, which are its key.
    fn row_condition(&self, values: &[Value]) -> Result<String, WarehouseError> {
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
            (Values::Integer(values), ColumnType::Boolean) => Value::Bool(values[row] != 0),
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
            // A bare null has no type if the column is null in all rows of the statement.
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
        ColumnType::Boolean => "boolean",
        ColumnType::Integer => "integer",
        ColumnType::BigInt => "bigint",
        ColumnType::Double => "double precision",
        ColumnType::Text | ColumnType::Uuid => "varchar",
        ColumnType::Bytes => "varbyte",
        ColumnType::Timestamp => "timestamp",
    }
}
