//! Splits the bytes of a file into records and damage (rules, sections Files and Records).

use super::json::{self, Members, is_white};

/// "A record longer than 64 MiB is rejected like invalid JSON."
const LONGEST: usize = 64 << 20;

/// Part of a file: a record or a reject.
#[derive(Debug, PartialEq)]
pub(super) struct Piece<'a> {
    /// "A byte offset from 0 in the decompressed stream, including a byte-order mark."
    pub(super) position: usize,
    pub(super) raw: &'a [u8],
    /// Members of the record; none for damage.
    pub(super) members: Option<Members>,
}

/// Returns all records and damage of a file, in order.
pub(super) fn pieces(bytes: &[u8]) -> Vec<Piece<'_>> {
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
                    None => (end_of_invalid(bytes, at), None),
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

/// "Up to the next later line whose first character is `{`, or the end of the file."
fn end_of_invalid(bytes: &[u8], start: usize) -> usize {
    (start + 1..bytes.len())
        .find(|&at| bytes[at - 1] == b'\n' && bytes[at] == b'{')
        .unwrap_or(bytes.len())
}

/// "A reject excludes white space at its end."
fn trim_end(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|&byte| !is_white(byte)).map_or(0, |last| last + 1);
    &bytes[..end]
}
