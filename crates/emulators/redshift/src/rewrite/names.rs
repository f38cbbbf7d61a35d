//! Names that PostgreSQL does not accept: keywords next to a number, names of the current database, and of subqueries without alias.
//!
//! A name can start with the current database (`database.schema.table`). PostgreSQL accepts only the
//! name of its own database, which the emulator chose. A subquery in FROM needs no alias
//! (DG/r_FROM_clause30.html), which PostgreSQL 15 requires. `into #t` creates a temporary table.

use super::Edit;
use crate::lexer::{Token, TokenKind, matching_paren};

/// Keywords before the name of a table.
const BEFORE_TABLE: &[&str] = &[
    "from",
    "join",
    "into",
    "update",
    "table",
    "view",
    "exists",
    "using",
    "truncate",
    "like",
    "references",
    "on",
    "analyze",
    "vacuum",
    "delete",
    "copy",
    "lock",
    "only",
    "column",
];
/// Keywords after which a comma separates no tables.
const NOT_TABLES: &[&str] =
    &["select", "where", "by", "having", "set", "values", "qualify", "limit"];
/// Keywords after a subquery in FROM that are not its alias.
const NOT_ALIASES: &[&str] = &[
    "where",
    "join",
    "inner",
    "left",
    "right",
    "full",
    "cross",
    "natural",
    "on",
    "using",
    "group",
    "having",
    "order",
    "limit",
    "offset",
    "union",
    "intersect",
    "except",
    "minus",
    "qualify",
    "window",
    "fetch",
    "for",
    "with",
];

/// Returns the edits for a statement of a client of `database`.
pub(crate) fn edits(tokens: &[Token<'_>], database: &str) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut unnamed = 0;
    for (at, token) in tokens.iter().enumerate() {
        if token.is_name() && is_database(tokens, at, database) {
            edits.push((token.start, tokens[at + 2].start, String::new()));
        } else if token.kind == TokenKind::Number
            && tokens
                .get(at + 1)
                .is_some_and(|next| next.kind == TokenKind::Word && next.start == token.end())
        {
            // `then 4when`, as Amazon's Python driver writes it in catalog queries.
            edits.push((token.end(), token.end(), " ".to_owned()));
        } else if let Some(view) = catalog_view(tokens, at) {
            edits.extend(view);
        } else if token.is("(") && is_subquery_in_from(tokens, at) {
            let Some(close) = matching_paren(tokens, at) else { continue };
            let alias = tokens.get(close + 1).is_some_and(|next| {
                next.is("as") || next.is_name() && !NOT_ALIASES.iter().any(|word| next.is(word))
            });
            if !alias {
                unnamed += 1;
                edits.push((tokens[close].end(), tokens[close].end(), format!(" rs_{unnamed}")));
            }
        } else if token.is("into") && tokens.get(at + 1).is_some_and(|t| t.text.starts_with("\"#"))
        {
            let is_query =
                tokens.first().is_some_and(|first| !first.is("insert") && !first.is("merge"));
            edits.extend(is_query.then(|| (token.end(), token.end(), " temp".to_owned())));
        }
    }
    edits
}

/// Returns the edits that replace a catalog table at index `at` in FROM by the emulator's view of it,
/// which has Redshift's columns.
fn catalog_view(tokens: &[Token<'_>], at: usize) -> Option<Vec<Edit>> {
    const TABLES: &[&str] = &["pg_class", "pg_attribute", "pg_attrdef", "pg_constraint"];
    let table = *TABLES.iter().find(|name| tokens[at].is(name))?;
    let is_qualified = at > 1 && tokens[at - 1].is(".") && tokens[at - 2].is("pg_catalog");
    let start = if is_qualified { at - 2 } else { at };
    let before = start.checked_sub(1).map(|before| tokens[before])?;
    let is_table =
        before.is("from") || before.is("join") || before.is(",") && is_in_from(tokens, start - 1);
    let next = tokens.get(at + 1);
    if next.is_some_and(|next| next.is(".")) {
        // A column of the table, which has the name of the table as its alias in FROM.
        return is_qualified.then(|| vec![(tokens[start].start, tokens[at].start, String::new())]);
    }
    if !is_table {
        return None;
    }
    let has_alias = next.is_some_and(|next| {
        next.is("as") || next.is_name() && !NOT_ALIASES.iter().any(|word| next.is(word))
    });
    let view = table.replacen("pg_", "rs_", 1);
    let name = if has_alias { view } else { format!("{view} as {table}") };
    Some(vec![(tokens[start].start, tokens[at].end(), name)])
}

/// Returns true if the name at index `at` is the database of a table or of a column.
fn is_database(tokens: &[Token<'_>], at: usize, database: &str) -> bool {
    let is = |at: usize, what: &str| tokens.get(at).is_some_and(|token| token.is(what));
    let is_name = |at: usize| tokens.get(at).is_some_and(Token::is_name);
    let qualifies = !(at > 0 && tokens[at - 1].is("."))
        && tokens[at].name() == database
        && is(at + 1, ".")
        && is_name(at + 2)
        && is(at + 3, ".")
        && (is_name(at + 4) || is(at + 4, "*"));
    // Four names are those of a column; three are those of a table or of a column.
    qualifies && (is(at + 5, ".") || is_name(at + 4) && follows_table_keyword(tokens, at))
}

/// Returns true if a table can be at index `at`.
fn follows_table_keyword(tokens: &[Token<'_>], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|before| tokens[before]) else { return false };
    if before.is(",") {
        return is_in_from(tokens, at - 1);
    }
    // `on` precedes a table in GRANT, REVOKE and COMMENT, and a condition elsewhere.
    let is_grant = ["grant", "revoke", "comment"].iter().any(|word| tokens[0].is(word));
    BEFORE_TABLE.iter().any(|word| before.is(word)) && (is_grant || !before.is("on"))
}

/// Returns true if the parenthesis at index `at` opens a subquery of a FROM clause.
fn is_subquery_in_from(tokens: &[Token<'_>], at: usize) -> bool {
    let is_query = tokens
        .get(at + 1)
        .is_some_and(|next| next.kind == TokenKind::Word && (next.is("select") || next.is("with")));
    let Some(before) = at.checked_sub(1).map(|before| tokens[before]) else { return false };
    is_query && (before.is("from") || before.is("join") || before.is(",") && is_in_from(tokens, at))
}

/// Returns true if the nearest clause before index `at`, outside parentheses, is FROM.
fn is_in_from(tokens: &[Token<'_>], at: usize) -> bool {
    let mut depth = 0;
    for token in tokens[..at].iter().rev() {
        if token.is(")") {
            depth += 1;
        } else if token.is("(") {
            if depth == 0 {
                return false;
            }
            depth -= 1;
        } else if depth == 0 && (token.is("from") || token.is("join") || token.is("using")) {
            return true;
        } else if depth == 0 && NOT_TABLES.iter().any(|word| token.is(word)) {
            return false;
        }
    }
    false
}
