//! Query results: named columns and rows of values, equal on every engine.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use time::macros::format_description;

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// SQL null.
    Null,
    /// True or false.
    Bool(bool),
    /// Integer of any width.
    Int(i128),
    /// A floating-point number.
    Double(f64),
    /// Text, and values of all other types as the engine writes them.
    Text(String),
    /// Microseconds since 1970-01-01 UTC.
    Timestamp(i64),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Value {
    /// Returns the integer, if the value is one that fits.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(value) => i64::try_from(*value).ok(),
            _ => None,
        }
    }

    /// Returns the text, if the value is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// True for numbers, which tables align to the right.
    pub fn is_number(&self) -> bool {
        matches!(self, Self::Int(_) | Self::Double(_))
    }
}

/// Formats doubles in the shortest form that parses to the same value, timestamps as
/// `2018-11-01 21:01:46.796`, bytes in hexadecimal, and null as an empty string.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Double(value) => write!(f, "{value:?}"),
            Self::Text(value) => f.write_str(value),
            Self::Timestamp(micros) => write_timestamp(f, *micros),
            Self::Bytes(bytes) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
        }
    }
}

/// Serializes timestamps, bytes and integers beyond 64 bits as strings, because JSON has no such
/// types.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => match i64::try_from(*value) {
                Ok(value) => serializer.serialize_i64(value),
                Err(_) => serializer.collect_str(value),
            },
            Self::Double(value) => serializer.serialize_f64(*value),
            Self::Text(_) | Self::Timestamp(_) | Self::Bytes(_) => serializer.collect_str(self),
        }
    }
}

fn write_timestamp(f: &mut fmt::Formatter<'_>, micros: i64) -> fmt::Result {
    let short =
        format_description!("[year]-[month]-[day] [hour]:[minute]:[second].[subsecond digits:3]");
    let long =
        format_description!("[year]-[month]-[day] [hour]:[minute]:[second].[subsecond digits:6]");
    let format: &[_] = if micros % 1000 == 0 { short } else { long };
    let written = time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000)
        .ok()
        .and_then(|moment| moment.format(format).ok());
    match written {
        Some(text) => f.write_str(&text),
        None => write!(f, "{micros} µs"),
    }
}

/// Type of a result column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResultType {
    /// True or false.
    Boolean,
    /// Integers of at most 32 bits.
    Integer,
    /// Integers of at most 64 bits.
    BigInt,
    /// Decimal numbers of this precision and scale. Values are [`Value::Int`] if the scale is zero,
    /// otherwise text.
    Decimal(u8, i8),
    /// Floating-point numbers.
    Double,
    /// Dates, as text: `2018-11-05`.
    Date,
    /// Microseconds since 1970-01-01 UTC.
    Timestamp,
    /// Bytes.
    Bytes,
    /// Text, and values of all other types.
    Text,
}

/// Result of a query.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Rows that were kept.
    pub rows: Vec<Vec<Value>>,
    /// Number of all rows, including those that were not kept.
    pub total: u64,
}

impl Rows {
    /// Returns the value in the first row and column, if there is one.
    pub fn scalar(&self) -> Option<&Value> {
        self.rows.first().and_then(|row| row.first())
    }
}

#[cfg(test)]
mod tests {
    use super::Value;

    #[test]
    fn values_are_formatted_without_loss() {
        assert_eq!(Value::Timestamp(1_541_106_106_796_000).to_string(), "2018-11-01 21:01:46.796");
        assert_eq!(Value::Timestamp(-1).to_string(), "1969-12-31 23:59:59.999999");
        assert_eq!(Value::Double(246.0).to_string(), "246.0");
        assert_eq!(Value::Double(1e-7).to_string(), "1e-7");
        assert_eq!(Value::Bytes(vec![0, 255]).to_string(), "00ff");
    }
}
