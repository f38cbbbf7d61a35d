//! Lexer for Redshift SQL.
//!
//! It finds the boundaries of strings, quoted names, comments and statements; a backslash escapes
//! in every single-quoted string (DG/r_Character_types.html). It does not validate statements.

/// Token type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// Unquoted name or keyword, including `#name`.
    Word,
    /// Name in double quotes.
    Quoted,
    /// String in single quotes.
    StringLiteral,
    /// String in dollar quotes.
    DollarString,
    /// Number or parameter (`$1`).
    Number,
    /// Any other single character, or `::`.
    Symbol,
}

/// Token of a statement; `start` is its byte offset.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'a> {
    pub(crate) kind: TokenKind,
    pub(crate) start: usize,
    pub(crate) text: &'a str,
}

impl Token<'_> {
    /// Returns the byte offset of the end.
    pub(crate) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Returns true if the token is this keyword or symbol.
    pub(crate) fn is(&self, word: &str) -> bool {
        matches!(self.kind, TokenKind::Word | TokenKind::Symbol)
            && self.text.eq_ignore_ascii_case(word)
    }

    /// Returns true if the token can be a name.
    pub(crate) fn is_name(&self) -> bool {
        matches!(self.kind, TokenKind::Word | TokenKind::Quoted)
    }

    /// Returns the name without quotes, in lower case unless it was quoted.
    pub(crate) fn name(&self) -> String {
        match self.kind {
            TokenKind::Quoted => {
                let inner = self.text.strip_prefix('"').unwrap_or(self.text);
                inner.strip_suffix('"').unwrap_or(inner).replace("\"\"", "\"")
            }
            _ => self.text.to_ascii_lowercase(),
        }
    }
}

/// Splits a text into tokens, without comments and white space.
///
/// An unterminated string or comment extends to the end of the text.
pub(crate) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = text[at..].chars().next() {
        let rest = &text[at..];
        let (kind, length) = if next.is_whitespace() {
            at += next.len_utf8();
            continue;
        } else if rest.starts_with("--") {
            at += rest.find('\n').map_or(rest.len(), |end| end + 1);
            continue;
        } else if rest.starts_with("/*") {
            at += comment_length(rest);
            continue;
        } else {
            token(rest, next)
        };
        found.push(Token { kind, start: at, text: &text[at..at + length] });
        at += length;
    }
    found
}

/// Returns type and length of the token at the start of `rest`; `next` is its first character.
fn token(rest: &str, next: char) -> (TokenKind, usize) {
    let after = rest[next.len_utf8()..].chars().next();
    match next {
        '\'' => (TokenKind::StringLiteral, quoted_length(rest, b'\'', true)),
        '"' => (TokenKind::Quoted, quoted_length(rest, b'"', false)),
        '$' if after.is_some_and(|c| c.is_ascii_digit()) => {
            (TokenKind::Number, 1 + prefix_length(&rest[1..], |c| c.is_ascii_digit()))
        }
        '$' if dollar_length(rest).is_some() => {
            (TokenKind::DollarString, dollar_length(rest).unwrap_or(1))
        }
        '#' if after.is_some_and(is_word) => {
            (TokenKind::Word, 1 + prefix_length(&rest[1..], is_word))
        }
        ':' if after == Some(':') => (TokenKind::Symbol, 2),
        '0'..='9' => (TokenKind::Number, number_length(rest)),
        c if is_word(c) => (TokenKind::Word, prefix_length(rest, |c| is_word(c) || c == '$')),
        c => (TokenKind::Symbol, c.len_utf8()),
    }
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn prefix_length(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

fn number_length(text: &str) -> usize {
    let digits = prefix_length(text, |c| c.is_ascii_digit() || c == '.');
    let rest = &text[digits..];
    let sign = usize::from(rest.len() > 1 && matches!(rest.as_bytes()[1], b'+' | b'-'));
    let exponent =
        rest.get(1 + sign..).map_or(0, |tail| prefix_length(tail, |c| c.is_ascii_digit()));
    if rest.starts_with(['e', 'E']) && exponent > 0 { digits + 1 + sign + exponent } else { digits }
}

/// Returns the length of a quoted string or name; a doubled quote is part of it.
fn quoted_length(text: &str, quote: u8, escapes: bool) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if escapes => at += 2,
            byte if byte == quote && bytes.get(at + 1) == Some(&quote) => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

/// Returns the length of a dollar-quoted string; `None` if `$` does not start one.
fn dollar_length(text: &str) -> Option<usize> {
    let tag = 1 + text[1..].find('$')?;
    if !text[1..tag].chars().all(is_word) {
        return None;
    }
    let delimiter = &text[..=tag];
    let end = text[tag + 1..].find(delimiter);
    Some(end.map_or(text.len(), |end| tag + 1 + end + delimiter.len()))
}

/// Returns the length of a block comment, which may contain others.
fn comment_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0, 0);
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// Splits a text into statements without their semicolons; skips empty statements.
pub(crate) fn statements(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut start, mut has_tokens) = (0, false);
    for token in tokens(text) {
        if token.is(";") {
            if has_tokens {
                found.push(text[start..token.start].trim());
            }
            (start, has_tokens) = (token.end(), false);
        } else {
            has_tokens = true;
        }
    }
    if has_tokens {
        found.push(text[start..].trim());
    }
    found
}

/// Returns the index of the parenthesis that closes the one at index `open`.
pub(crate) fn matching_paren(tokens: &[Token<'_>], open: usize) -> Option<usize> {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        if token.is("(") {
            depth += 1;
        } else if token.is(")") {
            depth -= 1;
            if depth == 0 {
                return Some(at);
            }
        }
    }
    None
}

/// Returns true if these keywords, separated by single spaces, follow from index `at`.
pub(crate) fn keywords_at(tokens: &[Token<'_>], at: usize, words: &str) -> bool {
    words
        .split(' ')
        .enumerate()
        .all(|(step, word)| tokens.get(at + step).is_some_and(|token| token.is(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backslash_escapes_in_strings() {
        let texts: Vec<&str> =
            tokens(r"a 'x\'; y' b $q$;$q$ $1 c::d 1.5e-3").iter().map(|token| token.text).collect();
        assert_eq!(texts, ["a", r"'x\'; y'", "b", "$q$;$q$", "$1", "c", "::", "d", "1.5e-3"]);
    }

    #[test]
    fn semicolons_outside_strings_and_comments_separate_statements() {
        assert_eq!(
            statements("select ';'; -- ; \n /* ; /* ; */ */ select \";\";; "),
            ["select ';'", "-- ; \n /* ; /* ; */ */ select \";\""]
        );
        assert!(statements(" ; -- nothing").is_empty());
    }

    #[test]
    fn unterminated_tokens_do_not_panic() {
        for text in ["'", "'\\", "\"", "$a$", "/*", "1e", "$", "#", "é'ü\\"] {
            tokens(text);
        }
    }
}
