//! Lexer with Redshift's lexical rules.
//!
//! Unlike PostgreSQL since 9.1, a backslash in `'…'` is an escape, and `E'…'` does not exist.
//! Comments nest. The body of a function is quoted by `$$`. All other text is a violation: SQL
//! injection works with characters that one lexer reads as a blank and another one as the end of a
//! string.

use crate::rules;
use crate::violation::Violation;

/// Kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// Keyword or unquoted name.
    Word,
    /// `"name"`.
    QuotedName,
    /// `'text'`.
    StringLiteral,
    /// `$$ body $$`.
    DollarQuoted,
    /// Digits with an optional decimal point and exponent.
    Number,
    /// `$1`.
    Parameter,
    /// Punctuation or an operator.
    Symbol,
    /// End of the text.
    End,
}

/// Lexical element of a statement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token<'a> {
    pub kind: TokenKind,
    /// Source text, including quotes.
    pub text: &'a str,
    /// Offset in bytes.
    pub at: usize,
}

impl Token<'_> {
    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(word)
    }

    pub(crate) fn is_symbol(&self, sign: &str) -> bool {
        self.kind == TokenKind::Symbol && self.text == sign
    }

    /// Formats the token for a message, shortened to 40 characters.
    pub(crate) fn describe(&self) -> String {
        match self.kind {
            TokenKind::End => "the end of the statement".into(),
            _ if self.text.chars().count() > 40 => {
                format!("`{}…`", self.text.chars().take(40).collect::<String>())
            }
            _ => format!("`{}`", self.text),
        }
    }
}

/// Redshift's limit for one statement.
pub(crate) const MAX_STATEMENT_BYTES: usize = 16 * 1024 * 1024;
/// Redshift's limit for one name.
pub(crate) const MAX_NAME_BYTES: usize = 127;

/// Returns all tokens of a text; the last one is [`TokenKind::End`].
pub(crate) fn tokens(text: &str) -> Result<Vec<Token<'_>>, Violation> {
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::new();
    loop {
        let token = lexer.token()?;
        tokens.push(token);
        if token.kind == TokenKind::End {
            return Ok(tokens);
        }
    }
}

/// Position in a text that is split into tokens.
pub(crate) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

