//! Scanner of one JSON object in a window of bytes: validates it, and finds its end and its values.
//! This is the first step of the slow path.
//!
//! It follows RFC 8259 strictly. It converts nothing, and allocates only the stack of open
//! brackets. `schema` converts the values; `records` finds the objects.

use std::borrow::Cow;

use super::schema::RecordShape;
use super::text;

/// Value of a key, as a range of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Raw {
    /// No such key in the object.
    #[default]
    Missing,
    /// `null`
    Null,
    /// String without its quotes; `plain` if it is ASCII without escapes, and so needs no decoding.
    Text { start: usize, end: usize, plain: bool },
    /// Number as written.
    Number { start: usize, end: usize },
    /// Value of a type that no column takes, with its name for messages.
    Other(&'static str),
}

/// Reason why a scan found no complete object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScanError {
    /// The window ends before the object; the scan needs more bytes.
    Incomplete,
    /// The object is not valid JSON, with the reason.
    Invalid(&'static str),
}

/// Member of an object: a key and its value.
pub(super) struct Member<'a> {
    /// Index of the key among those that were searched for; none for an unknown key.
    pub slot: Option<usize>,
    /// Key, unescaped if possible.
    pub name: Cow<'a, [u8]>,
    /// Start of the value in the window, including its quote or bracket.
    pub start: usize,
    /// End of the value.
    pub end: usize,
    /// Value.
    pub value: Raw,
}

/// Value in the window.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Found {
    /// Value without its quotes.
    pub raw: Raw,
    /// Start of the value in the window, including its quote or bracket.
    pub start: usize,
}

/// Scans the object whose `{` is at `start`, passes each of its members to `visit`, and returns the
/// offset after the closing `}`.
pub(super) fn scan_object<'a>(
    window: &'a [u8],
    start: usize,
    keys: &[&str],
    visit: &mut impl FnMut(Member<'a>),
) -> Result<usize, ScanError> {
    members(&mut Cursor { window, at: start + 1 }, keys, visit)
}

/// Scans the object whose `{` is at `start`. Returns true if it has the required keys of a record,
/// and the number of bytes that were scanned.
pub(super) fn find_object(
    window: &[u8],
    start: usize,
    shape: RecordShape,
) -> (Result<bool, ScanError>, usize) {
    let (mut cursor, mut found) = (Cursor { window, at: start + 1 }, 0_u64);
    let visit = &mut |member: Member<'_>| found |= member.slot.map_or(0, |slot| 1 << slot);
    let scanned = members(&mut cursor, shape.keys, visit);
    (scanned.map(|_| shape.is_complete(found)), cursor.at - start)
}

/// Scans the elements of the array whose `[` is at `start`, passes each to `visit`, and returns the
/// offset after the closing `]`.
pub(super) fn scan_array(
    window: &[u8],
    start: usize,
    visit: &mut impl FnMut(Found),
) -> Result<usize, ScanError> {
    let mut cursor = Cursor { window, at: start + 1 };
    if cursor.next_token()? == b']' {
        return Ok(cursor.at + 1);
    }
    loop {
        cursor.next_token()?;
        let start = cursor.at;
        let raw = cursor.value()?;
        visit(Found { raw, start });
        match cursor.next_token()? {
            b',' => cursor.at += 1,
            b']' => return Ok(cursor.at + 1),
            _ => return Err(ScanError::Invalid("`,` or `]` is missing")),
        }
    }
}

/// Scans a key at `at` and its colon; returns the key and the offset of its value.
pub(super) fn scan_key(window: &[u8], at: usize) -> Result<(Cow<'_, [u8]>, usize), ScanError> {
    let mut cursor = Cursor { window, at };
    let key = cursor.key()?.name(window);
    Ok((key, cursor.at))
}

/// Scans the value at `at` and returns the offset after it.
pub(super) fn scan_value(window: &[u8], at: usize) -> Result<usize, ScanError> {
    let mut cursor = Cursor { window, at };
    cursor.value()?;
    Ok(cursor.at)
}

