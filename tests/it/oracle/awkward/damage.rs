//! Defects of records and files.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::Kind;

/// Defect of one record.
#[derive(Debug, Clone)]
pub(super) enum Defect {
    /// Replaces or removes a member: the JSON stays valid, the record is rejected.
    Member(String, Option<String>),
    /// Damages the bytes of a valid record.
    Bytes(ByteDefect),
}

/// Defect of bytes.
#[derive(Debug, Clone)]
pub(super) enum ByteDefect {
    /// Inserts bytes before them.
    Before(&'static [u8]),
    /// Truncates them.
    Cut(Index),
    /// Inserts bytes between them.
    Insert(Index, &'static [u8]),
    /// Removes one.
    Remove(Index),
}

/// Defect of a whole file.
#[derive(Debug, Clone)]
pub(super) enum FileDefect {
    /// Truncates it, including an array.
    Cut(Index),
    /// Appends bytes.
    After(&'static [u8]),
}

const JUNK: [&[u8]; 10] = [
    b"$ cat 2018-11-01-events.json | head\n",
    b"null ",
    b"},",
    b",",
    b"\xff\xfe",
    b"\"text\" \r\n",
    b"rm -rf {a,b}/c && ",
    b"{\n",
    b"\xef\xbb\xbf",
    b"42\n\n",
];

const INSERTIONS: [&[u8]; 12] = [
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\xc0\x80",
    b"\x01",
    b"\n",
    b"\n{",
    b"{",
    b"}",
    b"\"",
    b"\\",
    b",",
];

pub(super) fn defect(kind: Kind) -> impl Strategy<Value = Defect> {
    let member = select(member_defects(kind).to_vec()).prop_map(|(key, raw)| {
        Defect::Member(key.to_owned(), (raw != MISSING).then(|| raw.to_owned()))
    });
    prop_oneof![3 => member, 2 => byte_defect().prop_map(Defect::Bytes)]
}

fn byte_defect() -> impl Strategy<Value = ByteDefect> {
    prop_oneof![
        2 => select(&JUNK[..]).prop_map(ByteDefect::Before),
        2 => any::<Index>().prop_map(ByteDefect::Cut),
        3 => (any::<Index>(), select(&INSERTIONS[..]))
            .prop_map(|(at, inserted)| ByteDefect::Insert(at, inserted)),
        1 => any::<Index>().prop_map(ByteDefect::Remove),
    ]
}

pub(super) fn file_defect() -> impl Strategy<Value = FileDefect> {
    prop_oneof![
        any::<Index>().prop_map(FileDefect::Cut),
        select(&JUNK[..]).prop_map(FileDefect::After),
    ]
}

impl ByteDefect {
    pub(super) fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Before(junk) => drop(bytes.splice(..0, junk.iter().copied())),
            Self::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Self::Insert(at, inserted) => {
                let at = at.index(bytes.len());
                drop(bytes.splice(at..at, inserted.iter().copied()));
            }
            Self::Remove(at) => {
                // Without its point or sign, a time may be out of range for an engine.
                let places: Vec<usize> =
                    (0..bytes.len()).filter(|&at| !b".-".contains(&bytes[at])).collect();
                bytes.remove(*at.get(&places));
            }
        }
    }
}

impl FileDefect {
    pub(super) fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Cut(at) => bytes.truncate(at.index(bytes.len() + 1)),
            Self::After(junk) => bytes.extend_from_slice(junk),
        }
    }
}

/// Marks a missing key.
const MISSING: &str = "";

/// Keys and raw values that reject any record.
fn member_defects(kind: Kind) -> &'static [(&'static str, &'static str)] {
    match kind {
        Kind::Event => &[
            ("ts", MISSING),
            ("page", "null"),
            ("sessionId", MISSING),
            ("itemInSession", "null"),
            ("ts", "true"),
            ("ts", "\"\""),
            ("ts", "1e30"),
            ("ts", "9223372036854775808"),
            ("ts", "1541105830796.5"),
            ("artist", "{}"),
            ("auth", "false"),
            ("song", "[\"Undo\"]"),
            ("length", "\"\""),
            ("length", "\"long\""),
            ("length", "\"200,5\""),
            ("length", "1e400"),
            ("itemInSession", "2147483648"),
            ("itemInSession", "1.5"),
            ("status", "-2147483649"),
            ("registration", "\"-1e999\""),
            ("userId", "\"fifteen\""),
            ("userId", "1.5"),
            ("userId", "\"015\""),
            ("userId", "\"15 16\""),
            ("userId", "[15]"),
            ("artist", r#""a\u0000b""#),
            ("song", r#""\ud83d""#),
            ("song", r#""\uDFB5\uD83C""#),
            ("userAgent", r#""half \ud83dx""#),
        ],
        Kind::Song => &[
            ("song_id", MISSING),
            ("title", "null"),
            ("artist_id", MISSING),
            ("artist_name", "null"),
            ("duration", MISSING),
            ("title", "true"),
            ("artist_location", "{\"city\":\"Malm\\u00f6\"}"),
            ("duration", "\"\""),
            ("duration", "-1e309"),
            ("artist_latitude", "\"north\""),
            ("artist_longitude", "\"0x10\""),
            ("year", "2004.5"),
            ("year", "\"\""),
            ("year", "2147483648"),
            ("num_songs", "[]"),
            ("artist_name", r#""\u0000""#),
            ("title", r#""\udc00""#),
        ],
    }
}
