//! Parquet output for results of any engine: version 1 pages, Zstandard, row groups of the size
//! that `DuckDB` and Spark read in parallel.
//!
//! Timestamps are microseconds without a time zone, as in the tables. UUIDs are text of 36
//! characters, since few readers support the logical type. Integers keep their 32 or 64 bits.
//! Types without an equivalent here are written as text.
//!
//! Rows are buffered column by column, because a row group stores whole columns one after another.
//! A group is written when it reaches [`GROUP_ROWS`] or [`GROUP_BYTES`], which bounds the memory.

use std::io::{self, Write};
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DoubleType, FixedLenByteArray, FixedLenByteArrayType,
    Int32Type, Int64Type,
};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type, TypePtr};
use time::macros::date;
use time::{Date, Month};

use super::Writer;
use sparkify_warehouse::{ResultType, RowSink, Value, WarehouseError};

/// Most rows in a row group: `DuckDB`'s own row group size.
const GROUP_ROWS: usize = 122_880;
/// Approximate limit of buffered text and bytes in a row group. Wide rows reach it first.
const GROUP_BYTES: usize = 64 << 20;
/// Bytes of a decimal with 38 digits, the largest precision.
const DECIMAL_BYTES: i32 = 16;

type Out<'a> = &'a mut (dyn Write + Send);

/// Writes rows as a Parquet file.
pub struct ParquetWriter<'a> {
    state: State<'a>,
    columns: Vec<ColumnBuffer>,
    rows: usize,
    bytes: usize,
}

enum State<'a> {
    Waiting(Out<'a>),
    Open(Box<SerializedFileWriter<Out<'a>>>),
    Done,
}

/// Buffer of one column of the current row group.
struct ColumnBuffer {
    kind: ResultType,
    values: Values,
    /// Definition levels: 1 for a value, 0 for null. Nulls have no entry in `values`.
    levels: Vec<i16>,
}

enum Values {
    Boolean(Vec<bool>),
    Integer(Vec<i32>),
    BigInt(Vec<i64>),
    Double(Vec<f64>),
    /// All values in one buffer, and the end offset of each. One allocation per value would cost
    /// more than the rest of the writing.
    Bytes(Vec<u8>, Vec<usize>),
    Fixed(Vec<FixedLenByteArray>),
}

impl<'a> ParquetWriter<'a> {
    /// Creates a writer to `out`.
    pub fn new(out: Out<'a>) -> Self {
        Self { state: State::Waiting(out), columns: Vec::new(), rows: 0, bytes: 0 }
    }

    fn open(&mut self, names: &[String]) -> Result<(), ParquetError> {
        let State::Waiting(out) = std::mem::replace(&mut self.state, State::Done) else {
            return Err(ParquetError::General("`start` was called twice".into()));
        };
        let names = distinct(names);
        let fields = names.iter().zip(&self.columns).map(|(name, column)| field(name, column.kind));
        let fields = fields.collect::<Result<Vec<TypePtr>, _>>()?;
        let schema = Type::group_type_builder("answer").with_fields(fields).build()?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
            .set_created_by(concat!("sparkify version ", env!("CARGO_PKG_VERSION")).into())
            .build();
        let writer = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties))?;
        self.state = State::Open(Box::new(writer));
        Ok(())
    }

    /// Writes the buffered rows as one row group.
    fn flush(&mut self) -> Result<(), ParquetError> {
        let State::Open(writer) = &mut self.state else { return Ok(()) };
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = writer.next_row_group()?;
        for column in &mut self.columns {
            let Some(mut out) = group.next_column()? else { break };
            column.write(&mut out)?;
            out.close()?;
        }
        group.close()?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }
}

impl ColumnBuffer {
    fn new(kind: ResultType) -> Self {
        let values = match kind {
            ResultType::Boolean => Values::Boolean(Vec::new()),
            ResultType::Integer | ResultType::Date => Values::Integer(Vec::new()),
            ResultType::BigInt | ResultType::Timestamp => Values::BigInt(Vec::new()),
            ResultType::Double => Values::Double(Vec::new()),
            ResultType::Decimal(..) => Values::Fixed(Vec::new()),
            ResultType::Bytes | ResultType::Text => Values::Bytes(Vec::new(), Vec::new()),
        };
        Self { kind, values, levels: Vec::new() }
    }

