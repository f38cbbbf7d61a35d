//! Splits input into statements at semicolons outside quotes and comments.

/// Returns the complete statements of `text`, without semicolons and blank statements, and the rest
/// after the last semicolon.
pub(super) fn split(text: &str) -> (Vec<&str>, &str) {
    let (mut found, mut start, mut at) = (Vec::new(), 0, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with(';') {
            found.push(&text[start..at]);
            start = at + 1;
        }
        at += token_length(rest);
    }
    found.retain(|statement| !is_blank(statement));
    (found, &text[start..])
}

/// Returns true if `text` has only white space and comments.
pub(super) fn is_blank(text: &str) -> bool {
    let mut rest = text.trim_start();
    while rest.starts_with("--") || rest.starts_with("/*") {
        rest = rest[token_length(rest)..].trim_start();
    }
    rest.is_empty()
}

/// Returns the bytes of the quoted text, comment or character at the start of `rest`; all bytes if
/// a quote or comment is not closed.
fn token_length(rest: &str) -> usize {
    let through = |open: usize, close: &str| {
        rest[open..].find(close).map_or(rest.len(), |at| open + at + close.len())
    };
    match rest.as_bytes() {
        [b'\'', ..] => through(1, "'"),
        [b'"', ..] => through(1, "\""),
        [b'-', b'-', ..] => through(2, "\n"),
        [b'/', b'*', ..] => through(2, "*/"),
        [b'$', ..] => match dollar_quote(rest) {
            Some(tag) => through(tag.len(), tag),
            None => 1,
        },
        _ => rest.chars().next().map_or(1, char::len_utf8),
    }
}

/// Returns `$$` or `$tag$` at the start of `rest`; none for a parameter such as `$1`.
fn dollar_quote(rest: &str) -> Option<&str> {
    let end = rest[1..].find('$')? + 1;
    let tag = &rest[1..end];
    let is_tag = tag.chars().all(|c| c.is_alphanumeric() || c == '_')
        && !tag.starts_with(|c: char| c.is_ascii_digit());
    is_tag.then(|| &rest[..=end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_at_semicolons_outside_quotes_and_comments() {
        let complete = |text| split(text).0;
        assert_eq!(complete("a; b ;c"), ["a", " b "]);
        assert_eq!(split("a; b").1, " b");
        let quoted = "select ';''', \"a;\", $$;$$, $x$ ; $$ $x$ -- ;\n /* ; */, 'é;'";
        let ended = format!("{quoted};");
        assert_eq!(complete(&ended), [quoted]);
        assert_eq!(complete("select $1;"), ["select $1"]);
        assert_eq!(complete(" ; -- nothing\n ;/* */;"), [""; 0]);
        for open in ["select 'a;", "select \"a;", "/* a;", "-- a;", "$$ a;"] {
            assert_eq!(split(open), (vec![], open));
        }
    }
}
