//! JSON parser for COPY: root-level objects and arrays separated by white space.
//!
//! DG/copy-parameters-data-format.html, "JSON data file". The grammar is strict. The parser works
//! on bytes; the target column checks that text is valid UTF-8. Numbers keep their digits. No page
//! documents where COPY continues after invalid JSON: this parser continues at the next line that
//! begins with `{` or `[`.

use std::borrow::Cow;

/// Limit of one object or array including its braces (DG/copy-parameters-data-format.html).
pub(super) const MAX_RECORD_BYTES: usize = 4 << 20;
/// Limit of nesting, to bound the recursion. No page documents a limit.
const MAX_DEPTH: usize = 512;

/// JSON value with its source text.
#[derive(Debug)]
pub(super) struct Value<'a> {
    pub raw: &'a [u8],
    pub body: Body<'a>,
}

#[derive(Debug)]
pub(super) enum Body<'a> {
    Null,
    Bool(bool),
    Number,
    Text(Cow<'a, [u8]>),
    Object(Vec<(Cow<'a, [u8]>, Value<'a>)>),
    Array(Vec<Value<'a>>),
}

/// Item of a file.
#[derive(Debug)]
pub(super) enum Item<'a> {
    /// Object or array, and the line on which it ends.
    Record { value: Value<'a>, line: i64 },
    /// Invalid text, and the line on which it ends or its first error occurs.
    Invalid { raw: &'a [u8], line: i64, message: &'static str },
    /// Object or array above the size limit.
    TooLarge { line: i64 },
}

/// Iterator over the items of a file.
pub(super) struct Records<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Offset up to which lines are counted.
    counted: usize,
    /// Line number at `counted`.
    line: i64,
}

impl<'a> Records<'a> {
    pub(super) fn new(bytes: &'a [u8], skip_lines: u64) -> Self {
        let mut records = Self { bytes, at: 0, counted: 0, line: 1 };
        for _ in 0..skip_lines {
            let rest = &bytes[records.at..];
            let line_end = rest.iter().position(|byte| *byte == b'\n');
            records.at += line_end.map_or(rest.len(), |at| at + 1);
        }
        records
    }

    /// Returns the line number of an offset; offsets must not decrease between calls.
    fn line_of(&mut self, at: usize) -> i64 {
        let at = at.min(self.bytes.len());
        if at > self.counted {
            let ends = self.bytes[self.counted..at].split(|byte| *byte == b'\n').count() - 1;
            self.line += i64::try_from(ends).unwrap_or(i64::MAX);
            self.counted = at;
        }
        self.line
    }

    /// Takes the text before the next opening brace or bracket.
    fn invalid_text(&mut self) -> Item<'a> {
        let start = self.at;
        let rest = &self.bytes[start..];
        let length = rest.iter().position(|byte| matches!(byte, b'{' | b'[')).unwrap_or(rest.len());
        self.at += length;
        let raw = rest[..length].trim_ascii_end();
        let line = self.line_of(start + raw.len());
        Item::Invalid { raw, line, message: "Invalid JSON: expected an object or array" }
    }

    fn record(&mut self) -> Item<'a> {
        let start = self.at;
        let mut parser = Parser { bytes: self.bytes, at: start };
        let parsed = parser.value(0);
        self.at = parser.at;
        if parser.at - start > MAX_RECORD_BYTES {
            return Item::TooLarge { line: self.line_of(parser.at) };
        }
        match parsed {
            Ok(value) => Item::Record { value, line: self.line_of(self.at) },
            Err(message) => {
                let line = self.line_of(self.at);
                self.at = self.next_record_start();
                let raw = self.bytes[start..self.at].trim_ascii_end();
                Item::Invalid { raw, line, message }
            }
        }
    }

    /// Returns the offset of the next line that begins with an opening brace or bracket.
    fn next_record_start(&self) -> usize {
        let rest = &self.bytes[self.at..];
        let found =
            rest.windows(2).position(|pair| pair[0] == b'\n' && matches!(pair[1], b'{' | b'['));
        found.map_or(self.bytes.len(), |at| self.at + at + 1)
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        let rest = &self.bytes[self.at..];
        self.at += rest.len() - rest.trim_ascii_start().len();
        match self.bytes.get(self.at)? {
            b'{' | b'[' => Some(self.record()),
            _ => Some(self.invalid_text()),
        }
    }
}

