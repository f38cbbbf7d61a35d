//! Log of the statements that clients sent.
//!
//! Tests count statements in it and check their syntax with a second parser.

use std::sync::Mutex;

use crate::wire::Report;

/// Outcome of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The statement succeeded; holds its command tag.
    Done(String),
    /// The server or the emulator rejected the statement.
    Failed(Report),
    /// The connection was lost during the statement.
    Disconnected,
}

/// Statement that a client sent.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Session number, counted from 1.
    pub session: u32,
    /// SQL as the client sent it, without its semicolon.
    pub text: String,
    /// Success, error or lost connection.
    pub outcome: Outcome,
    /// True if the statement came through the Data API.
    pub data_api: bool,
}

/// Statements of all sessions in the order in which they ended.
#[derive(Debug, Default)]
pub struct Log {
    entries: Mutex<Vec<Statement>>,
}

impl Log {
    /// Returns all statements logged so far.
    pub fn statements(&self) -> Vec<Statement> {
        self.lock().clone()
    }

    /// Deletes all entries.
    pub fn clear(&self) {
        self.lock().clear();
    }

    pub(crate) fn push(&self, statement: Statement) {
        self.lock().push(statement);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Statement>> {
        self.entries.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
