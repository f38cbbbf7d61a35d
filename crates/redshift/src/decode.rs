//! Decoder of values in text format, by the type OID of their column.
//!
//! A type without its own variant stays text; no type is inferred from the value.

use time::PrimitiveDateTime;
use time::macros::format_description;

use super::message::Column;
use sparkify_warehouse::{ResultType, Value};

/// OID of Redshift's `varbyte`, which PostgreSQL does not have.
const VARBYTE: u32 = 6551;
const BYTEA: u32 = 17;
/// Type modifier of a numeric without declared precision.
const UNSIZED: i32 = -1;
/// Maximum precision of a decimal.
const DIGITS: u8 = 38;

/// Returns the result type of a column.
pub(super) fn kind(column: &Column) -> ResultType {
    match column.oid {
        16 => ResultType::Boolean,
        21 | 23 => ResultType::Integer,
        20 | 26 => ResultType::BigInt,
        700 | 701 => ResultType::Double,
        1700 => decimal(column.modifier),
        1082 => ResultType::Date,
        1114 | 1184 => ResultType::Timestamp,
        BYTEA | VARBYTE => ResultType::Bytes,
        _ => ResultType::Text,
    }
}

/// Unpacks precision (upper 16 bits) and scale (lower 16 bits) from a type modifier, which is
/// offset by 4.
fn decimal(modifier: i32) -> ResultType {
    if modifier == UNSIZED {
        return ResultType::Decimal(DIGITS, 0);
    }
    let packed = modifier - 4;
    let digits = u8::try_from((packed >> 16) & 0xffff).unwrap_or(DIGITS);
    ResultType::Decimal(digits, i8::try_from(packed & 0xff).unwrap_or(0))
}

/// Decodes a value from its text.
pub(super) fn value(kind: ResultType, text: Option<&[u8]>) -> Value {
    let Some(bytes) = text else { return Value::Null };
    let text = String::from_utf8_lossy(bytes);
    let read = match kind {
        ResultType::Boolean => Some(Value::Bool(matches!(&*text, "t" | "true"))),
        ResultType::Integer | ResultType::BigInt | ResultType::Decimal(_, 0) => {
            text.parse().ok().map(Value::Int)
        }
        ResultType::Double => double(&text).map(Value::Double),
        ResultType::Timestamp => timestamp(&text).map(Value::Timestamp),
        ResultType::Bytes => unhex(&text).map(Value::Bytes),
        ResultType::Decimal(..) | ResultType::Date | ResultType::Text => None,
    };
    read.unwrap_or_else(|| Value::Text(text.into_owned()))
}

fn double(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        digits => digits.parse().ok(),
    }
}

/// Parses `2018-11-01 21:01:46.796`, with or without the suffix `+00`, to microseconds since 1970.
pub(super) fn timestamp(text: &str) -> Option<i64> {
    let text = text.strip_suffix("+00").unwrap_or(text);
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    let moment = PrimitiveDateTime::parse(seconds, format).ok()?.assume_utc();
    let is_fraction = fraction.len() <= 6 && fraction.bytes().all(|digit| digit.is_ascii_digit());
    let micros: i64 = is_fraction.then(|| format!("{fraction:0<6}").parse().ok()).flatten()?;
    moment.unix_timestamp().checked_mul(1_000_000)?.checked_add(micros)
}

/// Decodes hexadecimal digits, with or without PostgreSQL's prefix `\x`.
pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("\\x").unwrap_or(text).as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = digits.chunks(2);
    pairs.map(|pair| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(oid: u32, modifier: i32, text: &str) -> Value {
        let kind = kind(&Column { name: String::new(), oid, modifier });
        value(kind, Some(text.as_bytes()))
    }

    #[test]
    fn values_are_decoded_by_type_oid() {
        assert_eq!(read(20, -1, "-9223372036854775808"), Value::Int(i64::MIN.into()));
        assert_eq!(read(16, -1, "t"), Value::Bool(true));
        assert_eq!(read(701, -1, "1e-07"), Value::Double(1e-7));
        assert_eq!(read(1700, -1, "12345678901234567890"), Value::Int(12_345_678_901_234_567_890));
        assert_eq!(read(1700, ((18 << 16) | 4) + 4, "1.2500"), Value::Text("1.2500".into()));
        assert_eq!(read(25, -1, "007"), Value::Text("007".into()));
        assert_eq!(read(6551, -1, "00ff"), Value::Bytes(vec![0, 255]));
        assert_eq!(read(17, -1, "\\x00FF"), Value::Bytes(vec![0, 255]));
        assert_eq!(
            read(1114, -1, "2018-11-01 21:01:46.796"),
            Value::Timestamp(1_541_106_106_796_000)
        );
        assert_eq!(read(1114, -1, "1969-12-31 23:59:59.999999"), Value::Timestamp(-1));
        assert_eq!(value(ResultType::Text, None), Value::Null);
    }
}