/// Scans the members of an object, from the byte after its `{` on.
fn members<'a>(
    cursor: &mut Cursor<'a>,
    keys: &[&str],
    visit: &mut impl FnMut(Member<'a>),
) -> Result<usize, ScanError> {
    let window = cursor.window;
    let mut expected = 0;
    if cursor.next_token()? == b'}' {
        return Ok(cursor.at + 1);
    }
    loop {
        let name = cursor.key()?.name(window);
        let slot = find(&name, keys, expected);
        let start = cursor.at;
        let value = cursor.value()?;
        expected = slot.map_or(expected, |slot| slot + 1);
        visit(Member { slot, name, start, end: cursor.at, value });
        match cursor.next_token()? {
            b',' => cursor.at += 1,
            b'}' => return Ok(cursor.at + 1),
            _ => return Err(ScanError::Invalid("`,` or `}` is missing")),
        }
        cursor.next_token()?;
    }
}

/// Returns the index of a key. Tries the expected one first, since most records have their keys in
/// the order of the columns.
fn find(name: &[u8], keys: &[&str], expected: usize) -> Option<usize> {
    if keys.get(expected).is_some_and(|key| key.as_bytes() == name) {
        return Some(expected);
    }
    keys.iter().position(|key| key.as_bytes() == name)
}

/// String in the window, without its quotes.
#[derive(Clone, Copy)]
struct Quoted {
    start: usize,
    end: usize,
    escaped: bool,
    ascii: bool,
}

impl Quoted {
    /// Decodes a key; returns it as written if its escapes cannot be decoded.
    fn name(self, window: &[u8]) -> Cow<'_, [u8]> {
        let written = &window[self.start..self.end];
        let mut plain = Vec::new();
        if self.escaped && text::unescape(written, &mut plain).is_ok() {
            return Cow::Owned(plain);
        }
        Cow::Borrowed(written)
    }
}

