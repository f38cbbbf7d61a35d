//! From text to tokens, by Redshift's own rules.
//!
//! A backslash in `'…'` is an escape, whatever PostgreSQL has done since version 9.1; `E'…'` is not known. Comments nest. A function's
//! body stands between `$$`. What is none of the forms below is refused: a character that one reader takes for a blank and another
//! for the end of a string is how statements are smuggled.

use crate::refusal::Refusal;
use crate::rules;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A bare word: a keyword or a name.
    Word,
    /// `"name"`.
    Quoted,
    /// `'text'`.
    Text,
    /// `$$ body $$`.
    Body,
    /// Digits, perhaps with a point and an exponent.
    Number,
    /// `$1`.
    Parameter,
    /// Punctuation or an operator.
    Sign,
    /// Nothing more.
    End,
}

/// A piece of a statement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token<'a> {
    pub kind: Kind,
    /// As it is written, with its quotes.
    pub text: &'a str,
    /// In bytes from the start.
    pub at: usize,
}

impl Token<'_> {
    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    pub(crate) fn is_sign(&self, sign: &str) -> bool {
        self.kind == Kind::Sign && self.text == sign
    }

    /// How a message names it.
    pub(crate) fn shown(&self) -> String {
        match self.kind {
            Kind::End => "the end of the statement".into(),
            _ if self.text.chars().count() > 40 => {
                format!("`{}…`", self.text.chars().take(40).collect::<String>())
            }
            _ => format!("`{}`", self.text),
        }
    }
}

/// The most that Redshift takes as one statement.
pub(crate) const STATEMENT_BYTES: usize = 16 * 1024 * 1024;
/// The most bytes of a name.
pub(crate) const NAME_BYTES: usize = 127;

/// The tokens of a text, the last of which is [`Kind::End`].
pub(crate) fn tokens(text: &str) -> Result<Vec<Token<'_>>, Refusal> {
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::new();
    loop {
        let token = lexer.token()?;
        tokens.push(token);
        if token.kind == Kind::End {
            return Ok(tokens);
        }
    }
}

/// Reads one token after the other.
pub(crate) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

