//! Bulk insert: a table function that `DuckDB`'s worker threads call, each of which fills its
//! vectors from one batch.
//!
//! The threads that parse the input also compress and write the rows, within the connection's
//! transaction. The appender of the `duckdb` crate would cost one call per value, on a single
//! thread.
//!
//! A [`RowSource`] is safe code, so nothing that it returns is trusted: [`Batch::check`] and
//! [`is_utf8`] verify each batch before the unsafe code below copies it.
#![expect(unsafe_code, reason = "DuckDB's vectors are raw memory; only this module writes them")]

use std::error::Error;
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError};

use duckdb::core::{DataChunkHandle, LogicalTypeHandle, LogicalTypeId};
use duckdb::ffi;
use duckdb::vtab::{BindInfo, InitInfo, TableFunctionInfo, VTab};

use sparkify_warehouse::{Batch, Column, ColumnType, RowSource, Values};

/// Name of the table function in SQL.
pub(super) const NAME: &str = "sparkify_rows";

/// Row source of the next load on a connection; the table function takes it from here when it is
/// bound.
#[derive(Clone, Default)]
pub(super) struct PendingSource(Arc<Mutex<Option<Arc<dyn RowSource>>>>);

impl PendingSource {
    pub(super) fn set(&self, source: Option<Arc<dyn RowSource>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = source;
    }

    fn get(&self) -> Option<Arc<dyn RowSource>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Source of one call of the function, with the column types that were declared to `DuckDB`. They
/// are read from the source only once, because a second call might return other types.
pub(super) struct BoundSource {
    source: Arc<dyn RowSource>,
    types: Vec<ColumnType>,
}

/// Batches that no thread uses at the moment. Reusing them avoids an allocation per batch.
#[derive(Default)]
pub(super) struct BatchPool(Mutex<Vec<Batch>>);

impl BatchPool {
    fn take(&self, types: &[ColumnType]) -> Batch {
        let pooled = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut batch = pooled.unwrap_or_else(|| Batch::new(types));
        batch.clear();
        batch
    }

    fn put_back(&self, batch: Batch) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(batch);
    }
}

pub(super) struct RowsFunction;

impl VTab for RowsFunction {
    type InitData = BatchPool;
    type BindData = BoundSource;

    fn bind(bind: &BindInfo) -> Result<BoundSource, Box<dyn Error>> {
        // SAFETY: the function is registered with a `PendingSource` as its extra info. DuckDB owns
        // that value and drops it with the function, so it outlives this call.
        let pending = unsafe { &*bind.get_extra_info::<PendingSource>() };
        let source = pending.get().ok_or("no load is running on this connection")?;
        let types = source.types();
        if types.is_empty() {
            return Err("a row source must have at least one column".into());
        }
        for (index, kind) in types.iter().enumerate() {
            bind.add_result_column(&format!("c{index}"), logical_type(*kind));
        }
        Ok(BoundSource { source, types })
    }

    fn init(init: &InitInfo) -> Result<BatchPool, Box<dyn Error>> {
        init.set_max_threads(u64::MAX >> 1);
        Ok(BatchPool::default())
    }

    fn func(
        function: &TableFunctionInfo<Self>,
        output: &mut DataChunkHandle,
    ) -> Result<(), Box<dyn Error>> {
        let (bound, pool) = (function.get_bind_data(), function.get_init_data());
        let mut batch = pool.take(&bound.types);
        bound.source.next(&mut batch)?;
        write_batch(&batch, &bound.types, output)?;
        pool.put_back(batch);
        Ok(())
    }
}

fn logical_type(kind: ColumnType) -> LogicalTypeHandle {
    LogicalTypeHandle::from(match kind {
        // The insert casts them to the type of the table's column.
        ColumnType::Integer | ColumnType::Boolean => LogicalTypeId::Integer,
        ColumnType::BigInt => LogicalTypeId::Bigint,
        ColumnType::Double => LogicalTypeId::Double,
        ColumnType::Text | ColumnType::Uuid => LogicalTypeId::Varchar,
        ColumnType::Bytes => LogicalTypeId::Blob,
        ColumnType::Timestamp => LogicalTypeId::Timestamp,
    })
}

