//! Escaping of descriptions for HTML and Markdown. Text between backticks is code; nothing else is
//! markup.

use std::fmt::{self, Display, Write as _};

/// Part of a description.
enum Piece<'a> {
    Text(&'a str),
    Code(&'a str),
}

/// Splits a description into text and code. An unpaired backtick is text.
fn pieces(words: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = words;
    while let Some((before, behind)) = rest.split_once('`') {
        let Some((code, after)) = behind.split_once('`').filter(|(code, _)| !code.is_empty())
        else {
            break;
        };
        pieces.extend([Piece::Text(before), Piece::Code(code)]);
        rest = after;
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// Description as HTML, safe in an element and in a double-quoted attribute.
pub(super) struct Html<'a>(pub &'a str);

/// Plain text as HTML; backticks are not special.
pub(super) struct Plain<'a>(pub &'a str);

/// Description as Markdown, safe in a table cell.
pub(super) struct Markdown<'a>(pub &'a str);

/// Name as Markdown code, safe in a table cell.
pub(super) struct Code<'a>(pub &'a str);

impl Display for Html<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        pieces(self.0).into_iter().try_for_each(|piece| match piece {
            Piece::Text(text) => Plain(text).fmt(f),
            Piece::Code(code) => write!(f, "<code>{}</code>", Plain(code)),
        })
    }
}

impl Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '&' => f.write_str("&amp;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            c => f.write_char(c),
        })
    }
}

/// Markup characters of Markdown. An underscore within a word is not markup.
const MARKUP: &[char] = &['\\', '|', '`', '*', '[', ']', '<', '>', '&', '~', '#', '$'];

impl Display for Markdown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        pieces(self.0).into_iter().try_for_each(|piece| match piece {
            Piece::Text(text) => escaped(text, f),
            Piece::Code(code) => Code(code).fmt(f),
        })
    }
}

fn escaped(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let is_within = |c: char| c.is_alphanumeric() || c == '_';
        let joins = c == '_' && is_within(before) && rest.peek().is_some_and(|c| is_within(*c));
        match c {
            '\n' | '\r' => f.write_char(' ')?,
            c if MARKUP.contains(&c) || c == '_' && !joins => write!(f, "\\{c}")?,
            c => f.write_char(c)?,
        }
        before = c;
    }
    Ok(())
}

impl Display for Code<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An unescaped bar ends a cell even within code; a backtick would end the code.
        let code = self.0.replace('|', "\\|").replace('`', "'").replace(['\n', '\r'], " ");
        write!(f, "`{code}`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_cannot_inject_markup() {
        let words = "a<b & \"c\" in `x<y|z`, d|e_f _g_ [h](i) `";
        assert_eq!(
            Html(words).to_string(),
            "a&lt;b &amp; &quot;c&quot; in <code>x&lt;y|z</code>, d|e_f _g_ [h](i) `"
        );
        assert_eq!(
            Markdown(words).to_string(),
            r#"a\<b \& "c" in `x<y\|z`, d\|e_f \_g\_ \[h\](i) \`"#
        );
    }
}
