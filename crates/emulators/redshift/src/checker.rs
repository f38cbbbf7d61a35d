//! Statement check: first the list of unsupported syntax, then the allow-list of `redshift-lint`.
//!
//! The list of unsupported syntax applies first because its errors have Redshift's SQLSTATEs. The
//! linter's errors all have SQLSTATE 42601, with the rule in DETAIL.

use crate::lexer::{Token, tokens};
use crate::unsupported;
use crate::wire::Report;

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
    /// The linter skips queries that read only the catalog: drivers and `psql` send them,
    /// `sparkify` does not.
    pub(crate) fn check(&mut self, statement: &str) -> Result<(), Report> {
        let tokens = tokens(statement);
        unsupported::check(&tokens)?;
        if reads_only_catalog(&tokens) {
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

/// Returns true if every relation of a query is qualified with a catalog schema.
fn reads_only_catalog(tokens: &[Token<'_>]) -> bool {
    let relations: Vec<_> = tokens
        .windows(2)
        .filter(|pair| pair[0].is("from") || pair[0].is("join"))
        .map(|pair| pair[1])
        .filter(Token::is_name)
        .collect();
    tokens.first().is_some_and(|first| first.is("select"))
        && !relations.is_empty()
        && relations.iter().all(|name| name.is("pg_catalog") || name.is("information_schema"))
}
