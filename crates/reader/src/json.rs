//! One JSON object in a window of bytes: is it valid, where does it end, and where in it are the values that we want?
//!
//! RFC 8259 to the letter; nothing is converted here, and nothing is allocated but the stack of open brackets. What a value means is decided in
//! `value`, which object comes next in `records`.

use std::borrow::Cow;

use super::text;

/// Where a key's value stands in the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Raw {
    /// The key does not occur.
    #[default]
    Missing,
    /// `null`
    Null,
    /// What stands between the quotes; `plain` when it is ASCII without escapes, and so is what it stands for.
    Text { start: usize, end: usize, plain: bool },
    /// A number as written.
    Number { start: usize, end: usize },
    /// Something that no column takes, in words.
    Other(&'static str),
}

/// Why a scan did not come to an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The window ends before the object does.
    Incomplete,
    /// The object is not valid JSON: what was wrong.
    Invalid(&'static str),
}

/// One key of an object and its value.
pub(super) struct Found<'a> {
    /// The index of the key among those that were asked for.
    pub slot: Option<usize>,
    /// The key, unescaped where that is possible.
    pub name: Cow<'a, [u8]>,
    /// Where the value stands, with its quotes or brackets: `start..end`.
    pub start: usize,
    /// See `start`.
    pub end: usize,
    /// The value.
    pub value: Raw,
}

/// Scans the object whose `{` is at `start`, gives each of its keys to `note`, and gives the offset behind the closing `}`.
pub(super) fn scan_object<'a>(
    window: &'a [u8],
    start: usize,
    keys: &[&str],
    note: &mut impl FnMut(Found<'a>),
) -> Result<usize, Stop> {
    let mut cursor = Cursor { window, at: start + 1 };
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
        note(Found { slot, name, start, end: cursor.at, value });
        match cursor.next_token()? {
            b',' => cursor.at += 1,
            b'}' => return Ok(cursor.at + 1),
            _ => return Err(Stop::Invalid("`,` or `}` is missing")),
        }
        cursor.next_token()?;
    }
}

/// The index of the key: first where it usually stands, then anywhere.
fn find(name: &[u8], keys: &[&str], expected: usize) -> Option<usize> {
    if keys.get(expected).is_some_and(|key| key.as_bytes() == name) {
        return Some(expected);
    }
    keys.iter().position(|key| key.as_bytes() == name)
}

/// Where a string stands, without its quotes.
#[derive(Clone, Copy)]
struct Quoted {
    start: usize,
    end: usize,
    escaped: bool,
    ascii: bool,
}

impl Quoted {
    /// The key that it is; as written where its escapes stand for nothing.
    fn name(self, window: &[u8]) -> Cow<'_, [u8]> {
        let written = &window[self.start..self.end];
        let mut plain = Vec::new();
        if self.escaped && text::unescape(written, &mut plain).is_ok() {
            return Cow::Owned(plain);
        }
        Cow::Borrowed(written)
    }
}

struct Cursor<'a> {
    window: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Result<u8, Stop> {
        self.window.get(self.at).copied().ok_or(Stop::Incomplete)
    }

    /// The next byte that is no white space, not taken.
    fn next_token(&mut self) -> Result<u8, Stop> {
        loop {
            match self.peek()? {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                other => return Ok(other),
            }
        }
    }

    /// A key and the colon behind it.
    fn key(&mut self) -> Result<Quoted, Stop> {
        if self.peek()? != b'"' {
            return Err(Stop::Invalid("a key is missing"));
        }
        let key = self.string()?;
        if self.next_token()? != b':' {
            return Err(Stop::Invalid("`:` is missing"));
        }
        self.at += 1;
        self.next_token()?;
        Ok(key)
    }

    fn value(&mut self) -> Result<Raw, Stop> {
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
            _ => Err(Stop::Invalid("a value is missing")),
        }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), Stop> {
        let rest = &self.window[self.at..];
        if rest.starts_with(word) {
            self.at += word.len();
            Ok(())
        } else if rest.len() < word.len() && word.starts_with(rest) {
            Err(Stop::Incomplete)
        } else {
            Err(Stop::Invalid("a word that is no value"))
        }
    }

    /// From the opening quote to behind the closing one.
    fn string(&mut self) -> Result<Quoted, Stop> {
        let start = self.at + 1;
        let (mut at, mut escaped, mut ascii) = (start, false, true);
        loop {
            at += plain_run(self.window.get(at..).unwrap_or_default());
            match *self.window.get(at).ok_or(Stop::Incomplete)? {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    at = self.escape(at)?;
                }
                0..0x20 => return Err(Stop::Invalid("a control character in a string")),
                _ => {
                    ascii = false;
                    at += 1;
                }
            }
        }
        if !ascii && std::str::from_utf8(&self.window[start..at]).is_err() {
            return Err(Stop::Invalid("a string that is not UTF-8"));
        }
        self.at = at + 1;
        Ok(Quoted { start, end: at, escaped, ascii })
    }

    /// The offset behind the escape whose backslash is at `at`.
    fn escape(&self, at: usize) -> Result<usize, Stop> {
        match self.window.get(at + 1).ok_or(Stop::Incomplete)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(at + 2),
            b'u' => {
                let digits = self.window.get(at + 2..at + 6).ok_or(Stop::Incomplete)?;
                if digits.iter().all(u8::is_ascii_hexdigit) {
                    Ok(at + 6)
                } else {
                    Err(Stop::Invalid("an escape that is none"))
                }
            }
            _ => Err(Stop::Invalid("an escape that is none")),
        }
    }

    fn number(&mut self) -> Result<(), Stop> {
        match number_end(&self.window[self.at..]) {
            // A number is followed by something, or the window ends within it.
            Ok(length) if self.at + length < self.window.len() => {
                self.at += length;
                Ok(())
            }
            Ok(_) | Err(Stop::Incomplete) => Err(Stop::Incomplete),
            Err(stop) => Err(stop),
        }
    }

    /// An object or array that no column takes, of any depth: without recursion, so that no input exhausts our stack.
    fn nested(&mut self) -> Result<(), Stop> {
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

    /// After a value within brackets: takes all that close here; true when none is left open.
    fn close(&mut self, open: &mut Vec<u8>) -> Result<bool, Stop> {
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
                _ => return Err(Stop::Invalid("brackets that do not match")),
            }
        }
        Ok(true)
    }
}

