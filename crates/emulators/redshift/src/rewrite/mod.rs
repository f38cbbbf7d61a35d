//! Rewriting of Redshift statements for PostgreSQL.
//!
//! In most statements only functions with another syntax change (`functions`). DDL loses the
//! attributes that PostgreSQL lacks, which are stored instead (`table`, `alter`). The proxy runs
//! some statements itself, and the COPY engine runs COPY.

mod alter;
mod functions;
mod keys;
mod names;
mod table;

use crate::lexer::{Token, keywords_at, matching_paren, tokens};
use crate::wire::Report;

/// Session state that a statement may refer to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    /// Name of the database that the client is connected to.
    pub(crate) database: &'a str,
    /// Query ID of the session's last COPY, and the number of rows that it loaded.
    pub(crate) last_copy: (i64, i64),
}

/// Execution plan of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Forward `text` to the backend, then run the statements of `follow_up` invisibly.
    Forward { text: String, follow_up: Vec<String> },
    /// Forward the text, then commit the transaction, as TRUNCATE does (DG/r_TRUNCATE.html).
    ForwardAndCommit(String),
    /// Run `statements` invisibly and return only the command tag to the client.
    Local { tag: &'static str, statements: Vec<String> },
    /// Run the COPY engine.
    Copy,
}

/// Byte range of a text, and its replacement.
pub(crate) type Edit = (usize, usize, String);

/// Applies edits that do not overlap.
pub(crate) fn apply(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|edit| edit.0);
    let mut out = String::with_capacity(text.len() + 64);
    let mut at = 0;
    for (start, end, replacement) in edits {
        out.push_str(&text[at..start]);
        out.push_str(&replacement);
        at = end;
    }
    out.push_str(&text[at..]);
    out
}

/// Plans one statement.
pub(crate) fn plan(statement: &str, context: Context<'_>) -> Result<Plan, Report> {
    if let [first, second, ..] = tokens(statement)[..]
        && first.is("explain")
        && !second.is("verbose")
    {
        return explain(plan(&statement[second.start..], context)?);
    }
    let text = apply(statement, functions::edits(&tokens(statement), context));
    let text = apply(&text, names::edits(&tokens(&text), context.database));
    let tokens = tokens(&text);
    let Some(first) = tokens.first() else { return Ok(forward(text)) };
    if let Some(name) = unsupported_clause(&tokens) {
        return Err(Report::error("0A000", format!("{name} is not supported by the emulator")));
    }
    match first.text.to_ascii_lowercase().as_str() {
        "copy" => Ok(Plan::Copy),
        "unload" => Err(Report::error("0A000", "UNLOAD is not supported by the emulator")),
        "create" if table::is_create(&tokens) => table::create(&text, &tokens),
        "create" if tokens.iter().any(|token| token.is("binding")) => {
            Ok(forward(without_schema_binding(&text)))
        }
        "alter" if keywords_at(&tokens, 0, "alter table") => alter::table(&text, &tokens),
        "truncate" => Ok(Plan::ForwardAndCommit(text)),
        "begin" | "start" => Ok(forward(begin(&tokens))),
        "set" | "show" | "reset" => Ok(forward(setting(&text, &tokens))),
        "analyze" | "analyse" | "vacuum" => maintenance(&tokens),
        _ => Ok(forward(text)),
    }
}

/// Plans the EXPLAIN of a statement, without what follows the statement itself.
fn explain(plan: Plan) -> Result<Plan, Report> {
    match plan {
        Plan::Forward { text, .. } => Ok(forward(format!("explain {text}"))),
        _ => Err(Report::error("42601", "EXPLAIN of this statement is not supported")),
    }
}

