//! Statements as Redshift reads them, token by token.
//!
//! Only what the emulator needs to find its way in a statement: where strings, quoted names and comments begin and end (a backslash is an
//! escape in every plain string, DG/r_Character_types.html), where one statement ends and the next begins, and which words follow one another.
//! Whether a statement is one that Redshift takes is not decided here.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or a keyword; `#name` too.
    Word,
    /// A name in double quotes.
    Quoted,
    /// A string in single quotes.
    Text,
    /// A string in dollar quotes.
    Dollar,
    /// A number, or a parameter (`$1`).
    Number,
    /// Anything else, one character each; `::` is one.
    Mark,
}

/// A token: its kind, and where it lies in the statement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) text: &'a str,
}

impl Token<'_> {
    /// Where it ends.
    pub(crate) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Whether it is this keyword.
    pub(crate) fn is(&self, word: &str) -> bool {
        matches!(self.kind, Kind::Word | Kind::Mark) && self.text.eq_ignore_ascii_case(word)
    }

    /// Whether it can name a thing.
    pub(crate) fn is_name(&self) -> bool {
        matches!(self.kind, Kind::Word | Kind::Quoted)
    }

    /// The name that it means: folded to lower case unless quoted.
    pub(crate) fn name(&self) -> String {
        match self.kind {
            Kind::Quoted => {
                let inner = self.text.strip_prefix('"').unwrap_or(self.text);
                inner.strip_suffix('"').unwrap_or(inner).replace("\"\"", "\"")
            }
            _ => self.text.to_ascii_lowercase(),
        }
    }
}

/// The tokens of a text; comments and white space are none. What breaks off ends with the text.
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
            at += comment(rest);
            continue;
        } else {
            token(rest, next)
        };
        found.push(Token { kind, start: at, text: &text[at..at + length] });
        at += length;
    }
    found
}

fn token(rest: &str, next: char) -> (Kind, usize) {
    let after = rest[next.len_utf8()..].chars().next();
    match next {
        '\'' => (Kind::Text, quoted(rest, b'\'', true)),
        '"' => (Kind::Quoted, quoted(rest, b'"', false)),
        '$' if after.is_some_and(|c| c.is_ascii_digit()) => {
            (Kind::Number, 1 + run(&rest[1..], |c| c.is_ascii_digit()))
        }
        '$' if dollar(rest).is_some() => (Kind::Dollar, dollar(rest).unwrap_or(1)),
        '#' if after.is_some_and(is_word) => (Kind::Word, 1 + run(&rest[1..], is_word)),
        ':' if after == Some(':') => (Kind::Mark, 2),
        '0'..='9' => (Kind::Number, number(rest)),
        c if is_word(c) => (Kind::Word, run(rest, |c| is_word(c) || c == '$')),
        c => (Kind::Mark, c.len_utf8()),
    }
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

fn number(text: &str) -> usize {
    let digits = run(text, |c| c.is_ascii_digit() || c == '.');
    let rest = &text[digits..];
    let sign = usize::from(rest.len() > 1 && matches!(rest.as_bytes()[1], b'+' | b'-'));
    let exponent = rest.get(1 + sign..).map_or(0, |tail| run(tail, |c| c.is_ascii_digit()));
    if rest.starts_with(['e', 'E']) && exponent > 0 { digits + 1 + sign + exponent } else { digits }
}

fn quoted(text: &str, quote: u8, escapes: bool) -> usize {
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

fn dollar(text: &str) -> Option<usize> {
    let tag = 1 + text[1..].find('$')?;
    if !text[1..tag].chars().all(is_word) {
        return None;
    }
    let mark = &text[..=tag];
    Some(text[tag + 1..].find(mark).map_or(text.len(), |end| tag + 1 + end + mark.len()))
}

fn comment(text: &str) -> usize {
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

/// The statements of a text, without their semicolons; empty ones are none.
pub(crate) fn statements(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut start, mut any) = (0, false);
    for token in tokens(text) {
        if token.is(";") {
            if any {
                found.push(text[start..token.start].trim());
            }
            (start, any) = (token.end(), false);
        } else {
            any = true;
        }
    }
    if any {
        found.push(text[start..].trim());
    }
    found
}

/// Where the bracket that opens at `open` is closed, as an index into the tokens.
pub(crate) fn closing(tokens: &[Token<'_>], open: usize) -> Option<usize> {
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

/// Whether these words stand at `at`, one after the other.
pub(crate) fn follows(tokens: &[Token<'_>], at: usize, words: &str) -> bool {
    words
        .split(' ')
        .enumerate()
        .all(|(step, word)| tokens.get(at + step).is_some_and(|token| token.is(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_end_where_redshift_ends_them() {
        let texts: Vec<&str> =
            tokens(r"a 'x\'; y' b $q$;$q$ $1 c::d 1.5e-3").iter().map(|token| token.text).collect();
        assert_eq!(texts, ["a", r"'x\'; y'", "b", "$q$;$q$", "$1", "c", "::", "d", "1.5e-3"]);
    }

    #[test]
    fn a_text_falls_into_its_statements() {
        assert_eq!(
            statements("select ';'; -- ; \n /* ; /* ; */ */ select \";\";; "),
            ["select ';'", "-- ; \n /* ; /* ; */ */ select \";\""]
        );
        assert!(statements(" ; -- nothing").is_empty());
    }

    #[test]
    fn no_text_is_too_broken() {
        for text in ["'", "'\\", "\"", "$a$", "/*", "1e", "$", "#", "é'ü\\"] {
            tokens(text);
        }
    }
}
