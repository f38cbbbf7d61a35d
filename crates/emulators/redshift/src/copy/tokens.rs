//! Lexer for COPY statements.
//!
//! A quote within a string can be doubled or escaped with a backslash.

/// Token of a COPY statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CopyToken {
    pub kind: CopyTokenKind,
    /// Value: unquoted, and in lower case unless it is a string.
    pub text: String,
    /// Text in the statement.
    pub source: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CopyTokenKind {
    /// Keyword or unquoted name.
    Word,
    /// Name in double quotes.
    Quoted,
    /// String in single quotes.
    StringLiteral,
    Number,
    Symbol,
}

/// Splits a statement into tokens; the error is a message.
pub(super) fn tokens(statement: &str) -> Result<Vec<CopyToken>, String> {
    let mut found = Vec::new();
    let mut rest = statement;
    loop {
        rest = rest.trim_start();
        if let Some(comment) = rest.strip_prefix("--") {
            rest = comment.split_once('\n').map_or("", |(_, after)| after);
            continue;
        }
        if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/").ok_or("unterminated comment")?.1;
            continue;
        }
        let Some(first) = rest.chars().next() else { return Ok(found) };
        let (kind, text, length) = match first {
            '\'' => quoted(rest, '\'', true)
                .map(|(text, length)| (CopyTokenKind::StringLiteral, text, length))
                .ok_or("unterminated quoted string")?,
            '"' => quoted(rest, '"', false)
                .map(|(text, length)| (CopyTokenKind::Quoted, text.to_lowercase(), length))
                .ok_or("unterminated quoted identifier")?,
            'a'..='z' | 'A'..='Z' | '_' => {
                let length = prefix_length(rest, |c| c.is_ascii_alphanumeric() || "_$".contains(c));
                (CopyTokenKind::Word, rest[..length].to_lowercase(), length)
            }
            '0'..='9' => {
                let length = prefix_length(rest, |c| c.is_ascii_digit());
                (CopyTokenKind::Number, rest[..length].to_owned(), length)
            }
            other => (CopyTokenKind::Symbol, other.to_string(), other.len_utf8()),
        };
        found.push(CopyToken { kind, text, source: rest[..length].to_owned() });
        rest = &rest[length..];
    }
}

fn prefix_length(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

/// Decodes a quoted token; returns its value and its length with quotes.
///
/// Returns `None` if the closing quote is missing.
fn quoted(text: &str, quote: char, escapes: bool) -> Option<(String, usize)> {
    let mut value = String::new();
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character == quote {
            if characters.next_if(|(_, next)| *next == quote).is_none() {
                return Some((value, at + quote.len_utf8()));
            }
            value.push(quote);
        } else if character == '\\' && escapes {
            let (_, next) = characters.next()?;
            value.push(match next {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                other => other,
            });
        } else {
            value.push(character);
        }
    }
    None
}
