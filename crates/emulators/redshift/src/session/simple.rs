//! Simple query protocol: a text of one or more statements.
//!
//! Several statements in one text run in an implicit transaction unless they contain BEGIN and
//! COMMIT, as in PostgreSQL. The proxy handles each statement separately, so it begins and ends the
//! implicit transaction itself, invisible to the client.

use std::io;

use super::{MessageSink, Session};
use crate::faults::StatementKind;
use crate::lexer::{statements, tokens};
use crate::log::Outcome;
use crate::wire;

impl Session {
    /// Runs a `Query` message, including the final `ReadyForQuery`.
    pub(crate) fn query(&mut self, text: &str, out: &mut dyn MessageSink) -> io::Result<()> {
        self.script(text, out)?;
        out.message(b'Z', &[self.status()])
    }

    /// Runs the statements of a text; returns the outcome of the last one.
    pub(crate) fn script(&mut self, text: &str, out: &mut dyn MessageSink) -> io::Result<Outcome> {
        let statements = statements(text);
        let mut last = Outcome::Done(String::new());
        if statements.is_empty() {
            out.message(b'I', &[])?;
        }
        // True while a transaction is open that the proxy began.
        let mut implicit = false;
        for statement in &statements {
            let is_begin = StatementKind::of(&tokens(statement)) == StatementKind::Begin;
            if statements.len() > 1 && self.status() == b'I' && !is_begin {
                let _ = self.backend.query("begin")?;
                implicit = true;
            }
            if implicit && is_begin {
                // The client's BEGIN turns the implicit transaction into an explicit one.
                out.message(b'C', &wire::strings(&["BEGIN"]))?;
                self.log_statement(statement, Outcome::Done("BEGIN".to_owned()));
                implicit = false;
                continue;
            }
            last = self.statement(statement, out)?;
            // COMMIT, ROLLBACK and TRUNCATE end the transaction.
            implicit = implicit && self.status() != b'I';
            if matches!(last, Outcome::Failed(_)) {
                break;
            }
        }
        if implicit {
            last = self.end_implicit(last, out)?;
        }
        Ok(last)
    }

    /// Commits the implicit transaction, or rolls it back if the last statement failed.
    fn end_implicit(&mut self, last: Outcome, out: &mut dyn MessageSink) -> io::Result<Outcome> {
        if matches!(last, Outcome::Failed(_)) {
            let _ = self.backend.query("rollback")?;
            return Ok(last);
        }
        match self.backend.query("commit")? {
            Ok(_) => Ok(last),
            Err(report) => {
                let report = super::forward::translate_error(report, true);
                out.message(b'E', &report.body())?;
                Ok(Outcome::Failed(report))
            }
        }
    }
}
