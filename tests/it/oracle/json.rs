//! JSON as RFC 8259 has it, read strictly, one byte after the other.
//!
//! A serde-like parser refuses half a surrogate pair and forgets how a number was written; here
//! both must be seen, so this is a parser of its own. [`None`] means: not valid JSON.

/// One value of a record's member.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    /// A number, its characters as written.
    Number(String),
    /// A string, unescaped, that a warehouse can hold.
    Text(String),
    /// A string with `\u0000` or half a surrogate pair.
    Unholdable,
    /// true, false, an object or an array.
    Other,
}

/// An object's members in order, keys unescaped and repeated keys kept.
pub(super) type Members = Vec<(String, Value)>;

/// The object that begins at the first byte: its length in bytes and its members.
pub(super) fn object(bytes: &[u8]) -> Option<(usize, Members)> {
    let mut cursor = Cursor { bytes, at: 0 };
    let members = cursor.object()?;
    Some((cursor.at, members))
}

/// Whether the text is exactly one JSON number, nothing around it.
pub(super) fn is_number(text: &str) -> bool {
    let mut cursor = Cursor { bytes: text.as_bytes(), at: 0 };
    cursor.number().is_some() && cursor.at == text.len()
}

/// Space, tab, line feed and carriage return (rules, Files).
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

    /// Steps over `byte` if it is the next one.
    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn white(&mut self) {
        while self.peek().is_some_and(is_white) {
            self.at += 1;
        }
    }

    fn word(&mut self, word: &str) -> Option<()> {
        word.bytes().all(|byte| self.take(byte)).then_some(())
    }

    fn value(&mut self) -> Option<Value> {
        match self.peek()? {
            b'{' => self.object().map(|_| Value::Other),
            b'[' => self.array().map(|()| Value::Other),
            b't' => self.word("true").map(|()| Value::Other),
            b'f' => self.word("false").map(|()| Value::Other),
            b'n' => self.word("null").map(|()| Value::Null),
            b'"' => self.string().map(|units| match String::from_utf16(&units) {
                Ok(text) if !text.contains('\0') => Value::Text(text),
                _ => Value::Unholdable,
            }),
            _ => self.number().map(Value::Number),
        }
    }

    fn object(&mut self) -> Option<Members> {
        let mut members = Members::new();
        self.word("{")?;
        self.white();
        if self.take(b'}') {
            return Some(members);
        }
        loop {
            self.white();
            let key = String::from_utf16_lossy(&self.string()?);
            self.white();
            self.word(":")?;
            self.white();
            members.push((key, self.value()?));
            self.white();
            if self.take(b'}') {
                return Some(members);
            }
            self.word(",")?;
        }
    }

    fn array(&mut self) -> Option<()> {
        self.word("[")?;
        self.white();
        if self.take(b']') {
            return Some(());
        }
        loop {
            self.white();
            self.value()?;
            self.white();
            if self.take(b']') {
                return Some(());
            }
            self.word(",")?;
        }
    }

    /// A string as UTF-16 units, in which escapes are written: two halves of a pair that follow
    /// each other are then one character, and half a pair stays half a pair.
    fn string(&mut self) -> Option<Vec<u16>> {
        let mut units = Vec::new();
        self.word("\"")?;
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

    /// The run of unescaped characters from here on; it must be valid UTF-8.
    fn plain(&mut self) -> Option<&str> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
            self.at += 1;
        }
        std::str::from_utf8(&self.bytes[start..self.at]).ok()
    }

    fn escape(&mut self) -> Option<u16> {
        self.word("\\")?;
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

    /// At least one digit.
    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }
}
