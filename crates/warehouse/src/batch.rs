//! Columnar batches of rows, and the sources that produce them. A reader fills a batch, an engine
//! empties it.

use std::sync::{Mutex, PoisonError};

use thiserror::Error;

/// Maximum number of rows in a batch. It equals the size of a `DuckDB` vector, so that a batch
/// fills one data chunk.
pub const BATCH_ROWS: usize = 2048;

/// Type of a column in a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// True (1) or false (0).
    Boolean,
    /// Signed 32-bit integer.
    Integer,
    /// Signed 64-bit integer.
    BigInt,
    /// 64-bit floating-point number.
    Double,
    /// UTF-8 text.
    Text,
    /// UUID as text of 36 characters.
    Uuid,
    /// Arbitrary bytes.
    Bytes,
    /// Microseconds since 1970-01-01 UTC.
    Timestamp,
}

/// Values of one column.
#[derive(Debug, Clone)]
pub enum Values {
    /// Values of [`ColumnType::Integer`] and [`ColumnType::Boolean`].
    Integer(Vec<i32>),
    /// Values of [`ColumnType::BigInt`] and [`ColumnType::Timestamp`].
    BigInt(Vec<i64>),
    /// Values of [`ColumnType::Double`].
    Double(Vec<f64>),
    /// Values of [`ColumnType::Text`], [`ColumnType::Uuid`] and [`ColumnType::Bytes`],
    /// concatenated.
    Bytes {
        /// Concatenated values.
        buffer: Vec<u8>,
        /// End offset of each value in `buffer`; a value starts where the previous one ends.
        ends: Vec<usize>,
    },
}

impl Values {
    fn match_type(&self, kind: ColumnType) -> bool {
        matches!(
            (self, kind),
            (Self::Integer(_), ColumnType::Integer | ColumnType::Boolean)
                | (Self::BigInt(_), ColumnType::BigInt | ColumnType::Timestamp)
                | (Self::Double(_), ColumnType::Double)
                | (Self::Bytes { .. }, ColumnType::Text | ColumnType::Uuid | ColumnType::Bytes)
        )
    }

    /// True if every value lies within the buffer. Numbers have no offsets, so they always pass.
    fn offsets_are_valid(&self) -> bool {
        match self {
            Self::Bytes { buffer, ends } => {
                ends.is_sorted() && ends.last().is_none_or(|end| *end <= buffer.len())
            }
            _ => true,
        }
    }
}

/// One column of a batch.
#[derive(Debug, Clone)]
pub struct Column {
    /// Values of all rows; a null row holds a placeholder.
    pub values: Values,
    /// Indexes of the null rows, ascending.
    pub nulls: Vec<usize>,
}

impl Column {
    /// Creates an empty column.
    pub fn new(kind: ColumnType) -> Self {
        let values = match kind {
            ColumnType::Integer | ColumnType::Boolean => Values::Integer(Vec::new()),
            ColumnType::BigInt | ColumnType::Timestamp => Values::BigInt(Vec::new()),
            ColumnType::Double => Values::Double(Vec::new()),
            ColumnType::Text | ColumnType::Uuid | ColumnType::Bytes => {
                Values::Bytes { buffer: Vec::new(), ends: Vec::new() }
            }
        };
        Self { values, nulls: Vec::new() }
    }

    /// Returns the number of values, nulls included.
    pub fn len(&self) -> usize {
        match &self.values {
            Values::Integer(values) => values.len(),
            Values::BigInt(values) => values.len(),
            Values::Double(values) => values.len(),
            Values::Bytes { ends, .. } => ends.len(),
        }
    }

    /// True if the column has no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Removes all values and keeps the allocated memory.
    pub fn clear(&mut self) {
        self.nulls.clear();
        match &mut self.values {
            Values::Integer(values) => values.clear(),
            Values::BigInt(values) => values.clear(),
            Values::Double(values) => values.clear(),
            Values::Bytes { buffer, ends } => {
                buffer.clear();
                ends.clear();
            }
        }
    }

    /// Keeps the first `rows` values. Also drops bytes of a value that was only partly written.
    pub fn truncate(&mut self, rows: usize) {
        while self.nulls.last().is_some_and(|row| *row >= rows) {
            self.nulls.pop();
        }
        match &mut self.values {
            Values::Integer(values) => values.truncate(rows),
            Values::BigInt(values) => values.truncate(rows),
            Values::Double(values) => values.truncate(rows),
            Values::Bytes { buffer, ends } => {
                ends.truncate(rows);
                buffer.truncate(ends.last().copied().unwrap_or(0));
            }
        }
    }

