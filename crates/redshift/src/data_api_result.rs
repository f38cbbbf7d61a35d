//! Results of the Data API: columns and cells in JSON.

use serde_json::Value as Json;

use super::channel::ChannelError;
use super::decode;
use sparkify_warehouse::{ResultType, RowSink, Value};

/// Passes the columns of a result to `sink` and returns their types.
pub(super) fn begin(page: &Json, sink: &mut dyn RowSink) -> Result<Vec<ResultType>, ChannelError> {
    let columns = page["ColumnMetadata"].as_array().map(Vec::as_slice).unwrap_or_default();
    let kinds: Vec<ResultType> = columns.iter().map(kind).collect();
    let name = |column: &Json| {
        let label = column["label"].as_str().filter(|label| !label.is_empty());
        label.or(column["name"].as_str()).unwrap_or_default().to_owned()
    };
    let begun = sink.types(&kinds).and_then(|()| sink.start(columns.iter().map(name).collect()));
    begun.map(|()| kinds).map_err(ChannelError::Client)
}

fn kind(column: &Json) -> ResultType {
    match column["typeName"].as_str().unwrap_or_default() {
        "bool" | "boolean" => ResultType::Boolean,
        "int2" | "int4" | "smallint" | "integer" => ResultType::Integer,
        "int8" | "bigint" | "oid" => ResultType::BigInt,
        "float4" | "float8" => ResultType::Double,
        "numeric" | "decimal" => {
            let part = |name: &str| column[name].as_i64();
            let digits = part("precision").and_then(|digits| u8::try_from(digits).ok());
            let scale = part("scale").and_then(|scale| i8::try_from(scale).ok());
            ResultType::Decimal(
                digits.filter(|digits| *digits > 0).unwrap_or(38),
                scale.unwrap_or(0),
            )
        }
        "date" => ResultType::Date,
        "timestamp" | "timestamptz" => ResultType::Timestamp,
        "varbyte" | "bytea" => ResultType::Bytes,
        _ => ResultType::Text,
    }
}

/// Decodes a cell. Its key names the JSON representation; text is decoded as on the wire.
pub(super) fn value(kind: ResultType, cell: &Json) -> Value {
    if cell["isNull"] == true {
        return Value::Null;
    }
    if let Some(text) = cell["stringValue"].as_str() {
        return decode::value(kind, Some(text.as_bytes()));
    }
    if let Some(whole) = cell["longValue"].as_i64() {
        return Value::Int(whole.into());
    }
    if let Some(double) = cell["doubleValue"].as_f64() {
        return Value::Double(double);
    }
    if let Some(truth) = cell["booleanValue"].as_bool() {
        return Value::Bool(truth);
    }
    cell["blobValue"].as_str().and_then(unbase64).map_or(Value::Null, Value::Bytes)
}

/// Decodes Base64, the representation of bytes in AWS JSON.
fn unbase64(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for four in text.trim_end_matches('=').as_bytes().chunks(4) {
        let bits =
            four.iter().try_fold(0_u32, |bits, byte| Some(bits << 6 | u32::from(digit(*byte)?)))?;
        let bits = bits << (6 * (4 - four.len()));
        bytes.extend(&bits.to_be_bytes()[1..four.len().max(2)]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cells_are_decoded_by_column_type() {
        let text = json!({ "stringValue": "2018-11-01 21:01:46.796" });
        assert_eq!(value(ResultType::Timestamp, &text), Value::Timestamp(1_541_106_106_796_000));
        assert_eq!(value(ResultType::Text, &json!({ "isNull": true })), Value::Null);
        assert_eq!(
            value(ResultType::BigInt, &json!({ "longValue": i64::MIN })),
            Value::Int(i64::MIN.into())
        );
        assert_eq!(
            value(ResultType::Bytes, &json!({ "blobValue": "AP8=" })),
            Value::Bytes(vec![0, 255])
        );
        for (text, bytes) in [("", &b""[..]), ("YQ==", b"a"), ("YWI=", b"ab"), ("YWJj", b"abc")] {
            assert_eq!(unbase64(text).as_deref(), Some(bytes), "{text}");
        }
    }
}
