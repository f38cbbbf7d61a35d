//! A value of the usual kind, from its bytes straight into its column: found, checked and converted in one look.
//!
//! What is not of the usual kind is not refused here: the answer is `None`, and the record is read the tolerant way (`json`, `schema`), which
//! decides. So nothing here may take what that way refuses, or take it for something else; a property test and a fuzz target hold the two together.
//! After `None` a column may hold half a value, which the caller takes back.

use super::block::{self, BLOCK};
use super::json::number_end;
use super::schema::{Field, Kind, in_range};
use super::text;
use sparkify_warehouse::{Column, Values};

/// Behind the bytes of a window stand this many zeros at least: a block may be read wherever a record can stand.
pub(super) const PADDING: usize = 2 * BLOCK;

/// So many digits are exact in a double, and so is a power of ten of as many zeros: their quotient is the nearest double.
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

/// Appends the value at `at` to `column`, notes in `repaired` whether it had been encoded twice, and gives the offset behind it.
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

/// Up to fifteen digits at `at`: the number they say, how many they are, and the offset behind them.
fn digits(window: &[u8], at: usize) -> Option<(u64, u32, usize)> {
    let block = block_at(window, at)?;
    let count = (!block::digits(block)).trailing_zeros();
    if count == 0 || count > EXACT_DIGITS {
        return None;
    }
    Some((block::decimal(block, count), count, at + count as usize))
}

/// The digits before a point or the end, of which the first is zero only when it stands alone.
fn leading(window: &[u8], at: usize) -> Option<(u64, u32, usize)> {
    let found = digits(window, at)?;
    (found.1 == 1 || window[at] != b'0').then_some(found)
}

/// A whole number without point and exponent. What stands behind it is for the caller to compare: it expects some byte that no number has.
fn whole(window: &[u8], at: usize) -> Option<(i64, usize)> {
    let negative = *window.get(at)? == b'-';
    let (size, _, end) = leading(window, at + usize::from(negative))?;
    let size = size.cast_signed();
    Some((if negative { -size } else { size }, end))
}

/// A number without exponent.
fn double(window: &[u8], at: usize) -> Option<(f64, usize)> {
    let negative = *window.get(at)? == b'-';
    let (mut size, count, mut end) = leading(window, at + usize::from(negative))?;
    let mut scale = 0;
    if *window.get(end)? == b'.' {
        let (fraction, places, behind) = digits(window, end + 1)?;
        if count + places > EXACT_DIGITS {
            return None;
        }
        size = size * WHOLE_POWERS[places as usize] + fraction;
        (scale, end) = (places as usize, behind);
    }
    let value = size as f64 / POWERS[scale];
    // Zero has no sign.
    Some((if negative { 0.0 - value } else { value }, end))
}

/// What is known of a text after one look.
#[derive(Default)]
struct Look {
    /// It may not be UTF-8: there is more than ASCII and well-formed pairs of bytes.
    doubtful: bool,
    /// It has characters from U+0080 to U+00BF, as every text has that was encoded twice.
    low: bool,
    /// A pair has begun with the last byte of a block.
    carry: u32,
}

impl Look {
    /// Looks at the first `length` bytes of a block, some of which are beyond ASCII or carried on from the block before.
    fn beyond_ascii(&mut self, block: &[u8; BLOCK], high: u32, length: u32) {
        let (pairs, here) = (block::pairs(block), (1 << length) - 1);
        let expected = pairs.first << 1 | self.carry;
        self.doubtful |= (pairs.later ^ expected) & here != 0;
        self.doubtful |= high & here & !(pairs.first | pairs.later) != 0;
        self.low |= pairs.low & here != 0;
        self.carry = expected >> length & 1;
    }
}

/// Appends the text that begins at `at`, behind its quote, to `buffer`, and gives the offset behind its closing quote.
fn string(window: &[u8], at: usize, buffer: &mut Vec<u8>, repaired: &mut bool) -> Option<usize> {
    let from = buffer.len();
    let (end, look) = unescaped(window, at, buffer)?;
    if look.doubtful || look.low {
        // Escapes say whole characters, so what is wrong before they are resolved is wrong behind.
        let meant = std::str::from_utf8(&buffer[from..]).ok()?;
        if let Some(mended) = text::repair(meant) {
            *repaired = true;
            buffer.truncate(from);
            buffer.extend_from_slice(mended.as_bytes());
        }
    }
    Some(end)
}

/// The same without a judgement of what the bytes say.
fn unescaped(window: &[u8], mut at: usize, buffer: &mut Vec<u8>) -> Option<(usize, Look)> {
    let mut look = Look::default();
    loop {
        let block = block_at(window, at)?;
        let marks = block::marks(block);
        let (before, length) = (buffer.len(), marks.run());
        // A whole block costs less than as many bytes as are meant; the others go again.
        buffer.extend_from_slice(block);
        if marks.high & ((1 << length) - 1) | look.carry != 0 {
            look.beyond_ascii(block, marks.high, length);
        }
        at += length as usize;
        if marks.stops == 0 {
            continue;
        }
        buffer.truncate(before + length as usize);
        // What ends a run ends no character.
        look.doubtful |= look.carry != 0;
        look.carry = 0;
        match window[at] {
            b'"' => return Some((at + 1, look)),
            b'\\' => at = escape(window, at + 1, buffer, &mut look)?,
            _ => return None,
        }
    }
}

/// Appends what the escape stands for whose letter is at `at`, and gives the offset behind it.
fn escape(window: &[u8], at: usize, buffer: &mut Vec<u8>, look: &mut Look) -> Option<usize> {
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
            look.low |= matches!(character, '\u{80}'..='\u{bf}');
            return Some(at + 1 + used);
        }
        _ => return None,
    };
    buffer.push(plain);
    Some(at + 1)
}

/// Behind the value at `at`, which no column takes: text, a number or a word. `scratch` is for its own use.
pub(super) fn skip(window: &[u8], at: usize, scratch: &mut Vec<u8>) -> Option<usize> {
    match *window.get(at)? {
        b'"' => {
            scratch.clear();
            let (end, look) = unescaped(window, at + 1, scratch)?;
            (!look.doubtful || std::str::from_utf8(scratch).is_ok()).then_some(end)
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
