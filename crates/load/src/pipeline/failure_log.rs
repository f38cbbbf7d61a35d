//! Records failed loads in the ledger, after the rollback.
//!
//! The entry is written in a transaction of its own, on a best-effort basis: an error here is
//! logged and does not replace the error of the load. A failed first load creates the tables for it,
//! empty, so that `sparkify history` shows the failure.

use std::error::Error;
use std::time::SystemTime;

use super::{EtlError, Summary};
use crate::{ledger, sql, tables};
use sparkify_config::redact;
use sparkify_warehouse::{Warehouse, WarehouseError};

/// Maximum length of a recorded message in bytes. The column is slightly wider on every engine.
const MAX_LENGTH: usize = 2000;

/// Records the load that was just rolled back as failed.
pub(super) fn record(
    warehouse: &mut dyn Warehouse,
    started: SystemTime,
    summary: &Summary,
    error: &EtlError,
) {
    // A server may process the last request to cancel the load only now.
    let attempts = if matches!(error, EtlError::Cancelled) { 2 } else { 1 };
    for _ in 0..attempts {
        let Err(second) = try_record(warehouse, started, summary, error) else { return };
        tracing::debug!("cannot record the failed load: {second}");
        if let Err(third) = warehouse.run(&sql::load::ROLLBACK) {
            tracing::debug!("rollback failed: {third}");
            return;
        }
    }
}

fn try_record(
    warehouse: &mut dyn Warehouse,
    started: SystemTime,
    summary: &Summary,
    error: &EtlError,
) -> Result<(), WarehouseError> {
    warehouse.run(&sql::load::BEGIN)?;
    let found = tables::Found::read(warehouse)?;
    if !found.is_outdated() {
        tables::ensure(warehouse)?;
    } else if !found.is_current(&sql::ledger::ETL_LOADS, warehouse.engine()) {
        // A failed load upgrades nothing, so an older table cannot hold the entry.
        return warehouse.run(&sql::load::ROLLBACK);
    }
    // Before a load read its plan, it is not known whether it is a full one.
    let begun = summary.objects_read + summary.objects_pruned > 0;
    let full = begun && !summary.incremental;
    let counts = summary.ledger_counts();
    ledger::record_failed_load(warehouse, started, full, counts, reason(error))?;
    warehouse.run(&sql::load::COMMIT)
}

/// Returns the error and its causes in one line, without secrets.
fn reason(error: &EtlError) -> String {
    let mut text = error.to_string();
    if let EtlError::ChecksFailed { failed } = error {
        let names: Vec<&str> = failed.iter().map(|result| result.test).collect();
        text = format!("{text}: {}", names.join(", "));
    }
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    shortened(redact::without_secrets(&text))
}

/// Returns the text, cut to the length of the column.
pub(super) fn shortened(mut text: String) -> String {
    if text.len() > MAX_LENGTH {
        let end = (0..=MAX_LENGTH).rev().find(|end| text.is_char_boundary(*end));
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
