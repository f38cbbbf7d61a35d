//! Rows of a table as batches of typed columns, and their checksum, which is equal on every engine.

use xxhash_rust::xxh3::xxh3_128;

use crate::rejects::{self, Reject};
use crate::sql;
use sparkify_warehouse::{
    BATCH_ROWS, Batch, Column, ColumnType, Opening, RowSink, SqlFile, Value, Values, Warehouse,
    WarehouseError,
};

/// Maximum size of text and bytes in a batch: rejected records have up to one MiB each.
const MAX_BATCH_BYTES: usize = 8 << 20;

/// Columns of a table.
pub(super) struct Layout {
    table: &'static SqlFile,
    names: Vec<String>,
    /// Types of the columns.
    pub types: Vec<ColumnType>,
}

impl Layout {
    /// Returns the layout that the table's SQL file declares.
    pub(super) fn of(table: &'static SqlFile) -> Self {
        // Logical types: the same on every engine.
        let columns = table.columns(Opening::full(""));
        let types = columns.iter().map(|column| column_type(&column.declared_type)).collect();
        Self { table, names: columns.into_iter().map(|column| column.name).collect(), types }
    }
}

fn column_type(declared: &str) -> ColumnType {
    match declared {
        "boolean" => ColumnType::Boolean,
        "integer" => ColumnType::Integer,
        "bigint" => ColumnType::BigInt,
        "double precision" => ColumnType::Double,
        "timestamp" => ColumnType::Timestamp,
        "uuid" => ColumnType::Uuid,
        "blob" => ColumnType::Bytes,
        _ => ColumnType::Text,
    }
}

/// Streams all rows of a table to `take`, until it returns false; an error then.
pub(super) fn each_batch(
    warehouse: &mut dyn Warehouse,
    layout: &Layout,
    take: &mut dyn FnMut(Batch) -> bool,
) -> Result<(), WarehouseError> {
    let mut sink = BatchSink { layout, batch: Batch::new(&layout.types), bytes: 0, take };
    if layout.table.name == sql::ledger::ETL_REJECTS.name {
        // Some engines limit the length of a row in a result.
        rejects::for_each(warehouse, &mut |reject| {
            sink.row(reject_row(reject)).map_err(std::io::Error::other)
        })?;
    } else {
        let opening = Opening::full(warehouse.engine());
        let statement = sql::transfer::ROWS.statement_on(layout.table.name, opening);
        warehouse.query_each(&statement, &[], &mut sink)?;
    }
    sink.flush()
}

/// Returns a rejected record as a row of `etl_rejects`.
fn reject_row(reject: Reject) -> Vec<Value> {
    let numbers = [reject.load_id, reject.id.object_id, reject.id.position, reject.length];
    let numbers = numbers.into_iter().map(|number| Value::Int(number.into()));
    numbers.chain([Value::Text(reject.reason), Value::Bytes(reject.raw.0)]).collect()
}

/// Returns the checksum of all rows of a table.
pub(super) fn checksum(
    warehouse: &mut dyn Warehouse,
    layout: &Layout,
) -> Result<Checksum, WarehouseError> {
    let mut checksum = Checksum::default();
    each_batch(warehouse, layout, &mut |batch| {
        checksum.add(Checksum::of(&batch));
        true
    })?;
    Ok(checksum)
}

/// Collects rows in batches.
struct BatchSink<'a> {
    layout: &'a Layout,
    batch: Batch,
    /// Bytes of text in the batch.
    bytes: usize,
    take: &'a mut dyn FnMut(Batch) -> bool,
}

