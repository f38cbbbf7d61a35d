//! Rules that depend on earlier statements: transaction blocks, cursors, created UDFs.

use std::collections::BTreeMap;

use crate::parser::{Facts, Parsed};
use crate::rules;
use crate::violation::Violation;
use crate::{StatementKind, parse};

/// Checker for the statements of one connection, in order.
///
/// It knows the text of the statements, not their outcome. A statement with a violation leaves the
/// session unchanged.
#[derive(Debug, Clone, Default)]
pub struct Session {
    in_transaction: bool,
    has_cursor: bool,
    rejects_implicit_commits: bool,
    /// UDFs that this session created, with the argument counts of their overloads.
    udfs: BTreeMap<String, Vec<usize>>,
}

impl Session {
    /// Creates a session that follows Redshift: TRUNCATE commits a transaction block.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a session in which an implicit commit in a transaction block is a violation.
    pub fn rejecting_implicit_commits() -> Self {
        Self { rejects_implicit_commits: true, ..Self::default() }
    }

    /// Returns true if a transaction block is open.
    pub fn in_transaction(&self) -> bool {
        self.in_transaction
    }

    /// Checks one statement, and updates the state of the session.
    pub fn check(&mut self, statement: &str) -> Parsed<StatementKind> {
        let (kind, facts) = parse(statement)?;
        let start = statement.len() - statement.trim_start().len();
        self.check_transaction(kind, start)?;
        self.check_udf_calls(&facts)?;
        self.update(kind, facts);
        Ok(kind)
    }

    fn check_transaction(&self, kind: StatementKind, start: usize) -> Parsed {
        let fails = |rule, message: &str| Err(Violation::new(rule, start, message));
        let outside_only = matches!(
            kind,
            StatementKind::Vacuum
                | StatementKind::AlterTableAppend
                | StatementKind::AlterColumnType
                | StatementKind::CopyJob
        );
        if self.in_transaction && outside_only {
            return fails(&rules::BLOCK, "this statement is not allowed in a transaction block");
        }
        if self.in_transaction && self.rejects_implicit_commits && kind.commits_implicitly() {
            return fails(&rules::COMMITS, "this statement commits the open transaction");
        }
        match kind {
            StatementKind::Declare if !self.in_transaction => {
                fails(&rules::CURSOR, "a cursor is declared outside a transaction block")
            }
            StatementKind::Declare if self.has_cursor => {
                fails(&rules::CURSOR, "a second cursor is declared")
            }
            StatementKind::Fetch | StatementKind::Close if !self.has_cursor => {
                fails(&rules::CURSOR, "no cursor is declared")
            }
            _ => Ok(()),
        }
    }

    /// Compares the calls with the UDFs that this session created; others are unknown here.
    fn check_udf_calls(&self, facts: &Facts) -> Parsed {
        for (name, count, at) in &facts.udf_calls {
            let Some(known) = self.udfs.get(name) else { continue };
            if !known.contains(count) {
                let message = format!(
                    "`{name}` is called with {count} arguments, but was created with another number"
                );
                return Err(Violation::new(&rules::UDF_CALL, *at, message));
            }
        }
        Ok(())
    }

    fn update(&mut self, kind: StatementKind, facts: Facts) {
        if let Some((name, count)) = facts.created_udf {
            self.udfs.entry(name).or_default().push(count);
        }
        match kind {
            StatementKind::Begin => self.in_transaction = true,
            // A cursor ends with its transaction.
            StatementKind::Commit | StatementKind::Rollback => {
                (self.in_transaction, self.has_cursor) = (false, false);
            }
            StatementKind::Declare => self.has_cursor = true,
            StatementKind::Close => self.has_cursor = false,
            _ if kind.commits_implicitly() => {
                (self.in_transaction, self.has_cursor) = (false, false);
            }
            _ => {}
        }
    }
}
