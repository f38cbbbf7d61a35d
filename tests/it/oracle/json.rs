//! Strict JSON parser (RFC 8259), one byte at a time.
//!
//! Parsers such as serde reject unpaired surrogates and lose the spelling of numbers, which the
//! oracle needs. [`None`] means invalid JSON.

/// Value of a member of a record.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    /// Number, as written.
    Number(String),
    /// String that a warehouse can hold, unescaped.
    Text(String),
    /// String with `\u0000` or an unpaired surrogate.
    Unholdable,
    /// True, false, an object or an array.
    Other,
}

/// Members of an object in order, with unescaped and repeated keys.
pub(super) type Members = Vec<(String, Value)>;

/// Parses the object at the first byte, and returns its length in bytes and its members.
pub(super) fn object(bytes: &[u8]) -> Option<(usize, Members)> {
    let mut cursor = Cursor { bytes, at: 0 };
    let members = cursor.object()?;
    Some((cursor.at, members))
}

/// Whether the whole text is one JSON number.
pub(crate) fn is_number(text: &str) -> bool {
    let mut cursor = Cursor { bytes: text.as_bytes(), at: 0 };
    cursor.number().is_some() && cursor.at == text.len()
}

/// Whether the byte is white space (rules, section Files).
pub(super) fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    /// Advances if the next byte is `byte`.
    fn take(&mut self, byte: u8) -> bool {
        let matched = self.peek() == Some(byte);
        self.at += usize::from(matched);
        matched
    }

    fn skip_white(&mut self) {
        while self.peek().is_some_and(is_white) {
            self.at += 1;
        }
    }

    fn literal(&mut self, literal: &str) -> Option<()> {
        literal.bytes().all(|byte| self.take(byte)).then_some(())
    }

    fn value(&mut self) -> Option<Value> {
        match self.peek()? {
            b'{' => self.object().map(|_| Value::Other),
            b'[' => self.array().map(|()| Value::Other),
            b't' => self.literal("true").map(|()| Value::Other),
            b'f' => self.literal("false").map(|()| Value::Other),
            b'n' => self.literal("null").map(|()| Value::Null),
            b'"' => self.string().map(|units| match String::from_utf16(&units) {
                Ok(text) if !text.contains('\0') => Value::Text(text),
                _ => Value::Unholdable,
            }),
            _ => self.number().map(Value::Number),
        }
    }

    fn object(&mut self) -> Option<Members> {
        let mut members = Members::new();
        self.literal("{")?;
        self.skip_white();
        if self.take(b'}') {
            return Some(members);
        }
        loop {
            self.skip_white();
            let key = String::from_utf16_lossy(&self.string()?);
            self.skip_white();
            self.literal(":")?;
            self.skip_white();
            members.push((key, self.value()?));
            self.skip_white();
            if self.take(b'}') {
                return Some(members);
            }
            self.literal(",")?;
        }
    }

    fn array(&mut self) -> Option<()> {
        self.literal("[")?;
        self.skip_white();
        if self.take(b']') {
            return Some(());
        }
        loop {
            self.skip_white();
            self.value()?;
            self.skip_white();
            if self.take(b']') {
                return Some(());
            }
            self.literal(",")?;
        }
    }

    /// Parses a string into UTF-16 units, so that escaped surrogate pairs combine and unpaired
    /// surrogates remain.
    fn string(&mut self) -> Option<Vec<u16>> {
        let mut units = Vec::new();
        self.literal("\"")?;
        loop {
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Some(units);
                }
                b'\\' => units.push(self.escape()?),
                0x00..=0x1f => return None,
                _ => units.extend(self.plain()?.encode_utf16()),
            }
        }
    }

    /// Returns the unescaped characters up to the next escape or quote; they must be valid UTF-8.
    fn plain(&mut self) -> Option<&str> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
            self.at += 1;
        }
        std::str::from_utf8(&self.bytes[start..self.at]).ok()
    }

    fn escape(&mut self) -> Option<u16> {
        self.literal("\\")?;
        Some(match self.next()? {
            b'"' => u16::from(b'"'),
            b'\\' => u16::from(b'\\'),
            b'/' => u16::from(b'/'),
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => 0x0a,
            b'r' => 0x0d,
            b't' => 0x09,
            b'u' => {
                let mut unit = 0;
                for _ in 0..4 {
                    let digit = char::from(self.next()?).to_digit(16)?;
                    unit = unit * 16 + u16::try_from(digit).expect("a digit is below 16");
                }
                unit
            }
            _ => return None,
        })
    }

    /// `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`
    fn number(&mut self) -> Option<String> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Some(self.bytes[start..self.at].iter().map(|&byte| char::from(byte)).collect())
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }
}