    /// Appends a null.
    pub fn push_null(&mut self) {
        self.nulls.push(self.len());
        match &mut self.values {
            Values::Integer(values) => values.push(0),
            Values::BigInt(values) => values.push(0),
            Values::Double(values) => values.push(0.0),
            Values::Bytes { buffer, ends } => ends.push(buffer.len()),
        }
    }

    /// Appends an integer. For a 32-bit column, the caller has checked the range.
    pub fn push_int(&mut self, value: i64) {
        match &mut self.values {
            #[expect(clippy::cast_possible_truncation, reason = "checked by the caller")]
            Values::Integer(values) => {
                debug_assert!(i32::try_from(value).is_ok(), "{value} needs more than 32 bits");
                values.push(value as i32);
            }
            Values::BigInt(values) => values.push(value),
            Values::Double(_) | Values::Bytes { .. } => {
                unreachable!("not a column of whole numbers")
            }
        }
    }

    /// Appends a floating-point number.
    pub fn push_double(&mut self, value: f64) {
        match &mut self.values {
            Values::Double(values) => values.push(value),
            _ => unreachable!("not a column of doubles"),
        }
    }

    /// Appends text or bytes.
    pub fn push_bytes(&mut self, value: &[u8]) {
        match &mut self.values {
            Values::Bytes { buffer, ends } => {
                buffer.extend_from_slice(value);
                ends.push(buffer.len());
            }
            _ => unreachable!("not a column of text or bytes"),
        }
    }
}

/// Up to [`BATCH_ROWS`] rows in columns.
///
/// The fields are public, so safe code can build a batch that breaks these rules. An engine that
/// relies on them calls [`Batch::check`] first.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Columns of equal length, in the order of the table's columns.
    pub columns: Vec<Column>,
}

impl Batch {
    /// Creates an empty batch with columns of these types.
    pub fn new(types: &[ColumnType]) -> Self {
        Self { columns: types.iter().map(|kind| Column::new(*kind)).collect() }
    }

    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        self.columns.first().map_or(0, Column::len)
    }

    /// True if the batch has no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Removes all rows and keeps the allocated memory.
    pub fn clear(&mut self) {
        self.columns.iter_mut().for_each(Column::clear);
    }

    /// Checks that the batch has columns of these types and equal length, at most [`BATCH_ROWS`]
    /// rows, and only null indexes and byte offsets within bounds.
    ///
    /// The check passes over each column once, without a branch per row. The encoding of text is
    /// not checked.
    pub fn check(&self, types: &[ColumnType]) -> Result<(), BatchError> {
        let rows = self.len();
        if self.columns.len() != types.len() {
            let (found, expected) = (self.columns.len(), types.len());
            return Err(BatchError::ColumnCount { found, expected });
        }
        if rows > BATCH_ROWS {
            return Err(BatchError::TooManyRows { rows });
        }
        for (column, (found, expected)) in self.columns.iter().zip(types).enumerate() {
            if !found.values.match_type(*expected) {
                return Err(BatchError::Type { column, expected: *expected });
            }
            if found.len() != rows {
                return Err(BatchError::Length { column, found: found.len(), expected: rows });
            }
            let ascending = found.nulls.is_sorted_by(|row, next| row < next);
            if !ascending || found.nulls.last().is_some_and(|row| *row >= rows) {
                return Err(BatchError::Null { column, rows });
            }
            if !found.values.offsets_are_valid() {
                return Err(BatchError::Offsets { column });
            }
        }
        Ok(())
    }
}

/// Error in a batch that a [`RowSource`] returned. It is a defect of the source, not of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BatchError {
    /// The number of columns differs from [`RowSource::types`].
    #[error("a batch has {found} columns instead of {expected}")]
    ColumnCount {
        /// Columns of the batch.
        found: usize,
        /// Columns that the source announced.
        expected: usize,
    },
    /// The batch does not fit into one vector.
    #[error("a batch has {rows} rows, more than {BATCH_ROWS}")]
    TooManyRows {
        /// Rows of the batch.
        rows: usize,
    },
    /// A column holds values of another type than [`RowSource::types`].
    #[error("column {column} of a batch does not hold values of type {expected:?}")]
    Type {
        /// Index of the column.
        column: usize,
        /// Type that the source announced.
        expected: ColumnType,
    },
    /// A column is shorter or longer than the first one.
    #[error("column {column} of a batch has {found} values instead of {expected}")]
    Length {
        /// Index of the column.
        column: usize,
        /// Values of the column.
        found: usize,
        /// Values of the first column.
        expected: usize,
    },
    /// The indexes of the null rows are out of range or not ascending.
    #[error("column {column} of a batch has invalid null indexes for {rows} rows")]
    Null {
        /// Index of the column.
        column: usize,
        /// Rows of the batch.
        rows: usize,
    },
    /// The end offsets of byte values are not ascending or exceed the buffer.
    #[error("column {column} of a batch has invalid byte offsets")]
    Offsets {
        /// Index of the column.
        column: usize,
    },
}

