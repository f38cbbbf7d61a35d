//! JSON as COPY reads it: root-level objects and arrays one after another, with nothing but white space between them.
//!
//! DG/copy-parameters-data-format.html, "JSON data file". Bytes, not characters: text that is no UTF-8 is judged by the column that takes it. The grammar is
//! JSON's own and strict. Numbers keep their digits. What follows damage is in no page: here reading goes on at the next line that begins with `{` or `[`.

use std::borrow::Cow;

/// DG/copy-parameters-data-format.html: one object or array, with its braces.
pub(super) const LARGEST: usize = 4 << 20;
/// No page says how deep JSON may be; the stack ends somewhere.
const DEEPEST: usize = 512;

/// A value, and how it is written.
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

/// What comes next in a file.
#[derive(Debug)]
pub(super) enum Piece<'a> {
    /// An object or array, and the line that it ends on.
    Record { value: Value<'a>, line: i64 },
    /// Something else, and the line where it ends or is first seen to be wrong.
    Damage { raw: &'a [u8], line: i64, message: &'static str },
    /// More than COPY bears.
    TooLarge { line: i64 },
}

/// A file, piece by piece.
pub(super) struct Pieces<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Lines are counted up to here.
    counted: usize,
    line: i64,
}

impl<'a> Pieces<'a> {
    pub(super) fn new(bytes: &'a [u8], skip_lines: u64) -> Self {
        let mut pieces = Self { bytes, at: 0, counted: 0, line: 1 };
        for _ in 0..skip_lines {
            let rest = &bytes[pieces.at..];
            let line_end = rest.iter().position(|byte| *byte == b'\n');
            pieces.at += line_end.map_or(rest.len(), |at| at + 1);
        }
        pieces
    }

    /// The line of an offset; offsets come in order.
    fn line_of(&mut self, at: usize) -> i64 {
        let at = at.min(self.bytes.len());
        if at > self.counted {
            let ends = self.bytes[self.counted..at].split(|byte| *byte == b'\n').count() - 1;
            self.line += i64::try_from(ends).unwrap_or(i64::MAX);
            self.counted = at;
        }
        self.line
    }

    /// What stands before the next brace or bracket, and is no white space.
    fn junk(&mut self) -> Piece<'a> {
        let start = self.at;
        let rest = &self.bytes[start..];
        let length = rest.iter().position(|byte| matches!(byte, b'{' | b'[')).unwrap_or(rest.len());
        self.at += length;
        let raw = rest[..length].trim_ascii_end();
        let line = self.line_of(start + raw.len());
        Piece::Damage { raw, line, message: "Invalid JSON: expected an object or array" }
    }

    fn record(&mut self) -> Piece<'a> {
        let start = self.at;
        let mut parser = Parser { bytes: self.bytes, at: start };
        let parsed = parser.value(0);
        self.at = parser.at;
        if parser.at - start > LARGEST {
            return Piece::TooLarge { line: self.line_of(parser.at) };
        }
        match parsed {
            Ok(value) => Piece::Record { value, line: self.line_of(self.at) },
            Err(message) => {
                let line = self.line_of(self.at);
                self.at = self.next_beginning();
                let raw = self.bytes[start..self.at].trim_ascii_end();
                Piece::Damage { raw, line, message }
            }
        }
    }

    /// Where the next line begins with a brace or a bracket.
    fn next_beginning(&self) -> usize {
        let rest = &self.bytes[self.at..];
        let found =
            rest.windows(2).position(|pair| pair[0] == b'\n' && matches!(pair[1], b'{' | b'['));
        found.map_or(self.bytes.len(), |at| self.at + at + 1)
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let rest = &self.bytes[self.at..];
        self.at += rest.len() - rest.trim_ascii_start().len();
        match self.bytes.get(self.at)? {
            b'{' | b'[' => Some(self.record()),
            _ => Some(self.junk()),
        }
    }
}

/// The one value of a file that holds nothing else: a manifest, or JSONPaths.
pub(super) fn only(bytes: &[u8]) -> Result<Value<'_>, &'static str> {
    let mut pieces = Pieces::new(bytes, 0);
    match (pieces.next(), pieces.next()) {
        (Some(Piece::Record { value, .. }), None) => Ok(value),
        (Some(Piece::Damage { message, .. }), _) => Err(message),
        (None, _) => Err("it is empty"),
        _ => Err("there is more than one object"),
    }
}

