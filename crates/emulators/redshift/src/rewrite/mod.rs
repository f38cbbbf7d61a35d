//! What becomes of a statement on its way to PostgreSQL.
//!
//! Most pass with nothing changed but the functions that PostgreSQL spells differently (`functions`). DDL loses what PostgreSQL has no place
//! for, which is noted down instead (`table`, `alter`). Some are answered without the backend, and COPY belongs to the engine.

mod alter;
mod functions;
mod table;

use crate::lexer::{Token, closing, follows, tokens};
use crate::wire::Report;

/// What the session knows that a statement may ask for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context {
    /// The id of the session's last COPY, and how many rows it loaded.
    pub(crate) last_copy: (i64, i64),
}

/// What is to be done with a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// The backend executes `text`, and the client sees its answer; then, unseen, `after`.
    Relay { text: String, after: Vec<String> },
    /// The same, and then the transaction is committed: TRUNCATE (DG/r_TRUNCATE.html).
    RelayAndCommit(String),
    /// Nothing is sent but `hidden`; the client is told that it is done.
    Answer { tag: &'static str, hidden: Vec<String> },
    /// The COPY engine loads it.
    Copy,
}

/// A part of a text, and what stands there instead.
pub(crate) type Edit = (usize, usize, String);

/// The text with its edits, which do not overlap.
pub(crate) fn apply(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|edit| edit.0);
    let mut out = String::with_capacity(text.len() + 64);
    let mut at = 0;
    for (start, end, instead) in edits {
        out.push_str(&text[at..start]);
        out.push_str(&instead);
        at = end;
    }
    out.push_str(&text[at..]);
    out
}

/// Decides about one statement.
pub(crate) fn plan(statement: &str, context: Context) -> Result<Plan, Report> {
    let text = apply(statement, functions::edits(&tokens(statement), context));
    let tokens = tokens(&text);
    let Some(first) = tokens.first() else { return Ok(relay(text)) };
    match first.text.to_ascii_lowercase().as_str() {
        "copy" => Ok(Plan::Copy),
        "unload" => Err(Report::error("0A000", "UNLOAD is not played by the emulator")),
        "create" if table::is_create(&tokens) => table::create(&text, &tokens),
        "create" if tokens.iter().any(|token| token.is("binding")) => Ok(relay(unbound(&text))),
        "alter" if follows(&tokens, 0, "alter table") => alter::table(&text, &tokens),
        "truncate" => Ok(Plan::RelayAndCommit(text)),
        "begin" | "start" => Ok(relay(begin(&tokens))),
        "set" | "show" | "reset" => Ok(relay(setting(&text, &tokens))),
        "analyze" | "analyse" | "vacuum" => maintenance(&tokens),
        _ => Ok(relay(text)),
    }
}

fn relay(text: String) -> Plan {
    Plan::Relay { text, after: Vec::new() }
}