/// Position in the window.
struct Cursor<'a> {
    window: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Result<u8, ScanError> {
        self.window.get(self.at).copied().ok_or(ScanError::Incomplete)
    }

    /// Moves to the next byte that is not white space and returns it.
    fn next_token(&mut self) -> Result<u8, ScanError> {
        loop {
            match self.peek()? {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                other => return Ok(other),
            }
        }
    }

    /// Reads a key and its colon, and moves to the value.
    fn key(&mut self) -> Result<Quoted, ScanError> {
        if self.peek()? != b'"' {
            return Err(ScanError::Invalid("a key is missing"));
        }
        let key = self.string()?;
        if self.next_token()? != b':' {
            return Err(ScanError::Invalid("`:` is missing"));
        }
        self.at += 1;
        self.next_token()?;
        Ok(key)
    }

    fn value(&mut self) -> Result<Raw, ScanError> {
        match self.peek()? {
            b'"' => {
                let Quoted { start, end, escaped, ascii } = self.string()?;
                Ok(Raw::Text { start, end, plain: ascii && !escaped })
            }
            b'-' | b'0'..=b'9' => {
                let start = self.at;
                self.number()?;
                Ok(Raw::Number { start, end: self.at })
            }
            b'n' => self.word(b"null").map(|()| Raw::Null),
            b't' => self.word(b"true").map(|()| Raw::Other("true")),
            b'f' => self.word(b"false").map(|()| Raw::Other("false")),
            b'{' => self.nested().map(|()| Raw::Other("an object")),
            b'[' => self.nested().map(|()| Raw::Other("an array")),
            _ => Err(ScanError::Invalid("a value is missing")),
        }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), ScanError> {
        let rest = &self.window[self.at..];
        if rest.starts_with(word) {
            self.at += word.len();
            Ok(())
        } else if rest.len() < word.len() && word.starts_with(rest) {
            Err(ScanError::Incomplete)
        } else {
            Err(ScanError::Invalid("an unknown literal"))
        }
    }

    /// Reads a string, including its quotes.
    fn string(&mut self) -> Result<Quoted, ScanError> {
        let start = self.at + 1;
        let (mut at, mut escaped, mut ascii) = (start, false, true);
        loop {
            at += plain_run(self.window.get(at..).unwrap_or_default());
            match *self.window.get(at).ok_or(ScanError::Incomplete)? {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    at = self.escape(at)?;
                }
                0..0x20 => return Err(ScanError::Invalid("a control character in a string")),
                _ => {
                    ascii = false;
                    at += 1;
                }
            }
        }
        if !ascii && std::str::from_utf8(&self.window[start..at]).is_err() {
            return Err(ScanError::Invalid("a string that is not UTF-8"));
        }
        self.at = at + 1;
        Ok(Quoted { start, end: at, escaped, ascii })
    }

    /// Returns the offset after the escape whose backslash is at `at`.
    fn escape(&self, at: usize) -> Result<usize, ScanError> {
        match self.window.get(at + 1).ok_or(ScanError::Incomplete)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(at + 2),
            b'u' => {
                let digits = self.window.get(at + 2..at + 6).ok_or(ScanError::Incomplete)?;
                if digits.iter().all(u8::is_ascii_hexdigit) {
                    Ok(at + 6)
                } else {
                    Err(ScanError::Invalid("an invalid escape"))
                }
            }
            _ => Err(ScanError::Invalid("an invalid escape")),
        }
    }

    fn number(&mut self) -> Result<(), ScanError> {
        match number_end(&self.window[self.at..]) {
            // Only the next byte shows where a number ends; it may continue after the window.
            Ok(length) if self.at + length < self.window.len() => {
                self.at += length;
                Ok(())
            }
            Ok(_) | Err(ScanError::Incomplete) => Err(ScanError::Incomplete),
            Err(error) => Err(error),
        }
    }

    /// Reads a nested object or array of any depth. An explicit stack instead of recursion, so that
    /// no input overflows the thread's stack.
    fn nested(&mut self) -> Result<(), ScanError> {
        let mut open = Vec::new();
        loop {
            match self.next_token()? {
                bracket @ (b'{' | b'[') => {
                    self.at += 1;
                    open.push(bracket);
                    let closing = if bracket == b'{' { b'}' } else { b']' };
                    if self.next_token()? != closing {
                        if bracket == b'{' {
                            self.key()?;
                        }
                        continue;
                    }
                }
                _ => {
                    self.value()?;
                }
            }
            if self.close(&mut open)? {
                return Ok(());
            }
        }
    }

    /// Reads the closing brackets after a nested value; returns true if none is left open, else
    /// moves to the next value.
    fn close(&mut self, open: &mut Vec<u8>) -> Result<bool, ScanError> {
        while let Some(bracket) = open.last().copied() {
            match (self.next_token()?, bracket) {
                (b'}', b'{') | (b']', b'[') => {
                    self.at += 1;
                    open.pop();
                }
                (b',', _) => {
                    self.at += 1;
                    self.next_token()?;
                    if bracket == b'{' {
                        self.key()?;
                    }
                    return Ok(false);
                }
                _ => return Err(ScanError::Invalid("mismatched brackets")),
            }
        }
        Ok(true)
    }
}

/// Returns the length of the literal ASCII at the start of `text`: no quote, backslash, control
/// character or other byte. Tests eight bytes at a time (SIMD within a register).
fn plain_run(text: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    /// Sets the high bit of each byte that is zero. Bits above the lowest one set may be wrong,
    /// because of the borrow; only the lowest is used.
    const fn zeros(word: u64) -> u64 {
        word.wrapping_sub(ONES) & !word & HIGH
    }
    let (words, _) = text.as_chunks::<8>();
    for (index, bytes) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*bytes);
        // Below 0x20, the subtraction borrows into the high bit.
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        let quote = zeros(word ^ (ONES * u64::from(b'"')));
        let backslash = zeros(word ^ (ONES * u64::from(b'\\')));
        let special = control | quote | backslash | (word & HIGH);
        if special != 0 {
            return index * 8 + special.trailing_zeros() as usize / 8;
        }
    }
    let whole = words.len() * 8;
    let rest = text[whole..]
        .iter()
        .take_while(|byte| matches!(byte, 0x20..0x80) && !matches!(byte, b'"' | b'\\'));
    whole + rest.count()
}