/// How many bytes at the start of `text` are ASCII that stands for itself in a string: eight at a time, as one number.
fn plain_run(text: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    /// The high bit of each byte that is zero; above the lowest of them it may be set wrongly.
    const fn zeros(word: u64) -> u64 {
        word.wrapping_sub(ONES) & !word & HIGH
    }
    let (words, _) = text.as_chunks::<8>();
    for (index, bytes) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*bytes);
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

/// The length of the JSON number with which `text` begins.
pub(super) fn number_end(text: &[u8]) -> Result<usize, Stop> {
    const WRONG: Stop = Stop::Invalid("a number that is none");
    let digits = |from: usize| {
        text.get(from..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let mut at = usize::from(text.first() == Some(&b'-'));
    let whole = digits(at);
    match (whole, text.get(at)) {
        (0, None) => return Err(Stop::Incomplete),
        (0, _) | (2.., Some(b'0')) => return Err(WRONG),
        _ => at += whole,
    }
    if text.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        at += 1 + fraction;
        if fraction == 0 {
            return Err(if at < text.len() { WRONG } else { Stop::Incomplete });
        }
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        at += 1 + usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(at);
        at += exponent;
        if exponent == 0 {
            return Err(if at < text.len() { WRONG } else { Stop::Incomplete });
        }
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEYS: &[&str] = &["a", "b"];

    fn scan(text: &str) -> Result<(usize, Vec<Raw>, Vec<String>), Stop> {
        let mut slots = [Raw::Missing; 2];
        let mut extra = Vec::new();
        let end = scan_object(text.as_bytes(), 0, KEYS, &mut |found| match found.slot {
            Some(slot) => slots[slot] = found.value,
            None => extra.push(String::from_utf8_lossy(&found.name).into_owned()),
        })?;
        Ok((end, slots.to_vec(), extra))
    }

    #[test]
    fn values_are_found_in_any_order_and_the_last_counts() {
        let (end, slots, extra) =
            scan(r#"{"b":"x\"y","c":[{"a":1},[]],"\u0061":-1.5e3,"b":null} {"#).unwrap();
        assert_eq!((end, extra), (54, vec!["c".to_owned()]));
        assert_eq!(slots, [Raw::Number { start: 38, end: 44 }, Raw::Null]);
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = format!("{{\"c\":{}1{}}}", "[".repeat(1_000_000), "]".repeat(1_000_000));
        assert_eq!(scan(&deep).unwrap().0, deep.len());
    }

    #[test]
    fn every_prefix_is_incomplete_and_never_invalid() {
        let text = r#"{"a":"\u00e9é\n","c":{"d":[true,false,null,{}],"e":-0.5E-7},"b":12}"#;
        for end in (1..text.len()).filter(|end| text.is_char_boundary(*end)) {
            assert_eq!(scan(&text[..end]), Err(Stop::Incomplete), "{}", &text[..end]);
        }
    }

    /// Text near JSON: pieces of it, in any order.
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
        /// Eight at a time or one by one, the run of plain bytes is the same.
        #[test]
        fn a_plain_run_ends_where_the_first_other_byte_is(
            text in prop::collection::vec(prop_oneof![20 => 0x20..0x80_u8, 1 => any::<u8>()], 0..40),
        ) {
            let other = |byte: &u8| *byte < 0x20 || *byte >= 0x80 || matches!(byte, b'"' | b'\\');
            prop_assert_eq!(plain_run(&text), text.iter().position(other).unwrap_or(text.len()));
        }

        /// serde_json is the judge of what is valid and where it ends.
        #[test]
        fn the_same_objects_are_valid_as_for_serde_json(text in near_json()) {
            let mut stream =
                serde_json::Deserializer::from_str(&text).into_iter::<serde::de::IgnoredAny>();
            let theirs = stream.next().map(|first| first.map_err(|error| error.is_eof()));
            match (scan(&text), theirs) {
                (Ok((end, ..)), Some(Ok(_))) => prop_assert_eq!(end, stream.byte_offset()),
                // Where we wait for more, they may call a cut escape or word invalid: it ends the same.
                (Err(Stop::Incomplete | Stop::Invalid(_)), Some(Err(_))) => {}
                (ours, theirs) => prop_assert!(false, "{text}: {ours:?}, {theirs:?}"),
            }
        }
    }
}