/// Returns a documented clause that the emulator does not translate for PostgreSQL.
fn unsupported_clause(tokens: &[Token<'_>]) -> Option<&'static str> {
    const CLAUSES: &[(&str, &str)] = &[
        ("pivot (", "PIVOT"),
        ("unpivot", "UNPIVOT"),
        ("connect by", "CONNECT BY"),
        ("exclude", "EXCLUDE"),
    ];
    let found = |(words, _): &&(&str, &str)| {
        (1..tokens.len()).any(|at| {
            let is_name = tokens[at - 1].is(".") || tokens[at - 1].is("as");
            !is_name && keywords_at(tokens, at, words)
        })
    };
    CLAUSES.iter().find(found).map(|(_, name)| *name)
}

fn forward(text: String) -> Plan {
    Plan::Forward { text, follow_up: Vec::new() }
}

/// Renames settings that only Redshift has (DG/cm_chap_ConfigurationRef.html).
///
/// PostgreSQL accepts any setting whose name contains a dot; it has no effect. SHOW returns the
/// documented default of one that is not set.
fn setting(text: &str, tokens: &[Token<'_>]) -> String {
    const REDSHIFT_ONLY: &[(&str, &str)] = &[
        ("analyze_threshold_percent", "10"),
        ("cast_super_null_on_error", "on"),
        ("describe_field_name_in_uppercase", "off"),
        ("enable_case_sensitive_identifier", "off"),
        ("enable_case_sensitive_super_attribute", "off"),
        ("enable_result_cache_for_session", "on"),
        ("error_on_nondeterministic_update", "off"),
        ("json_parse_dedup_attributes", "off"),
        ("json_parse_truncate_strings", "off"),
        ("json_serialization_enable", "off"),
        ("json_serialization_parse_nested_strings", "off"),
        ("navigate_super_null_on_error", "on"),
        ("parse_super_null_on_error", "off"),
        ("query_group", "default"),
        ("wlm_query_slot_count", "1"),
    ];
    if keywords_at(tokens, 0, "show server_version") {
        return "select '8.0.2'::varchar as server_version".to_owned();
    }
    if keywords_at(tokens, 0, "show client_encoding") {
        return "select 'UNICODE'::varchar as client_encoding".to_owned();
    }
    let found = tokens.iter().take(3).find_map(|token| {
        let setting = REDSHIFT_ONLY.iter().find(|(name, _)| token.is(name))?;
        Some((token, setting))
    });
    match found {
        Some((_, (name, default))) if keywords_at(tokens, 0, "show") => format!(
            "select coalesce(nullif(current_setting('emulator.{name}', true), ''), '{default}')::varchar as {name}"
        ),
        Some((token, _)) => apply(text, vec![(token.start, token.start, "emulator.".to_owned())]),
        None => text.to_owned(),
    }
}

/// Drops the isolation level, which has no effect (DG/r_BEGIN.html), and keeps READ ONLY.
fn begin(tokens: &[Token<'_>]) -> String {
    let read_only = (0..tokens.len()).any(|at| keywords_at(tokens, at, "read only"));
    if read_only { "begin read only" } else { "begin" }.to_owned()
}

/// Drops `WITH NO SCHEMA BINDING`; the backend binds every view.
fn without_schema_binding(text: &str) -> String {
    let tokens = tokens(text);
    let clause = (0..tokens.len()).find(|at| keywords_at(&tokens, *at, "with no schema binding"));
    clause.map_or_else(|| text.to_owned(), |at| text[..tokens[at].start].to_owned())
}

/// Drops the options of VACUUM and ANALYZE.
///
/// `VACUUM [FULL | SORT ONLY | DELETE ONLY | REINDEX | RECLUSTER] t [TO n PERCENT] [BOOST]`,
/// `ANALYZE [VERBOSE] t [(…)] [PREDICATE COLUMNS]`.
fn maintenance(tokens: &[Token<'_>]) -> Result<Plan, Report> {
    const OPTIONS: &[&str] = &["full", "sort", "delete", "only", "reindex", "recluster", "verbose"];
    if keywords_at(tokens, 1, "compression") {
        let message = "ANALYZE COMPRESSION is not supported by the emulator";
        return Err(Report::error("0A000", message));
    }
    let command = if tokens[0].is("vacuum") { "vacuum" } else { "analyze" };
    let start = 1 + tokens[1..].iter().take_while(|t| OPTIONS.iter().any(|o| t.is(o))).count();
    let (name, _) = name_at(tokens, start);
    Ok(forward(format!("{command} {name}")))
}

/// Returns the optionally qualified name at index `at`, as written, and the index after it.
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

/// Splits the parenthesized list at index `open` at its commas.
///
/// Returns the token range of each item and the index of the closing parenthesis.
pub(crate) fn items(tokens: &[Token<'_>], open: usize) -> Option<(Vec<(usize, usize)>, usize)> {
    let close = matching_paren(tokens, open)?;
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

    const CONTEXT: Context<'_> = Context { database: "dev", last_copy: (7, 42) };

    pub(super) fn sent(statement: &str) -> String {
        match plan(statement, CONTEXT).unwrap() {
            Plan::Forward { text, .. } | Plan::ForwardAndCommit(text) => text,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn redshift_syntax_is_translated() {
        for (given, expected) in [
            ("select nvl(a, sysdate) from t", "select coalesce(a, rs_sysdate()) from t"),
            ("select dateadd(ms, 1, a)", "select dateadd('millisecond', 1, a)"),
            (
                "select extract(dw from a), date_trunc('Mons', a)",
                "select extract('dow' from a), date_trunc('month', a)",
            ),
            ("select extract(fortnight from a)", "select extract('fortnight' from a)"),
            (
                "select object('a', array(1)), array[0], t.object from t",
                "select rs_compact(json_build_object('a', rs_compact(json_build_array(1)))), array[0], t.object from t",
            ),
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
            (
                "select dev.s.t.a, dev.t.b from dev.s.t, \"dev\".\"s\".u where dev.u.c = 1",
                "select s.t.a, dev.t.b from s.t, \"s\".u where dev.u.c = 1",
            ),
            ("drop table if exists dev.s.t", "drop table if exists s.t"),
            (
                "insert into dev.s.t select a from other.s.t",
                "insert into s.t select a from other.s.t",
            ),
            (
                "select a from (select b from t), (select 1) as c join (select 2) on true where a in (select 3)",
                "select a from (select b from t) rs_1, (select 1) as c join (select 2) rs_2 on true where a in (select 3)",
            ),
            ("select a into #u from t", "select a into temp \"#u\" from t"),
        ] {
            assert_eq!(sent(given), expected);
        }
    }

    /// A truncated statement, or one with an unbalanced quote or parenthesis, is planned or
    /// rejected.
    #[test]
    fn malformed_statements_do_not_panic() {
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
                    let _ = crate::unsupported::check(&tokens(&broken));
                    let _ = crate::unsupported::outside_transaction_only(&tokens(&broken));
                    tried += 1;
                }
            }
        }
        assert!(tried > 3000, "{tried}");
    }
}
