//! What a caller learns when a statement is refused: by which rule, what stands there, where, and what to write instead.

use std::error::Error;
use std::fmt;

use crate::rules::Rule;

/// A statement that is not on the list of what Amazon Redshift documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The rule's name, which does not change.
    pub rule: &'static str,
    /// What stands there.
    pub message: String,
    /// The page of Amazon's documentation that the rule was read from.
    pub page: &'static str,
    /// Where it stands, in bytes from the start of the text that was given.
    pub at: usize,
    /// What to write instead.
    pub hint: String,
}

impl Refusal {
    pub(crate) fn new(rule: &Rule, at: usize, message: impl Into<String>) -> Self {
        let (message, hint) = (message.into(), rule.hint.to_owned());
        Self { rule: rule.id, message, page: rule.page, at, hint }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: hint.into(), ..self }
    }

    pub(crate) fn page(self, page: &'static str) -> Self {
        Self { page, ..self }
    }

    /// The same, told of a text that begins `offset` bytes earlier.
    pub(crate) fn moved(self, offset: usize) -> Self {
        Self { at: self.at + offset, ..self }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} [{}] at byte {}", self.message, self.rule, self.at)
    }
}

impl Error for Refusal {}
