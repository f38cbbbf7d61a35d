//! Conversion to CHAR and VARCHAR: UTF-8 validation and length in bytes.
//!
//! UTF-8 errors and their numbers: DG/multi-byte-character-load-errors.html. Lengths count bytes,
//! and excess blanks are cut: DG/r_Character_types.html. ACCEPTINVCHARS and TRUNCATECOLUMNS:
//! DG/copy-parameters-data-conversion.html.

use super::convert::{ValueError, value_error};

/// Checks the first character; returns length and error number of an invalid sequence.
fn invalid(bytes: &[u8]) -> Option<(usize, u8)> {
    let needed = match bytes[0] {
        0..0x80 => return None,
        0x80..0xc0 | 0xfe | 0xff => return Some((1, 3)),
        0xc0..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0..0xf8 => 4,
        0xf8..=0xfd => return Some((1 + continuations(&bytes[1..]).min(5), 1)),
    };
    let found = 1 + continuations(&bytes[1..]).min(needed - 1);
    if found < needed {
        // 2: the text ends within the sequence; 4: a trailing byte is out of range.
        return Some((found, if found == bytes.len() { 2 } else { 4 }));
    }
    match (bytes[0], bytes[1]) {
        // Surrogates.
        (0xed, 0xa0..) => Some((3, 5)),
        // Code points above U+10FFFF.
        (0xf4, 0x90..) | (0xf5..0xf8, _) => Some((4, 8)),
        // Overlong encodings.
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

/// Decodes UTF-8; with a replacement (ACCEPTINVCHARS), replaces each byte of an invalid character.
pub(super) fn utf8(bytes: &[u8], replacement: Option<char>) -> Result<String, ValueError> {
    let mut text = String::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let length = match (invalid(rest), replacement) {
            (None, replacement) => {
                let length = width(rest[0]);
                let character = String::from_utf8_lossy(&rest[..length]);
                match replacement {
                    Some(replacement) if is_noncharacter(&character) => {
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
                let sequence = hex(&rest[..length]);
                let message = format!(
                    "String contains invalid or unsupported UTF8 codepoints. Bad UTF8 hex sequence: {sequence} (error {error})"
                );
                return Err(ValueError { position: at, ..value_error(1220, message) });
            }
        };
        at += length;
    }
    Ok(text)
}

/// Returns the length of a character by its first byte.
fn width(first: u8) -> usize {
    match first {
        0..0x80 => 1,
        0x80..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    }
}

/// Returns true for noncharacters, which DG/multi-byte-character-load-errors.html lists as invalid.
fn is_noncharacter(text: &str) -> bool {
    text.chars().any(|character| {
        let code = u32::from(character);
        (0xfdd0..=0xfdef).contains(&code) || code & 0xfffe == 0xfffe
    })
}

/// Decodes text for CHAR, which allows only single-byte characters.
pub(super) fn single_bytes(bytes: &[u8]) -> Result<String, ValueError> {
    match bytes.iter().position(|byte| !byte.is_ascii()) {
        None => Ok(String::from_utf8_lossy(bytes).into_owned()),
        Some(at) => {
            let rest = &bytes[at..];
            let length = invalid(rest).map_or(width(rest[0]), |(length, _)| length);
            let sequence = hex(&rest[..length]);
            let message = format!(
                "Multibyte character not supported for CHAR (Hint: Try using VARCHAR). Invalid char: {sequence}"
            );
            Err(ValueError { position: at, ..value_error(1220, message) })
        }
    }
}

/// Fits a text into `length` bytes: cuts excess blanks, or any excess with TRUNCATECOLUMNS.
pub(super) fn fit(mut text: String, length: u32, truncates: bool) -> Result<String, ValueError> {
    let length = length as usize;
    if text.len() <= length {
        return Ok(text);
    }
    let mut keep = length;
    while !text.is_char_boundary(keep) {
        keep -= 1;
    }
    if !truncates && text[keep..].bytes().any(|byte| byte != b' ') {
        return Err(ValueError {
            position: keep,
            ..value_error(1204, "String length exceeds DDL length".to_owned())
        });
    }
    text.truncate(keep);
    Ok(text)
}
