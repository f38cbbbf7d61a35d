//! Colors of the SQL that is typed.

use std::borrow::Cow;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

const KEYWORD: Style = AnsiColor::Blue.on_default().bold();
const TEXT: Style = AnsiColor::Green.on_default();
const COMMENT: Style = Style::new().dimmed();

/// Returns `line` with its keywords, strings and comments in color.
pub(super) fn sql(line: &str, is_keyword: impl Fn(&str) -> bool) -> Cow<'_, str> {
    let mut colored = String::with_capacity(line.len() + 32);
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let end = token_end(rest, first);
        let (token, after) = rest.split_at(end);
        let style = match first {
            '\'' => TEXT,
            '-' | '/' if end > 1 => COMMENT,
            _ if is_keyword(token) => KEYWORD,
            _ => Style::new(),
        };
        let _ = write!(colored, "{style}{token}{style:#}");
        rest = after;
    }
    if colored.len() == line.len() { Cow::Borrowed(line) } else { Cow::Owned(colored) }
}

/// Returns the length of the first token: a string, a quoted name, a comment, a word, or one other
/// character. A string or comment without its end takes the rest.
fn token_end(rest: &str, first: char) -> usize {
    let until = |end: &str, from: usize| {
        rest.get(from..).and_then(|it| it.find(end)).map_or(rest.len(), |at| from + at + end.len())
    };
    match first {
        '\'' => until("'", 1),
        '"' => until("\"", 1),
        '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
        '/' if rest.starts_with("/*") => until("*/", 2),
        letter if is_word(letter) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
        other => other.len_utf8(),
    }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Marks keywords as `<…>`, strings as `[…]` and comments as `{…}`.
    fn marked(line: &str) -> String {
        let is_keyword = |word: &str| ["select", "from"].contains(&word.to_lowercase().as_str());
        let mut text = sql(line, is_keyword).into_owned();
        for (style, [open, close]) in
            [(KEYWORD, ["<", ">"]), (TEXT, ["[", "]"]), (COMMENT, ["{", "}"])]
        {
            let start = format!("{style}");
            while let Some(at) = text.find(&start) {
                text.replace_range(at..at + start.len(), open);
                let end = format!("{style:#}");
                let at = text[at..].find(&end).map(|offset| at + offset).unwrap();
                text.replace_range(at..at + end.len(), close);
            }
        }
        text
    }

    #[test]
    fn keywords_strings_and_comments_are_colored() {
        for (line, expected) in [
            ("SELECT a, 'x' from b", "<SELECT> a, ['x'] <from> b"),
            ("select 'it''s' -- from\n1", "<select> ['it']['s'] {-- from}\n1"),
            ("select \"from\" /* from */ - 1", "<select> \"from\" {/* from */} - 1"),
            ("select 'é unfinished", "<select> ['é unfinished]"),
            ("selected /* é", "selected {/* é}"),
            ("- / x", "- / x"),
            ("", ""),
        ] {
            assert_eq!(marked(line), expected, "{line}");
        }
    }
}
