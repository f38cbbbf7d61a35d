//! Faults that a test asks for beforehand: errors of a busy cluster, lost connections, slow statements.
//!
//! Each is armed for the n-th statement of a kind, counted from then over all sessions, and strikes once. [`Faults::left`] tells a test
//! whether what it armed was met.

use std::sync::Mutex;
use std::time::Duration;

use crate::lexer::{Token, follows};
use crate::wire::Report;

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Error 1023, a serializable isolation violation: the statement fails, and its transaction with it.
    Serializable,
    /// Error 1018: a relation that was dropped after the snapshot.
    RelationGone,
    /// Any other error.
    Error(Report),
    /// The connection is lost, and the statement takes no effect; in COPY, after the objects were read.
    Lose,
    /// The connection is lost after the statement took effect: its answer never arrives.
    LoseAfter,
    /// The statement takes so much longer.
    Slow(Duration),
}

/// When it happens: at the n-th statement of a kind, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// Of any kind.
    Statement(u32),
    /// INSERT, UPDATE, DELETE, MERGE, COPY.
    Write(u32),
    /// COMMIT or END.
    Commit(u32),
    /// COPY.
    Copy(u32),
    /// Whose text contains this.
    Containing(String, u32),
}

/// What kind of statement it is, as far as faults and transactions need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Begin,
    Commit,
    Rollback,
    Copy,
    Write,
    Other,
}

impl Kind {
    pub(crate) fn of(tokens: &[Token<'_>]) -> Self {
        let starts = |words: &[&str]| words.iter().any(|word| follows(tokens, 0, word));
        if starts(&["begin", "start transaction"]) {
            Self::Begin
        } else if starts(&["commit", "end"]) {
            Self::Commit
        } else if starts(&["rollback", "abort"]) {
            Self::Rollback
        } else if starts(&["copy"]) {
            Self::Copy
        } else if starts(&["insert", "update", "delete", "merge"]) {
            Self::Write
        } else {
            Self::Other
        }
    }
}

/// The faults that are armed.
#[derive(Debug, Default)]
pub struct Faults {
    armed: Mutex<Vec<(When, Fault)>>,
}

impl Faults {
    /// Arms one.
    pub fn arm(&self, when: When, fault: Fault) {
        self.lock().push((when, fault));
    }

    /// How many have not struck.
    pub fn left(&self) -> usize {
        self.lock().len()
    }

    /// Disarms all.
    pub fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(When, Fault)>> {
        self.armed.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Counts a statement; the fault that strikes it.
    pub(crate) fn strike(&self, kind: Kind, text: &str) -> Option<Fault> {
        let mut armed = self.lock();
        let mut struck = None;
        armed.retain_mut(|(when, fault)| {
            let left = match when {
                When::Statement(left) => left,
                When::Write(left) if matches!(kind, Kind::Write | Kind::Copy) => left,
                When::Commit(left) if kind == Kind::Commit => left,
                When::Copy(left) if kind == Kind::Copy => left,
                When::Containing(part, left) if text.contains(part.as_str()) => left,
                _ => return true,
            };
            *left = left.saturating_sub(1);
            if *left > 0 || struck.is_some() {
                return true;
            }
            struck = Some(fault.clone());
            false
        });
        struck
    }
}

/// Error 1023 as Redshift words it (DG/c_serial_isolation-serializable-isolation-troubleshooting.html).
pub(crate) fn serializable() -> Report {
    Report::error("XX000", "1023")
        .with_detail("Serializable isolation violation on table in Redshift")
}

/// Error 1018, from the same page.
pub(crate) fn relation_gone() -> Report {
    Report::error("XX000", "1018").with_detail("Relation does not exist.")
}
