//! Statements one after the other: what may not stand in a transaction block, and what commits it.

use std::collections::BTreeMap;

use crate::parser::{Facts, Parsed};
use crate::refusal::Refusal;
use crate::rules;
use crate::{Form, read};

/// One connection's statements, in their order.
///
/// It knows what the statements say, not how they end: one that failed leaves the session as if it had not been checked.
#[derive(Debug, Clone, Default)]
pub struct Session {
    in_block: bool,
    cursor: bool,
    guards: bool,
    /// Functions of one's own that were created here, with the numbers of their arguments.
    functions: BTreeMap<String, Vec<usize>>,
}

impl Session {
    /// A session as Redshift has it: TRUNCATE in a transaction block commits it.
    pub fn new() -> Self {
        Self::default()
    }

    /// A session of somebody who wants a transaction to be one: what would commit it unasked is refused.
    pub fn guarding() -> Self {
        Self { guards: true, ..Self::default() }
    }

    /// Whether a transaction block is open.
    pub fn in_transaction(&self) -> bool {
        self.in_block
    }

    /// Checks one statement, and remembers what it changes of the session.
    pub fn check(&mut self, statement: &str) -> Parsed<Form> {
        let (form, facts) = read(statement)?;
        let at = statement.len() - statement.trim_start().len();
        self.check_block(form, at)?;
        self.check_calls(&facts)?;
        self.remember(form, facts);
        Ok(form)
    }

    fn check_block(&self, form: Form, at: usize) -> Parsed {
        let fails = |rule, message: &str| Err(Refusal::new(rule, at, message));
        let outside = matches!(
            form,
            Form::Vacuum | Form::AlterTableAppend | Form::AlterColumnType | Form::CopyJob
        );
        if self.in_block && outside {
            return fails(&rules::BLOCK, "this statement stands in a transaction block");
        }
        if self.in_block && self.guards && form.commits() {
            return fails(
                &rules::COMMITS,
                "this statement commits the transaction that it stands in",
            );
        }
        match form {
            Form::Declare if !self.in_block => {
                fails(&rules::CURSOR, "a cursor is declared outside a transaction block")
            }
            Form::Declare if self.cursor => fails(&rules::CURSOR, "a second cursor is declared"),
            Form::Fetch | Form::Close if !self.cursor => {
                fails(&rules::CURSOR, "no cursor is declared")
            }
            _ => Ok(()),
        }
    }

    fn check_calls(&self, facts: &Facts) -> Parsed {
        for (name, count, at) in &facts.calls {
            let Some(known) = self.functions.get(name) else { continue };
            if !known.contains(count) {
                let message =
                    format!("`{name}` gets {count} arguments, and was created with another number");
                return Err(Refusal::new(&rules::UDF_CALL, *at, message));
            }
        }
        Ok(())
    }

    fn remember(&mut self, form: Form, facts: Facts) {
        if let Some((name, count)) = facts.creates {
            self.functions.entry(name).or_default().push(count);
        }
        match form {
            Form::Begin => self.in_block = true,
            Form::Commit | Form::Rollback => (self.in_block, self.cursor) = (false, false),
            Form::Declare => self.cursor = true,
            Form::Close => self.cursor = false,
            _ if form.commits() => (self.in_block, self.cursor) = (false, false),
            _ => {}
        }
    }
}