/// Checks a batch and copies it into a data chunk whose vectors have these types.
fn write_batch(
    batch: &Batch,
    types: &[ColumnType],
    output: &mut DataChunkHandle,
) -> Result<(), Box<dyn Error>> {
    batch.check(types)?;
    if output.num_columns() != types.len() {
        return Err("DuckDB passed a data chunk with other columns than declared".into());
    }
    let rows = batch.len();
    // SAFETY: a function without arguments that returns a constant of the linked library.
    if rows > usize::try_from(unsafe { ffi::duckdb_vector_size() })? {
        return Err("a batch has more rows than a DuckDB vector".into());
    }
    for (index, (column, kind)) in batch.columns.iter().zip(types).enumerate() {
        let is_text = matches!(kind, ColumnType::Text | ColumnType::Uuid);
        if is_text && !is_utf8(&column.values) {
            return Err(format!("column {index} of a batch is not UTF-8").into());
        }
        // SAFETY: vector `index` exists (the chunk has `types.len()` columns) and was declared in
        // `bind` with `logical_type(types[index])`. `Batch::check` verified that `column` has
        // values of this type, `rows` of them, and null indexes and offsets within bounds;
        // `is_utf8` verified text. A vector holds `duckdb_vector_size` rows, which is at least
        // `rows`. `output` is borrowed exclusively, so nothing else accesses its vectors.
        unsafe {
            let vector = ffi::duckdb_data_chunk_get_vector(output.get_ptr(), index as u64);
            write_column(vector, column)?;
        }
    }
    output.set_len(rows);
    Ok(())
}

/// True if every value of a text column is UTF-8. `DuckDB` relies on that for strings, and its
/// unchecked setter does not verify it. One pass over the buffer costs far less than a check of
/// each value.
fn is_utf8(values: &Values) -> bool {
    let Values::Bytes { buffer, ends } = values else { return false };
    // In ASCII text, every offset is a character boundary.
    buffer.is_ascii()
        || std::str::from_utf8(buffer)
            .is_ok_and(|text| ends.iter().all(|end| text.is_char_boundary(*end)))
}

/// Copies a column into a vector.
///
/// # Safety
/// `vector` is a valid flat vector of the type of `column`, with capacity for all of its rows, and
/// nothing else accesses it. `column` passed [`Batch::check`]; text is UTF-8.
unsafe fn write_column(vector: ffi::duckdb_vector, column: &Column) -> Result<(), Box<dyn Error>> {
    // SAFETY: the caller's promise covers each call.
    unsafe {
        match &column.values {
            Values::Integer(values) => copy_numbers(vector, values),
            Values::BigInt(values) => copy_numbers(vector, values),
            Values::Double(values) => copy_numbers(vector, values),
            Values::Bytes { buffer, ends } => copy_strings(vector, buffer, ends)?,
        }
        set_nulls(vector, &column.nulls);
    }
    Ok(())
}

/// Copies numbers into a vector.
///
/// # Safety
/// `vector` stores values of type `T` and has capacity for `values`.
unsafe fn copy_numbers<T: Copy>(vector: ffi::duckdb_vector, values: &[T]) {
    // SAFETY: the vector's data is an aligned array of `T` with at least `values.len()` elements,
    // by the caller's promise. DuckDB allocated it, so it does not overlap `values`.
    unsafe {
        let data = ffi::duckdb_vector_get_data(vector).cast::<T>();
        ptr::copy_nonoverlapping(values.as_ptr(), data, values.len());
    }
}

/// Marks rows as null.
///
/// # Safety
/// Each index in `nulls` is less than the capacity of `vector`.
unsafe fn set_nulls(vector: ffi::duckdb_vector, nulls: &[usize]) {
    if nulls.is_empty() {
        return;
    }
    // SAFETY: once writable, the validity mask is not null and has one bit for each row of the
    // vector's capacity, in words of 64 bits. So `row / 64` is a word of the mask.
    unsafe {
        ffi::duckdb_vector_ensure_validity_writable(vector);
        let words = ffi::duckdb_vector_get_validity(vector);
        for row in nulls {
            *words.add(row / 64) &= !(1 << (row % 64));
        }
    }
}

