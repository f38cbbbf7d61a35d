//! Rules of a format: which records are plays, and what the others are called.

use super::file;
use super::mapping::Values;
use crate::json::Raw;
use crate::number;

/// Compiled rule: what becomes of the records to which all conditions apply.
#[derive(Debug)]
pub(super) struct Rule {
    pub outcome: Outcome,
    pub conditions: Vec<Condition>,
}

#[derive(Debug)]
pub(super) enum Outcome {
    /// The record is staged with this page.
    Page(String),
    /// The record is not staged. It is counted under this name.
    LeaveOut(String),
}

impl Rule {
    pub(super) fn applies(&self, values: Values<'_>) -> bool {
        self.conditions.iter().all(|condition| condition.holds(values))
    }
}

/// Condition on the values at some slots.
#[derive(Debug)]
pub(super) struct Condition {
    pub slots: Vec<usize>,
    pub test: Test,
}

#[derive(Debug)]
pub(super) enum Test {
    Present,
    Absent,
    Missing,
    Is(Vec<String>),
    IsNot(Vec<String>),
    Below(f64),
}

impl Condition {
    /// Compiles a condition; `slots` returns the slots of paths. Fails with the reason.
    pub(super) fn compile(
        condition: &file::Condition,
        slots: &mut dyn FnMut(&file::Paths) -> Result<Vec<usize>, String>,
    ) -> Result<Self, String> {
        let file::Condition { present, absent, missing, path, is, is_not, below } = condition;
        let tests = [
            (present, present.as_ref().map(|_| Test::Present)),
            (absent, absent.as_ref().map(|_| Test::Absent)),
            (missing, missing.as_ref().map(|_| Test::Missing)),
            (path, is.clone().map(Test::Is)),
            (path, is_not.clone().map(Test::IsNot)),
            (path, below.map(Test::Below)),
        ];
        let mut tests: Vec<_> = tests.into_iter().filter(|(_, test)| test.is_some()).collect();
        let (Some((Some(paths), Some(test))), true) = (tests.pop(), tests.is_empty()) else {
            return Err("a condition is `present`, `absent`, `missing`, or `path` with one of `is`, `is_not` and `below`".into());
        };
        Ok(Self { slots: slots(paths)?, test })
    }

    pub(super) fn holds(&self, values: Values<'_>) -> bool {
        let first = values.first(self.slots.iter().copied());
        let text = || first.and_then(|(_, found)| values.text(found));
        let is_any = |texts: &[String]| {
            text().is_some_and(|text| texts.iter().any(|known| known.as_bytes() == &*text))
        };
        match &self.test {
            Test::Present => first.is_some(),
            Test::Absent => first.is_none(),
            Test::Missing => self.slots.iter().all(|slot| values.found[*slot].raw == Raw::Missing),
            Test::Is(texts) => is_any(texts),
            Test::IsNot(texts) => !is_any(texts),
            Test::Below(limit) => {
                text().is_some_and(|text| number::double(&text).is_ok_and(|value| value < *limit))
            }
        }
    }
}
