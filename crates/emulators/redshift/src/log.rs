//! What clients sent, statement by statement: for tests that count statements, and for a second opinion on their grammar.

use std::sync::Mutex;

use crate::wire::Report;

/// How a statement ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Executed; the command's tag.
    Done(String),
    /// Failed or refused.
    Failed(Report),
    /// The connection was lost at it.
    Lost,
}

/// A statement that a client sent.
#[derive(Clone, Debug)]
pub struct Statement {
    /// The session, counted from 1.
    pub session: u32,
    /// As it was sent, without its semicolon.
    pub text: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether it came through the Data API.
    pub data_api: bool,
}

/// All of them, in the order in which they ended.
#[derive(Debug, Default)]
pub struct Log {
    entries: Mutex<Vec<Statement>>,
}

impl Log {
    /// What was sent so far.
    pub fn statements(&self) -> Vec<Statement> {
        self.lock().clone()
    }

    /// Forgets what was sent so far.
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
