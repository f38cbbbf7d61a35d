//! Guard of read-only connections: decides from the text of a statement whether it may be sent.
//!
//! The guard is no grammar. It accepts exactly one statement that begins with a word that only
//! reads, and that has no word at the top level which could make it write (`select … into`, `with …
//! delete`). Every other judgement about the statement is left to the cluster, so a form that this
//! program does not know is still sent.
//!
//! Depending on the server's settings, a backslash escapes a quote inside a string or does not. The
//! text is parsed both ways and must pass both times.

/// First words outside of parentheses of statements that read. `explain` plans a statement and does
/// not run it; a set operation follows a query in parentheses.
const READS: &[&str] = &[
    "select",
    "with",
    "values",
    "explain",
    "show",
    "desc",
    "describe",
    "fetch",
    "union",
    "intersect",
    "except",
    "minus",
];
/// Words of which the first one after `with` is the statement's verb.
const VERBS: &[&str] = &["select", "insert", "update", "delete", "merge"];

/// Why a statement is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// It would change the warehouse, or might.
    Writes,
    /// It is more than one statement.
    Several,
    /// A comment, string or quoted name does not end, or is of a kind that servers read
    /// differently.
    Ambiguous,
}

/// Checks that `statement` is one statement that reads.
pub(super) fn check(statement: &str) -> Result<(), Refused> {
    [false, true].into_iter().try_for_each(|backslash_escapes| {
        let words = top_level_words(statement.as_bytes(), backslash_escapes)?;
        let Some((first, rest)) = words.split_first() else { return Ok(()) };
        let verb = rest.iter().find(|word| VERBS.contains(&word.as_str()));
        let reads = match first.as_str() {
            "explain" => true,
            // `select … into` creates a table.
            "with" => {
                verb.is_some_and(|verb| verb == "select") && !rest.iter().any(|word| word == "into")
            }
            first => READS.contains(&first) && !rest.iter().any(|word| word == "into"),
        };
        if reads {
            return Ok(());
        }
        Err(Refused::Writes)
    })
}

/// Returns the words outside of parentheses, in lower case, of a text that is one statement.
fn top_level_words(text: &[u8], backslash_escapes: bool) -> Result<Vec<String>, Refused> {
    let (mut words, mut depth, mut at, mut ended) = (Vec::new(), 0_usize, 0, false);
    while let Some(&byte) = text.get(at) {
        let next = text.get(at + 1).copied();
        let is_blank = byte.is_ascii_whitespace();
        let begins_comment = matches!((byte, next), (b'-', Some(b'-')) | (b'/', Some(b'*')));
        if ended && !is_blank && !begins_comment && byte != b';' {
            return Err(Refused::Several);
        }
        match byte {
            b'-' if begins_comment => {
                at = position(text, at, |rest| rest.starts_with(b"\n")).unwrap_or(text.len());
            }
            b'/' if begins_comment => at = after_comment(text, at)?,
            b'\'' => at = after_quoted(text, at, backslash_escapes)?,
            b'"' => at = after_quoted(text, at, false)?,
            // Dollar quotes begin a string on some servers.
            b'$' if next.is_some_and(|next| next == b'$' || next.is_ascii_alphabetic()) => {
                return Err(Refused::Ambiguous);
            }
            b'(' => (depth, at) = (depth + 1, at + 1),
            b')' => (depth, at) = (depth.saturating_sub(1), at + 1),
            b';' => (ended, at) = (true, at + 1),
            _ if is_word(byte) => {
                let start = at;
                while text.get(at).is_some_and(|byte| is_word(*byte)) {
                    at += 1;
                }
                if depth == 0 {
                    words.push(String::from_utf8_lossy(&text[start..at]).to_ascii_lowercase());
                }
            }
            _ => at += 1,
        }
    }
    Ok(words)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

fn position(text: &[u8], from: usize, found: impl Fn(&[u8]) -> bool) -> Option<usize> {
    (from..text.len()).find(|at| found(&text[*at..]))
}

/// Returns the offset after a block comment. A comment inside a comment ends differently on
/// different servers.
fn after_comment(text: &[u8], at: usize) -> Result<usize, Refused> {
    let end = position(text, at + 2, |rest| rest.starts_with(b"*/")).ok_or(Refused::Ambiguous)?;
    match position(&text[..end], at + 2, |rest| rest.starts_with(b"/*")) {
        Some(_) => Err(Refused::Ambiguous),
        None => Ok(end + 2),
    }
}

/// Returns the offset after a string or a quoted name; a doubled quote is part of it.
fn after_quoted(text: &[u8], at: usize, backslash_escapes: bool) -> Result<usize, Refused> {
    let (quote, mut at) = (text[at], at + 1);
    while let Some(&byte) = text.get(at) {
        match byte {
            b'\\' if backslash_escapes => at += 2,
            _ if byte == quote && text.get(at + 1) == Some(&quote) => at += 2,
            _ if byte == quote => return Ok(at + 1),
            _ => at += 1,
        }
    }
    Err(Refused::Ambiguous)
}

#[cfg(test)]
mod tests {
    use super::{Refused, check};

    #[test]
    fn statements_that_read_are_sent_whatever_their_form() {
        for statement in [
            "select 1",
            "  -- a comment\n/* another */ SELECT a.b, count(*) from t qualify row_number() over () = 1;",
            "with x as (select 1) select * from x ; ",
            "select 'into; delete', \"update\" from t",
            "select it''s.x from t where a = 'it''s'",
            "explain delete from songplays",
            "show tables",
            "select (select max(x) from t) as m",
            "with copy as (select 1) select copy, update from t where copy > 1",
            "(select 1) union all (select 2)",
            "",
        ] {
            assert_eq!(check(statement), Ok(()), "{statement}");
        }
    }

    #[test]
    fn statements_that_write_are_refused() {
        for statement in [
            "delete from songplays",
            "select * into copy_of from songplays",
            "with gone as (select 1) delete from songplays",
            "with x as (select 1) insert into t select * from x",
            "with x as (select 1) select * into t from x",
            "insert into t select 1",
            "UNLOAD ('select 1') to 's3://bucket/x' iam_role default",
            "call procedure()",
            "set search_path to x",
            "begin",
            "grant select on songplays to public",
        ] {
            assert_eq!(check(statement), Err(Refused::Writes), "{statement}");
        }
    }

    #[test]
    fn a_second_statement_is_found_wherever_it_hides() {
        for statement in [
            "select 1; drop table songplays",
            "select 1;;drop table songplays",
            "select '\\'; drop table songplays; --'",
            "select 'a\\\\'; drop table songplays",
            "select 1 /* ; */ ; drop table songplays",
        ] {
            assert!(check(statement).is_err(), "{statement}");
        }
        assert_eq!(check("select 1; select 2"), Err(Refused::Several));
    }

    #[test]
    fn texts_that_servers_read_differently_are_refused() {
        for statement in [
            "select /* /* */ 1; drop table songplays; -- */",
            "select $$a$$",
            "select $tag$ ; drop table songplays $tag$",
            "select 'a",
            "select \"a",
            "select 1 /* a",
        ] {
            assert!(
                matches!(check(statement), Err(Refused::Ambiguous | Refused::Several)),
                "{statement}"
            );
        }
    }
}