/// Longest string, in bytes, that a `duckdb_string_t` stores inline instead of by pointer.
const INLINE: usize = 12;

/// Copies strings into a vector: short ones inline, the others as pointers into one copy of the
/// whole buffer.
///
/// The copy is made by assigning `buffer` to row 0 as if it were one string. The vector's string
/// heap then owns it, and it lives as long as the vector's values do. Row 0 is overwritten
/// afterwards, its pointer into the heap is kept.
///
/// # Safety
/// `vector` stores strings and has capacity for `ends.len()` values. `ends` are ascending offsets
/// into `buffer`.
unsafe fn copy_strings(
    vector: ffi::duckdb_vector,
    buffer: &[u8],
    ends: &[usize],
) -> Result<(), Box<dyn Error>> {
    let lengths = || ends.iter().scan(0, |start, end| Some(end - std::mem::replace(start, *end)));
    if u32::try_from(buffer.len()).is_err() {
        // SAFETY: the same promise.
        return unsafe { copy_strings_one_by_one(vector, buffer, ends) };
    }
    // SAFETY: the vector's data is an array of `duckdb_string_t` with at least `ends.len()`
    // elements, so `values.add(row)` is within it. If any string is longer than `INLINE`, there is
    // a row 0 and `buffer` is longer than `INLINE` too, so `assign` stores it by pointer and
    // `value.pointer` is the active member of the union. `heap.add(start)` is then within the copy
    // of `buffer`, and is used only in that case.
    unsafe {
        let values = ffi::duckdb_vector_get_data(vector).cast::<ffi::duckdb_string_t>();
        let mut heap = ptr::null_mut();
        if lengths().any(|length| length > INLINE) {
            assign(vector, 0, buffer);
            heap = (*values).value.pointer.ptr;
        }
        let mut start = 0;
        for (row, end) in ends.iter().enumerate() {
            let length = end - start;
            let string = if length <= INLINE {
                inline_string(buffer, start, length)
            } else {
                pointer_string(&buffer[start..*end], heap.add(start))
            };
            values.add(row).write(string);
            start = *end;
        }
    }
    Ok(())
}

/// Returns a string of at most [`INLINE`] bytes, padded with zeros as `DuckDB` compares it.
#[expect(clippy::cast_possible_truncation, reason = "at most 12 bytes")]
fn inline_string(buffer: &[u8], start: usize, length: usize) -> ffi::duckdb_string_t {
    // Reads 16 bytes at once where the buffer has them, and masks those that follow the string.
    let around = match buffer[start..].first_chunk() {
        Some(sixteen) => *sixteen,
        None => std::array::from_fn(|at| buffer.get(start + at).copied().unwrap_or(0)),
    };
    let masked = u128::from_le_bytes(around) & ((1 << (8 * length)) - 1);
    let bytes = masked.to_le_bytes();
    let inlined = std::array::from_fn(|at| bytes[at].cast_signed());
    let inlined =
        ffi::duckdb_string_t__bindgen_ty_1__bindgen_ty_2 { length: length as u32, inlined };
    ffi::duckdb_string_t { value: ffi::duckdb_string_t__bindgen_ty_1 { inlined } }
}

/// Returns a string of more than [`INLINE`] bytes, which are stored at `ptr`.
#[expect(clippy::cast_possible_truncation, reason = "the buffer is at most u32::MAX bytes long")]
fn pointer_string(text: &[u8], ptr: *mut std::ffi::c_char) -> ffi::duckdb_string_t {
    let prefix = std::array::from_fn(|at| text[at].cast_signed());
    let length = text.len() as u32;
    let pointer = ffi::duckdb_string_t__bindgen_ty_1__bindgen_ty_1 { length, prefix, ptr };
    ffi::duckdb_string_t { value: ffi::duckdb_string_t__bindgen_ty_1 { pointer } }
}

