//! The words of a COPY statement: names, texts between quotation marks, numbers and marks.
//!
//! In a text, a doubled mark and one behind a backslash are the same, since a backslash escapes in Redshift's literals.

/// A word, and where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub kind: WordKind,
    /// As it is meant: without its marks, and in lower case where no mark says otherwise.
    pub text: String,
    /// As it stands in the statement.
    pub written: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WordKind {
    /// A keyword or a name.
    Plain,
    /// A name between double marks.
    Quoted,
    /// A text.
    Text,
    Number,
    Mark,
}

/// The words, or what cannot be one.
pub(super) fn words(statement: &str) -> Result<Vec<Word>, String> {
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
                .map(|(text, length)| (WordKind::Text, text, length))
                .ok_or("unterminated quoted string")?,
            '"' => quoted(rest, '"', false)
                .map(|(text, length)| (WordKind::Quoted, text.to_lowercase(), length))
                .ok_or("unterminated quoted identifier")?,
            'a'..='z' | 'A'..='Z' | '_' => {
                let length = run(rest, |c| c.is_ascii_alphanumeric() || "_$".contains(c));
                (WordKind::Plain, rest[..length].to_lowercase(), length)
            }
            '0'..='9' => {
                let length = run(rest, |c| c.is_ascii_digit());
                (WordKind::Number, rest[..length].to_owned(), length)
            }
            other => (WordKind::Mark, other.to_string(), other.len_utf8()),
        };
        found.push(Word { kind, text, written: rest[..length].to_owned() });
        rest = &rest[length..];
    }
}

fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

/// What stands between marks, and how long it is with them.
fn quoted(text: &str, mark: char, escapes: bool) -> Option<(String, usize)> {
    let mut meant = String::new();
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character == mark {
            if characters.next_if(|(_, next)| *next == mark).is_none() {
                return Some((meant, at + mark.len_utf8()));
            }
            meant.push(mark);
        } else if character == '\\' && escapes {
            let (_, behind) = characters.next()?;
            meant.push(match behind {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                other => other,
            });
        } else {
            meant.push(character);
        }
    }
    None
}
