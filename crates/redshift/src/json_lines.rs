//! Encoder of rows as JSON lines for COPY: one object per row, with the column names as keys.
//!
//! The key of a null is omitted, so that COPY distinguishes it from an empty text. A double is
//! written with the fewest digits that parse to the same value, with an exponent if needed.

use std::io::Write as _;

use sparkify_warehouse::{Batch, Column, ColumnType, Value, Values};

/// Encoder for one list of columns. Contains each key as JSON with its colon, and the type.
pub(super) struct JsonLines(Vec<(Vec<u8>, ColumnType)>);

impl JsonLines {
    pub(super) fn new(names: &[String], types: &[ColumnType]) -> Self {
        let columns = names.iter().zip(types).map(|(name, kind)| {
            let mut key = Vec::new();
            push_text(&mut key, name.as_bytes());
            key.push(b':');
            (key, *kind)
        });
        Self(columns.collect())
    }

    /// Appends all rows of `batch` to `out`.
    pub(super) fn write(&self, batch: &Batch, out: &mut Vec<u8>) {
        let mut cursors: Vec<Cursor<'_>> = batch.columns.iter().map(Cursor::new).collect();
        for row in 0..batch.len() {
            let mut between = b'{';
            for ((key, kind), cursor) in self.0.iter().zip(&mut cursors) {
                if cursor.is_null(row) {
                    continue;
                }
                out.push(between);
                between = b',';
                out.extend_from_slice(key);
                cursor.write(row, *kind, out);
            }
            if between == b'{' {
                out.push(b'{');
            }
            out.extend_from_slice(b"}\n");
        }
    }
}

/// Cursor over the rows of a column, which are read in order. `nulls` counts the nulls passed.
pub(super) struct Cursor<'a> {
    column: &'a Column,
    nulls: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(column: &'a Column) -> Self {
        Self { column, nulls: 0 }
    }

    /// Returns true if the value of this row is null. Must be called once per row, in order.
    pub(super) fn is_null(&mut self, row: usize) -> bool {
        let is_null = self.column.nulls.get(self.nulls) == Some(&row);
        self.nulls += usize::from(is_null);
        is_null
    }

    /// Returns the bytes of this row in a column of bytes or text.
    pub(super) fn bytes(&self, row: usize) -> &'a [u8] {
        let Values::Bytes { buffer, ends } = &self.column.values else { return &[] };
        let start = row.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
        let end = ends.get(row).copied().unwrap_or(start);
        buffer.get(start..end).unwrap_or_default()
    }

    fn write(&self, row: usize, kind: ColumnType, out: &mut Vec<u8>) {
        match (&self.column.values, kind) {
            (Values::Integer(values), ColumnType::Boolean) => {
                let is_true = values.get(row).is_some_and(|value| *value != 0);
                out.extend_from_slice(if is_true { b"true" } else { b"false" });
            }
            (Values::Integer(values), _) => {
                number(out, values.get(row).copied().unwrap_or_default());
            }
            (Values::BigInt(values), ColumnType::Timestamp) => {
                let moment = Value::Timestamp(values.get(row).copied().unwrap_or_default());
                push_text(out, moment.to_string().as_bytes());
            }
            (Values::BigInt(values), _) => {
                number(out, values.get(row).copied().unwrap_or_default());
            }
            (Values::Double(values), _) => {
                number(out, ShortestDouble(values.get(row).copied().unwrap_or_default()));
            }
            (Values::Bytes { .. }, _) => push_text(out, self.bytes(row)),
        }
    }
}

/// A double in JSON. NaN and infinity have no JSON representation; the JSON reader never produces
/// them.
struct ShortestDouble(f64);

impl std::fmt::Display for ShortestDouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

fn number(out: &mut Vec<u8>, value: impl std::fmt::Display) {
    // Writing to memory cannot fail.
    let _ = write!(out, "{value}");
}

/// Appends a JSON string. `text` is UTF-8.
fn push_text(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    let mut clean = 0;
    for (at, byte) in text.iter().enumerate() {
        if *byte >= 0x20 && *byte != b'"' && *byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&text[clean..at]);
        clean = at + 1;
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            control => out.extend_from_slice(format!("\\u{control:04x}").as_bytes()),
        }
    }
    out.extend_from_slice(&text[clean..]);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_null_has_no_key_and_an_empty_text_has_one() {
        let types =
            [ColumnType::BigInt, ColumnType::Text, ColumnType::Double, ColumnType::Timestamp];
        let names = ["a", "b", "c", "d"].map(str::to_owned);
        let mut batch = Batch::new(&types);
        batch.columns[0].push_int(-9_007_199_254_740_993);
        batch.columns[1].push_bytes(b"");
        batch.columns[2].push_double(1e-7);
        batch.columns[3].push_int(1_541_106_106_796_000);
        batch.columns.iter_mut().for_each(Column::push_null);
        batch.columns[0].push_null();
        batch.columns[1].push_bytes("q\" b\\ \u{1} é \u{1f3b5}\n".as_bytes());
        batch.columns[2].push_double(246.0);
        batch.columns[3].push_null();
        let mut out = Vec::new();
        JsonLines::new(&names, &types).write(&batch, &mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "{\"a\":-9007199254740993,\"b\":\"\",\"c\":1e-7,\"d\":\"2018-11-01 21:01:46.796\"}\n{}\n\
             {\"b\":\"q\\\" b\\\\ \\u0001 é \u{1f3b5}\\n\",\"c\":246.0}\n"
        );
    }

    proptest! {
        #[test]
        fn every_text_and_double_round_trips(text in ".*", double in proptest::num::f64::NORMAL | proptest::num::f64::ZERO) {
            let types = [ColumnType::Text, ColumnType::Double];
            let mut batch = Batch::new(&types);
            batch.columns[0].push_bytes(text.as_bytes());
            batch.columns[1].push_double(double);
            let mut out = Vec::new();
            JsonLines::new(&["t".into(), "n".into()], &types).write(&batch, &mut out);
            let line: serde_json::Value = serde_json::from_slice(&out).unwrap();
            prop_assert_eq!(line["t"].as_str(), Some(text.as_str()));
            let written = std::str::from_utf8(&out).unwrap().rsplit(':').next().unwrap().trim_end_matches("}\n");
            prop_assert_eq!(written.parse::<f64>().unwrap().to_bits(), double.to_bits());
        }
    }
}
