//! Display and serialization of the bytes of a record or a reject.
//!
//! JSON output is exact: text if the bytes are UTF-8, else hexadecimal. Terminal output is escaped:
//! the bytes are untrusted, and a control character among them could move the cursor or overwrite
//! earlier output.

use std::fmt::Write;

use serde::{Serialize, Serializer};

/// Longest excerpt, in characters.
const EXCERPT: usize = 80;
/// Bytes that suffice for an excerpt: a character has at most four.
const EXCERPT_BYTES: usize = 4 * EXCERPT;

/// Unchanged bytes of a record or a reject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawBytes(pub Vec<u8>);

impl RawBytes {
    /// Returns the first bytes, escaped, on one line.
    pub fn excerpt(&self) -> String {
        excerpt(&self.0)
    }
}

/// Serializes as `raw`, or as `raw_hex` if the bytes are not UTF-8.
impl Serialize for RawBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => serializer.collect_map([("raw", text)]),
            Err(_) => serializer.collect_map([("raw_hex", hexadecimal(&self.0))]),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Returns the first bytes on one line, escaped by [`visible`], with `…` if there are more.
pub(super) fn excerpt(raw: &[u8]) -> String {
    let mut cut = raw.len().min(EXCERPT_BYTES);
    // Moves the cut before a character that it would split.
    while cut < raw.len() && cut > EXCERPT_BYTES - 4 && raw[cut] & 0xc0 == 0x80 {
        cut -= 1;
    }
    let text = visible(&raw[..cut]);
    let short: String = text.chars().take(EXCERPT).collect();
    let more = if short.len() < text.len() || cut < raw.len() { "…" } else { "" };
    format!("{short}{more}")
}

/// Escapes bytes for one line of terminal output: control characters as `\n` or `\u{1b}`, bytes
/// that are not UTF-8 as `\xff`. Backslashes and quotes are kept.
pub fn visible(bytes: &[u8]) -> String {
    escaped(bytes, &['\\', '"', '\''])
}

/// Escapes bytes as [`visible`] does, but keeps line feeds and tabs.
pub fn visible_lines(bytes: &[u8]) -> String {
    escaped(bytes, &['\\', '"', '\'', '\n', '\t'])
}

fn escaped(bytes: &[u8], kept: &[char]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for piece in chunk.valid().split_inclusive(kept) {
            let body = piece.strip_suffix(kept).unwrap_or(piece);
            text.extend(body.escape_debug());
            text.push_str(&piece[body.len()..]);
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(visible(b"\x1b[2J\r\n"), r"\u{1b}[2J\r\n");
        assert_eq!(visible("\u{9b}2J \u{7f} \u{202e}".as_bytes()), r"\u{9b}2J \u{7f} \u{202e}");
        assert_eq!(visible(b"{\"a\":\"\\\"it's\\/\"}\xff\xc3"), r#"{"a":"\"it's\/"}\xff\xc3"#);
        assert_eq!(visible_lines("Björk\n\té\r".as_bytes()), "Björk\n\té\\r");
    }

    #[test]
    fn an_excerpt_is_short_and_splits_no_character() {
        assert_eq!(excerpt(b"short"), "short");
        assert_eq!(excerpt(&[b'x'; 81]), format!("{}…", "x".repeat(80)));
        assert_eq!(excerpt("𝄞".repeat(100).as_bytes()), format!("{}…", "𝄞".repeat(80)));
        let shifted = format!("{}{}", "\u{1b}x", "𝄞".repeat(100));
        assert!(!excerpt(shifted.as_bytes()).contains("\\x"));
    }

    #[test]
    fn json_holds_the_exact_bytes() {
        let json = |bytes: &[u8]| serde_json::to_string(&RawBytes(bytes.to_vec())).unwrap();
        assert_eq!(json(b"a\n"), r#"{"raw":"a\n"}"#);
        assert_eq!(json(b"a\xff"), r#"{"raw_hex":"61ff"}"#);
    }
}
