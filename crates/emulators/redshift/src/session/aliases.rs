//! Lateral column aliases: `select a + 1 as b, b * 2 as c from t`.
//!
//! A name in a select list can be the alias of an earlier expression of that list. A column of the
//! FROM clause takes precedence (DG/r_SELECT_list.html). PostgreSQL knows the columns: a statement
//! with such names is prepared first, and each name that the backend does not find is replaced by the
//! expression of its alias. sqlalchemy-redshift 1.0.0 also uses aliases in WHERE.

use std::io;
use std::ops::Range;

use super::Session;
use crate::lexer::{Token, keywords_at, matching_paren, tokens};
use crate::rewrite::apply;

/// Keywords that end a select list.
const AFTER_LIST: &[&str] =
    &["from", "where", "group", "having", "order", "limit", "union", "intersect", "except", "into"];
/// Upper bound of the replacements in a statement.
const MAX_REPLACEMENTS: u32 = 1000;

impl Session {
    /// Replaces the lateral column aliases of a statement for the backend.
    pub(super) fn resolve_aliases(&mut self, mut text: String) -> io::Result<String> {
        for _ in 0..MAX_REPLACEMENTS {
            let Some(query) = query(&text) else { break };
            let start = query.start;
            let Some(position) = self.missing_column(&text[query])? else { break };
            let Some(edit) = replacement(&text, start + position) else { break };
            text = apply(&text, vec![edit]);
        }
        Ok(text)
    }

    /// Prepares a query; returns the byte offset of a column that does not exist.
    fn missing_column(&mut self, query: &str) -> io::Result<Option<usize>> {
        let in_transaction = self.status() == b'T';
        if in_transaction {
            let _ = self.backend.query("savepoint rs_aliases")?;
        }
        let prepared = self.backend.query(&format!("prepare rs_aliases as {query}"))?;
        if in_transaction {
            let end = "rollback to savepoint rs_aliases; release savepoint rs_aliases";
            let _ = self.backend.query(end)?;
        }
        if prepared.is_ok() {
            let _ = self.backend.query("deallocate rs_aliases")?;
        }
        let Some(report) = prepared.err().filter(|report| report.code == "42703") else {
            return Ok(None);
        };
        let prefix = "prepare rs_aliases as ".chars().count();
        let character = report.position.and_then(|position| position.parse::<usize>().ok());
        let character = character.and_then(|position| position.checked_sub(prefix + 1));
        Ok(character.and_then(|character| query.char_indices().nth(character)).map(|(at, _)| at))
    }
}

/// Returns the byte range of the query in a statement that may use a lateral alias.
fn query(text: &str) -> Option<Range<usize>> {
    let tokens = tokens(text);
    let first = tokens.first()?;
    let known = ["select", "with", "insert", "create", "("];
    if !known.iter().any(|word| first.is(word))
        || tokens.iter().any(|token| token.text.starts_with("$$"))
    {
        return None;
    }
    let start = tokens.iter().position(|token| token.is("select") || token.is("with"))?;
    let start = if tokens[0].is("(") { 0 } else { start };
    let is_used = |at: usize| {
        let name = tokens[at].name();
        (at + 1..tokens.len()).any(|later| is_bare(&tokens, later) && tokens[later].name() == name)
    };
    let has_alias = (start + 1..tokens.len())
        .any(|at| tokens[at].is_name() && tokens[at - 1].is("as") && is_used(at));
    let opened = start.checked_sub(1).filter(|before| tokens[*before].is("("));
    let close = opened.and_then(|open| matching_paren(&tokens, open));
    let end = close.map_or(text.len(), |close| tokens[close].start);
    has_alias.then(|| tokens[start].start..end)
}

