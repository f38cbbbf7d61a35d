//! Layouts of records and files, and compression of files.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use proptest::sample::select;

use super::Members;

/// Layout of a record.
#[derive(Debug, Clone, Copy)]
pub(super) struct RecordStyle {
    layout: RecordLayout,
    /// Writes the first character of every key as `\u`.
    escaped_keys: bool,
}

#[derive(Debug, Clone, Copy)]
enum RecordLayout {
    Compact,
    Spaced,
    Pretty(&'static str),
}

pub(super) fn record_style() -> impl Strategy<Value = RecordStyle> {
    use RecordLayout::{Compact, Pretty, Spaced};
    let layout = prop_oneof![
        6 => Just(Compact),
        1 => Just(Spaced),
        2 => select(vec![Pretty("\n"), Pretty("\r\n")]),
    ];
    (layout, proptest::bool::weighted(0.05))
        .prop_map(|(layout, escaped_keys)| RecordStyle { layout, escaped_keys })
}

impl RecordStyle {
    pub(super) fn write(self, members: &Members) -> Vec<u8> {
        let (open, colon, comma, close) = match self.layout {
            RecordLayout::Compact => ("{".into(), ":", ",".into(), "}".into()),
            RecordLayout::Spaced => ("{ ".into(), " :\t", " , ".into(), " }".into()),
            RecordLayout::Pretty(end) => {
                (format!("{{{end}    "), ": ", format!(",{end}    "), format!("{end}}}"))
            }
        };
        let members: Vec<String> =
            members.iter().map(|(key, raw)| format!("\"{}\"{colon}{raw}", self.key(key))).collect();
        format!("{open}{}{close}", members.join(&comma)).into_bytes()
    }

    fn key(self, key: &str) -> String {
        match key.chars().next() {
            Some(first) if self.escaped_keys => {
                format!("\\u{:04x}{}", u32::from(first), &key[first.len_utf8()..])
            }
            _ => key.to_owned(),
        }
    }
}

/// Layout of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileStyle {
    byte_order_mark: bool,
    layout: FileLayout,
}

/// Bytes before, between and after the records.
#[derive(Debug, Clone, Copy)]
struct FileLayout(&'static str, &'static str, &'static str);

const LAYOUTS: [FileLayout; 11] = [
    FileLayout("", "\n", "\n"),
    FileLayout("", "\n", ""),
    FileLayout("", "\r\n", "\r\n"),
    FileLayout("", "", ""),
    FileLayout("\n \n", " \t", "\n\n"),
    FileLayout("[", ",", "]"),
    FileLayout("[\n", ",\n", "\n]\n"),
    FileLayout(" [ ", "\r\n, ", " ] "),
    FileLayout("[\r\n", "\r\n,\r\n", "\r\n]\r\n"),
    FileLayout("", "\n\n", "\n"),
    FileLayout("", "\r", "\r"),
];

pub(super) fn file_style() -> impl Strategy<Value = FileStyle> {
    let usual = Just(LAYOUTS[0]);
    let layout = prop_oneof![2 => usual, 3 => select(&LAYOUTS[..])];
    (proptest::bool::weighted(0.1), layout)
        .prop_map(|(byte_order_mark, layout)| FileStyle { byte_order_mark, layout })
}

impl FileStyle {
    /// Joins the records of a file; the result may be empty.
    pub(super) fn join(self, records: &[Vec<u8>]) -> Vec<u8> {
        let FileLayout(before, between, after) = self.layout;
        let mark = if self.byte_order_mark { "\u{feff}" } else { "" };
        let records = records.join(between.as_bytes());
        [mark.as_bytes(), before.as_bytes(), &records, after.as_bytes()].concat()
    }
}

/// Compression of a file.
#[derive(Debug, Clone, Copy)]
pub(super) enum Encoding {
    Plain,
    Gzip,
    TwoGzipMembers,
    /// Compressed, without the extension of gzip.
    HiddenGzip,
    Zstandard,
    TwoZstandardFrames,
}

pub(super) fn encoding() -> impl Strategy<Value = Encoding> {
    use Encoding::{Gzip, HiddenGzip, Plain, TwoGzipMembers, TwoZstandardFrames, Zstandard};
    prop_oneof![
        4 => Just(Plain),
        1 => select(vec![Gzip, TwoGzipMembers, HiddenGzip, Zstandard, TwoZstandardFrames]),
    ]
}

impl Encoding {
    pub(super) fn ending(self) -> &'static str {
        match self {
            Self::Plain | Self::HiddenGzip => "",
            Self::Gzip | Self::TwoGzipMembers => ".gz",
            Self::Zstandard | Self::TwoZstandardFrames => ".zst",
        }
    }

    pub(super) fn encode(self, bytes: &[u8]) -> Vec<u8> {
        let (head, tail) = bytes.split_at(bytes.len() / 2);
        match self {
            Self::Plain => bytes.to_vec(),
            Self::Gzip | Self::HiddenGzip => gzip(bytes),
            Self::TwoGzipMembers => [gzip(head), gzip(tail)].concat(),
            Self::Zstandard => zstandard(bytes),
            Self::TwoZstandardFrames => [zstandard(head), zstandard(tail)].concat(),
        }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory can be written");
    encoder.finish().expect("memory can be written")
}

fn zstandard(bytes: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(bytes, 1).expect("memory can be written")
}
