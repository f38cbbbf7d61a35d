//! Rows on their way into a warehouse: columns of one type each, filled by a reader and emptied by an engine.

use std::sync::{Mutex, PoisonError};

/// The most rows in one batch: the size of `DuckDB`'s vectors, so that a batch is one of its chunks.
pub const BATCH_ROWS: usize = 2048;

/// The type of a column in a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// 32 bits, signed.
    Integer,
    /// 64 bits, signed.
    BigInt,
    /// 64-bit floating point.
    Double,
    /// UTF-8 text.
    Text,
    /// Bytes of any kind.
    Bytes,
    /// Microseconds since 1970-01-01 UTC.
    Timestamp,
}

/// The values of one column.
#[derive(Debug, Clone)]
pub enum Values {
    /// For [`ColumnType::Integer`].
    Integer(Vec<i32>),
    /// For [`ColumnType::BigInt`] and [`ColumnType::Timestamp`].
    BigInt(Vec<i64>),
    /// For [`ColumnType::Double`].
    Double(Vec<f64>),
    /// For [`ColumnType::Text`] and [`ColumnType::Bytes`]: all values in one buffer, and where each ends.
    Bytes {
        /// The values, one behind the other.
        buffer: Vec<u8>,
        /// The end of each value in `buffer`.
        ends: Vec<usize>,
    },
}

/// One column of a batch.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its values; a null has some value too.
    pub values: Values,
    /// The rows that are null, ascending.
    pub nulls: Vec<usize>,
}

impl Column {
    /// An empty column.
    pub fn new(kind: ColumnType) -> Self {
        let values = match kind {
            ColumnType::Integer => Values::Integer(Vec::new()),
            ColumnType::BigInt | ColumnType::Timestamp => Values::BigInt(Vec::new()),
            ColumnType::Double => Values::Double(Vec::new()),
            ColumnType::Text | ColumnType::Bytes => {
                Values::Bytes { buffer: Vec::new(), ends: Vec::new() }
            }
        };
        Self { values, nulls: Vec::new() }
    }

    /// How many values it holds.
    pub fn len(&self) -> usize {
        match &self.values {
            Values::Integer(values) => values.len(),
            Values::BigInt(values) => values.len(),
            Values::Double(values) => values.len(),
            Values::Bytes { ends, .. } => ends.len(),
        }
    }

    /// Whether it holds no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets its values and keeps its memory.
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

    /// Forgets what stands behind the first `rows` values, and half a value behind the last.
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

    /// Appends a whole number; in a column of 32 bits the caller has checked that it fits.
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

/// Up to [`BATCH_ROWS`] rows.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Its columns, all of one length.
    pub columns: Vec<Column>,
}

impl Batch {
    /// An empty batch of columns of these types.
    pub fn new(types: &[ColumnType]) -> Self {
        Self { columns: types.iter().map(|kind| Column::new(*kind)).collect() }
    }

    /// How many rows it holds.
    pub fn len(&self) -> usize {
        self.columns.first().map_or(0, Column::len)
    }

    /// Whether it holds no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets its rows and keeps its memory.
    pub fn clear(&mut self) {
        self.columns.iter_mut().for_each(Column::clear);
    }
}

/// Whatever gives rows to [`Warehouse::load`](super::Warehouse::load). Engines ask from several threads at once.
pub trait RowSource: Send + Sync {
    /// The types of its columns, in the order of the table's.
    fn types(&self) -> Vec<ColumnType>;

    /// Whether the rows may be many: data, and not what keeps its books.
    fn is_bulk(&self) -> bool {
        false
    }

    /// Fills `batch`, which is empty, with the next rows; none means the end. An error ends the load; the source itself keeps the
    /// cause, since what an engine passes on is only its text.
    fn next(&self, batch: &mut Batch) -> Result<(), String>;
}

/// Rows made from a list of items.
pub struct Listed<T, F> {
    types: &'static [ColumnType],
    items: Mutex<std::vec::IntoIter<T>>,
    append: F,
}

impl<T, F: Fn(&T, &mut Batch)> Listed<T, F> {
    /// A row of these types for each item, as `append` has it.
    pub fn new(types: &'static [ColumnType], items: Vec<T>, append: F) -> Self {
        Self { types, items: Mutex::new(items.into_iter()), append }
    }
}

impl<T: Send, F: Fn(&T, &mut Batch) + Send + Sync> RowSource for Listed<T, F> {
    fn types(&self) -> Vec<ColumnType> {
        self.types.to_vec()
    }

    fn next(&self, batch: &mut Batch) -> Result<(), String> {
        let mut items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        for item in items.by_ref().take(BATCH_ROWS) {
            (self.append)(&item, batch);
        }
        Ok(())
    }
}
