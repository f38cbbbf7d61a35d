//! Decoder of results: Arrow columns to [`Value`]s.

use duckdb::arrow::array::{
    Array, BinaryArray, BooleanArray, Decimal128Array, Float32Array, Float64Array, Int8Array,
    Int16Array, Int32Array, Int64Array, LargeStringArray, StringArray, TimestampMicrosecondArray,
    UInt8Array, UInt16Array, UInt32Array, UInt64Array,
};
use duckdb::arrow::datatypes::{DataType, TimeUnit};
use duckdb::arrow::util::display::array_value_to_string;

use sparkify_warehouse::{ResultType, Value};

/// Returns the type of the values that [`value`] returns for a column.
pub(super) fn result_type(data_type: &DataType) -> ResultType {
    match data_type {
        DataType::Boolean => ResultType::Boolean,
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16 => {
            ResultType::Integer
        }
        DataType::Int64 | DataType::UInt32 => ResultType::BigInt,
        DataType::UInt64 => ResultType::Decimal(20, 0),
        DataType::Decimal128(precision, scale) => ResultType::Decimal(*precision, *scale),
        DataType::Float32 | DataType::Float64 => ResultType::Double,
        DataType::Date32 => ResultType::Date,
        DataType::Timestamp(TimeUnit::Microsecond, None) => ResultType::Timestamp,
        DataType::Binary => ResultType::Bytes,
        _ => ResultType::Text,
    }
}

/// Returns the value of `array` at `row`.
pub(super) fn value(array: &dyn Array, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    typed_value(array, row)
        .unwrap_or_else(|| Value::Text(array_value_to_string(array, row).unwrap_or_default()))
}

/// Returns the value; none for a type that is converted to text.
fn typed_value(array: &dyn Array, row: usize) -> Option<Value> {
    macro_rules! at {
        ($array:ty) => {
            array.as_any().downcast_ref::<$array>()?.value(row)
        };
    }
    Some(match array.data_type() {
        DataType::Boolean => Value::Bool(at!(BooleanArray)),
        DataType::Int8 => Value::Int(at!(Int8Array).into()),
        DataType::Int16 => Value::Int(at!(Int16Array).into()),
        DataType::Int32 => Value::Int(at!(Int32Array).into()),
        DataType::Int64 => Value::Int(at!(Int64Array).into()),
        DataType::UInt8 => Value::Int(at!(UInt8Array).into()),
        DataType::UInt16 => Value::Int(at!(UInt16Array).into()),
        DataType::UInt32 => Value::Int(at!(UInt32Array).into()),
        DataType::UInt64 => Value::Int(at!(UInt64Array).into()),
        DataType::Decimal128(_, 0) => Value::Int(at!(Decimal128Array)),
        DataType::Float32 => Value::Double(at!(Float32Array).into()),
        DataType::Float64 => Value::Double(at!(Float64Array)),
        DataType::Utf8 => Value::Text(at!(StringArray).to_owned()),
        DataType::LargeUtf8 => Value::Text(at!(LargeStringArray).to_owned()),
        DataType::Binary => Value::Bytes(at!(BinaryArray).to_vec()),
        DataType::Timestamp(TimeUnit::Microsecond, None) => {
            Value::Timestamp(at!(TimestampMicrosecondArray))
        }
        _ => return None,
    })
}