/// Settings that are Redshift's alone (DG/cm_chap_ConfigurationRef.html) are kept under a name that PostgreSQL takes, and have no effect.
fn setting(text: &str, tokens: &[Token<'_>]) -> String {
    const OURS: &[&str] = &[
        "analyze_threshold_percent",
        "enable_case_sensitive_identifier",
        "enable_result_cache_for_session",
        "error_on_nondeterministic_update",
        "json_serialization_enable",
        "query_group",
        "wlm_query_slot_count",
    ];
    if follows(tokens, 0, "show server_version") {
        return "select '8.0.2'::varchar as server_version".to_owned();
    }
    if follows(tokens, 0, "show client_encoding") {
        return "select 'UNICODE'::varchar as client_encoding".to_owned();
    }
    let named = tokens.iter().take(3).find(|token| OURS.iter().any(|name| token.is(name)));
    named.map_or_else(
        || text.to_owned(),
        |token| apply(text, vec![(token.start, token.start, "emulator.".to_owned())]),
    )
}

/// An isolation level is accepted and has no effect (DG/r_BEGIN.html); READ ONLY has.
fn begin(tokens: &[Token<'_>]) -> String {
    let mode = (0..tokens.len()).find(|at| follows(tokens, *at, "read only"));
    if mode.is_some() { "begin read only" } else { "begin" }.to_owned()
}

/// `WITH NO SCHEMA BINDING` is dropped: the backend binds every view.
fn unbound(text: &str) -> String {
    let tokens = tokens(text);
    let clause = (0..tokens.len()).find(|at| follows(&tokens, *at, "with no schema binding"));
    clause.map_or_else(|| text.to_owned(), |at| text[..tokens[at].start].to_owned())
}

/// `VACUUM [FULL | SORT ONLY | DELETE ONLY | REINDEX | RECLUSTER] t [TO n PERCENT] [BOOST]`, `ANALYZE [VERBOSE] t [(…)] [PREDICATE COLUMNS]`.
fn maintenance(tokens: &[Token<'_>]) -> Result<Plan, Report> {
    const OPTIONS: &[&str] = &["full", "sort", "delete", "only", "reindex", "recluster", "verbose"];
    if follows(tokens, 1, "compression") {
        return Err(Report::error("0A000", "ANALYZE COMPRESSION is not played by the emulator"));
    }
    let verb = if tokens[0].is("vacuum") { "vacuum" } else { "analyze" };
    let start = 1 + tokens[1..].iter().take_while(|t| OPTIONS.iter().any(|o| t.is(o))).count();
    let (name, _) = name_at(tokens, start);
    Ok(relay(format!("{verb} {name}")))
}

/// The name at `at`, with its schema, as it is written; and the token after it.
pub(crate) fn name_at(tokens: &[Token<'_>], at: usize) -> (String, usize) {
    let mut name = String::new();
    let mut at = at;
    while tokens.get(at).is_some_and(Token::is_name) {
        name.push_str(tokens[at].text);
        if !tokens.get(at + 1).is_some_and(|token| token.is(".")) {
            return (name, at + 1);
        }
        name.push('.');
        at += 2;
    }
    (name, at)
}

/// The items between the brackets that open at `open`: ranges of tokens, split at their commas.
pub(crate) fn items(tokens: &[Token<'_>], open: usize) -> Option<(Vec<(usize, usize)>, usize)> {
    let close = closing(tokens, open)?;
    let (mut found, mut start, mut depth) = (Vec::new(), open + 1, 0);
    for (at, token) in tokens.iter().enumerate().take(close).skip(open + 1) {
        if token.is("(") {
            depth += 1;
        } else if token.is(")") {
            depth -= 1;
        } else if token.is(",") && depth == 0 {
            found.push((start, at));
            start = at + 1;
        }
    }
    found.push((start, close));
    Some((found, close))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTEXT: Context = Context { last_copy: (7, 42) };

    pub(super) fn sent(statement: &str) -> String {
        match plan(statement, CONTEXT).unwrap() {
            Plan::Relay { text, .. } | Plan::RelayAndCommit(text) => text,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn functions_are_spelled_as_the_backend_knows_them() {
        for (given, expected) in [
            ("select nvl(a, sysdate) from t", "select coalesce(a, rs_sysdate()) from t"),
            ("select dateadd(ms, 1, a)", "select dateadd('ms', 1, a)"),
            ("select datediff(day, a, b) as day", "select datediff('day', a, b) as day"),
            ("select pg_last_copy_id(), pg_last_copy_count()", "select 7, 42"),
            ("select a::varchar(max) from #t", "select a::varchar(65535) from \"#t\""),
            (
                "select listagg(a, ',') within group (order by b desc) from t",
                "select string_agg(a, ',' order by b desc) from t",
            ),
            (
                "create function f(int) returns int stable as $$ select nvl($1, 0) $$ language sql",
                "create function f(int) returns int stable as $$ select coalesce($1, 0) $$ language sql",
            ),
            ("begin isolation level serializable", "begin"),
            ("vacuum delete only s.t to 75 percent", "vacuum s.t"),
            ("set query_group to 'a'", "set emulator.query_group to 'a'"),
            ("set search_path to a", "set search_path to a"),
            ("analyze t predicate columns", "analyze t"),
            ("select 'nvl(sysdate)'", "select 'nvl(sysdate)'"),
        ] {
            assert_eq!(sent(given), expected);
        }
    }

    /// Cut off anywhere, and with any byte in its midst, a statement is planned or refused.
    #[test]
    fn no_statement_is_too_broken() {
        let whole = [
            "create table if not exists s.t (a int identity(0,1) primary key, b varchar(9) encode zstd references u (a), constraint k unique (a, b), like x) diststyle key sortkey (a, b)",
            "create temp table #t distkey(a) as select listagg(distinct a) within group (order by b), nvl(\"x\", 'y') from t",
            "alter table s.t add column c varchar(max) encode lzo; alter table t alter column c type varchar(7)",
            "alter table t alter distkey c; alter table t append from u; analyze verbose t (a); vacuum full t",
            "create function f (int) returns int stable as $$ select dateadd(day, $1, sysdate) $$ language sql",
            "delete from \"s\".t using u where e'x' = a; update t set a = now(); truncate a, b; copy t from 's3://a/b'",
        ];
        let mut tried = 0;
        for statement in whole {
            for (at, _) in statement.char_indices() {
                for broken in [
                    statement[..at].to_owned(),
                    statement[at..].to_owned(),
                    format!("{}\"{}", &statement[..at], &statement[at..]),
                    format!("{}'){}", &statement[..at], &statement[at + 1..]),
                    format!("{}({}", &statement[..at], &statement[at..]),
                ] {
                    let _ = plan(&broken, CONTEXT);
                    let _ = crate::manners::check(&tokens(&broken));
                    let _ = crate::manners::alone(&tokens(&broken));
                    tried += 1;
                }
            }
        }
        assert!(tried > 3000, "{tried}");
    }
}
