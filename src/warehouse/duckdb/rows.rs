//! Rows from us to `DuckDB`: a table function that `DuckDB`'s own threads call, each filling its vectors from a batch.
//!
//! The threads that parse are the threads that compress and write, and all of it happens in the connection's one transaction. The wrapper's
//! appender would be one call a value, from one thread.
#![expect(
    unsafe_code,
    reason = "DuckDB's vectors are raw memory: this is the one place where they are filled"
)]

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use duckdb::core::{DataChunkHandle, LogicalTypeHandle, LogicalTypeId};
use duckdb::ffi;
use duckdb::vtab::{BindInfo, InitInfo, TableFunctionInfo, VTab};

use crate::warehouse::batch::{BATCH_ROWS, Batch, Column, ColumnType, RowSource, Values};

/// The function's name in SQL.
pub(super) const NAME: &str = "sparkify_rows";

/// Where a connection leaves the source of the load that it is about to run.
#[derive(Clone, Default)]
pub(super) struct Slot(Arc<Mutex<Option<Arc<dyn RowSource>>>>);

impl Slot {
    pub(super) fn put(&self, source: Option<Arc<dyn RowSource>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = source;
    }

    fn get(&self) -> Result<Arc<dyn RowSource>, Box<dyn Error>> {
        let source = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        source.ok_or_else(|| "no load is under way".into())
    }
}

/// What the function keeps while it runs: the source, and batches that are not in use.
pub(super) struct Running {
    source: Arc<dyn RowSource>,
    types: Vec<ColumnType>,
    idle: Mutex<Vec<Batch>>,
}

pub(super) struct RowsFunction;

impl VTab for RowsFunction {
    type InitData = Running;
    type BindData = ();

    fn bind(bind: &BindInfo) -> Result<(), Box<dyn Error>> {
        // SAFETY: the function is registered with a `Slot` as its extra info, which DuckDB keeps as long as the function.
        let slot = unsafe { &*bind.get_extra_info::<Slot>() };
        for (index, kind) in slot.get()?.types().into_iter().enumerate() {
            bind.add_result_column(&format!("c{index}"), logical(kind));
        }
        Ok(())
    }

    fn init(init: &InitInfo) -> Result<Running, Box<dyn Error>> {
        // SAFETY: as in `bind`.
        let slot = unsafe { &*init.get_extra_info::<Slot>() };
        let source = slot.get()?;
        init.set_max_threads(u64::MAX >> 1);
        Ok(Running { types: source.types(), source, idle: Mutex::default() })
    }

    fn func(
        function: &TableFunctionInfo<Self>,
        output: &mut DataChunkHandle,
    ) -> Result<(), Box<dyn Error>> {
        let running = function.get_init_data();
        let idle = running.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut batch = idle.unwrap_or_else(|| Batch::new(&running.types));
        batch.clear();
        running.source.next(&mut batch)?;
        let rows = batch.len();
        if rows > BATCH_ROWS {
            return Err("a batch is longer than a vector".into());
        }
        for (index, column) in batch.columns.iter().enumerate() {
            fill(output, index, column, rows)?;
        }
        output.set_len(rows);
        running.idle.lock().unwrap_or_else(PoisonError::into_inner).push(batch);
        Ok(())
    }
}

fn logical(kind: ColumnType) -> LogicalTypeHandle {
    LogicalTypeHandle::from(match kind {
        ColumnType::Integer => LogicalTypeId::Integer,
        ColumnType::BigInt => LogicalTypeId::Bigint,
        ColumnType::Double => LogicalTypeId::Double,
        ColumnType::Text => LogicalTypeId::Varchar,
        ColumnType::Bytes => LogicalTypeId::Blob,
        ColumnType::Timestamp => LogicalTypeId::Timestamp,
    })
}

fn fill(
    output: &DataChunkHandle,
    index: usize,
    column: &Column,
    rows: usize,
) -> Result<(), Box<dyn Error>> {
    let mut vector = output.flat_vector(index);
    if column.len() != rows || rows > vector.capacity() {
        return Err("the columns of a batch differ in length".into());
    }
    // SAFETY: the vector was declared in `bind` with the type of this column, and has room for `rows` values (checked above).
    unsafe {
        match &column.values {
            Values::Integer(values) => vector.copy(values),
            Values::BigInt(values) => vector.copy(values),
            Values::Double(values) => vector.copy(values),
            Values::Bytes { buffer, ends } => {
                let raw = ffi::duckdb_data_chunk_get_vector(output.get_ptr(), index as u64);
                assign(raw, buffer, ends);
            }
        }
    }
    for row in &column.nulls {
        vector.set_null(*row);
    }
    Ok(())
}

/// Copies texts into a vector without checking once more that they are UTF-8.
///
/// # Safety
/// `vector` takes text or bytes, and has room for as many values as there are `ends`; a text's bytes are UTF-8, which readers see to.
unsafe fn assign(vector: ffi::duckdb_vector, buffer: &[u8], ends: &[usize]) {
    let mut start = 0;
    for (row, end) in ends.iter().enumerate() {
        let text = &buffer[start..*end];
        // SAFETY: DuckDB copies the bytes.
        unsafe {
            ffi::duckdb_unsafe_vector_assign_string_element_len(
                vector,
                row as u64,
                text.as_ptr().cast(),
                text.len() as u64,
            );
        }
        start = *end;
    }
}
