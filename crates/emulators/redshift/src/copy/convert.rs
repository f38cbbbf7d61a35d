//! Conversion of a JSON value to the text of a column value, or NULL.
//!
//! Empty strings are NULL except in character columns (DG/copy-parameters-data-format.html). For
//! blanks, EMPTYASNULL and BLANKSASNULL see DG/copy-parameters-data-conversion.html. An object or
//! array in a character column is its source text without line ends and indentation, as in the
//! examples of DG/copy-usage_notes-copy-from-json.html.

use super::json::{Body, Value};
use super::statement::CopyOptions;
use super::{Column, ColumnType, numbers, text, times};

/// Error of a value that cannot be converted to the column's type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ValueError {
    pub code: i32,
    pub message: String,
    pub position: usize,
}

pub(super) fn value_error(code: i32, message: String) -> ValueError {
    ValueError { code, message, position: 0 }
}

/// Converts a value to a column; a missing value is NULL.
pub(super) fn convert(
    value: Option<&Value<'_>>,
    column: &Column,
    options: &CopyOptions,
) -> Result<Option<String>, ValueError> {
    let converted = match value {
        None => None,
        Some(value) => match column.column_type {
            ColumnType::Super => document(value)?,
            ColumnType::Varchar(length) => characters(value, length, true, options)?,
            ColumnType::Char(length) => characters(value, length, false, options)?,
            _ => typed(value, column.column_type, options)?,
        },
    };
    if converted.is_none() && !column.nullable {
        return Err(value_error(1213, "Missing data for not-null field".to_owned()));
    }
    Ok(converted)
}

/// Converts a value to SUPER: its source text.
pub(super) fn document(value: &Value<'_>) -> Result<Option<String>, ValueError> {
    if matches!(value.body, Body::Null) {
        return Ok(None);
    }
    let text = std::str::from_utf8(value.raw);
    text.map(|text| Some(text.to_owned()))
        .map_err(|_| value_error(1224, "Invalid JSON for SUPER: invalid UTF-8".to_owned()))
}

/// Returns the text of a value before its conversion; `None` is NULL.
fn bytes(value: &Value<'_>) -> Option<Vec<u8>> {
    match &value.body {
        Body::Null => None,
        Body::Text(text) => Some(text.to_vec()),
        Body::Object(_) | Body::Array(_) => Some(without_line_ends(value.raw)),
        Body::Bool(_) | Body::Number => Some(value.raw.to_vec()),
    }
}

/// Removes line ends and indentation. JSON strings contain no line ends.
fn without_line_ends(raw: &[u8]) -> Vec<u8> {
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

/// Converts a value to VARCHAR or CHAR.
fn characters(
    value: &Value<'_>,
    length: u32,
    is_varchar: bool,
    options: &CopyOptions,
) -> Result<Option<String>, ValueError> {
    let Some(bytes) = bytes(value) else { return Ok(None) };
    if options.empty_as_null && bytes.is_empty() || options.blanks_as_null && is_blank(&bytes) {
        return Ok(None);
    }
    if bytes.contains(&0) {
        // No page documents the result of `\\u0000`; PostgreSQL cannot store it.
        let message = "String contains invalid or unsupported UTF8 codepoints. Bad UTF8 hex sequence: 00 (error 1)";
        return Err(value_error(1220, message.to_owned()));
    }
    let mut text = if is_varchar {
        text::utf8(&bytes, options.accept_invalid)?
    } else {
        text::single_bytes(&bytes)?
    };
    if is_varchar && options.trim_blanks {
        text.truncate(text.trim_end().len());
    }
    text::fit(text, length, options.truncate_columns).map(Some)
}

/// Converts a value to any other type.
fn typed(
    value: &Value<'_>,
    column_type: ColumnType,
    options: &CopyOptions,
) -> Result<Option<String>, ValueError> {
    let Some(bytes) = bytes(value) else { return Ok(None) };
    if bytes.trim_ascii().is_empty() {
        return Ok(None);
    }
    let text = &text::utf8(&bytes, None)?;
    let whole = match value.body {
        Body::Number => numbers::without_fraction(text, options.cuts_fractions),
        _ => text,
    };
    let date_format = options.date_format.as_deref();
    let time_format = options.time_format.as_deref();
    let converted = match column_type {
        ColumnType::SmallInt => numbers::integer(whole, i16::MIN.into(), i16::MAX.into(), "Short"),
        ColumnType::Integer => numbers::integer(whole, i32::MIN.into(), i32::MAX.into(), "Integer"),
        ColumnType::BigInt => numbers::integer(whole, i64::MIN, i64::MAX, "Long"),
        ColumnType::Real => numbers::float(text, true),
        ColumnType::Double => numbers::float(text, false),
        ColumnType::Decimal(precision, scale) => {
            numbers::decimal(text, precision, scale, options.round_decimals)
        }
        ColumnType::Boolean => boolean(text),
        ColumnType::Date => times::date(text, date_format),
        ColumnType::Timestamp => times::timestamp(text, time_format, false),
        ColumnType::TimestampTz => times::timestamp(text, time_format, true),
        ColumnType::VarByte(length) => varbyte(text, length),
        ColumnType::Char(_) | ColumnType::Varchar(_) | ColumnType::Super => {
            return Ok(Some(text.clone()));
        }
    };
    match converted {
        Err(error) if options.accept_any_date && matches!(error.code, 1205 | 1206) => Ok(None),
        converted => converted.map(Some),
    }
}

/// Converts a text to BOOLEAN (DG/r_Boolean_type.html).
fn boolean(text: &str) -> Result<String, ValueError> {
    match text.to_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "1" => Ok("true".to_owned()),
        "false" | "f" | "no" | "n" | "0" => Ok("false".to_owned()),
        _ => Err(value_error(1210, format!("Unknown boolean format, Value '{text}'"))),
    }
}

/// Converts hexadecimal digits to VARBYTE (DG/copy-usage-varbyte.html).
fn varbyte(text: &str, length: u32) -> Result<String, ValueError> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(value_error(1223, format!("Invalid VARBYTE value '{text}'")));
    }
    if text.len() / 2 > length as usize {
        return Err(value_error(1204, "VARBYTE length exceeds DDL length".to_owned()));
    }
    Ok(format!("\\x{text}"))
}