/// Returns the length of the JSON number at the start of `text`.
pub(super) fn number_end(text: &[u8]) -> Result<usize, ScanError> {
    const WRONG: ScanError = ScanError::Invalid("a malformed number");
    let digits = |from: usize| {
        text.get(from..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let mut at = usize::from(text.first() == Some(&b'-'));
    let whole = digits(at);
    match (whole, text.get(at)) {
        (0, None) => return Err(ScanError::Incomplete),
        (0, _) | (2.., Some(b'0')) => return Err(WRONG),
        _ => at += whole,
    }
    if text.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        at += 1 + fraction;
        if fraction == 0 {
            return Err(if at < text.len() { WRONG } else { ScanError::Incomplete });
        }
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        at += 1 + usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(at);
        at += exponent;
        if exponent == 0 {
            return Err(if at < text.len() { WRONG } else { ScanError::Incomplete });
        }
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEYS: &[&str] = &["a", "b"];

    fn scan(text: &str) -> Result<(usize, Vec<Raw>, Vec<String>), ScanError> {
        let mut slots = [Raw::Missing; 2];
        let mut extra = Vec::new();
        let end = scan_object(text.as_bytes(), 0, KEYS, &mut |member| match member.slot {
            Some(slot) => slots[slot] = member.value,
            None => extra.push(String::from_utf8_lossy(&member.name).into_owned()),
        })?;
        Ok((end, slots.to_vec(), extra))
    }

    #[test]
    fn values_are_found_in_any_order_and_the_last_of_a_key_counts() {
        let (end, slots, extra) =
            scan(r#"{"b":"x\"y","c":[{"a":1},[]],"\u0061":-1.5e3,"b":null} {"#).unwrap();
        assert_eq!((end, extra), (54, vec!["c".to_owned()]));
        assert_eq!(slots, [Raw::Number { start: 38, end: 44 }, Raw::Null]);
    }

    #[test]
    fn nesting_depth_does_not_use_the_stack() {
        let deep = format!("{{\"c\":{}1{}}}", "[".repeat(1_000_000), "]".repeat(1_000_000));
        assert_eq!(scan(&deep).unwrap().0, deep.len());
    }

    #[test]
    fn every_prefix_is_incomplete_and_never_invalid() {
        let text = r#"{"a":"\u00e9é\n","c":{"d":[true,false,null,{}],"e":-0.5E-7},"b":12}"#;
        for end in (1..text.len()).filter(|end| text.is_char_boundary(*end)) {
            assert_eq!(scan(&text[..end]), Err(ScanError::Incomplete), "{}", &text[..end]);
        }
    }

    /// Text similar to JSON: pieces of it, in any order.
    fn near_json() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"a\"",
            "\"b\"",
            "\"c\"",
            "1",
            "-0",
            "01",
            "1.",
            "1.5",
            "2e5",
            "2e",
            "true",
            "nul",
            "null",
            " ",
            "\n",
            "\"\\n\"",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\t\"",
            "\"é\"",
            "{\"a\":1}",
            "\"a\":1,",
            "\"b\":[1,2]",
            "-",
        ]);
        prop::collection::vec(piece, 0..12).prop_map(|pieces| format!("{{{}", pieces.concat()))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        /// Eight bytes at a time and one by one give the same run.
        #[test]
        fn a_plain_run_ends_before_the_first_other_byte(
            text in prop::collection::vec(prop_oneof![20 => 0x20..0x80_u8, 1 => any::<u8>()], 0..40),
        ) {
            let other = |byte: &u8| *byte < 0x20 || *byte >= 0x80 || matches!(byte, b'"' | b'\\');
            prop_assert_eq!(plain_run(&text), text.iter().position(other).unwrap_or(text.len()));
        }

        /// Differential test against serde_json.
        #[test]
        fn serde_json_accepts_the_same_objects(text in near_json()) {
            let mut stream =
                serde_json::Deserializer::from_str(&text).into_iter::<serde::de::IgnoredAny>();
            let reference = stream.next().map(|first| first.map_err(|error| error.is_eof()));
            match (scan(&text), reference) {
                (Ok((end, ..)), Some(Ok(_))) => prop_assert_eq!(end, stream.byte_offset()),
                // A truncated escape or literal is incomplete here and may be invalid there.
                (Err(ScanError::Incomplete | ScanError::Invalid(_)), Some(Err(_))) => {}
                (scanned, reference) => prop_assert!(false, "{text}: {scanned:?}, {reference:?}"),
            }
        }
    }
}
