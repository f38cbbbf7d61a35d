//! The simple protocol: a text of one or more statements.
//!
//! Several in one text are one transaction, unless they say BEGIN and COMMIT themselves, as PostgreSQL has it since before 8.0. Each is looked
//! at on its own, so the proxy opens and ends that transaction itself, unseen.

use std::io;

use super::{Session, Sink};
use crate::faults::Kind;
use crate::lexer::{statements, tokens};
use crate::log::Outcome;
use crate::wire;

impl Session {
    /// A `Query`, up to its `ReadyForQuery`.
    pub(crate) fn query(&mut self, text: &str, out: &mut dyn Sink) -> io::Result<()> {
        self.script(text, out)?;
        out.message(b'Z', &[self.status()])
    }

    /// The statements of a text, in one transaction; how the last ended.
    pub(crate) fn script(&mut self, text: &str, out: &mut dyn Sink) -> io::Result<Outcome> {
        let statements = statements(text);
        let mut last = Outcome::Done(String::new());
        if statements.is_empty() {
            out.message(b'I', &[])?;
        }
        let mut ours = false;
        for statement in &statements {
            let begins = Kind::of(&tokens(statement)) == Kind::Begin;
            if statements.len() > 1 && self.status() == b'I' && !begins {
                let _ = self.backend.ask("begin")?;
                ours = true;
            }
            if ours && begins {
                out.message(b'C', &wire::strings(&["BEGIN"]))?;
                self.note(statement, Outcome::Done("BEGIN".to_owned()));
                ours = false;
                continue;
            }
            last = self.statement(statement, out)?;
            // A statement of theirs ended it: COMMIT, or TRUNCATE.
            ours = ours && self.status() != b'I';
            if matches!(last, Outcome::Failed(_)) {
                break;
            }
        }
        if ours {
            last = self.end(last, out)?;
        }
        Ok(last)
    }

    /// Ends the transaction that the proxy began.
    fn end(&mut self, last: Outcome, out: &mut dyn Sink) -> io::Result<Outcome> {
        if matches!(last, Outcome::Failed(_)) {
            let _ = self.backend.ask("rollback")?;
            return Ok(last);
        }
        match self.backend.ask("commit")? {
            Ok(_) => Ok(last),
            Err(report) => {
                let report = super::relay::translated(report, true);
                out.message(b'E', &report.body())?;
                Ok(Outcome::Failed(report))
            }
        }
    }
}
