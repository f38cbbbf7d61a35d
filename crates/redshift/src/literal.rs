//! SQL literals, and the binding of values to `$1`. External data enters SQL for Redshift only
//! here.
//!
//! In Redshift, a backslash escapes in every string literal, so backslashes are doubled like
//! quotes. Placeholders in strings, quoted names, comments and function bodies are not replaced.

use std::fmt::Write as _;

use time::OffsetDateTime;

use sparkify_warehouse::{Value, WarehouseError};

/// Maximum number of bytes in one hexadecimal string: a VARCHAR holds 65,535 bytes.
const CHUNK_BYTES: usize = 32_000;

/// Appends a value as a literal.
pub(super) fn push(out: &mut String, value: &Value) -> Result<(), WarehouseError> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        // After another minus, an unparenthesised minus would start a comment.
        Value::Int(value) if *value < 0 => push_format(out, format_args!("({value})")),
        Value::Int(value) => out.push_str(&value.to_string()),
        Value::Double(double) if double.is_finite() => {
            push_format(out, format_args!("cast('{double:?}' as double precision)"));
        }
        Value::Double(double) => return Err(unsupported(&format!("the number {double}"))),
        Value::Text(text) => return push_text(out, text),
        Value::Timestamp(micros) => {
            let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(*micros) * 1000);
            if !moment.is_ok_and(|moment| (1..=9999).contains(&moment.year())) {
                return Err(unsupported(&format!("the time {micros} µs")));
            }
            push_format(out, format_args!("timestamp '{value}'"));
        }
        Value::Bytes(bytes) => push_bytes(out, bytes),
    }
    Ok(())
}

/// Appends bytes as hexadecimal digits for `to_varbyte`. Its argument is a VARCHAR, so long bytes
/// become several calls, concatenated.
fn push_bytes(out: &mut String, bytes: &[u8]) {
    let is_long = bytes.len() > CHUNK_BYTES;
    out.push_str(if is_long { "(to_varbyte('" } else { "to_varbyte('" });
    for (number, piece) in bytes.chunks(CHUNK_BYTES).enumerate() {
        if number > 0 {
            out.push_str("', 'hex') || to_varbyte('");
        }
        for byte in piece {
            push_format(out, format_args!("{byte:02x}"));
        }
    }
    out.push_str(if is_long { "', 'hex'))" } else { "', 'hex')" });
}

fn push_format(out: &mut String, value: std::fmt::Arguments<'_>) {
    // Writing to memory cannot fail.
    let _ = out.write_fmt(value);
}

/// Appends a string literal.
pub(super) fn push_text(out: &mut String, text: &str) -> Result<(), WarehouseError> {
    if text.contains('\0') {
        return Err(unsupported("a text that holds a NUL"));
    }
    out.push('\'');
    for letter in text.chars() {
        if letter == '\'' || letter == '\\' {
            out.push(letter);
        }
        out.push(letter);
    }
    out.push('\'');
    Ok(())
}

fn unsupported(what: &str) -> WarehouseError {
    WarehouseError::Statement {
        message: format!("{what} cannot be written to Redshift"),
        hint: Some(
            "Redshift supports text without NUL, finite numbers, and years from 1 to 9999".into(),
        ),
    }
}

/// Returns the statement with its placeholders replaced by literals.
pub(super) fn bind(statement: &str, parameters: &[Value]) -> Result<String, WarehouseError> {
    if parameters.is_empty() {
        return Ok(statement.to_owned());
    }
    let mut bound = String::with_capacity(statement.len() + 32 * parameters.len());
    let mut rest = statement;
    while let Some(at) = rest.find(['\'', '"', '$', '-', '/']) {
        bound.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = opaque_len(rest);
        if length > 0 {
            bound.push_str(&rest[..length]);
            rest = &rest[length..];
            continue;
        }
        let digits = rest[1..].bytes().take_while(u8::is_ascii_digit).count();
        let number = rest[1..=digits].parse::<usize>().ok().filter(|_| rest.starts_with('$'));
        if let Some(index) = number.and_then(|number| number.checked_sub(1)) {
            let value =
                parameters.get(index).ok_or_else(|| unsupported(&format!("`${}`", index + 1)))?;
            push(&mut bound, value)?;
            rest = &rest[1 + digits..];
        } else {
            bound.push_str(&rest[..1]);
            rest = &rest[1..];
        }
    }
    bound.push_str(rest);
    Ok(bound)
}

