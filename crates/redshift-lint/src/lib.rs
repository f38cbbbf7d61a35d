//! Linter for Amazon Redshift SQL, based on an allow-list of documented syntax.
//!
//! [`check`] reads one statement with Redshift's lexical rules and a grammar of the statements in
//! Amazon's Database Developer Guide that a loader and its reports need. The linter fails closed:
//! it rejects everything that the grammar does not cover. A [`Violation`] holds the ID of the rule,
//! the documentation page of that rule, the byte offset, and a hint. [`Session`] adds the rules
//! that depend on earlier statements. [`rules()`] lists all rules and allow-list entries.
//!
//! The linter never opens a connection. It knows no tables, columns or types of expressions, and it
//! repeats any omission or error of the guide.

#![forbid(unsafe_code)]

mod call;
mod copy;
mod create_table;
mod date_parts;
mod ddl;
mod dml;
mod expression;
mod from;
mod functions;
mod grant;
mod keywords;
mod lexer;
mod parser;
mod query;
mod rules;
mod scope;
mod script;
mod session;
mod session_commands;
mod statement;
mod types;
mod udf;
mod unload;
mod violation;
mod window;

pub use date_parts::date_part;
pub use rules::{Rule, RuleKind};
pub use script::{fill_parameters, literals, split};
pub use session::Session;
pub use statement::StatementKind;
pub use violation::Violation;

use parser::{Facts, Parser};

/// Checks one statement. A trailing `;` is allowed; a second statement is a violation.
pub fn check(statement: &str) -> Result<StatementKind, Violation> {
    parse(statement).map(|(kind, _)| kind)
}

/// Returns all restrictions, then all allow-list entries, each with its documentation page.
pub fn rules() -> impl Iterator<Item = Rule> {
    let restrictions = rules::RESTRICTIONS.iter().copied();
    let lists = statement::entries().chain(types::entries()).chain(functions::entries());
    let options =
        copy::options::entries().chain(unload::entries()).chain(session_commands::entries());
    restrictions.chain(lists).chain(options)
}

/// Parses one statement and returns its kind and the facts that [`Session`] needs.
fn parse(statement: &str) -> Result<(StatementKind, Facts), Violation> {
    if statement.len() > lexer::MAX_STATEMENT_BYTES {
        let message = format!("the statement has {} bytes", statement.len());
        return Err(Violation::new(&rules::STATEMENT_SIZE, 0, message));
    }
    let mut parser = Parser::new(statement)?;
    let kind = parser.statement()?;
    parser.end_of_statement()?;
    parser.check_facts()?;
    Ok((kind, parser.facts))
}