/// Signs that stand alone, whatever comes behind them.
const SINGLE: &[u8] = b"(),;.[]:";
/// Characters that an operator is made of.
const OPERATOR: &[u8] = b"+-*/<>=~!@#%^&|`?";
/// The operators that Redshift documents, and `::`.
const OPERATORS: &[&str] = &[
    "+", "-", "*", "/", "%", "^", "<", ">", "=", "<=", ">=", "<>", "!=", "||", "~", "!~", "|/",
    "||/", "@", "&", "<<", ">>",
];

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The next token, behind blanks and comments.
    pub(crate) fn token(&mut self) -> Result<Token<'a>, Refusal> {
        self.skip_blanks()?;
        let (start, bytes) = (self.at, self.text.as_bytes());
        let Some(&first) = bytes.get(start) else {
            return Ok(Token { kind: Kind::End, text: "", at: start });
        };
        let next = bytes.get(start + 1).copied().unwrap_or_default();
        let kind = match first {
            b'\'' => self.text_literal()?,
            b'"' => self.quoted()?,
            b'$' => self.dollar(next)?,
            b'0'..=b'9' => self.number()?,
            b'.' if next.is_ascii_digit() => self.number()?,
            b'#' if begins_name(next) => self.word(start + 1)?,
            _ if begins_name(first) => self.word(start)?,
            b':' if next == b':' => self.sign(2),
            _ if SINGLE.contains(&first) => self.sign(1),
            _ if OPERATOR.contains(&first) => self.operator()?,
            _ => return Err(self.stray(start)),
        };
        Ok(Token { kind, text: &self.text[start..self.at], at: start })
    }

    fn sign(&mut self, bytes: usize) -> Kind {
        self.at += bytes;
        Kind::Sign
    }

    fn stray(&self, at: usize) -> Refusal {
        let character = self.text[at..].chars().next().unwrap_or_default();
        let message = format!("the character `{}` begins nothing", character.escape_default());
        Refusal::new(&rules::CHARACTER, at, message)
    }

    fn skip_blanks(&mut self) -> Result<(), Refusal> {
        let bytes = self.text.as_bytes();
        loop {
            match &bytes[self.at..] {
                [b' ' | b'\t' | b'\n' | b'\r', ..] => self.at += 1,
                [b'-', b'-', ..] => self.line_comment()?,
                [b'/', b'*', ..] => self.block_comment()?,
                _ => return Ok(()),
            }
        }
    }

    fn line_comment(&mut self) -> Result<(), Refusal> {
        let rest = &self.text[self.at..];
        // A carriage return ends a comment for some readers and not for others.
        let end = rest.find(['\n', '\r']).unwrap_or(rest.len());
        if let Some(found) = rest[..end].find('\0') {
            return Err(self.stray(self.at + found));
        }
        self.at += end;
        Ok(())
    }

    fn block_comment(&mut self) -> Result<(), Refusal> {
        let (start, bytes) = (self.at, self.text.as_bytes());
        let mut depth = 0_u32;
        loop {
            match &bytes[self.at..] {
                [] => return Err(self.open("comment", start)),
                [b'/', b'*', ..] => (depth, self.at) = (depth + 1, self.at + 2),
                [b'*', b'/', ..] => (depth, self.at) = (depth - 1, self.at + 2),
                [0, ..] => return Err(self.stray(self.at)),
                _ => self.at += 1,
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    #[expect(clippy::unused_self, reason = "reads as what it is")]
    fn open(&self, what: &str, at: usize) -> Refusal {
        Refusal::new(&rules::UNFINISHED, at, format!("a {what} begins here and does not end"))
    }

    fn text_literal(&mut self) -> Result<Kind, Refusal> {
        let (start, bytes) = (self.at, self.text.as_bytes());
        self.at += 1;
        loop {
            match &bytes[self.at..] {
                [] | [b'\\'] => return Err(self.open("string", start)),
                [b'\'', b'\'', ..] => self.at += 2,
                [b'\'', ..] => break,
                [0, ..] | [b'\\', 0, ..] => return Err(self.stray(self.at)),
                // The second byte of an escaped character wider than one byte is no quote: skipping one is enough.
                [b'\\', ..] => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Ok(Kind::Text)
    }

    fn quoted(&mut self) -> Result<Kind, Refusal> {
        let start = self.at;
        self.at += 1;
        let mut characters = self.text[self.at..].char_indices().peekable();
        let mut bytes = 0;
        let end = loop {
            match characters.next() {
                None => return Err(self.open("quoted name", start)),
                Some((_, '"')) if characters.peek().is_some_and(|(_, c)| *c == '"') => {
                    characters.next();
                    bytes += 1;
                }
                Some((at, '"')) => break at,
                Some((at, c)) if unprintable(c) => return Err(self.stray(self.at + at)),
                Some((_, c)) => bytes += c.len_utf8(),
            }
        };
        self.at += end + 1;
        check_length(bytes, start)?;
        Ok(Kind::Quoted)
    }

    fn dollar(&mut self, next: u8) -> Result<Kind, Refusal> {
        let start = self.at;
        if next.is_ascii_digit() {
            self.at += 1;
            self.digits();
            return Ok(Kind::Parameter);
        }
        if next != b'$' {
            let message = "a dollar sign begins neither `$$` nor a parameter";
            return Err(Refusal::new(&rules::DOLLAR, start, message));
        }
        let rest = &self.text[start + 2..];
        let Some(end) = rest.find("$$") else { return Err(self.open("body", start)) };
        if let Some(found) = rest[..end].find('\0') {
            return Err(self.stray(start + 2 + found));
        }
        self.at = start + 2 + end + 2;
        Ok(Kind::Body)
    }

    fn digits(&mut self) -> usize {
        let rest = &self.text.as_bytes()[self.at..];
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count
    }

    fn number(&mut self) -> Result<Kind, Refusal> {
        let (start, bytes) = (self.at, self.text.as_bytes());
        self.digits();
        if bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits();
        }
        if let [b'e' | b'E', rest @ ..] = &bytes[self.at..] {
            let sign = usize::from(matches!(rest, [b'+' | b'-', ..]));
            if rest.get(sign).is_some_and(u8::is_ascii_digit) {
                self.at += 1 + sign;
                self.digits();
            }
        }
        let runs_on = bytes.get(self.at).is_some_and(|byte| {
            begins_name(*byte) || byte.is_ascii_digit() || *byte == b'.' || *byte == b'$'
        });
        if runs_on {
            let message = format!("the number `{}` runs on", &self.text[start..self.at]);
            return Err(Refusal::new(&rules::NUMBER, start, message));
        }
        Ok(Kind::Number)
    }

    fn word(&mut self, from: usize) -> Result<Kind, Refusal> {
        let start = self.at;
        let rest = &self.text.as_bytes()[from..];
        let length = rest
            .iter()
            .take_while(|b| begins_name(**b) || b.is_ascii_digit() || **b == b'$')
            .count();
        self.at = from + length;
        let word = &self.text[start..self.at];
        if let Some(found) = word.find(|c: char| unprintable(c) || c.is_whitespace()) {
            return Err(self.stray(start + found));
        }
        let behind = &self.text.as_bytes()[self.at..];
        let unicode = word.eq_ignore_ascii_case("u") && matches!(behind, [b'&', b'\'' | b'"', ..]);
        if unicode || matches!(behind, [b'\'', ..]) {
            let message = format!("`{word}'…'` is no string");
            return Err(Refusal::new(&rules::STRING_PREFIX, start, message));
        }
        check_length(word.len(), start)?;
        Ok(Kind::Word)
    }

    /// A run of operator characters, cut as PostgreSQL's lexer cuts it: before a comment, and before a `+` or `-` at its end where
    /// nothing in it is of the rarer signs.
    fn operator(&mut self) -> Result<Kind, Refusal> {
        let start = self.at;
        let rest = &self.text.as_bytes()[start..];
        let mut length = rest.iter().take_while(|byte| OPERATOR.contains(byte)).count();
        let run = &self.text[start..start + length];
        for comment in ["--", "/*"] {
            length = run[..length].find(comment).unwrap_or(length);
        }
        let rare = |run: &str| run.bytes().any(|byte| b"~!@#%^&|`?".contains(&byte));
        while length > 1 && run[..length].ends_with(['+', '-']) && !rare(&run[..length]) {
            length -= 1;
        }
        if !OPERATORS.contains(&&run[..length]) {
            let message = format!("`{}` is no operator", &run[..length]);
            return Err(Refusal::new(&rules::OPERATOR, start, message));
        }
        self.at += length;
        Ok(Kind::Sign)
    }
}

fn check_length(bytes: usize, at: usize) -> Result<(), Refusal> {
    match bytes {
        0 => Err(Refusal::new(&rules::NAME_LENGTH, at, "a name is empty")),
        1..=NAME_BYTES => Ok(()),
        _ => Err(Refusal::new(&rules::NAME_LENGTH, at, format!("a name has {bytes} bytes"))),
    }
}

/// ASCII letters, `_`, and every byte of a character that is wider than one.
fn begins_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

/// What nobody sees: a name may hold none of it.
fn unprintable(c: char) -> bool {
    let invisible = matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}');
    c.is_control() || invisible
}

/// What a `'text'` token means: doubled quotes and backslashes resolved.
pub(crate) fn unescaped(literal: &str) -> String {
    let inner = literal.strip_prefix('\'').and_then(|it| it.strip_suffix('\'')).unwrap_or(literal);
    let mut value = String::with_capacity(inner.len());
    let mut rest = inner.chars();
    while let Some(character) = rest.next() {
        match character {
            '\'' => {
                rest.next();
                value.push('\'');
            }
            '\\' => match rest.next() {
                Some('n') => value.push('\n'),
                Some('t') => value.push('\t'),
                Some('r') => value.push('\r'),
                Some('b') => value.push('\u{8}'),
                Some('f') => value.push('\u{c}'),
                Some(digit @ '0'..='7') => value.push(octal(digit, &mut rest)),
                Some(other) => value.push(other),
                None => value.push('\\'),
            },
            other => value.push(other),
        }
    }
    value
}

fn octal(first: char, rest: &mut std::str::Chars<'_>) -> char {
    let mut code = first.to_digit(8).unwrap_or_default();
    for _ in 0..2 {
        let Some(digit) = rest.clone().next().and_then(|c| c.to_digit(8)) else { break };
        rest.next();
        code = code * 8 + digit;
    }
    char::from_u32(code).unwrap_or('\u{fffd}')
}