    /// Appends a value. Returns the bytes that it adds to the group's byte limit: text and bytes
    /// count, values of fixed size are bounded by the number of rows.
    fn push(&mut self, value: Value) -> io::Result<usize> {
        if value == Value::Null {
            self.levels.push(0);
            return Ok(0);
        }
        let mismatch = || io::Error::other("a value does not fit the type of its column");
        let mut bytes = 0;
        match (&mut self.values, value) {
            (Values::Boolean(values), Value::Bool(value)) => values.push(value),
            (Values::Integer(values), Value::Int(value)) => {
                values.push(i32::try_from(value).map_err(|_| mismatch())?);
            }
            (Values::Integer(values), Value::Text(day)) => {
                values.push(days(&day).ok_or_else(mismatch)?);
            }
            (Values::BigInt(values), Value::Int(value)) => {
                values.push(i64::try_from(value).map_err(|_| mismatch())?);
            }
            (Values::BigInt(values), Value::Timestamp(micros)) => values.push(micros),
            (Values::Double(values), Value::Double(value)) => values.push(value),
            (Values::Fixed(values), value) => {
                let ResultType::Decimal(_, scale) = self.kind else { return Err(mismatch()) };
                let number = unscaled(&value, scale).ok_or_else(mismatch)?;
                values.push(number.to_be_bytes().to_vec().into());
            }
            (Values::Bytes(buffer, ends), value) => {
                let before = buffer.len();
                match &value {
                    Value::Bytes(value) => buffer.extend_from_slice(value),
                    Value::Text(text) => buffer.extend_from_slice(text.as_bytes()),
                    value => buffer.extend_from_slice(value.to_string().as_bytes()),
                }
                bytes = buffer.len() - before;
                ends.push(buffer.len());
            }
            _ => return Err(mismatch()),
        }
        self.levels.push(1);
        Ok(bytes)
    }

    fn write(&mut self, out: &mut SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        macro_rules! write {
            ($type:ty, $values:expr) => {{
                out.typed::<$type>().write_batch($values, Some(&self.levels), None)?;
                $values.clear();
            }};
        }
        match &mut self.values {
            Values::Boolean(values) => write!(BoolType, values),
            Values::Integer(values) => write!(Int32Type, values),
            Values::BigInt(values) => write!(Int64Type, values),
            Values::Double(values) => write!(DoubleType, values),
            Values::Bytes(buffer, ends) => {
                let values = &mut split(buffer, ends);
                write!(ByteArrayType, values);
            }
            Values::Fixed(values) => write!(FixedLenByteArrayType, values),
        }
        self.levels.clear();
        Ok(())
    }
}

/// Splits a buffer into its values without copying, and empties it.
fn split(buffer: &mut Vec<u8>, ends: &mut Vec<usize>) -> Vec<ByteArray> {
    let all = Bytes::from(std::mem::take(buffer));
    let mut start = 0;
    let value = |end| ByteArray::from(all.slice(std::mem::replace(&mut start, end)..end));
    ends.drain(..).map(value).collect()
}

fn field(name: &str, kind: ResultType) -> Result<TypePtr, ParquetError> {
    let (physical, logical) = match kind {
        ResultType::Boolean => (Physical::BOOLEAN, None),
        ResultType::Integer => (Physical::INT32, None),
        ResultType::BigInt => (Physical::INT64, None),
        ResultType::Double => (Physical::DOUBLE, None),
        ResultType::Date => (Physical::INT32, Some(LogicalType::Date)),
        ResultType::Timestamp => {
            (Physical::INT64, Some(LogicalType::timestamp(false, TimeUnit::MICROS)))
        }
        ResultType::Decimal(precision, scale) => {
            let decimal = LogicalType::decimal(scale.into(), precision.into());
            (Physical::FIXED_LEN_BYTE_ARRAY, Some(decimal))
        }
        ResultType::Bytes => (Physical::BYTE_ARRAY, None),
        ResultType::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
    };
    let builder = Type::primitive_type_builder(name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical);
    let builder = match kind {
        ResultType::Decimal(precision, scale) => builder
            .with_length(DECIMAL_BYTES)
            .with_precision(precision.into())
            .with_scale(scale.into()),
        _ => builder,
    };
    builder.build().map(Arc::new)
}

