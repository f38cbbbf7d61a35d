//! Splits the bytes of a file into records and damage (rules, sections Files and Records).

use super::json::{self, Members, is_white};

/// "A record longer than 64 MiB is rejected like invalid JSON."
const LONGEST: usize = 64 << 20;
/// A record longer than this is not found within a line.
const LONGEST_WITHIN: usize = 64 << 10;

/// Part of a file: a record or a reject.
#[derive(Debug, PartialEq)]
pub(super) struct Piece<'a> {
    /// "A byte offset from 0 in the decompressed stream, including a byte-order mark."
    pub(super) position: usize,
    pub(super) raw: &'a [u8],
    /// Members of the record; none for damage.
    pub(super) members: Option<Members>,
}

/// Returns all records and damage of a file, in order. `required` are the keys that a record must
/// have.
pub(super) fn pieces<'a>(bytes: &'a [u8], required: &[&str]) -> Vec<Piece<'a>> {
    let mut pieces = Vec::new();
    // "A UTF-8 byte-order mark at the start is skipped."
    let mut at = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    at = skip_white(bytes, at);
    // "If the first byte that is not white space is `[`, the file is one JSON array with `,` and
    // `]` as structure."
    let mut in_array = bytes.get(at) == Some(&b'[');
    at += usize::from(in_array);
    loop {
        at = skip_white(bytes, at);
        let Some(&first) = bytes.get(at) else { break };
        match first {
            b',' if in_array => at += 1,
            b']' if in_array => {
                in_array = false;
                at += 1;
            }
            b'{' => {
                let whole = json::object(&bytes[at..]).filter(|(length, _)| *length <= LONGEST);
                let (end, members) = match whole {
                    Some((length, members)) => (at + length, Some(members)),
                    None => (end_of_invalid(bytes, at, required), None),
                };
                let raw =
                    if members.is_some() { &bytes[at..end] } else { trim_end(&bytes[at..end]) };
                pieces.push(Piece { position: at, raw, members });
                at = end;
            }
            _ => {
                let end = end_of_junk(bytes, at);
                let raw = trim_end(&bytes[at..end]);
                pieces.push(Piece { position: at, raw, members: None });
                at = end;
            }
        }
    }
    if in_array {
        // "An unclosed array is one more reject at the end of its file, with no bytes."
        pieces.push(Piece { position: bytes.len(), raw: b"", members: None });
    }
    pieces
}

fn skip_white(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(|&byte| is_white(byte)) {
        at += 1;
    }
    at
}

/// "Up to the next `{`", or the end of the file.
fn end_of_junk(bytes: &[u8], start: usize) -> usize {
    (start..bytes.len()).find(|&at| bytes[at] == b'{').unwrap_or(bytes.len())
}

/// "Up to the next line, after the line of that `{`, whose first character is `{` (or the end of
/// the file)", or to a complete record before that.
fn end_of_invalid(bytes: &[u8], start: usize, required: &[&str]) -> usize {
    let begins_line = |at: usize| bytes[at - 1] == b'\n' && bytes[at] == b'{';
    let line = (start + 1..bytes.len()).find(|&at| begins_line(at)).unwrap_or(bytes.len());
    // "a complete object of at most 64 KiB with all required keys, before the next such line"
    let is_record = |at: usize| {
        let most = line.min(at + LONGEST_WITHIN);
        json::object(&bytes[at..most]).is_some_and(|(_, members)| {
            required.iter().all(|key| members.iter().any(|(name, _)| name == key))
        })
    };
    (start + 1..line).find(|&at| bytes[at] == b'{' && is_record(at)).unwrap_or(line)
}

/// "A reject excludes white space at its end."
fn trim_end(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|&byte| !is_white(byte)).map_or(0, |last| last + 1);
    &bytes[..end]
}
