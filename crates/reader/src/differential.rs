//! Differential tests: for any bytes, the fast path and parallel slices must return what the slow
//! path returns on one thread.
//!
//! Compiled only for tests and fuzzing.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use super::parser::{Parser, Stopped};
use super::reader::Reader;
use super::records::Input;
use super::schema::RecordKind;
use super::slices::Slicing;
use sparkify_source::Sources;
use sparkify_warehouse::{Batch, Column, RowSource, Values};

/// Input that returns at most this many bytes per read.
pub(super) struct Chunked<'a>(pub &'a [u8], pub usize);

impl Input for Chunked<'_> {
    type Error = std::convert::Infallible;

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Self::Error> {
        let count = self.1.min(self.0.len()).min(buffer.len());
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

/// Everything that was read, sorted: one line per row, reject and count.
type Account = Vec<String>;

fn cell(column: &Column, row: usize) -> String {
    if column.nulls.contains(&row) {
        return "null".into();
    }
    match &column.values {
        Values::Integer(values) => values[row].to_string(),
        Values::BigInt(values) => values[row].to_string(),
        // Compares bits: the sign of zero and the rounding must be equal.
        Values::Double(values) => format!("{:x}", values[row].to_bits()),
        Values::Bytes { buffer, ends } => {
            let start = row.checked_sub(1).map_or(0, |before| ends[before]);
            let bytes = &buffer[start..ends[row]];
            format!("{:?}", std::str::from_utf8(bytes).expect("text is UTF-8"))
        }
    }
}

fn rows(batch: &Batch, account: &mut Account) {
    let rows = batch.len();
    assert!(batch.columns.iter().all(|column| column.len() == rows), "a partial row");
    for row in 0..rows {
        let mut line = "row".to_owned();
        for column in &batch.columns {
            let _ = write!(line, " {}", cell(column, row));
        }
        account.push(line);
    }
}

fn on_one_thread(mut parser: Parser, kind: RecordKind, bytes: &[u8], chunk: usize) -> Account {
    let (mut input, mut account) = (Chunked(bytes, chunk), Vec::new());
    let mut batch = Batch::new(&kind.columns());
    loop {
        batch.clear();
        let Ok(stopped) = parser.fill(&mut input, [1, 1], &mut batch);
        rows(&batch, &mut account);
        if stopped == Stopped::End {
            break;
        }
    }
    let result = parser.take_result();
    for reject in result.rejects {
        let (offset, length) = (reject.offset, reject.length);
        account.push(format!("reject {offset} {length} {} {:?}", reject.reason, reject.raw));
    }
    account.extend(result.extra.iter().map(|(key, count)| format!("extra {key:?} {count}")));
    let key = |field: u32| format!("{}.{}", kind.name(), kind.keys()[field as usize]);
    account.extend(
        result.repairs.iter().map(|(field, count)| format!("repair {} {count}", key(*field))),
    );
    account.sort();
    account
}

/// Returns the expected result: that of the slow path on one thread.
fn expected(kind: RecordKind, bytes: &[u8]) -> Account {
    on_one_thread(Parser::slow_path_only(kind), kind, bytes, usize::MAX)
}

/// Reads `bytes` on the fast path, at once and in chunks, and on the slow path.
///
/// # Panics
/// If the results differ.
pub fn fast_path_equals_slow_path(kind: RecordKind, bytes: &[u8], chunk: usize) {
    let expected = expected(kind, bytes);
    assert_eq!(on_one_thread(Parser::new(kind), kind, bytes, usize::MAX), expected);
    assert_eq!(on_one_thread(Parser::new(kind), kind, bytes, chunk.max(1)), expected);
}

/// Reads the file at `path` on several threads, in slices of a few `lines` or `bytes`, and on one.
///
/// # Panics
/// If the results differ.
pub fn sliced_equals_whole(kind: RecordKind, path: &str, lines: usize, bytes: usize) {
    let expected = expected(kind, &std::fs::read(path).expect("a file"));
    let object = Sources::default().find(path).expect("an object");
    let (lines, bytes) = (lines.max(1), bytes.max(1));
    let slicing = Slicing { min_object: 0, lines, bytes, step: bytes.div_ceil(3), pending: 3 };
    let reader = Reader::new(kind, 1, vec![(1, object)], Arc::default()).sliced(slicing);
    let account = Mutex::new(Vec::new());
    std::thread::scope(|threads| {
        for _ in 0..3 {
            threads.spawn(|| {
                let mut batch = Batch::new(&kind.columns());
                loop {
                    batch.clear();
                    reader.next(&mut batch).expect("readable");
                    if batch.is_empty() {
                        break;
                    }
                    rows(&batch, &mut account.lock().expect("no panic"));
                }
            });
        }
    });
    let mut account = account.into_inner().expect("no panic");
    let (tally, rejects) = reader.finish().expect("read");
    assert_eq!(tally.objects.len(), 1, "one object was read once");
    let (staged, rejected) = (account.len() as u64, rejects.count);
    assert_eq!((tally.objects[0].staged, tally.objects[0].rejected), (staged, rejected));
    account.extend(tally.extra_keys.iter().map(|(key, count)| format!("extra {key:?} {count}")));
    account.extend(tally.repairs.iter().map(|(key, count)| format!("repair {key} {count}")));
    account.extend(rejects.lines());
    account.sort();
    assert_eq!(account, expected);
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    /// Values that columns accept, nearly accept, and reject.
    const WRITTEN: &[&str] = &[
        "null",
        "true",
        "[1,{\"a\":2}]",
        "{}",
        "0",
        "-0",
        "-0.0",
        "5.0",
        "50e-1",
        "1.5",
        "01",
        "1.",
        ".5",
        "-",
        "1541105830796",
        "-62135596800001",
        "253402300799999",
        "253402300800000",
        "999999999999999",
        "1234567890123456",
        "12345678901234567",
        "9223372036854775808",
        "2147483647",
        "2147483648",
        "-2147483648",
        "0.1",
        "3.141592653589793",
        "123456789.1234567",
        "246.30812",
        "1540919166796.0",
        "0.0000001",
        "1e400",
        "1E5",
        "0.30000000000000004",
        "\"\"",
        "\"7\"",
        "\"7\\u0030\"",
        "\"-7\"",
        "\" 7\"",
        "\"7.5\"",
        "\"x\"",
        "\"null\"",
        "\"PUT\"",
        "\"a \\\"quoted\\\" agent that is longer than one block of bytes\"",
        "\"Bj\\u00c3\\u00b6rk\"",
        "\"Bj\\u00f6rk\"",
        "\"Björk\"",
        "\"BjÃ¶rk\"",
        "\"BjÃ\\u0083Â¶rk\"",
        "\"Â\"",
        "\"\\u00e9\\u0301\"",
        "\"日本\"",
        "\"\\ud83c\\udfb5\"",
        "\"🎵\"",
        "\"\\ud800\"",
        "\"\\udc00x\"",
        "\"\\u0000\"",
        "\"\\u+0e9\"",
        "\"\\u00G9\"",
        "\"\\x\"",
        "\"\t\"",
        "\"\\b\\f\\n\\r\\t\\/\\\\\"",
        "\"fifteen letters é\"",
        "\"sixteen letters.é\"",
        "\"öööööööööööööööö\"",
        "\"unfinished",
        "nul",
    ];

    /// One of these, or a similar random one.
    fn value() -> impl Strategy<Value = Vec<u8>> {
        let written = select(WRITTEN);
        let bytes: Vec<&[u8]> = vec![
            b"a",
            b"a",
            b"0123456789abcde",
            b"\xc3",
            b"\xa9",
            b"\xc3\xa9",
            b"\xc3\x83",
            b"\xc2",
            b"\xc2\xb6",
            b"\xc1\x81",
            b"\xdf",
            b"\xe2\x82\xac",
            b"\xed\xa0\x80",
            b"\xf0\x9f\x8e\xb5",
            b"\xff",
            b"\\u00e9",
            b"\\u00c3",
            b"\\u00b6",
            b"\\\"",
            b"\\/",
        ];
        let raw = prop::collection::vec(select(bytes), 0..12);
        let raw = raw.prop_map(|bytes| [b"\"", &*bytes.concat(), b"\""].concat());
        prop_oneof![
            6 => written.prop_map(|text| text.as_bytes().to_vec()),
            2 => raw,
            1 => "-?[0-9]{1,18}(\\.[0-9]{1,18})?".prop_map(String::into_bytes),
        ]
    }

    /// Song records, broken records, and bytes that may occur between them.
    fn stream() -> impl Strategy<Value = Vec<u8>> {
        let usual = [
            "1",
            "\"AR1\"",
            "null",
            "-1.5",
            "\"Here\"",
            "\"An artist\"",
            "\"SO1\"",
            "\"Title\"",
            "246.30812",
            "2004",
        ];
        let keys = RecordKind::Songs.keys();
        let oddities = prop::collection::vec((0..12_usize, value()), 0..3);
        let style = select(vec![(",", ":"), (", ", ": "), (",\n  ", ": "), (",\n{", ":")]);
        let record = (oddities, style, 0..8_u8).prop_map(move |(odd, (comma, colon), form)| {
            let mut values: Vec<(String, Vec<u8>)> =
                keys.iter().zip(usual).map(|(key, value)| ((*key).into(), value.into())).collect();
            for (at, value) in odd {
                match values.get_mut(at) {
                    Some(pair) => pair.1 = value,
                    None if at == 10 => values.push(("tag".into(), value)),
                    None => values.insert(0, (keys[3].into(), value)),
                }
            }
            match form {
                0 => values.reverse(),
                1 => drop(values.remove(2)),
                2 => values[2].0 = "artist\\u005flatitude".into(),
                _ => {}
            }
            let pairs: Vec<Vec<u8>> = values
                .into_iter()
                .map(|(key, value)| [format!("\"{key}\"{colon}").into_bytes(), value].concat())
                .collect();
            [b"{", &*pairs.join(comma.as_bytes()), b"}"].concat()
        });
        let between = select(vec![
            "\n", "\n", "\n", "\r\n", "", " ", ",\n", "\n\n", "\njunk\n", "]", "[", "\n{\n{",
            "\u{feff}",
        ]);
        let broken = any::<prop::sample::Index>();
        let piece = (record, between, prop::option::weighted(0.05, broken)).prop_map(
            |(mut record, after, cut)| {
                if let Some(cut) = cut {
                    record.truncate(cut.index(record.len()));
                }
                record.extend_from_slice(after.as_bytes());
                record
            },
        );
        let start = select(vec!["", "", "[", "\u{feff}", "\u{feff} [\n", "#!/bin/sh\n"]);
        let spoiled = prop::option::weighted(0.2, (any::<prop::sample::Index>(), any::<u8>()));
        (start, prop::collection::vec(piece, 0..12), spoiled).prop_map(
            |(start, pieces, spoiled)| {
                let mut stream = [start.as_bytes().to_vec(), pieces.concat()].concat();
                if let (Some((at, byte)), false) = (spoiled, stream.is_empty()) {
                    let at = at.index(stream.len());
                    stream[at] = byte;
                }
                stream
            },
        )
    }

    fn cases(usual: u32) -> ProptestConfig {
        let asked = std::env::var("SPARKIFY_CASES").ok().and_then(|cases| cases.parse().ok());
        ProptestConfig::with_cases(asked.unwrap_or(usual))
    }

    proptest! {
        #![proptest_config(cases(4000))]
        #[test]
        fn the_fast_path_reads_what_the_slow_path_reads(stream in stream(), chunk in 1..400_usize) {
            fast_path_equals_slow_path(RecordKind::Songs, &stream, chunk);
        }
    }

    proptest! {
        #![proptest_config(cases(500))]
        #[test]
        fn slices_read_what_one_thread_reads(stream in stream(), lines in 1..5_usize, bytes in 1..2000_usize) {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(&stream).unwrap();
            sliced_equals_whole(RecordKind::Songs, file.path().to_str().unwrap(), lines, bytes);
        }
    }

    /// Without this test, a fast path that is never taken would pass the differential tests.
    #[test]
    fn realistic_events_take_the_fast_path() {
        let folder = tempfile::tempdir().unwrap();
        let request = sparkify_sample_data::Request {
            songs: 50,
            events: 2000,
            days: 1,
            ..Default::default()
        };
        sparkify_sample_data::generate(folder.path(), &request, &mut |_| {}).unwrap();
        let listing =
            Sources::default().list(folder.path().join("log_data").to_str().unwrap()).unwrap();
        let bytes = std::fs::read(&*listing.objects[0].key).unwrap();
        fast_path_equals_slow_path(RecordKind::Events, &bytes, 1000);
        let mut parser = Parser::new(RecordKind::Events);
        let mut batch = Batch::new(&RecordKind::Events.columns());
        let Ok(_) = parser.fill(&mut Chunked(&bytes, usize::MAX), [1, 1], &mut batch);
        let slow = parser.slow_records();
        assert!(slow * 20 < batch.len(), "{slow} of {}", batch.len());
    }
}