impl<'a> Value<'a> {
    /// A member of an object; of several of this name the last.
    pub(super) fn member(&self, name: &[u8]) -> Option<&Value<'a>> {
        let Body::Object(members) = &self.body else { return None };
        members.iter().rev().find(|(key, _)| key.as_ref() == name).map(|(_, value)| value)
    }

    /// A text that is UTF-8.
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
const BROKEN: &str = "Invalid JSON: it breaks off";

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Parsed<Value<'a>> {
        if depth > DEEPEST {
            return Err("Invalid JSON: it is too deep");
        }
        let start = self.at;
        let body = match self.peek().ok_or(BROKEN)? {
            b'{' => self.object(depth)?,
            b'[' => self.array(depth)?,
            b'"' => Body::Text(self.string()?),
            b'-' | b'0'..=b'9' => self.number()?,
            _ => self.word()?,
        };
        Ok(Value { raw: &self.bytes[start..self.at], body })
    }

    fn word(&mut self) -> Parsed<Body<'a>> {
        let words =
            [("null", Body::Null), ("true", Body::Bool(true)), ("false", Body::Bool(false))];
        let rest = &self.bytes[self.at..];
        let found = words.into_iter().find(|(word, _)| rest.starts_with(word.as_bytes()));
        let (word, body) = found.ok_or("Invalid value")?;
        self.at += word.len();
        Ok(body)
    }

    fn object(&mut self, depth: usize) -> Parsed<Body<'a>> {
        let mut members = Vec::new();
        self.each(b'}', |parser| {
            let key = match parser.peek().ok_or(BROKEN)? {
                b'"' => parser.string()?,
                _ => return Err("Invalid JSON: expected a name in double quotation marks"),
            };
            parser.blanks();
            match parser.peek().ok_or(BROKEN)? {
                b':' => parser.at += 1,
                _ => return Err("Invalid JSON: expected a colon"),
            }
            parser.blanks();
            members.push((key, parser.value(depth + 1)?));
            Ok(())
        })?;
        Ok(Body::Object(members))
    }

    fn array(&mut self, depth: usize) -> Parsed<Body<'a>> {
        let mut elements = Vec::new();
        self.each(b']', |parser| {
            elements.push(parser.value(depth + 1)?);
            Ok(())
        })?;
        Ok(Body::Array(elements))
    }

    /// What stands between braces or brackets, with commas between.
    fn each(&mut self, end: u8, mut item: impl FnMut(&mut Self) -> Parsed<()>) -> Parsed<()> {
        self.at += 1;
        self.blanks();
        if self.peek() == Some(end) {
            self.at += 1;
            return Ok(());
        }
        loop {
            item(self)?;
            self.blanks();
            match self.peek().ok_or(BROKEN)? {
                b',' => self.at += 1,
                found if found == end => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err("Invalid JSON: expected a comma or an end"),
            }
            self.blanks();
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
        let mut meant: Option<Vec<u8>> = None;
        loop {
            let byte = self.peek().ok_or(BROKEN)?;
            match byte {
                b'"' => {
                    let plain = &self.bytes[start..self.at];
                    self.at += 1;
                    return Ok(meant.map_or(Cow::Borrowed(plain), Cow::Owned));
                }
                b'\\' => {
                    let meant = meant.get_or_insert_with(|| self.bytes[start..self.at].to_vec());
                    self.at += 1;
                    self.escape(meant)?;
                    continue;
                }
                0..0x20 => return Err("Invalid JSON: a control character in a string"),
                _ => {
                    if let Some(meant) = &mut meant {
                        meant.push(byte);
                    }
                }
            }
            self.at += 1;
        }
    }

    /// What stands behind a backslash.
    fn escape(&mut self, meant: &mut Vec<u8>) -> Parsed<()> {
        let byte = self.peek().ok_or(BROKEN)?;
        self.at += 1;
        meant.push(match byte {
            b'"' | b'\\' | b'/' => byte,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => return self.unicode(meant),
            _ => {
                self.at -= 1;
                return Err("Invalid JSON: an escape that there is not");
            }
        });
        Ok(())
    }

    fn unicode(&mut self, meant: &mut Vec<u8>) -> Parsed<()> {
        let unit = self.hex()?;
        let is_first = (0xd800..0xdc00).contains(&unit);
        if is_first && self.bytes[self.at..].starts_with(b"\\u") {
            let back = self.at;
            self.at += 2;
            let second = self.hex()?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x10000 + ((unit - 0xd800) << 10) + (second - 0xdc00);
                push(meant, code);
                return Ok(());
            }
            self.at = back;
        }
        push(meant, unit);
        Ok(())
    }

    fn hex(&mut self) -> Parsed<u32> {
        let digits = self.bytes.get(self.at..self.at + 4).ok_or(BROKEN)?;
        let mut unit = 0;
        for digit in digits {
            let digit = char::from(*digit)
                .to_digit(16)
                .ok_or("Invalid JSON: an escape that there is not")?;
            unit = unit * 16 + digit;
        }
        self.at += 4;
        Ok(unit)
    }
}

/// A code point as UTF-8 would write it; half a pair gives bytes that are none, which whoever takes the text will see.
fn push(meant: &mut Vec<u8>, code: u32) {
    if let Some(character) = char::from_u32(code) {
        let mut bytes = [0; 4];
        meant.extend_from_slice(character.encode_utf8(&mut bytes).as_bytes());
    } else {
        let [_, _, high, low] = code.to_be_bytes();
        let middle = 0x80 | (high & 0x0f) << 2 | low >> 6;
        meant.extend_from_slice(&[0xe0 | high >> 4, middle, 0x80 | low & 0x3f]);
    }
}
