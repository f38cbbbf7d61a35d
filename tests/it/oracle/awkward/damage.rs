//! What goes wrong with records and files.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::Kind;

/// What goes wrong with one record.
#[derive(Debug, Clone)]
pub(super) enum Wound {
    /// The key with this raw value, or without any: the record is whole and wrong.
    Member(String, Option<String>),
    /// The bytes of a record that was right.
    Bytes(ByteWound),
}

/// What goes wrong with bytes.
#[derive(Debug, Clone)]
pub(super) enum ByteWound {
    /// Something stands in front of them.
    Before(&'static [u8]),
    /// They break off.
    Cut(Index),
    /// Something stands among them.
    Insert(Index, &'static [u8]),
    /// One is lost.
    Remove(Index),
}

/// What goes wrong with a whole file.
#[derive(Debug, Clone)]
pub(super) enum FileWound {
    /// It breaks off, arrays with it.
    Cut(Index),
    /// Something stands at its end.
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

const INTRUDERS: [&[u8]; 12] = [
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

pub(super) fn wound(kind: Kind) -> impl Strategy<Value = Wound> {
    let member = select(member_wounds(kind).to_vec()).prop_map(|(key, raw)| {
        Wound::Member(key.to_owned(), (raw != MISSING).then(|| raw.to_owned()))
    });
    prop_oneof![3 => member, 2 => byte_wound().prop_map(Wound::Bytes)]
}

fn byte_wound() -> impl Strategy<Value = ByteWound> {
    prop_oneof![
        2 => select(&JUNK[..]).prop_map(ByteWound::Before),
        2 => any::<Index>().prop_map(ByteWound::Cut),
        3 => (any::<Index>(), select(&INTRUDERS[..]))
            .prop_map(|(at, intruder)| ByteWound::Insert(at, intruder)),
        1 => any::<Index>().prop_map(ByteWound::Remove),
    ]
}

pub(super) fn file_wound() -> impl Strategy<Value = FileWound> {
    prop_oneof![
        any::<Index>().prop_map(FileWound::Cut),
        select(&JUNK[..]).prop_map(FileWound::After),
    ]
}

impl ByteWound {
    pub(super) fn inflict(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Before(junk) => drop(bytes.splice(..0, junk.iter().copied())),
            Self::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Self::Insert(at, intruder) => {
                let at = at.index(bytes.len());
                drop(bytes.splice(at..at, intruder.iter().copied()));
            }
            Self::Remove(at) => {
                // Without its point or sign a time may lie beyond the years that engines know.
                let places: Vec<usize> =
                    (0..bytes.len()).filter(|&at| !b".-".contains(&bytes[at])).collect();
                bytes.remove(*at.get(&places));
            }
        }
    }
}

impl FileWound {
    pub(super) fn inflict(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Cut(at) => bytes.truncate(at.index(bytes.len() + 1)),
            Self::After(junk) => bytes.extend_from_slice(junk),
        }
    }
}

/// Stands for a key that is not there.
const MISSING: &str = "";

/// Key and raw value that make any record a reject.
fn member_wounds(kind: Kind) -> &'static [(&'static str, &'static str)] {
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
