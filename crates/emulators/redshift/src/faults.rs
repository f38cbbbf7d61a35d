//! Fault injection: errors of a busy cluster, lost connections and slow statements.
//!
//! A test arms each fault for the n-th matching statement from then on, counted over all sessions.
//! A fault triggers once. With [`Faults::left`] a test checks that its faults triggered.

use std::sync::Mutex;
use std::time::Duration;

use crate::lexer::{Token, keywords_at};
use crate::wire::Report;

/// Fault that a statement meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Error 1023, a serializable isolation violation, which aborts the transaction.
    Serializable,
    /// Error 1018: a relation was dropped after the transaction's snapshot.
    RelationDropped,
    /// Another error.
    Error(Report),
    /// The connection is lost and the statement has no effect; COPY has read the objects by then.
    Disconnect,
    /// The connection is lost after the statement took effect, before the client gets the response;
    /// for COPY the same as [`Fault::Disconnect`].
    DisconnectAfter,
    /// The statement is delayed by this time.
    Slow(Duration),
}

/// Condition that triggers a fault: the n-th matching statement, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// The n-th statement.
    Statement(u32),
    /// The n-th INSERT, UPDATE, DELETE, MERGE or COPY.
    Write(u32),
    /// The n-th COMMIT or END.
    Commit(u32),
    /// The n-th COPY.
    Copy(u32),
    /// The n-th statement whose text contains this string.
    Containing(String, u32),
}

/// Statement kind, as far as faults and transactions need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StatementKind {
    Begin,
    Commit,
    Rollback,
    Copy,
    Write,
    Other,
}

impl StatementKind {
    pub(crate) fn of(tokens: &[Token<'_>]) -> Self {
        let starts = |words: &[&str]| words.iter().any(|word| keywords_at(tokens, 0, word));
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

/// Armed faults.
#[derive(Debug, Default)]
pub struct Faults {
    armed: Mutex<Vec<(When, Fault)>>,
}

impl Faults {
    /// Arms a fault.
    pub fn arm(&self, when: When, fault: Fault) {
        self.lock().push((when, fault));
    }

    /// Returns the number of faults that have not triggered yet.
    pub fn left(&self) -> usize {
        self.lock().len()
    }

    /// Disarms all faults.
    pub fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(When, Fault)>> {
        self.armed.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Counts a statement in all matching conditions; returns the fault that it triggers.
    ///
    /// If several are due, the one armed first triggers, the others at the next matching statement.
    pub(crate) fn trigger(&self, kind: StatementKind, text: &str) -> Option<Fault> {
        let mut armed = self.lock();
        let mut triggered = None;
        armed.retain_mut(|(when, fault)| {
            let left = match when {
                When::Statement(left) => left,
                When::Write(left) if matches!(kind, StatementKind::Write | StatementKind::Copy) => {
                    left
                }
                When::Commit(left) if kind == StatementKind::Commit => left,
                When::Copy(left) if kind == StatementKind::Copy => left,
                When::Containing(part, left) if text.contains(part.as_str()) => left,
                _ => return true,
            };
            *left = left.saturating_sub(1);
            if *left > 0 || triggered.is_some() {
                return true;
            }
            triggered = Some(fault.clone());
            false
        });
        triggered
    }
}

/// Returns error 1023 in Redshift's wording
/// (DG/c_serial_isolation-serializable-isolation-troubleshooting.html).
pub(crate) fn serialization_error() -> Report {
    Report::error("XX000", "1023")
        .with_detail("Serializable isolation violation on table in Redshift")
}

/// Returns error 1018, from the same page.
pub(crate) fn relation_dropped_error() -> Report {
    Report::error("XX000", "1018").with_detail("Relation does not exist.")
}