/// Symbols of one character, which never combine with the next one.
const SINGLE_SYMBOLS: &[u8] = b"(),;.[]:";
/// Characters of operators.
const OPERATOR_CHARACTERS: &[u8] = b"+-*/<>=~!@#%^&|`?";
/// Operators that Redshift documents. `::` is read separately.
const OPERATORS: &[&str] = &[
    "+", "-", "*", "/", "%", "^", "<", ">", "=", "<=", ">=", "<>", "!=", "||", "~", "!~", "|/",
    "||/", "@", "&", "<<", ">>",
];

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Returns the next token after blanks and comments.
    pub(crate) fn token(&mut self) -> Result<Token<'a>, Violation> {
        self.skip_blanks()?;
        let (start, bytes) = (self.at, self.text.as_bytes());
        let Some(&first) = bytes.get(start) else {
            return Ok(Token { kind: TokenKind::End, text: "", at: start });
        };
        let next = bytes.get(start + 1).copied().unwrap_or_default();
        let kind = match first {
            b'\'' => self.string_literal()?,
            b'"' => self.quoted_name()?,
            b'$' => self.dollar(next)?,
            b'0'..=b'9' => self.number()?,
            b'.' if next.is_ascii_digit() => self.number()?,
            b'#' if is_name_byte(next) => self.word(start + 1)?,
            _ if is_name_byte(first) => self.word(start)?,
            b':' if next == b':' => self.symbol(2),
            _ if SINGLE_SYMBOLS.contains(&first) => self.symbol(1),
            _ if OPERATOR_CHARACTERS.contains(&first) => self.operator()?,
            _ => return Err(self.unexpected_character(start)),
        };
        Ok(Token { kind, text: &self.text[start..self.at], at: start })
    }

    fn symbol(&mut self, bytes: usize) -> TokenKind {
        self.at += bytes;
        TokenKind::Symbol
    }

    fn unexpected_character(&self, at: usize) -> Violation {
        let character = self.text[at..].chars().next().unwrap_or_default();
        let message = format!("unexpected character `{}`", character.escape_default());
        Violation::new(&rules::CHARACTER, at, message)
    }

    fn skip_blanks(&mut self) -> Result<(), Violation> {
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

    fn line_comment(&mut self) -> Result<(), Violation> {
        let rest = &self.text[self.at..];
        // Lexers differ on whether a carriage return ends a comment. Ending it checks the text
        // after it as SQL, which is the safe choice.
        let end = rest.find(['\n', '\r']).unwrap_or(rest.len());
        if let Some(found) = rest[..end].find('\0') {
            return Err(self.unexpected_character(self.at + found));
        }
        self.at += end;
        Ok(())
    }

    fn block_comment(&mut self) -> Result<(), Violation> {
        let (start, bytes) = (self.at, self.text.as_bytes());
        let mut depth = 0_u32;
        loop {
            match &bytes[self.at..] {
                [] => return Err(unterminated("comment", start)),
                [b'/', b'*', ..] => (depth, self.at) = (depth + 1, self.at + 2),
                [b'*', b'/', ..] => (depth, self.at) = (depth - 1, self.at + 2),
                [0, ..] => return Err(self.unexpected_character(self.at)),
                _ => self.at += 1,
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    fn string_literal(&mut self) -> Result<TokenKind, Violation> {
        let (start, bytes) = (self.at, self.text.as_bytes());
        self.at += 1;
        loop {
            match &bytes[self.at..] {
                [] | [b'\\'] => return Err(unterminated("string", start)),
                [b'\'', b'\'', ..] => self.at += 2,
                [b'\'', ..] => break,
                [0, ..] | [b'\\', 0, ..] => return Err(self.unexpected_character(self.at)),
                // One byte is enough for an escaped multi-byte character: no byte after its first
                // one can be a quote.
                [b'\\', ..] => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Ok(TokenKind::StringLiteral)
    }

    fn quoted_name(&mut self) -> Result<TokenKind, Violation> {
        let start = self.at;
        self.at += 1;
        let mut characters = self.text[self.at..].char_indices().peekable();
        let mut bytes = 0;
        let end = loop {
            match characters.next() {
                None => return Err(unterminated("quoted name", start)),
                Some((_, '"')) if characters.peek().is_some_and(|(_, c)| *c == '"') => {
                    characters.next();
                    bytes += 1;
                }
                Some((at, '"')) => break at,
                Some((at, c)) if is_invisible(c) => {
                    return Err(self.unexpected_character(self.at + at));
                }
                Some((_, c)) => bytes += c.len_utf8(),
            }
        };
        self.at += end + 1;
        check_length(bytes, start)?;
        Ok(TokenKind::QuotedName)
    }

    fn dollar(&mut self, next: u8) -> Result<TokenKind, Violation> {
        let start = self.at;
        if next.is_ascii_digit() {
            self.at += 1;
            self.digits();
            return Ok(TokenKind::Parameter);
        }
        if next != b'$' {
            let message = "a dollar sign starts neither `$$` nor a parameter";
            return Err(Violation::new(&rules::DOLLAR, start, message));
        }
        let rest = &self.text[start + 2..];
        let Some(end) = rest.find("$$") else { return Err(unterminated("body", start)) };
        if let Some(found) = rest[..end].find('\0') {
            return Err(self.unexpected_character(start + 2 + found));
        }
        self.at = start + 2 + end + 2;
        Ok(TokenKind::DollarQuoted)
    }

    fn digits(&mut self) -> usize {
        let rest = &self.text.as_bytes()[self.at..];
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count
    }

    fn number(&mut self) -> Result<TokenKind, Violation> {
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
        let continues = bytes.get(self.at).is_some_and(|byte| {
            is_name_byte(*byte) || byte.is_ascii_digit() || *byte == b'.' || *byte == b'$'
        });
        if continues {
            let message =
                format!("the number `{}` is followed by other text", &self.text[start..self.at]);
            return Err(Violation::new(&rules::NUMBER, start, message));
        }
        Ok(TokenKind::Number)
    }

    fn word(&mut self, from: usize) -> Result<TokenKind, Violation> {
        let start = self.at;
        let rest = &self.text.as_bytes()[from..];
        let length = rest
            .iter()
            .take_while(|b| is_name_byte(**b) || b.is_ascii_digit() || **b == b'$')
            .count();
        self.at = from + length;
        let word = &self.text[start..self.at];
        if let Some(found) = word.find(|c: char| is_invisible(c) || c.is_whitespace()) {
            return Err(self.unexpected_character(start + found));
        }
        let after = &self.text.as_bytes()[self.at..];
        let unicode = word.eq_ignore_ascii_case("u") && matches!(after, [b'&', b'\'' | b'"', ..]);
        if unicode || matches!(after, [b'\'', ..]) {
            let message = format!("string literals have no prefix `{word}`");
            return Err(Violation::new(&rules::STRING_PREFIX, start, message));
        }
        check_length(word.len(), start)?;
        Ok(TokenKind::Word)
    }

    /// Reads a run of operator characters, shortened as in PostgreSQL's lexer: it ends before a
    /// comment, and a trailing `+` or `-` belongs to it only if it contains another operator
    /// character than `+ - * / < > =`.
    fn operator(&mut self) -> Result<TokenKind, Violation> {
        let start = self.at;
        let rest = &self.text.as_bytes()[start..];
        let mut length = rest.iter().take_while(|byte| OPERATOR_CHARACTERS.contains(byte)).count();
        let run = &self.text[start..start + length];
        for comment in ["--", "/*"] {
            length = run[..length].find(comment).unwrap_or(length);
        }
        let special = |run: &str| run.bytes().any(|byte| b"~!@#%^&|`?".contains(&byte));
        while length > 1 && run[..length].ends_with(['+', '-']) && !special(&run[..length]) {
            length -= 1;
        }
        if !OPERATORS.contains(&&run[..length]) {
            let message = format!("unknown operator `{}`", &run[..length]);
            return Err(Violation::new(&rules::OPERATOR, start, message));
        }
        self.at += length;
        Ok(TokenKind::Symbol)
    }
}

fn unterminated(what: &str, at: usize) -> Violation {
    Violation::new(&rules::UNFINISHED, at, format!("unterminated {what}"))
}

fn check_length(bytes: usize, at: usize) -> Result<(), Violation> {
    match bytes {
        0 => Err(Violation::new(&rules::NAME_LENGTH, at, "empty name")),
        1..=MAX_NAME_BYTES => Ok(()),
        _ => Err(Violation::new(&rules::NAME_LENGTH, at, format!("the name has {bytes} bytes"))),
    }
}

/// Returns true for ASCII letters, `_`, and all bytes of multi-byte characters.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

/// Returns true for control characters and for Unicode characters without a glyph.
fn is_invisible(c: char) -> bool {
    let invisible = matches!(
        c,
        '\u{ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}'
            | '\u{feff}'
    );
    c.is_control() || invisible
}

/// Returns the value of a string literal: resolves doubled quotes and backslash escapes.
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
