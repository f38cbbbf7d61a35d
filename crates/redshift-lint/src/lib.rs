//! Is this a statement that Amazon Redshift documents? Whatever is not on the list is refused.
//!
//! [`check`] reads one statement with a lexer of Redshift's own rules and a grammar of the forms that its guide for developers documents, as
//! far as a loader and its reports may want them. It is closed where it fails: what the grammar does not know, it refuses, with the name of a rule, the page that the rule
//! was read from, the place, and what to write instead. [`Session`] knows what depends on the statements before. [`rules()`] lists everything.
//!
//! It cannot know tables, columns nor the types of values; nor what the guide leaves out or gets wrong. It never opens a connection.

#![forbid(unsafe_code)]

mod call;
mod change;
mod copy;
mod create;
mod dates;
mod expression;
mod form;
mod from;
mod functions;
mod grant;
mod lexer;
mod objects;
mod parser;
mod query;
mod refusal;
mod rules;
mod scope;
mod script;
mod session;
mod settings;
mod types;
mod udf;
mod unload;
mod window;
mod words;

pub use form::Form;
pub use refusal::Refusal;
pub use rules::{Rule, RuleKind};
pub use script::{fill_parameters, literals, split};
pub use session::Session;

use parser::{Facts, Parser};

/// Checks one statement (a trailing `;` is allowed, a second statement is refused).
pub fn check(statement: &str) -> Result<Form, Refusal> {
    read(statement).map(|(form, _)| form)
}

/// Every rule that refuses, then every entry of the allow-lists, each with its page.
pub fn rules() -> impl Iterator<Item = Rule> {
    let refusals = rules::REFUSALS.iter().copied();
    let lists = form::entries().chain(types::entries()).chain(functions::entries());
    let options = copy::options::entries().chain(unload::entries()).chain(settings::entries());
    refusals.chain(lists).chain(options)
}

/// Reads one statement: its form, and what was seen of it.
fn read(statement: &str) -> Result<(Form, Facts), Refusal> {
    if statement.len() > lexer::STATEMENT_BYTES {
        let message = format!("the statement has {} bytes", statement.len());
        return Err(Refusal::new(&rules::STATEMENT_SIZE, 0, message));
    }
    let mut parser = Parser::new(statement)?;
    let form = parser.statement()?;
    parser.end()?;
    let form = parser.conclude(form)?;
    Ok((form, parser.facts))
}
