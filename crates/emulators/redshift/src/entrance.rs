//! What every statement passes before anything is done with it: the manners, then the gate's allow-list.
//!
//! The manners come first for the sake of their SQLSTATEs: the gate says 42601 to all, with the rule in DETAIL.

use crate::lexer::{Token, tokens};
use crate::manners;
use crate::wire::Report;

/// A session's way in. The gate keeps count of blocks, cursors and functions from statement to statement.
#[derive(Debug, Default)]
pub(crate) struct Entrance {
    gate: redshift_lint::Session,
}

impl Entrance {
    /// Refuses what does not pass. Statements on the catalog alone, which drivers and `psql` send and no program of ours, pass the gate unseen.
    pub(crate) fn check(&mut self, statement: &str) -> Result<(), Report> {
        let tokens = tokens(statement);
        manners::check(&tokens)?;
        if is_catalog(&tokens) {
            return Ok(());
        }
        self.gate.check(statement).map(|_| ()).map_err(|violation| report(statement, &violation))
    }
}

/// What the gate says, as an error of a server's.
fn report(statement: &str, violation: &redshift_lint::Violation) -> Report {
    let before = statement.get(..violation.offset).unwrap_or(statement);
    let report = Report::error("42601", violation.message.clone())
        .with_detail(format!("rule `{}`, {}", violation.rule, violation.page))
        .with_hint(violation.hint.clone());
    Report { position: Some((before.chars().count() + 1).to_string()), ..report }
}

/// Whether all that a query reads is qualified as the catalog's.
fn is_catalog(tokens: &[Token<'_>]) -> bool {
    let reads: Vec<_> = tokens
        .windows(2)
        .filter(|pair| pair[0].is("from") || pair[0].is("join"))
        .map(|pair| pair[1])
        .filter(Token::is_name)
        .collect();
    tokens.first().is_some_and(|first| first.is("select"))
        && !reads.is_empty()
        && reads.iter().all(|name| name.is("pg_catalog") || name.is("information_schema"))
}
