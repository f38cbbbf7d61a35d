//! What Redshift is known not to have, refused as it refuses it.
//!
//! The gate in front is a list of what is allowed; this is the other way round, written apart from it, from DG/c_redshift-and-postgres-sql.html
//! and the pages named at each rule: a statement passes both, so that a slip in one of them does not go unseen.

use crate::lexer::{Kind, Token, follows};
use crate::wire::Report;

/// Words that no statement of Redshift contains, one after the other, and how they are refused.
const ABSENT: &[(&str, &str, &str)] = &[
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
    // The type of PostgreSQL 8.0 that later versions cast to text (DG/c_unsupported-postgresql-datatypes.html).
    ("regtype :: text", "42846", "cannot cast type regtype to character varying"),
    ("regtype :: varchar", "42846", "cannot cast type regtype to character varying"),
];

/// How statements begin that Redshift does not have (DG/c_redshift-sql.html lists those that it has).
const NO_COMMANDS: &[&str] = &[
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

/// Types that Redshift does not have and the backend would take (DG/c_unsupported-postgresql-datatypes.html).
const NO_TYPES: &[&str] = &[
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

/// Functions that only the leader node has (DG/c_SQL_functions_leader_node_only.html), as they are called.
const LEADER_ONLY: &[&str] =
    &["now (", "current_timestamp", "localtimestamp", "age (", "current_schema (", "current_time"];

/// Refuses what Redshift would.
pub(crate) fn check(tokens: &[Token<'_>]) -> Result<(), Report> {
    let Some(first) = tokens.first() else { return Ok(()) };
    if NO_COMMANDS.iter().any(|words| follows(tokens, 0, words)) {
        return Err(near(first));
    }
    for at in 0..tokens.len() {
        for (words, code, message) in ABSENT {
            if follows(tokens, at, words) {
                return Err(Report::error(code, *message));
            }
        }
        literal(tokens, at)?;
        if let Some(name) = NO_TYPES.iter().find(|name| tokens[at].is(name) && is_type(tokens, at))
        {
            return Err(Report::error("42704", format!("type \"{name}\" does not exist")));
        }
    }
    by_command(tokens)?;
    leader_only(tokens)
}

fn near(token: &Token<'_>) -> Report {
    Report::error("42601", format!("syntax error at or near \"{}\"", token.text))
}

/// `E'…'`, `U&'…'` and the like are a type's name and a string.
fn literal(tokens: &[Token<'_>], at: usize) -> Result<(), Report> {
    let joined = tokens.get(at + 1).is_some_and(|next| {
        next.kind == Kind::Text && next.start == tokens[at].end() && tokens[at].kind == Kind::Word
    });
    if joined && ["e", "n", "b", "x"].iter().any(|prefix| tokens[at].is(prefix)) {
        let name = tokens[at].text.to_ascii_lowercase();
        return Err(Report::error("42704", format!("type \"{name}\" does not exist")));
    }
    Ok(())
}

/// Behind a column's name, or in a cast.
fn is_type(tokens: &[Token<'_>], at: usize) -> bool {
    at > 0 && (tokens[at - 1].is("::") || tokens[at - 1].is("as") || tokens[at - 1].is_name())
}

fn by_command(tokens: &[Token<'_>]) -> Result<(), Report> {
    let has = |word: &str| tokens.iter().position(|token| token.is(word));
    let writes = ["insert", "update", "delete", "merge", "with"];
    if writes.iter().any(|word| tokens[0].is(word))
        && let Some(at) = has("returning")
    {
        return Err(near(&tokens[at]));
    }
    if tokens[0].is("truncate") && has(",").is_some() {
        return Err(Report::error("42601", "syntax error at or near \",\""));
    }
    if tokens[0].is("copy") {
        // Only from S3 and its like (DG/copy-parameters-data-source.html): neither the client's stream nor the server's files.
        let stream = ["stdin", "stdout", "program"].iter().find_map(|word| has(word));
        if let Some(at) = stream.or_else(|| has("to").filter(|at| *at < 4)) {
            return Err(near(&tokens[at]));
        }
    }
    if tokens[0].is("delete") && follows(tokens, 1, "from") {
        // DELETE's target takes no alias (DG/r_DELETE.html).
        let (_, after) = crate::rewrite::name_at(tokens, 2);
        let next = tokens.get(after);
        if next.is_some_and(|token| token.is_name() && !token.is("using") && !token.is("where")) {
            return Err(near(&tokens[after]));
        }
    }
    Ok(())
}

/// A leader-node function and a table of the user's in one statement.
fn leader_only(tokens: &[Token<'_>]) -> Result<(), Report> {
    let called = (0..tokens.len()).find_map(|at| {
        let alone = at == 0 || !tokens[at - 1].is(".");
        LEADER_ONLY.iter().find(|words| alone && follows(tokens, at, words))
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

/// What cannot run in a transaction block (DG/r_VACUUM_command.html, r_ALTER_TABLE_APPEND.html, r_CREATE_DATABASE.html, r_ALTER_TABLE.html).
pub(crate) fn alone(tokens: &[Token<'_>]) -> Option<&'static str> {
    const ALONE: &[(&str, &str)] = &[
        ("vacuum", "VACUUM"),
        ("create database", "CREATE DATABASE"),
        ("drop database", "DROP DATABASE"),
        ("create external", "CREATE EXTERNAL TABLE"),
        ("drop external", "DROP EXTERNAL TABLE"),
    ];
    let append = (0..tokens.len().min(9)).any(|at| follows(tokens, at, "append from"));
    let retype = follows(tokens, 0, "alter table")
        && (0..tokens.len().saturating_sub(2)).any(|at| {
            tokens[at].is("alter")
                && at > 1
                && tokens[at + 1..].iter().take(3).any(|t| t.is("type"))
        });
    if tokens.first().is_some_and(|first| first.is("alter")) && append {
        return Some("ALTER TABLE APPEND");
    }
    if retype {
        return Some("ALTER TABLE ALTER COLUMN");
    }
    ALONE.iter().find(|(words, _)| follows(tokens, 0, words)).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexer::tokens;

    #[test]
    fn what_redshift_does_not_have_is_refused() {
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
    fn what_it_has_is_not() {
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