/// Makes column names unique and not empty, since Parquet readers address columns by name.
fn distinct(names: &[String]) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        let name = if name.is_empty() { "column" } else { name };
        let mut candidate = name.to_owned();
        let mut copy = 2;
        while distinct.contains(&candidate) {
            candidate = format!("{name}_{copy}");
            copy += 1;
        }
        distinct.push(candidate);
    }
    distinct
}

/// Parses `YYYY-MM-DD` to days since 1970-01-01.
fn days(day: &str) -> Option<i32> {
    let mut parts = day.splitn(3, '-');
    let year = parts.next()?.parse().ok()?;
    let month: u8 = parts.next()?.parse().ok()?;
    let day = parts.next()?.parse().ok()?;
    let day = Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()?;
    i32::try_from((day - date!(1970 - 01 - 01)).whole_days()).ok()
}

/// Returns the unscaled integer of a decimal. Text must have exactly `scale` fraction digits.
fn unscaled(value: &Value, scale: i8) -> Option<i128> {
    match value {
        Value::Int(value) if scale == 0 => Some(*value),
        Value::Text(text) => {
            let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
            (fraction.len() == usize::try_from(scale).ok()?)
                .then(|| format!("{whole}{fraction}").parse().ok())
                .flatten()
        }
        _ => None,
    }
}

/// Converts a Parquet error; an I/O error of the underlying writer is unwrapped.
fn sink_error(error: ParquetError) -> WarehouseError {
    WarehouseError::Sink(match error {
        ParquetError::External(cause) => match cause.downcast::<io::Error>() {
            Ok(cause) => *cause,
            Err(cause) => io::Error::other(cause),
        },
        other => io::Error::other(other),
    })
}

impl RowSink for ParquetWriter<'_> {
    fn types(&mut self, types: &[ResultType]) -> Result<(), WarehouseError> {
        self.columns = types.iter().map(|kind| ColumnBuffer::new(*kind)).collect();
        Ok(())
    }

    fn start(&mut self, columns: Vec<String>) -> Result<(), WarehouseError> {
        self.columns.resize_with(columns.len(), || ColumnBuffer::new(ResultType::Text));
        self.open(&columns).map_err(sink_error)
    }

    fn row(&mut self, row: Vec<Value>) -> Result<(), WarehouseError> {
        for (column, value) in self.columns.iter_mut().zip(row) {
            self.bytes += column.push(value).map_err(WarehouseError::Sink)?;
        }
        self.rows += 1;
        if self.rows < GROUP_ROWS && self.bytes < GROUP_BYTES {
            return Ok(());
        }
        self.flush().map_err(sink_error)
    }
}

impl Writer for ParquetWriter<'_> {
    fn finish(&mut self) -> Result<(), WarehouseError> {
        self.flush().map_err(sink_error)?;
        match std::mem::replace(&mut self.state, State::Done) {
            State::Open(writer) => {
                let out = writer.into_inner().map_err(sink_error)?;
                out.flush().map_err(WarehouseError::Sink)
            }
            State::Waiting(_) | State::Done => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_and_days_are_converted_exactly() {
        assert_eq!(unscaled(&Value::Text("-1.50".into()), 2), Some(-150));
        assert_eq!(unscaled(&Value::Text("0.05".into()), 2), Some(5));
        assert_eq!(unscaled(&Value::Int(i128::MAX), 0), Some(i128::MAX));
        assert_eq!(unscaled(&Value::Text("1.5".into()), 2), None);
        assert_eq!((days("1970-01-02"), days("1969-12-31"), days("x")), (Some(1), Some(-1), None));
    }

    #[test]
    fn duplicate_column_names_get_a_suffix() {
        let names = ["a", "a", "", "a_2"].map(str::to_owned);
        assert_eq!(distinct(&names), ["a", "a_2", "column", "a_2_2"]);
    }
}
