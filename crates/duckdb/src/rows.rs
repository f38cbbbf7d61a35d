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

use sparkify_warehouse::{BATCH_ROWS, Batch, Column, ColumnType, RowSource, Values};

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
        let raw = ffi::duckdb_data_chunk_get_vector(output.get_ptr(), index as u64);
        match &column.values {
            Values::Integer(values) => vector.copy(values),
            Values::BigInt(values) => vector.copy(values),
            Values::Double(values) => vector.copy(values),
            Values::Bytes { buffer, ends } => texts(raw, buffer, ends),
        }
        set_nulls(raw, &column.nulls);
    }
    Ok(())
}

/// # Safety
/// `vector` has room for each of the rows that are null.
unsafe fn set_nulls(vector: ffi::duckdb_vector, nulls: &[usize]) {
    if nulls.is_empty() {
        return;
    }
    // SAFETY: once made writable, the validity has a bit for each row of the vector, in words of 64.
    unsafe {
        ffi::duckdb_vector_ensure_validity_writable(vector);
        let words = ffi::duckdb_vector_get_validity(vector);
        for row in nulls {
            *words.add(row / 64) &= !(1 << (row % 64));
        }
    }
}

/// A text of at most so many bytes stands in the vector itself.
const INLINE: usize = 12;

/// Puts texts into a vector: short ones in place, the others as places in one copy of the buffer, which the vector owns. That they are UTF-8 is
/// not checked once more.
///
/// # Safety
/// `vector` takes text or bytes, and has room for as many values as there are `ends`; a text's bytes are UTF-8, which readers see to.
unsafe fn texts(vector: ffi::duckdb_vector, buffer: &[u8], ends: &[usize]) {
    let lengths = || ends.iter().scan(0, |start, end| Some(end - std::mem::replace(start, *end)));
    if u32::try_from(buffer.len()).is_err() {
        // SAFETY: as promised to this function.
        return unsafe { texts_one_by_one(vector, buffer, ends) };
    }
    // SAFETY: an assigned text of more than `INLINE` bytes is a copy that lives as long as the vector's values; its place is read back before
    // the value is written over. The vector's memory is an array of `duckdb_string_t`.
    unsafe {
        let values = ffi::duckdb_vector_get_data(vector).cast::<ffi::duckdb_string_t>();
        let mut copy = std::ptr::null_mut();
        if lengths().any(|length| length > INLINE) {
            assign(vector, 0, buffer);
            copy = (*values).value.pointer.ptr;
        }
        let mut start = 0;
        for (row, end) in ends.iter().enumerate() {
            let length = end - start;
            *values.add(row) = if length <= INLINE {
                short(buffer, start, length)
            } else {
                long(&buffer[start..*end], copy.add(start))
            };
            start = *end;
        }
    }
}

/// A text of at most [`INLINE`] bytes, with zeros behind it.
#[expect(clippy::cast_possible_truncation, reason = "it is that short")]
fn short(buffer: &[u8], start: usize, length: usize) -> ffi::duckdb_string_t {
    // Sixteen bytes in one go, of which the others are cleared, where there are as many.
    let around = match buffer[start..].first_chunk() {
        Some(sixteen) => *sixteen,
        None => std::array::from_fn(|at| buffer.get(start + at).copied().unwrap_or(0)),
    };
    let meant = u128::from_le_bytes(around) & ((1 << (8 * length)) - 1);
    let bytes = meant.to_le_bytes();
    let inlined = std::array::from_fn(|at| bytes[at].cast_signed());
    let inlined =
        ffi::duckdb_string_t__bindgen_ty_1__bindgen_ty_2 { length: length as u32, inlined };
    ffi::duckdb_string_t { value: ffi::duckdb_string_t__bindgen_ty_1 { inlined } }
}

/// A text of more than [`INLINE`] bytes, which stand at `place`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a buffer of more than 32 bits of length does not come here"
)]
fn long(text: &[u8], place: *mut std::ffi::c_char) -> ffi::duckdb_string_t {
    let prefix = std::array::from_fn(|at| text[at].cast_signed());
    let (length, ptr) = (text.len() as u32, place);
    let pointer = ffi::duckdb_string_t__bindgen_ty_1__bindgen_ty_1 { length, prefix, ptr };
    ffi::duckdb_string_t { value: ffi::duckdb_string_t__bindgen_ty_1 { pointer } }
}

/// Copies texts into a vector, each by itself: of more than four gigabytes no one value could hold all.
///
/// # Safety
/// As for [`texts`].
unsafe fn texts_one_by_one(vector: ffi::duckdb_vector, buffer: &[u8], ends: &[usize]) {
    let mut start = 0;
    for (row, end) in ends.iter().enumerate() {
        // SAFETY: as promised to this function.
        unsafe { assign(vector, row, &buffer[start..*end]) };
        start = *end;
    }
}

/// # Safety
/// `vector` takes text or bytes and has room for this row.
unsafe fn assign(vector: ffi::duckdb_vector, row: usize, text: &[u8]) {
    // SAFETY: DuckDB copies the bytes.
    unsafe {
        ffi::duckdb_unsafe_vector_assign_string_element_len(
            vector,
            row as u64,
            text.as_ptr().cast(),
            text.len() as u64,
        );
    }
}