/// Returns the length of the string, quoted name, comment or dollar-quoted body at the start of
/// `text`, or 0 if none starts there. Placeholders inside are not replaced.
fn opaque_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    match bytes {
        [b'\'', ..] => quoted(bytes, b'\'', true),
        [b'"', ..] => quoted(bytes, b'"', false),
        [b'-', b'-', ..] => memchr::memchr(b'\n', bytes).unwrap_or(bytes.len()),
        [b'/', b'*', ..] => comment(bytes),
        [b'$', b'$', ..] => text[2..].find("$$").map_or(bytes.len(), |end| end + 4),
        _ => 0,
    }
}

fn quoted(bytes: &[u8], quote: u8, escapes: bool) -> usize {
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        // A doubled quote is part of the string, as is an escaped one.
        if *byte == b'\\' && escapes || *byte == quote && bytes.get(at + 1) == Some(&quote) {
            at += 1;
        } else if *byte == quote {
            return at + 1;
        }
        at += 1;
    }
    bytes.len()
}

/// Returns the length of a block comment. Comments nest.
fn comment(bytes: &[u8]) -> usize {
    let (mut at, mut depth) = (2, 1_u32);
    while depth > 0 {
        match bytes.get(at..) {
            Some([b'*', b'/', ..]) => (at, depth) = (at + 2, depth - 1),
            Some([b'/', b'*', ..]) => (at, depth) = (at + 2, depth + 1),
            Some([_, ..]) => at += 1,
            _ => return bytes.len(),
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(value: &str) -> Value {
        Value::Text(value.into())
    }

    #[test]
    fn placeholders_are_replaced_outside_strings_and_comments() {
        let sql = "select '$1 \\' $1', \"$1\", $2 - $1 -- $1\n/* $1 /* $1 */ $1 */ $$ $1 $$ $1$x";
        let bound = bind(sql, &[Value::Int(-5), text("a'b\\")]).unwrap();
        assert_eq!(
            bound,
            "select '$1 \\' $1', \"$1\", 'a''b\\\\' - (-5) -- $1\n/* $1 /* $1 */ $1 */ $$ $1 $$ (-5)$x"
        );
    }

    #[test]
    fn unsupported_values_are_refused() {
        assert!(bind("$2", &[Value::Null]).is_err());
        for value in [text("a\0"), Value::Double(f64::NAN), Value::Timestamp(i64::MAX)] {
            assert!(bind("$1", &[value]).is_err());
        }
        assert_eq!(
            bind("$1", &[Value::Timestamp(-1)]).unwrap(),
            "timestamp '1969-12-31 23:59:59.999999'"
        );
        assert_eq!(bind("$1", &[Value::Bytes(vec![0, 255])]).unwrap(), "to_varbyte('00ff', 'hex')");
        assert_eq!(bind("$1", &[Value::Bytes(vec![])]).unwrap(), "to_varbyte('', 'hex')");
    }

    #[test]
    fn hexadecimal_strings_fit_into_a_varchar() {
        let bytes = vec![7; 2 * CHUNK_BYTES + 1];
        let text = bind("$1", &[Value::Bytes(bytes)]).unwrap();
        let digits: Vec<usize> = text.split('\'').map(str::len).collect();
        let widest = 2 * CHUNK_BYTES;
        assert_eq!(digits, [12, widest, 2, 3, 16, widest, 2, 3, 16, 2, 2, 3, 2], "{digits:?}");
        assert!(text.ends_with("') || to_varbyte('07', 'hex'))"));
    }

    /// Parses a literal as a server does where backslashes escape. Returns the string and the rest.
    fn read_back(literal: &str) -> Option<(String, &str)> {
        let (mut text, mut letters) =
            (String::new(), literal.strip_prefix('\'')?.char_indices().peekable());
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\\' => text.push(letters.next()?.1),
                '\'' if letters.next_if(|(_, next)| *next == '\'').is_some() => text.push('\''),
                '\'' => return Some((text, &literal[at + 2..])),
                letter => text.push(letter),
            }
        }
        None
    }

    proptest! {
        #[test]
        fn no_text_leaves_its_literal(value in "[a'\\\\\"$;/*\\-\n\u{e9}\u{1f3b5}]{0,40}", rest in "[a'\\\\]{0,5}") {
            let mut literal = String::new();
            push_text(&mut literal, &value).unwrap();
            let statement = format!("{literal}{}", if rest.starts_with('\'') { "" } else { &rest });
            let (read, left) = read_back(&statement).expect("it ends");
            prop_assert_eq!(read, value);
            prop_assert_eq!(left, &statement[literal.len()..]);
            prop_assert_eq!(opaque_len(&statement), literal.len());
        }
    }
}
