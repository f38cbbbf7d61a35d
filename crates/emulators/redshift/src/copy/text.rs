//! Text into CHAR and VARCHAR: bytes that are UTF-8, and not too many of them.
//!
//! DG/multi-byte-character-load-errors.html has the errors of UTF-8 and their numbers; DG/r_Character_types.html counts lengths in bytes, and cuts blanks that
//! are too many; DG/copy-parameters-data-conversion.html has ACCEPTINVCHARS and TRUNCATECOLUMNS.

use super::convert::{Bad, bad};

/// The first character of `bytes` that is none: how many bytes, and which error.
fn invalid(bytes: &[u8]) -> Option<(usize, u8)> {
    let needed = match bytes[0] {
        0..0x80 => return None,
        0x80..0xc0 | 0xfe | 0xff => return Some((1, 3)),
        0xc0..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0..0xf8 => 4,
        0xf8..=0xfd => return Some((1 + continuations(&bytes[1..]).min(5), 1)),
    };
    let there = 1 + continuations(&bytes[1..]).min(needed - 1);
    if there < needed {
        return Some((there, if there == bytes.len() { 2 } else { 4 }));
    }
    match (bytes[0], bytes[1]) {
        (0xed, 0xa0..) => Some((3, 5)),
        (0xf4, 0x90..) | (0xf5..0xf8, _) => Some((4, 8)),
        (0xc0 | 0xc1, _) | (0xe0, ..0xa0) | (0xf0, ..0x90) => Some((needed, 4)),
        _ => None,
    }
}

fn continuations(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| matches!(byte, 0x80..0xc0)).count()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

/// The text, each character that is none replaced if a character is given for that.
pub(super) fn utf8(bytes: &[u8], replacement: Option<char>) -> Result<String, Bad> {
    let mut text = String::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let length = match (invalid(rest), replacement) {
            (None, replacement) => {
                let length = width(rest[0]);
                let character = String::from_utf8_lossy(&rest[..length]);
                match replacement {
                    Some(replacement) if is_no_character(&character) => {
                        text.extend(std::iter::repeat_n(replacement, length));
                    }
                    _ => text.push_str(&character),
                }
                length
            }
            (Some((length, _)), Some(replacement)) => {
                text.extend(std::iter::repeat_n(replacement, length));
                length
            }
            (Some((length, error)), None) => {
                let shown = hex(&rest[..length]);
                let message = format!(
                    "String contains invalid or unsupported UTF8 codepoints. Bad UTF8 hex sequence: {shown} (error {error})"
                );
                return Err(Bad { position: at, ..bad(1220, message) });
            }
        };
        at += length;
    }
    Ok(text)
}

fn width(first: u8) -> usize {
    match first {
        0..0x80 => 1,
        0x80..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    }
}

/// Code points that are valid UTF-8 and no characters: the same page lists them.
fn is_no_character(text: &str) -> bool {
    text.chars().any(|character| {
        let code = u32::from(character);
        (0xfdd0..=0xfdef).contains(&code) || code & 0xfffe == 0xfffe
    })
}

/// Text that a CHAR can hold: one byte a character.
pub(super) fn single_bytes(bytes: &[u8]) -> Result<String, Bad> {
    match bytes.iter().position(|byte| !byte.is_ascii()) {
        None => Ok(String::from_utf8_lossy(bytes).into_owned()),
        Some(at) => {
            let rest = &bytes[at..];
            let length = invalid(rest).map_or(width(rest[0]), |(length, _)| length);
            let shown = hex(&rest[..length]);
            let message = format!(
                "Multibyte character not supported for CHAR (Hint: Try using VARCHAR). Invalid char: {shown}"
            );
            Err(Bad { position: at, ..bad(1220, message) })
        }
    }
}

/// The text in as many bytes as the column has.
pub(super) fn fitted(mut text: String, length: u32, truncates: bool) -> Result<String, Bad> {
    let length = length as usize;
    if text.len() <= length {
        return Ok(text);
    }
    let mut keep = length;
    while !text.is_char_boundary(keep) {
        keep -= 1;
    }
    if !truncates && text[keep..].bytes().any(|byte| byte != b' ') {
        return Err(Bad {
            position: keep,
            ..bad(1204, "String length exceeds DDL length".to_owned())
        });
    }
    text.truncate(keep);
    Ok(text)
}