/// Parses a file that contains exactly one value: a manifest or a JSONPaths file.
pub(super) fn single_value(bytes: &[u8]) -> Result<Value<'_>, &'static str> {
    let mut records = Records::new(bytes, 0);
    match (records.next(), records.next()) {
        (Some(Item::Record { value, .. }), None) => Ok(value),
        (Some(Item::Invalid { message, .. }), _) => Err(message),
        (None, _) => Err("the file is empty"),
        _ => Err("the file has more than one object"),
    }
}

impl<'a> Value<'a> {
    /// Returns the last member of an object with this name.
    pub(super) fn member(&self, name: &[u8]) -> Option<&Value<'a>> {
        let Body::Object(members) = &self.body else { return None };
        members.iter().rev().find(|(key, _)| key.as_ref() == name).map(|(_, value)| value)
    }

    /// Returns a string if it is valid UTF-8.
    pub(super) fn text(&self) -> Option<&str> {
        let Body::Text(bytes) = &self.body else { return None };
        std::str::from_utf8(bytes).ok()
    }
}

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
}

type Parsed<T> = Result<T, &'static str>;
const TRUNCATED: &str = "Invalid JSON: unexpected end of file";

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_white_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Parsed<Value<'a>> {
        if depth > MAX_DEPTH {
            return Err("Invalid JSON: nested too deeply");
        }
        let start = self.at;
        let body = match self.peek().ok_or(TRUNCATED)? {
            b'{' => self.object(depth)?,
            b'[' => self.array(depth)?,
            b'"' => Body::Text(self.string()?),
            b'-' | b'0'..=b'9' => self.number()?,
            _ => self.literal()?,
        };
        Ok(Value { raw: &self.bytes[start..self.at], body })
    }

    fn literal(&mut self) -> Parsed<Body<'a>> {
        let literals =
            [("null", Body::Null), ("true", Body::Bool(true)), ("false", Body::Bool(false))];
        let rest = &self.bytes[self.at..];
        let found = literals.into_iter().find(|(name, _)| rest.starts_with(name.as_bytes()));
        let (name, body) = found.ok_or("Invalid value")?;
        self.at += name.len();
        Ok(body)
    }

    fn object(&mut self, depth: usize) -> Parsed<Body<'a>> {
        let mut members = Vec::new();
        self.elements(b'}', |parser| {
            let key = match parser.peek().ok_or(TRUNCATED)? {
                b'"' => parser.string()?,
                _ => return Err("Invalid JSON: expected a name in double quotation marks"),
            };
            parser.skip_white_space();
            match parser.peek().ok_or(TRUNCATED)? {
                b':' => parser.at += 1,
                _ => return Err("Invalid JSON: expected a colon"),
            }
            parser.skip_white_space();
            members.push((key, parser.value(depth + 1)?));
            Ok(())
        })?;
        Ok(Body::Object(members))
    }

    fn array(&mut self, depth: usize) -> Parsed<Body<'a>> {
        let mut elements = Vec::new();
        self.elements(b']', |parser| {
            elements.push(parser.value(depth + 1)?);
            Ok(())
        })?;
        Ok(Body::Array(elements))
    }

    /// Parses comma-separated elements up to the closing brace or bracket `end`.
    fn elements(
        &mut self,
        end: u8,
        mut element: impl FnMut(&mut Self) -> Parsed<()>,
    ) -> Parsed<()> {
        self.at += 1;
        self.skip_white_space();
        if self.peek() == Some(end) {
            self.at += 1;
            return Ok(());
        }
        loop {
            element(self)?;
            self.skip_white_space();
            match self.peek().ok_or(TRUNCATED)? {
                b',' => self.at += 1,
                found if found == end => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err("Invalid JSON: expected a comma or a closing bracket"),
            }
            self.skip_white_space();
        }
    }

    fn digits(&mut self) -> Parsed<()> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err("Invalid value") } else { Ok(()) }
    }

    fn number(&mut self) -> Parsed<Body<'a>> {
        self.at += usize::from(self.peek() == Some(b'-'));
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(Body::Number)
    }

    fn string(&mut self) -> Parsed<Cow<'a, [u8]>> {
        self.at += 1;
        let start = self.at;
        // Only a string with escapes needs a copy.
        let mut decoded: Option<Vec<u8>> = None;
        loop {
            let byte = self.peek().ok_or(TRUNCATED)?;
            match byte {
                b'"' => {
                    let plain = &self.bytes[start..self.at];
                    self.at += 1;
                    return Ok(decoded.map_or(Cow::Borrowed(plain), Cow::Owned));
                }
                b'\\' => {
                    let decoded =
                        decoded.get_or_insert_with(|| self.bytes[start..self.at].to_vec());
                    self.at += 1;
                    self.escape(decoded)?;
                    continue;
                }
                0..0x20 => return Err("Invalid JSON: a control character in a string"),
                _ => {
                    if let Some(decoded) = &mut decoded {
                        decoded.push(byte);
                    }
                }
            }
            self.at += 1;
        }
    }

    /// Decodes the escape after a backslash.
    fn escape(&mut self, decoded: &mut Vec<u8>) -> Parsed<()> {
        let byte = self.peek().ok_or(TRUNCATED)?;
        self.at += 1;
        decoded.push(match byte {
            b'"' | b'\\' | b'/' => byte,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => return self.unicode(decoded),
            _ => {
                self.at -= 1;
                return Err("Invalid JSON: unknown escape");
            }
        });
        Ok(())
    }

    /// Decodes `\u` and four digits, or a surrogate pair of two such escapes.
    fn unicode(&mut self, decoded: &mut Vec<u8>) -> Parsed<()> {
        let unit = self.hex()?;
        let is_high_surrogate = (0xd800..0xdc00).contains(&unit);
        if is_high_surrogate && self.bytes[self.at..].starts_with(b"\\u") {
            let back = self.at;
            self.at += 2;
            let low = self.hex()?;
            if (0xdc00..0xe000).contains(&low) {
                let code = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                push_utf8(decoded, code);
                return Ok(());
            }
            self.at = back;
        }
        push_utf8(decoded, unit);
        Ok(())
    }

    fn hex(&mut self) -> Parsed<u32> {
        let digits = self.bytes.get(self.at..self.at + 4).ok_or(TRUNCATED)?;
        let mut unit = 0;
        for digit in digits {
            let digit = char::from(*digit).to_digit(16).ok_or("Invalid JSON: unknown escape")?;
            unit = unit * 16 + digit;
        }
        self.at += 4;
        Ok(unit)
    }
}

/// Appends a code point in UTF-8.
///
/// An unpaired surrogate is encoded the same way, which is not valid UTF-8; the conversion to the
/// target column rejects it.
fn push_utf8(decoded: &mut Vec<u8>, code: u32) {
    if let Some(character) = char::from_u32(code) {
        let mut bytes = [0; 4];
        decoded.extend_from_slice(character.encode_utf8(&mut bytes).as_bytes());
    } else {
        let [_, _, high, low] = code.to_be_bytes();
        let middle = 0x80 | (high & 0x0f) << 2 | low >> 6;
        decoded.extend_from_slice(&[0xe0 | high >> 4, middle, 0x80 | low & 0x3f]);
    }
}
