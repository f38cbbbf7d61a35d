//! Statement check: first the list of unsupported syntax, then the allow-list of `redshift-lint`.
//!
//! The list of unsupported syntax applies first because its errors have Redshift's SQLSTATEs. The
//! linter's errors all have SQLSTATE 42601, with the rule in DETAIL.

use crate::lexer::{Token, keywords_at, tokens};
use crate::unsupported;
use crate::wire::Report;

/// Statements of drivers that the guide does not list, but PostgreSQL 8.0 knows.
const DRIVER_STATEMENTS: &[&str] = &["show transaction isolation level"];

/// Statement checker of one session.
///
/// The linter tracks transaction blocks, cursors and functions across the session's statements.
#[derive(Debug, Default)]
pub(crate) struct StatementChecker {
    linter: redshift_lint::Session,
}

impl StatementChecker {
    /// Returns an error if Redshift does not support the statement.
    ///
    /// The linter skips queries that read only the catalog: drivers, `psql` and dbt send them with
    /// functions that the guide does not list.
    pub(crate) fn check(&mut self, statement: &str) -> Result<(), Report> {
        let tokens = tokens(statement);
        if reads_only_catalog(&tokens) {
            return unsupported::check_catalog(&tokens);
        }
        unsupported::check(&tokens)?;
        if DRIVER_STATEMENTS.iter().any(|words| keywords_at(&tokens, 0, words)) {
            return Ok(());
        }
        self.linter.check(statement).map(|_| ()).map_err(|violation| report(statement, &violation))
    }
}

/// Converts a linter error into a server error.
fn report(statement: &str, violation: &redshift_lint::Violation) -> Report {
    let before = statement.get(..violation.offset).unwrap_or(statement);
    let report = Report::error("42601", violation.message.clone())
        .with_detail(format!("rule `{}`, {}", violation.rule, violation.page))
        .with_hint(violation.hint.clone());
    Report { position: Some((before.chars().count() + 1).to_string()), ..report }
}

/// Returns true if every relation of a query is in a catalog schema or a CTE: its schema is named,
/// or its name starts as those of catalog tables do.
fn reads_only_catalog(tokens: &[Token<'_>]) -> bool {
    const CATALOG: &[&str] = &["pg_", "svv_", "svl_", "stv_", "stl_", "svcs_", "sys_"];
    let is_name = |at: usize| tokens.get(at).is_some_and(Token::is_name);
    let ctes: Vec<String> = (1..tokens.len())
        .filter(|at| is_name(at - 1) && keywords_at(tokens, *at, "as ( select"))
        .map(|at| tokens[at - 1].name())
        .collect();
    let relations: Vec<String> = tokens
        .windows(2)
        .filter(|pair| pair[0].is("from") || pair[0].is("join"))
        .map(|pair| pair[1])
        .filter(Token::is_name)
        .map(|token| token.name())
        .collect();
    // `select 'name'::regclass::oid` of sqlalchemy-redshift reads the catalog without FROM.
    let looks_up_name = (0..tokens.len()).any(|at| keywords_at(tokens, at, ":: regclass"));
    let is_catalog = |name: &String| {
        // Amazon's Python driver reads the catalogs `from current_database()`.
        ["information_schema", "current_database"].contains(&name.as_str())
            || CATALOG.iter().any(|prefix| name.starts_with(prefix))
            || ctes.contains(name)
    };
    tokens.first().is_some_and(|first| first.is("select") || first.is("with"))
        && (!relations.is_empty() || looks_up_name)
        && relations.iter().all(is_catalog)
}