/// Source of rows for [`Warehouse::load`](super::Warehouse::load). Engines call it from several
/// threads at once.
pub trait RowSource: Send + Sync {
    /// Returns the types of the columns, in the order of the table's columns.
    fn types(&self) -> Vec<ColumnType>;

    /// True if the source may have many rows (data), false for a few rows of load metadata.
    fn is_bulk(&self) -> bool {
        false
    }

    /// Appends the next rows to `batch`, which is empty and has the columns of
    /// [`RowSource::types`]. No rows means that the source is exhausted. An error ends the load;
    /// the source keeps the cause, because an engine passes on only the text.
    fn next(&self, batch: &mut Batch) -> Result<(), String>;
}

/// Row source over a list: one row for each item.
pub struct RowList<T, F> {
    types: &'static [ColumnType],
    items: Mutex<std::vec::IntoIter<T>>,
    append: F,
    is_bulk: bool,
}

impl<T, F: Fn(&T, &mut Batch)> RowList<T, F> {
    /// Creates a source with columns of these types; `append` appends the row of an item.
    pub fn new(types: &'static [ColumnType], items: Vec<T>, append: F) -> Self {
        Self { types, items: Mutex::new(items.into_iter()), append, is_bulk: false }
    }

    /// Sets whether the list has many rows.
    #[must_use]
    pub fn with_bulk(self, is_bulk: bool) -> Self {
        Self { is_bulk, ..self }
    }
}

impl<T: Send, F: Fn(&T, &mut Batch) + Send + Sync> RowSource for RowList<T, F> {
    fn types(&self) -> Vec<ColumnType> {
        self.types.to_vec()
    }

    fn is_bulk(&self) -> bool {
        self.is_bulk
    }

    fn next(&self, batch: &mut Batch) -> Result<(), String> {
        let mut items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        for item in items.by_ref().take(BATCH_ROWS) {
            (self.append)(&item, batch);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPES: &[ColumnType] = &[ColumnType::BigInt, ColumnType::Text];

    fn batch() -> Batch {
        let mut batch = Batch::new(TYPES);
        for text in ["one", "two"] {
            batch.columns[0].push_null();
            batch.columns[1].push_bytes(text.as_bytes());
        }
        batch
    }

    fn check(change: impl FnOnce(&mut Batch)) -> Result<(), BatchError> {
        let mut batch = batch();
        change(&mut batch);
        batch.check(TYPES)
    }

    fn set_ends(batch: &mut Batch, offsets: Vec<usize>) {
        if let Values::Bytes { ends, .. } = &mut batch.columns[1].values {
            *ends = offsets;
        }
    }

    #[test]
    fn a_batch_of_the_announced_types_passes() {
        assert_eq!(check(|_| {}), Ok(()));
        assert_eq!(check(Batch::clear), Ok(()));
    }

    #[test]
    fn a_batch_that_breaks_a_rule_is_an_error() {
        let count = |found| Err(BatchError::ColumnCount { found, expected: 2 });
        assert_eq!(check(|batch| batch.columns.truncate(1)), count(1));
        assert_eq!(check(|batch| batch.columns.push(Column::new(ColumnType::Text))), count(3));
        assert_eq!(
            check(|batch| batch.columns.swap(0, 1)),
            Err(BatchError::Type { column: 0, expected: ColumnType::BigInt })
        );
        assert_eq!(
            check(|batch| batch.columns[1].push_null()),
            Err(BatchError::Length { column: 1, found: 3, expected: 2 })
        );
        for nulls in [vec![2], vec![1, 0], vec![1, 1]] {
            assert_eq!(
                check(|batch| batch.columns[0].nulls = nulls),
                Err(BatchError::Null { column: 0, rows: 2 })
            );
        }
        for ends in [vec![4, 3], vec![3, 7]] {
            assert_eq!(
                check(|batch| set_ends(batch, ends)),
                Err(BatchError::Offsets { column: 1 })
            );
        }
        let too_long = Values::BigInt(vec![0; BATCH_ROWS + 1]);
        assert_eq!(
            check(|batch| batch.columns[0].values = too_long),
            Err(BatchError::TooManyRows { rows: BATCH_ROWS + 1 })
        );
    }
}
