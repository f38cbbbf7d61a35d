//! Result of a failed check: rule, message, position and hint.

use std::error::Error;
use std::fmt;

use crate::rules::Rule;

/// Use of SQL that Amazon Redshift does not document, or that this linter does not cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Stable ID of the violated rule.
    pub rule: &'static str,
    /// Description of the unsupported part of the statement.
    pub message: String,
    /// URL of the page of Amazon's documentation from which the rule was derived.
    pub page: &'static str,
    /// Position in bytes from the start of the checked text.
    pub offset: usize,
    /// Supported alternative.
    pub hint: String,
}

impl Violation {
    pub(crate) fn new(rule: &Rule, offset: usize, message: impl Into<String>) -> Self {
        let (message, hint) = (message.into(), rule.hint.to_owned());
        Self { rule: rule.id, message, page: rule.page, offset, hint }
    }

    pub(crate) fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: hint.into(), ..self }
    }

    pub(crate) fn with_page(self, page: &'static str) -> Self {
        Self { page, ..self }
    }

    /// Converts the offset in a nested text to one in the text around it, which starts `by` bytes
    /// earlier.
    pub(crate) fn shifted(self, by: usize) -> Self {
        Self { offset: self.offset + by, ..self }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} [{}] at byte {}", self.message, self.rule, self.offset)
    }
}

impl Error for Violation {}