/// Copies each string by itself, because a single string cannot hold a buffer of more than 4 GiB.
///
/// # Safety
/// As for [`copy_strings`].
unsafe fn copy_strings_one_by_one(
    vector: ffi::duckdb_vector,
    buffer: &[u8],
    ends: &[usize],
) -> Result<(), Box<dyn Error>> {
    let mut start = 0;
    for (row, end) in ends.iter().enumerate() {
        let text = &buffer[start..*end];
        u32::try_from(text.len()).map_err(|_| "a value is longer than 4 GiB")?;
        // SAFETY: `row` is less than the number of `ends`, and the length fits into 32 bits.
        unsafe { assign(vector, row, text) };
        start = *end;
    }
    Ok(())
}

/// Copies one string into a vector.
///
/// # Safety
/// `vector` stores strings and has capacity for `row`. `text` has at most `u32::MAX` bytes.
unsafe fn assign(vector: ffi::duckdb_vector, row: usize, text: &[u8]) {
    // SAFETY: DuckDB copies `text.len()` bytes into the vector's string heap and keeps no pointer
    // to `text`.
    unsafe {
        ffi::duckdb_unsafe_vector_assign_string_element_len(
            vector,
            row as u64,
            text.as_ptr().cast(),
            text.len() as u64,
        );
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::{DuckDb, Limits};
    use sparkify_warehouse::{Access, BATCH_ROWS, Value, Warehouse, WarehouseError};

    const TYPES: &[ColumnType] = &[ColumnType::BigInt, ColumnType::Text];

    /// Source of one batch, which `change` may break.
    struct OneBatch<F> {
        /// Types that each call of `types` returns; the last one repeats.
        types: Vec<&'static [ColumnType]>,
        type_calls: AtomicUsize,
        batches: AtomicUsize,
        change: F,
    }

    impl<F: Fn(&mut Batch) + Send + Sync> RowSource for OneBatch<F> {
        fn types(&self) -> Vec<ColumnType> {
            let calls = self.type_calls.fetch_add(1, Ordering::Relaxed);
            self.types[calls.min(self.types.len() - 1)].to_vec()
        }

        fn next(&self, batch: &mut Batch) -> Result<(), String> {
            if self.batches.fetch_add(1, Ordering::Relaxed) > 0 {
                return Ok(());
            }
            *batch = Batch::new(TYPES);
            for (number, text) in [(Some(1), "short"), (None, "longer than twelve bytes: é")] {
                match number {
                    Some(number) => batch.columns[0].push_int(number),
                    None => batch.columns[0].push_null(),
                }
                batch.columns[1].push_bytes(text.as_bytes());
            }
            (self.change)(batch);
            Ok(())
        }
    }

    fn warehouse() -> DuckDb {
        let limits = Limits { memory: 1 << 28, threads: 2 };
        let mut warehouse = DuckDb::open(Path::new(":memory:"), Access::Write, limits).unwrap();
        warehouse.execute("create table t (a bigint, b varchar)").unwrap();
        warehouse
    }

    fn load(
        types: Vec<&'static [ColumnType]>,
        change: impl Fn(&mut Batch) + Send + Sync + 'static,
    ) -> (Result<u64, WarehouseError>, Vec<Vec<Value>>) {
        let mut warehouse = warehouse();
        let (type_calls, batches) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let source = OneBatch { types, type_calls, batches, change };
        let loaded = warehouse.load("t", Arc::new(source));
        // The connection stays usable after an error.
        let rows = warehouse.query("select a, b from t order by b desc", &[], usize::MAX);
        (loaded, rows.unwrap().rows)
    }

    /// Loads a broken batch and asserts the error.
    fn assert_refused(change: impl Fn(&mut Batch) + Send + Sync + 'static, message: &str) {
        let (loaded, rows) = load(vec![TYPES], change);
        let error = loaded.unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
        assert!(rows.is_empty());
    }

    fn set_bytes(batch: &mut Batch, bytes: &[u8], offsets: &[usize]) {
        batch.columns[1].values = Values::Bytes { buffer: bytes.into(), ends: offsets.into() };
    }

    #[test]
    fn rows_are_inserted() {
        let (loaded, rows) = load(vec![TYPES], |_| {});
        assert_eq!(loaded.unwrap(), 2);
        let text = |text: &str| Value::Text(text.into());
        assert_eq!(
            rows,
            [
                vec![Value::Int(1), text("short")],
                vec![Value::Null, text("longer than twelve bytes: é")]
            ]
        );
    }

    #[test]
    fn another_number_of_columns_is_an_error() {
        assert_refused(|batch| batch.columns.truncate(1), "1 columns instead of 2");
        assert_refused(|batch| batch.columns.clear(), "0 columns instead of 2");
        let more = |batch: &mut Batch| {
            let column = batch.columns[1].clone();
            batch.columns.push(column);
        };
        assert_refused(more, "3 columns instead of 2");
    }

    #[test]
    fn a_source_without_columns_is_an_error() {
        let (loaded, rows) = load(vec![&[]], |batch| batch.columns.clear());
        assert!(loaded.unwrap_err().to_string().contains("at least one column"));
        assert!(rows.is_empty());
    }

    #[test]
    fn values_of_another_type_are_an_error() {
        assert_refused(|batch| batch.columns.swap(0, 1), "column 0 of a batch does not hold");
        let narrow = |batch: &mut Batch| batch.columns[0].values = Values::Integer(vec![1, 2]);
        assert_refused(narrow, "column 0 of a batch does not hold");
        let numbers = |batch: &mut Batch| batch.columns[1].values = Values::Double(vec![1.0, 2.0]);
        assert_refused(numbers, "column 1 of a batch does not hold");
    }

    /// The vectors have the types of the first call.
    #[test]
    fn types_that_change_between_calls_are_an_error() {
        let types: Vec<&[ColumnType]> = vec![&[ColumnType::Integer, ColumnType::Integer], TYPES];
        let (loaded, rows) = load(types, |_| {});
        assert!(loaded.unwrap_err().to_string().contains("does not hold"));
        assert!(rows.is_empty());
    }

    #[test]
    fn columns_of_different_lengths_are_an_error() {
        assert_refused(|batch| batch.columns[1].push_null(), "3 values instead of 2");
        assert_refused(|batch| batch.columns[1].truncate(1), "1 values instead of 2");
    }

    #[test]
    fn more_rows_than_a_vector_holds_are_an_error() {
        let long = |batch: &mut Batch| {
            batch.columns[0].values = Values::BigInt(vec![0; BATCH_ROWS + 1]);
            set_bytes(batch, b"", &vec![0; BATCH_ROWS + 1]);
        };
        assert_refused(long, "2049 rows");
    }

    #[test]
    fn nulls_out_of_range_are_an_error() {
        for nulls in [vec![2], vec![0, 1 << 40], vec![usize::MAX]] {
            let change = move |batch: &mut Batch| batch.columns[0].nulls.clone_from(&nulls);
            assert_refused(change, "invalid null indexes");
        }
    }

    #[test]
    fn offsets_out_of_range_are_an_error() {
        for ends in [[3, 2], [2, 4], [usize::MAX, 3]] {
            let change = move |batch: &mut Batch| set_bytes(batch, b"abc", &ends);
            assert_refused(change, "invalid byte offsets");
        }
    }

    #[test]
    fn text_that_is_not_utf8_is_an_error() {
        assert_refused(|batch| set_bytes(batch, b"ab\xff", &[1, 3]), "not UTF-8");
        // A value must not end within a character.
        assert_refused(|batch| set_bytes(batch, "é".as_bytes(), &[1, 2]), "not UTF-8");
    }

    #[test]
    fn the_function_fails_outside_of_a_load() {
        let error = warehouse().query("select * from sparkify_rows()", &[], 1).unwrap_err();
        assert!(error.to_string().contains("no load is running"), "{error}");
    }
}
