//! A value of JSON into a column: NULL, or the text that PostgreSQL is given; or why not.
//!
//! DG/copy-parameters-data-format.html: empty strings are NULL but in text; DG/copy-parameters-data-conversion.html: blanks, EMPTYASNULL, BLANKSASNULL.
//! An object or array in text is its own text without line ends and what indents the next line (DG/copy-usage_notes-copy-from-json.html, by its examples).

use super::json::{Body, Value};
use super::statement::Options;
use super::{Column, Kind, numbers, text, times};

/// Why a value does not go into a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bad {
    pub code: i32,
    pub message: String,
    pub position: usize,
}

pub(super) fn bad(code: i32, message: String) -> Bad {
    Bad { code, message, position: 0 }
}

/// The column's value.
pub(super) fn field(
    value: Option<&Value<'_>>,
    column: &Column,
    options: &Options,
) -> Result<Option<String>, Bad> {
    let converted = match value {
        None => None,
        Some(value) => match column.kind {
            Kind::Super => document(value)?,
            Kind::Varchar(length) => words(value, length, true, options)?,
            Kind::Char(length) => words(value, length, false, options)?,
            _ => other(value, column.kind, options)?,
        },
    };
    if converted.is_none() && !column.nullable {
        return Err(bad(1213, "Missing data for not-null field".to_owned()));
    }
    Ok(converted)
}

/// JSON as it is written.
pub(super) fn document(value: &Value<'_>) -> Result<Option<String>, Bad> {
    if matches!(value.body, Body::Null) {
        return Ok(None);
    }
    let text = std::str::from_utf8(value.raw);
    text.map(|text| Some(text.to_owned()))
        .map_err(|_| bad(1224, "Invalid JSON for SUPER: no UTF-8".to_owned()))
}

/// What a value is before it has a type.
fn bytes(value: &Value<'_>) -> Option<Vec<u8>> {
    match &value.body {
        Body::Null => None,
        Body::Text(text) => Some(text.to_vec()),
        Body::Object(_) | Body::Array(_) => Some(flat(value.raw)),
        Body::Bool(_) | Body::Number => Some(value.raw.to_vec()),
    }
}

/// Without line ends, and without what indents the next line. No string of JSON holds a line end.
fn flat(raw: &[u8]) -> Vec<u8> {
    let lines = raw.split(|byte| *byte == b'\n').enumerate();
    lines
        .flat_map(|(at, line)| if at == 0 { line } else { line.trim_ascii_start() })
        .filter(|byte| **byte != b'\r')
        .copied()
        .collect()
}

fn is_blank(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.trim_ascii().is_empty()
}

fn words(
    value: &Value<'_>,
    length: u32,
    varies: bool,
    options: &Options,
) -> Result<Option<String>, Bad> {
    let Some(bytes) = bytes(value) else { return Ok(None) };
    if options.empty_as_null && bytes.is_empty() || options.blanks_as_null && is_blank(&bytes) {
        return Ok(None);
    }
    if bytes.contains(&0) {
        // No page says what becomes of `\\u0000`; PostgreSQL cannot hold it.
        let message = "String contains invalid or unsupported UTF8 codepoints. Bad UTF8 hex sequence: 00 (error 1)";
        return Err(bad(1220, message.to_owned()));
    }
    let mut words = if varies {
        text::utf8(&bytes, options.accept_invalid)?
    } else {
        text::single_bytes(&bytes)?
    };
    if varies && options.trim_blanks {
        words.truncate(words.trim_end().len());
    }
    text::fitted(words, length, options.truncate_columns).map(Some)
}

fn other(value: &Value<'_>, kind: Kind, options: &Options) -> Result<Option<String>, Bad> {
    let Some(bytes) = bytes(value) else { return Ok(None) };
    if bytes.trim_ascii().is_empty() {
        return Ok(None);
    }
    let text = &text::utf8(&bytes, None)?;
    let date_form = options.date_format.as_deref();
    let time_form = options.time_format.as_deref();
    let converted = match kind {
        Kind::SmallInt => numbers::integer(text, i16::MIN.into(), i16::MAX.into(), "Short"),
        Kind::Integer => numbers::integer(text, i32::MIN.into(), i32::MAX.into(), "Integer"),
        Kind::BigInt => numbers::integer(text, i64::MIN, i64::MAX, "Long"),
        Kind::Real => numbers::float(text, true),
        Kind::Double => numbers::float(text, false),
        Kind::Decimal(precision, scale) => {
            numbers::decimal(text, precision, scale, options.round_decimals)
        }
        Kind::Boolean => boolean(text),
        Kind::Date => times::date(text, date_form),
        Kind::Timestamp => times::timestamp(text, time_form, false),
        Kind::TimestampTz => times::timestamp(text, time_form, true),
        Kind::VarByte(length) => varbyte(text, length),
        Kind::Char(_) | Kind::Varchar(_) | Kind::Super => return Ok(Some(text.clone())),
    };
    match converted {
        Err(wrong) if options.accept_any_date && matches!(wrong.code, 1205 | 1206) => Ok(None),
        converted => converted.map(Some),
    }
}

/// DG/r_Boolean_type.html
fn boolean(text: &str) -> Result<String, Bad> {
    match text.to_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "1" => Ok("true".to_owned()),
        "false" | "f" | "no" | "n" | "0" => Ok("false".to_owned()),
        _ => Err(bad(1210, format!("Unknown boolean format, Value '{text}'"))),
    }
}

/// Hexadecimal digits: DG/copy-usage-varbyte.html
fn varbyte(text: &str, length: u32) -> Result<String, Bad> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(bad(1223, format!("Invalid VARBYTE value '{text}'")));
    }
    if text.len() / 2 > length as usize {
        return Err(bad(1204, "VARBYTE length exceeds DDL length".to_owned()));
    }
    Ok(format!("\\x{text}"))
}
