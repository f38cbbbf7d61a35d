//! Fast path: validates and converts a common value in one pass, from its bytes into its column.
//!
//! A function here never rejects a value. It returns `None` for anything uncommon, and the record
//! falls back to the slow path (`json`, `schema`), which decides. So the fast path must not accept
//! what the slow path rejects, nor convert it differently; a differential test and a fuzz target
//! compare the two.
//!
//! After `None` a column may hold a partial value, which the caller truncates.
//!
//! Text is scanned in blocks of 16 bytes: a block is copied to the column as a whole, and its marks
//! then show where the text stops. The last block overruns the text, so a window is padded
//! ([`PADDING`]) and the buffer of the column is truncated to the text.

use super::block::{self, BLOCK};
use super::json::number_end;
use super::schema::{Field, Kind, in_range};
use super::text;
use sparkify_warehouse::{Column, Values};

/// Zero bytes after the data of a window, so that whole blocks can be read at any offset of it.
pub(super) const PADDING: usize = 2 * BLOCK;

/// Most digits of a number on the fast path. Integers below 10^15 and powers of ten up to 10^15 are
/// exact doubles, and the quotient of two exact doubles is correctly rounded (Clinger's fast path).
const EXACT_DIGITS: u32 = 15;
const POWERS: [f64; EXACT_DIGITS as usize + 1] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
const WHOLE_POWERS: [u64; EXACT_DIGITS as usize + 1] = {
    let mut powers = [1; EXACT_DIGITS as usize + 1];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

fn block_at(window: &[u8], at: usize) -> Option<&[u8; BLOCK]> {
    window.get(at..)?.first_chunk()
}

/// Appends the value at `at` to `column` and returns the offset after it. Sets `repaired` if the
/// value was double-encoded.
pub(super) fn value(
    field: &Field,
    column: &mut Column,
    window: &[u8],
    at: usize,
    repaired: &mut bool,
) -> Option<usize> {
    let block = block_at(window, at)?;
    if block.starts_with(b"null") {
        return null(field, column, at + 4);
    }
    match &mut column.values {
        Values::Bytes { buffer, ends } if block[0] == b'"' => {
            let end = string(window, at + 1, buffer, repaired)?;
            ends.push(buffer.len());
            Some(end)
        }
        Values::Bytes { .. } => None,
        _ if block[0] != b'"' => number(field.kind, column, window, at),
        _ if block[1] == b'"' && field.kind == Kind::UserId => null(field, column, at + 2),
        _ => {
            let end = number(field.kind, column, window, at + 1)?;
            (window.get(end) == Some(&b'"')).then_some(end + 1)
        }
    }
}

fn null(field: &Field, column: &mut Column, end: usize) -> Option<usize> {
    (!field.needed).then(|| column.push_null())?;
    Some(end)
}

fn number(kind: Kind, column: &mut Column, window: &[u8], at: usize) -> Option<usize> {
    if let Values::Double(values) = &mut column.values {
        let (value, end) = double(window, at)?;
        values.push(value);
        return Some(end);
    }
    let (value, end) = whole(window, at)?;
    in_range(kind, value).then(|| column.push_int(value))?;
    Some(end)
}

/// Parses up to fifteen digits at `at`: returns their number, their count and the offset after
/// them.
fn digits(window: &[u8], at: usize) -> Option<(u64, u32, usize)> {
    let block = block_at(window, at)?;
    let count = (!block::digits(block)).trailing_zeros();
    if count == 0 || count > EXACT_DIGITS {
        return None;
    }
    Some((block::decimal(block, count), count, at + count as usize))
}

/// Parses the digits before a decimal point or the end. A leading zero must be the only digit.
fn leading(window: &[u8], at: usize) -> Option<(u64, u32, usize)> {
    let found = digits(window, at)?;
    (found.1 == 1 || window[at] != b'0').then_some(found)
}

/// Parses a whole number without decimal point and exponent.
///
/// It does not test the byte after the number. The caller compares that byte with the record
/// template, in which no byte of a number can follow a value.
fn whole(window: &[u8], at: usize) -> Option<(i64, usize)> {
    let negative = *window.get(at)? == b'-';
    let (size, _, end) = leading(window, at + usize::from(negative))?;
    let size = size.cast_signed();
    Some((if negative { -size } else { size }, end))
}

/// Parses a number without exponent.
fn double(window: &[u8], at: usize) -> Option<(f64, usize)> {
    let negative = *window.get(at)? == b'-';
    let (mut size, count, mut end) = leading(window, at + usize::from(negative))?;
    let mut scale = 0;
    if *window.get(end)? == b'.' {
        let (fraction, places, after) = digits(window, end + 1)?;
        if count + places > EXACT_DIGITS {
            return None;
        }
        size = size * WHOLE_POWERS[places as usize] + fraction;
        (scale, end) = (places as usize, after);
    }
    let value = size as f64 / POWERS[scale];
    // `0.0 - 0.0` is `0.0`: a zero has no sign.
    Some((if negative { 0.0 - value } else { value }, end))
}

/// Findings about a text after one pass over its blocks.
#[derive(Default)]
struct TextScan {
    /// True if the text has bytes other than ASCII and well-formed two-byte sequences. Then it must
    /// be validated as UTF-8.
    unverified: bool,
    /// True if the text has characters from U+0080 to U+00BF, as every double-encoded text has.
    low: bool,
    /// 1 if the last byte of the previous block was a lead byte, else 0.
    carry: u32,
}

impl TextScan {
    /// Checks the first `length` bytes of a block that has bytes outside ASCII, or that continues a
    /// sequence of the previous block.
    fn beyond_ascii(&mut self, block: &[u8; BLOCK], high: u32, length: u32) {
        let (pairs, here) = (block::pairs(block), (1 << length) - 1);
        // A continuation byte is expected exactly after each lead byte.
        let expected = pairs.first << 1 | self.carry;
        self.unverified |= (pairs.continuation ^ expected) & here != 0;
        // Bytes that are neither belong to longer sequences, or to none.
        self.unverified |= high & here & !(pairs.first | pairs.continuation) != 0;
        self.low |= pairs.low & here != 0;
        self.carry = expected >> length & 1;
    }
}

/// Appends the text that begins at `at`, after its opening quote, to `buffer`, repaired if
/// necessary. Returns the offset after its closing quote.
fn string(window: &[u8], at: usize, buffer: &mut Vec<u8>, repaired: &mut bool) -> Option<usize> {
    let from = buffer.len();
    let (end, scan) = unescaped(window, at, buffer)?;
    if scan.unverified || scan.low {
        // An escape decodes to a whole character, so decoding neither adds nor hides invalid UTF-8.
        let text = std::str::from_utf8(&buffer[from..]).ok()?;
        if let Some(repaired_text) = text::repair(text) {
            *repaired = true;
            buffer.truncate(from);
            buffer.extend_from_slice(repaired_text.as_bytes());
        }
    }
    Some(end)
}

/// Appends the text that begins at `at` with its escapes decoded, but neither validated nor
/// repaired.
fn unescaped(window: &[u8], mut at: usize, buffer: &mut Vec<u8>) -> Option<(usize, TextScan)> {
    let mut scan = TextScan::default();
    loop {
        let block = block_at(window, at)?;
        let marks = block::marks(block);
        let (before, length) = (buffer.len(), marks.run());
        // Copying a block of constant size is cheaper than copying `length` bytes; the excess is
        // truncated below.
        buffer.extend_from_slice(block);
        if marks.high & ((1 << length) - 1) | scan.carry != 0 {
            scan.beyond_ascii(block, marks.high, length);
        }
        at += length as usize;
        if marks.stops == 0 {
            continue;
        }
        buffer.truncate(before + length as usize);
        // The byte that stops a run is ASCII, so it cannot continue a sequence.
        scan.unverified |= scan.carry != 0;
        scan.carry = 0;
        match window[at] {
            b'"' => return Some((at + 1, scan)),
            b'\\' => at = escape(window, at + 1, buffer, &mut scan)?,
            _ => return None,
        }
    }
}

/// Appends the character of the escape whose letter is at `at` and returns the offset after it.
fn escape(window: &[u8], at: usize, buffer: &mut Vec<u8>, scan: &mut TextScan) -> Option<usize> {
    let plain = match *window.get(at)? {
        letter @ (b'"' | b'\\' | b'/') => letter,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'u' => {
            let (character, used) = text::unicode(&window[at + 1..]).ok()?;
            buffer.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            scan.low |= matches!(character, '\u{80}'..='\u{bf}');
            return Some(at + 1 + used);
        }
        _ => return None,
    };
    buffer.push(plain);
    Some(at + 1)
}

/// Returns the offset after the value of an unknown key: text, a number or a literal. `scratch` is
/// a reusable buffer.
pub(super) fn skip(window: &[u8], at: usize, scratch: &mut Vec<u8>) -> Option<usize> {
    match *window.get(at)? {
        b'"' => {
            scratch.clear();
            let (end, scan) = unescaped(window, at + 1, scratch)?;
            (!scan.unverified || std::str::from_utf8(scratch).is_ok()).then_some(end)
        }
        b'-' | b'0'..=b'9' => number_end(&window[at..]).ok().map(|length| at + length),
        _ => {
            let rest = &window[at..];
            let word = ["null", "true", "false"]
                .into_iter()
                .find(|word| rest.starts_with(word.as_bytes()));
            word.map(|word| at + word.len())
        }
    }
}