impl BatchSink<'_> {
    fn flush(&mut self) -> Result<(), WarehouseError> {
        if self.batch.is_empty() {
            return Ok(());
        }
        self.bytes = 0;
        let batch = std::mem::replace(&mut self.batch, Batch::new(&self.layout.types));
        if (self.take)(batch) {
            return Ok(());
        }
        Err(WarehouseError::Statement { message: "the receiver stopped".into(), hint: None })
    }

    /// Appends a value to a column; false if it has another type.
    fn push(column: &mut Column, kind: ColumnType, value: Value) -> bool {
        match (kind, value) {
            (_, Value::Null) => column.push_null(),
            (ColumnType::Boolean, Value::Bool(value)) => column.push_int(value.into()),
            (ColumnType::Integer, Value::Int(value)) => match i32::try_from(value) {
                Ok(value) => column.push_int(value.into()),
                Err(_) => return false,
            },
            (ColumnType::BigInt, Value::Int(value)) => match i64::try_from(value) {
                Ok(value) => column.push_int(value),
                Err(_) => return false,
            },
            (ColumnType::Timestamp, Value::Timestamp(micros)) => column.push_int(micros),
            (ColumnType::Double, Value::Double(value)) => column.push_double(value),
            (ColumnType::Text | ColumnType::Uuid, Value::Text(text)) => {
                column.push_bytes(text.as_bytes());
            }
            (ColumnType::Bytes, Value::Bytes(bytes)) => column.push_bytes(&bytes),
            _ => return false,
        }
        true
    }
}

impl RowSink for BatchSink<'_> {
    fn start(&mut self, columns: Vec<String>) -> Result<(), WarehouseError> {
        if columns == self.layout.names {
            return Ok(());
        }
        Err(WarehouseError::Foreign {
            table: self.layout.table.name.into(),
            difference: format!("its columns are {}", columns.join(", ")),
        })
    }

    fn row(&mut self, row: Vec<Value>) -> Result<(), WarehouseError> {
        let columns = self.batch.columns.iter_mut().zip(&self.layout.types);
        for ((column, kind), (name, value)) in columns.zip(self.layout.names.iter().zip(row)) {
            self.bytes += match &value {
                Value::Text(text) => text.len(),
                Value::Bytes(bytes) => bytes.len(),
                _ => 0,
            };
            if !Self::push(column, *kind, value) {
                return Err(WarehouseError::Foreign {
                    table: self.layout.table.name.into(),
                    difference: format!("a value of `{name}` is not of type {kind:?}"),
                });
            }
        }
        let is_full = self.batch.len() == BATCH_ROWS || self.bytes >= MAX_BATCH_BYTES;
        if is_full { self.flush() } else { Ok(()) }
    }
}

/// Number of rows and the sum of their hashes, which is independent of their order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Checksum {
    /// Number of rows.
    pub rows: u64,
    sum: u128,
}

impl Checksum {
    /// Returns the checksum of the rows of a batch.
    pub(super) fn of(batch: &Batch) -> Self {
        let mut checksum = Self::default();
        let mut bytes = Vec::new();
        let mut nulls: Vec<_> = batch.columns.iter().map(|it| it.nulls.iter().peekable()).collect();
        for row in 0..batch.len() {
            bytes.clear();
            for (column, nulls) in batch.columns.iter().zip(&mut nulls) {
                let is_null = nulls.next_if(|null| **null == row).is_some();
                bytes.push(u8::from(!is_null));
                if !is_null {
                    append(&column.values, row, &mut bytes);
                }
            }
            checksum.rows += 1;
            checksum.sum = checksum.sum.wrapping_add(xxh3_128(&bytes));
        }
        checksum
    }

    /// Adds the rows of another checksum.
    pub(super) fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.sum = self.sum.wrapping_add(other.sum);
    }
}

/// Appends a value; text and bytes with their length, so that the encoding is unambiguous.
fn append(values: &Values, row: usize, bytes: &mut Vec<u8>) {
    match values {
        Values::Integer(values) => bytes.extend(values[row].to_le_bytes()),
        Values::BigInt(values) => bytes.extend(values[row].to_le_bytes()),
        Values::Double(values) => bytes.extend(values[row].to_bits().to_le_bytes()),
        Values::Bytes { buffer, ends } => {
            let start = row.checked_sub(1).map_or(0, |before| ends[before]);
            let value = &buffer[start..ends[row]];
            bytes.extend((value.len() as u64).to_le_bytes());
            bytes.extend_from_slice(value);
        }
    }
}
