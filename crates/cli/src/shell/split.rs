//! Where a statement ends: at a semicolon that stands in no quotes and no comment.

/// The whole statements in `text`, without their semicolons and blank ones left out, and what stands behind the last.
pub(super) fn statements(text: &str) -> (Vec<&str>, &str) {
    let (mut found, mut start, mut at) = (Vec::new(), 0, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with(';') {
            found.push(&text[start..at]);
            start = at + 1;
        }
        at += token(rest);
    }
    found.retain(|statement| says_something(statement));
    (found, &text[start..])
}

/// Whether there is more in `text` than space and comments.
pub(super) fn says_something(text: &str) -> bool {
    let mut rest = text.trim_start();
    while rest.starts_with("--") || rest.starts_with("/*") {
        rest = rest[token(rest)..].trim_start();
    }
    !rest.is_empty()
}

/// Bytes of the quoted text, the comment or the character at the start of `rest`; all of it when that does not end.
fn token(rest: &str) -> usize {
    let through = |open: usize, close: &str| {
        rest[open..].find(close).map_or(rest.len(), |at| open + at + close.len())
    };
    match rest.as_bytes() {
        [b'\'', ..] => through(1, "'"),
        [b'"', ..] => through(1, "\""),
        [b'-', b'-', ..] => through(2, "\n"),
        [b'/', b'*', ..] => through(2, "*/"),
        [b'$', ..] => match dollars(rest) {
            Some(tag) => through(tag.len(), tag),
            None => 1,
        },
        _ => rest.chars().next().map_or(1, char::len_utf8),
    }
}

/// `$$` or `$tag$` at the start of `rest`; `$1` is a parameter.
fn dollars(rest: &str) -> Option<&str> {
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
    fn a_semicolon_ends_a_statement_where_it_is_one() {
        let whole = |text| statements(text).0;
        assert_eq!(whole("a; b ;c"), ["a", " b "]);
        assert_eq!(statements("a; b").1, " b");
        let quoted = "select ';''', \"a;\", $$;$$, $x$ ; $$ $x$ -- ;\n /* ; */, 'é;'";
        let ended = format!("{quoted};");
        assert_eq!(whole(&ended), [quoted]);
        assert_eq!(whole("select $1;"), ["select $1"]);
        assert_eq!(whole(" ; -- nothing\n ;/* */;"), [""; 0]);
        for open in ["select 'a;", "select \"a;", "/* a;", "-- a;", "$$ a;"] {
            assert_eq!(statements(open), (vec![], open));
        }
    }
}
