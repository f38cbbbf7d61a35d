//! A load that failed leaves no row of data; that it was tried, and why it failed, is noted once it is rolled back.
//!
//! The note is a transaction of its own, and only as good as the warehouse still is: what goes wrong here hides no error. Nothing is created for
//! it: where no load ever made the tables, none are made to tell of a failure.

use std::error::Error;
use std::time::SystemTime;

use super::{EtlError, Summary};
use crate::{ledger, sql, tables};
use sparkify_config::redact;
use sparkify_warehouse::{Warehouse, WarehouseError};

/// The longest note in bytes; the column has a little more room on every engine.
const LONGEST: usize = 2000;

/// Notes that the load which has just been rolled back failed.
pub(super) fn note(
    warehouse: &mut dyn Warehouse,
    started: SystemTime,
    summary: &Summary,
    error: &EtlError,
) {
    let Err(second) = try_note(warehouse, started, summary, error) else { return };
    tracing::debug!("noting the failure: {second}");
    if let Err(third) = warehouse.run(&sql::load::ROLLBACK) {
        tracing::debug!("rolling back: {third}");
    }
}

fn try_note(
    warehouse: &mut dyn Warehouse,
    started: SystemTime,
    summary: &Summary,
    error: &EtlError,
) -> Result<(), WarehouseError> {
    warehouse.run(&sql::load::BEGIN)?;
    if tables::present(warehouse)?.contains(&sql::ledger::ETL_LOADS.name) {
        // Of a load that had not begun to read, its kind is not known yet.
        let begun = summary.objects_read + summary.objects_pruned > 0;
        let full = begun && !summary.incremental;
        let counts = summary.ledger_counts();
        ledger::close_failed(warehouse, started, full, counts, reason(error))?;
    }
    warehouse.run(&sql::load::COMMIT)
}

/// The error and its causes in one line, without secrets.
fn reason(error: &EtlError) -> String {
    let mut text = error.to_string();
    if let EtlError::ChecksFailed { failed } = error {
        let names: Vec<&str> = failed.iter().map(|verdict| verdict.check).collect();
        text = format!("{text}: {}", names.join(", "));
    }
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    shortened(redact::without_secrets(&text))
}

fn shortened(mut text: String) -> String {
    if text.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or_default());
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let cut = shortened("é".repeat(3000));
        assert_eq!((cut.len(), cut.chars().last()), (2003, Some('…')));
        assert_eq!(shortened("short".into()), "short");
    }
}
