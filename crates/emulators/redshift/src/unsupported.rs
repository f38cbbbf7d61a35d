//! PostgreSQL syntax that Redshift does not support, rejected with Redshift's errors.
//!
//! This deny-list was written independently of the allow-list in `redshift-lint`, from
//! DG/c_redshift-and-postgres-sql.html and the pages cited at each rule. Every statement must pass
//! both, so that a mistake in one list is caught by the other.

use crate::lexer::{Token, TokenKind, keywords_at};
use crate::wire::Report;

/// Keywords, SQLSTATE and message.
type Sequence = (&'static str, &'static str, &'static str);

/// Unsupported keyword sequences.
const UNSUPPORTED_SEQUENCES: &[Sequence] = &[
    // DG/c_unsupported-postgresql-features.html
    ("on conflict", "42601", "syntax error at or near \"on\""),
    ("distinct on", "42601", "syntax error at or near \"on\""),
    ("array [", "42601", "syntax error at or near \"[\""),
    ("is distinct from", "42601", "syntax error at or near \"distinct\""),
    ("is not distinct from", "42601", "syntax error at or near \"distinct\""),
    ("with ordinality", "42601", "syntax error at or near \"ordinality\""),
    ("filter ( where", "42601", "syntax error at or near \"(\""),
    ("for update", "42601", "syntax error at or near \"update\""),
    ("check (", "0A000", "CHECK constraints are not supported"),
    ("nulls distinct", "42601", "syntax error at or near \"nulls\""),
    // DG/c_unsupported-postgresql-functions.html
    ("string_agg (", "42883", "function string_agg(character varying, \"unknown\") does not exist"),
    ("array_agg (", "42883", "function array_agg(character varying) does not exist"),
    // PostgreSQL casts regtype to text only in versions after 8.0
    // (DG/c_unsupported-postgresql-datatypes.html).
    ("regtype :: text", "42846", "cannot cast type regtype to character varying"),
    ("regtype :: varchar", "42846", "cannot cast type regtype to character varying"),
];

/// First keywords of unsupported statements (DG/c_redshift-sql.html lists the supported ones).
const UNSUPPORTED_COMMANDS: &[&str] = &[
    "savepoint",
    "release",
    "rollback to",
    "listen",
    "notify",
    "unlisten",
    "do",
    "discard",
    "reindex",
    "cluster",
    "checkpoint",
    "load",
    "values",
    "table",
    "create index",
    "create unique",
    "create sequence",
    "create trigger",
    "create rule",
    "create type",
    "create domain",
    "create extension",
    "create aggregate",
    "create operator",
    "create collation",
    "create tablespace",
    "create language",
    "create cast",
    "create unlogged",
    "alter system",
    "alter sequence",
    "set standard_conforming_strings",
    "set session_replication_role",
    "reset session",
    "prepare transaction",
];

/// Unsupported types that the backend would accept (DG/c_unsupported-postgresql-datatypes.html).
const UNSUPPORTED_TYPES: &[&str] = &[
    "serial",
    "bigserial",
    "smallserial",
    "serial4",
    "serial8",
    "jsonb",
    "bytea",
    "uuid",
    "xml",
    "money",
    "inet",
];

/// Leader node-only functions (DG/c_SQL_functions_leader_node_only.html) as tokens of a call.
const LEADER_ONLY: &[&str] =
    &["now (", "current_timestamp", "localtimestamp", "age (", "current_schema (", "current_time"];

/// Returns Redshift's error if the statement is unsupported.
pub(crate) fn check(tokens: &[Token<'_>]) -> Result<(), Report> {
    check_except(tokens, None)
}

/// Returns Redshift's error if a query of catalog tables is unsupported.
///
/// It runs on the leader node, with more of PostgreSQL: sqlalchemy-redshift sends array constructors.
pub(crate) fn check_catalog(tokens: &[Token<'_>]) -> Result<(), Report> {
    check_except(tokens, Some("array ["))
}

fn check_except(tokens: &[Token<'_>], allowed: Option<&str>) -> Result<(), Report> {
    let Some(first) = tokens.first() else { return Ok(()) };
    if UNSUPPORTED_COMMANDS.iter().any(|words| keywords_at(tokens, 0, words)) {
        return Err(syntax_error(first));
    }
    for at in 0..tokens.len() {
        let is_sequence =
            |(words, ..): &&Sequence| Some(*words) != allowed && keywords_at(tokens, at, words);
        if let Some((_, code, message)) = UNSUPPORTED_SEQUENCES.iter().find(is_sequence) {
            return Err(Report::error(code, *message));
        }
        check_string_prefix(tokens, at)?;
        let is_unsupported = |name: &&&str| tokens[at].is(name) && is_type(tokens, at);
        if let Some(name) = UNSUPPORTED_TYPES.iter().find(is_unsupported) {
            return Err(Report::error("42704", format!("type \"{name}\" does not exist")));
        }
    }
    check_command(tokens)?;
    check_leader_only(tokens)
}

fn syntax_error(token: &Token<'_>) -> Report {
    Report::error("42601", format!("syntax error at or near \"{}\"", token.text))
}

/// Rejects `E'…'`, `N'…'`, `B'…'` and `X'…'`, which Redshift reads as a type name and a string.
fn check_string_prefix(tokens: &[Token<'_>], at: usize) -> Result<(), Report> {
    let is_prefix = tokens.get(at + 1).is_some_and(|next| {
        next.kind == TokenKind::StringLiteral
            && next.start == tokens[at].end()
            && tokens[at].kind == TokenKind::Word
    });
    if is_prefix && ["e", "n", "b", "x"].iter().any(|prefix| tokens[at].is(prefix)) {
        let name = tokens[at].text.to_ascii_lowercase();
        return Err(Report::error("42704", format!("type \"{name}\" does not exist")));
    }
    Ok(())
}

/// Returns true if the token follows a name, as in a column definition, or is the type of a cast.
fn is_type(tokens: &[Token<'_>], at: usize) -> bool {
    at > 0 && (tokens[at - 1].is("::") || tokens[at - 1].is("as") || tokens[at - 1].is_name())
}

fn check_command(tokens: &[Token<'_>]) -> Result<(), Report> {
    let has = |word: &str| tokens.iter().position(|token| token.is(word));
    let writes = ["insert", "update", "delete", "merge", "with"];
    if writes.iter().any(|word| tokens[0].is(word))
        && let Some(at) = has("returning")
    {
        return Err(syntax_error(&tokens[at]));
    }
    if tokens[0].is("truncate") && has(",").is_some() {
        return Err(Report::error("42601", "syntax error at or near \",\""));
    }
    if tokens[0].is("copy") {
        // COPY reads from S3 and similar sources (DG/copy-parameters-data-source.html), never from
        // the client's stream or the server's files.
        let stream = ["stdin", "stdout", "program"].iter().find_map(|word| has(word));
        if let Some(at) = stream.or_else(|| has("to").filter(|at| *at < 4)) {
            return Err(syntax_error(&tokens[at]));
        }
    }
    if tokens[0].is("delete") && keywords_at(tokens, 1, "from") {
        // The target of DELETE has no alias (DG/r_DELETE.html).
        let (_, after) = crate::rewrite::name_at(tokens, 2);
        let next = tokens.get(after);
        if next.is_some_and(|token| token.is_name() && !token.is("using") && !token.is("where")) {
            return Err(syntax_error(&tokens[after]));
        }
    }
    Ok(())
}

/// Rejects leader node-only functions in a statement that uses a user-defined table.
fn check_leader_only(tokens: &[Token<'_>]) -> Result<(), Report> {
    let called = (0..tokens.len()).find_map(|at| {
        let is_column = at > 0 && tokens[at - 1].is(".");
        LEADER_ONLY.iter().find(|words| !is_column && keywords_at(tokens, at, words))
    });
    let Some(called) = called.filter(|_| reads_user_table(tokens)) else { return Ok(()) };
    let name = called.trim_end_matches(" (");
    Err(Report::error(
        "0A000",
        "Specified types or functions (one per INFO message) not supported on Redshift tables.",
    )
    .with_detail(format!("Function \"{name}()\" not supported.")))
}

fn reads_user_table(tokens: &[Token<'_>]) -> bool {
    const CATALOG: &[&str] = &["pg_", "stl_", "stv_", "svv_", "svl_", "sys_", "information_schema"];
    if ["create", "alter", "set", "show"].iter().any(|word| tokens[0].is(word)) {
        return false;
    }
    tokens.windows(2).any(|pair| {
        let before = ["from", "join", "into", "update"].iter().any(|word| pair[0].is(word));
        before
            && pair[1].is_name()
            && !CATALOG.iter().any(|start| pair[1].name().starts_with(start))
    })
}

/// Returns the name of a command that cannot run in a transaction block.
///
/// DG/r_VACUUM_command.html, DG/r_ALTER_TABLE_APPEND.html, DG/r_CREATE_DATABASE.html,
/// DG/r_ALTER_TABLE.html.
pub(crate) fn outside_transaction_only(tokens: &[Token<'_>]) -> Option<&'static str> {
    const COMMANDS: &[(&str, &str)] = &[
        ("vacuum", "VACUUM"),
        ("create database", "CREATE DATABASE"),
        ("drop database", "DROP DATABASE"),
        ("create external", "CREATE EXTERNAL TABLE"),
        ("drop external", "DROP EXTERNAL TABLE"),
    ];
    let is_append = (0..tokens.len().min(9)).any(|at| keywords_at(tokens, at, "append from"));
    let changes_type = keywords_at(tokens, 0, "alter table")
        && (0..tokens.len().saturating_sub(2)).any(|at| {
            tokens[at].is("alter")
                && at > 1
                && tokens[at + 1..].iter().take(3).any(|t| t.is("type"))
        });
    if tokens.first().is_some_and(|first| first.is("alter")) && is_append {
        return Some("ALTER TABLE APPEND");
    }
    if changes_type {
        return Some("ALTER TABLE ALTER COLUMN");
    }
    COMMANDS.iter().find(|(words, _)| keywords_at(tokens, 0, words)).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexer::tokens;

    #[test]
    fn unsupported_statements_are_rejected() {
        for (statement, code) in [
            ("select e'a'", "42704"),
            ("insert into t values (1) on conflict do nothing", "42601"),
            ("delete from t where a = 1 returning a", "42601"),
            ("savepoint a", "42601"),
            ("copy t from stdin", "42601"),
            ("copy t to stdout", "42601"),
            ("create table t (a serial)", "42704"),
            ("select a::jsonb from t", "42704"),
            ("truncate a, b", "42601"),
            ("insert into t select now() from u", "0A000"),
            ("select current_timestamp from t", "0A000"),
            ("delete from t x where a = 1", "42601"),
            ("select count(*) filter (where a) from t", "42601"),
        ] {
            assert_eq!(check(&tokens(statement)).unwrap_err().code, code, "{statement}");
        }
    }

    #[test]
    fn supported_statements_are_accepted() {
        for statement in [
            "select now()",
            "select now() from pg_class",
            "select 'e' 'a', \"returning\", 'on conflict' from t",
            "create table t (serial_number int, a timestamp default getdate())",
            "delete from t using u where t.a = u.a",
            "copy t from 's3://a/b' iam_role default",
            "rollback",
            "select case when a then b end from t",
        ] {
            assert_eq!(check(&tokens(statement)), Ok(()), "{statement}");
        }
    }
}