/// Returns true if the token can be a column without its table.
fn is_bare(tokens: &[Token<'_>], at: usize) -> bool {
    let after = tokens.get(at + 1);
    tokens[at].is_name()
        && !(tokens[at - 1].is(".") || tokens[at - 1].is("as"))
        && !after.is_some_and(|next| next.is(".") || next.is("("))
}

/// Returns the edit that replaces the name at a byte offset by the expression of its alias.
fn replacement(text: &str, offset: usize) -> Option<(usize, usize, String)> {
    let tokens = tokens(text);
    let at = tokens.iter().position(|token| token.start == offset && token.is_name())?;
    let select = enclosing_select(&tokens, at)?;
    let name = tokens[at].name();
    for (first, last) in select_items(&tokens, select) {
        let is_alias = last > first && tokens[last].is_name() && tokens[last].name() == name;
        if last >= at || !is_alias {
            continue;
        }
        let end = if tokens[last - 1].is("as") { last - 2 } else { last - 1 };
        if end < first || tokens[end].is(".") {
            continue;
        }
        let expression = &text[tokens[first].start..tokens[end].end()];
        return Some((tokens[at].start, tokens[at].end(), format!("({expression})")));
    }
    None
}

/// Returns the index of the SELECT whose clauses contain index `at`.
fn enclosing_select(tokens: &[Token<'_>], at: usize) -> Option<usize> {
    let mut depth = 0_u32;
    for before in (0..at).rev() {
        if tokens[before].is(")") {
            depth += 1;
        } else if tokens[before].is("(") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && tokens[before].is("select") {
            return Some(before);
        }
    }
    None
}

/// Returns the first and the last token of each item of the select list at index `select`.
fn select_items(tokens: &[Token<'_>], select: usize) -> Vec<(usize, usize)> {
    let is_distinct =
        keywords_at(tokens, select + 1, "distinct") || keywords_at(tokens, select + 1, "all");
    let mut first = select + 1 + usize::from(is_distinct);
    let (mut at, mut items) = (first, Vec::new());
    while at < tokens.len() {
        let ends = tokens[at].is(")") || AFTER_LIST.iter().any(|word| tokens[at].is(word));
        if ends || tokens[at].is(",") {
            if at > first {
                items.push((first, at - 1));
            }
            first = at + 1;
        }
        if ends {
            return items;
        }
        at = if tokens[at].is("(") {
            matching_paren(tokens, at).unwrap_or(tokens.len())
        } else {
            at
        } + 1;
    }
    if at > first && first < tokens.len() {
        items.push((first, tokens.len() - 1));
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(text: &str, name: &str) -> Option<String> {
        let offset = text.rfind(name).unwrap();
        replacement(text, offset).map(|edit| apply(text, vec![edit]))
    }

    #[test]
    fn an_alias_is_replaced_by_its_expression() {
        for (text, name, expected) in [
            ("select a + 1 as b, f(b) from t", "b", "select a + 1 as b, f((a + 1)) from t"),
            ("select a c, (select 1) as d, c * 2", "c", "select a c, (select 1) as d, (a) * 2"),
            (
                "select 1 as a union select 2 as b where b > 1",
                "b",
                "select 1 as a union select 2 as b where (2) > 1",
            ),
        ] {
            assert_eq!(replaced(text, name).as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_name_that_is_no_earlier_alias_of_the_same_list_stays() {
        for (text, name) in [
            ("select b, a as c from t where b > 1", "b"),
            ("select a as b from t where a in (select b from u)", "b"),
            ("select (select 1 as b) as c, b from t", "b"),
        ] {
            assert_eq!(replaced(text, name), None, "{text}");
        }
    }

    #[test]
    fn only_statements_with_a_used_alias_are_prepared() {
        assert_eq!(query("insert into t select a as b, b + 1 from u"), Some(14..41));
        assert_eq!(query("create view v as (select 1 as a, a) "), Some(18..34));
        assert_eq!(query("select a as b from t"), None);
        assert_eq!(query("update t set a = 1"), None);
        assert_eq!(query("create function f() as $$ select 1 as a, a $$"), None);
    }
}
