//! Retries a whole load after a transient error (serialization conflict, lost connection), unless
//! it may already have committed.
//!
//! If the connection is lost during the commit, the outcome is unknown. The ledger is then queried
//! over a new connection before anything is retried. Only warehouses that support reconnecting are
//! retried.

use std::sync::Arc;
use std::time::Duration;

use super::load::Load;
use super::{EtlError, StepTimer, Summary, failure_log, run_transaction};
use crate::ledger;
use sparkify_reader::Meter;
use sparkify_warehouse::{Reconnect, Warehouse, WarehouseError};

/// Maximum number of attempts of a load.
const MAX_ATTEMPTS: u32 = 4;
/// Maximum number of attempts to connect and read the outcome of a commit.
const MAX_CONNECTIONS: u32 = 6;
/// Pause before the first retry; each further pause is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Attempt that failed. It published nothing unless `at_commit`.
pub(super) struct FailedAttempt {
    pub error: EtlError,
    /// Counts up to the error.
    pub summary: Summary,
    /// True if the transaction was rolled back, so that the connection accepts statements.
    pub is_usable: bool,
    /// True if the connection was lost during the commit, so that the outcome is unknown.
    pub at_commit: bool,
}

/// Runs a load in a transaction and retries it after transient errors.
pub(super) fn retry(
    warehouse: &mut dyn Warehouse,
    timer: &StepTimer,
    mut load: Load<'_>,
) -> Result<Summary, EtlError> {
    let mut reasons: Vec<String> = Vec::new();
    let complete = |summary, retries| Summary {
        retries,
        started_at: timer.started_at(),
        seconds: timer.seconds(),
        ..summary
    };
    loop {
        let failed = match run_transaction(warehouse, timer.clone(), &mut load) {
            Ok(summary) => return Ok(complete(summary, reasons)),
            Err(failed) => *failed,
        };
        if failed.at_commit && is_committed(warehouse, timer, &failed)? {
            return Ok(complete(failed.summary, reasons));
        }
        let attempts = u32::try_from(reasons.len()).unwrap_or(MAX_ATTEMPTS) + 1;
        let may_retry = is_transient(&failed.error)
            && !timer.meter.is_cancelled()
            && reconnection(warehouse).is_some();
        if !may_retry || attempts >= MAX_ATTEMPTS {
            return Err(give_up(warehouse, timer, failed, attempts));
        }
        let reason = failed.error.to_string();
        pause(&timer.meter, &reason, attempts);
        reasons.push(reason);
        if !failed.is_usable {
            reconnect(warehouse)?;
        }
    }
}

fn reconnection(warehouse: &mut dyn Warehouse) -> Option<&mut dyn Reconnect> {
    warehouse.load_lock()?.reconnection()
}

fn reconnect(warehouse: &mut dyn Warehouse) -> Result<(), WarehouseError> {
    reconnection(warehouse).map_or(Ok(()), Reconnect::reconnect)
}

fn is_transient(error: &EtlError) -> bool {
    matches!(
        error,
        EtlError::Overtaken
            | EtlError::Warehouse(WarehouseError::Conflict { .. } | WarehouseError::Lost { .. })
    )
}

/// Shows the reason of the retry and sleeps with exponential backoff.
fn pause(meter: &Arc<Meter>, reason: &str, attempts: u32) {
    meter.enter(&format!("retry: {reason}"));
    meter.restart();
    std::thread::sleep(FIRST_PAUSE.saturating_mul(1 << attempts.min(6).saturating_sub(1)));
}

/// Records the failed load if the connection is usable or can be replaced, and returns the error to
/// report.
fn give_up(
    warehouse: &mut dyn Warehouse,
    timer: &StepTimer,
    failed: FailedAttempt,
    attempts: u32,
) -> EtlError {
    let FailedAttempt { mut error, summary, is_usable, .. } = failed;
    if timer.meter.is_cancelled() {
        // The error is that of the interrupted statement.
        error = EtlError::Cancelled;
    }
    if is_usable || (reconnection(warehouse).is_some() && reconnect(warehouse).is_ok()) {
        failure_log::record(warehouse, timer.started, &summary, &error);
    }
    match error {
        EtlError::Warehouse(source) if attempts > 1 => EtlError::GaveUp { tries: attempts, source },
        error => error,
    }
}

/// Returns true if the ledger has the load whose commit was not confirmed as published.
fn is_committed(
    warehouse: &mut dyn Warehouse,
    timer: &StepTimer,
    failed: &FailedAttempt,
) -> Result<bool, EtlError> {
    // Without a load number there was nothing to publish, so a retry is safe.
    let Some(load_id) = failed.summary.load_id else { return Ok(false) };
    let unknown = || EtlError::Doubt { load_id };
    if reconnection(warehouse).is_none() {
        return Err(unknown());
    }
    for attempt in 1..=MAX_CONNECTIONS {
        timer.meter.enter("check whether the load is published");
        let published = reconnect(warehouse)
            .and_then(|()| ledger::is_published(warehouse, load_id, timer.started));
        match published {
            Ok(published) => return Ok(published),
            Err(error) => tracing::debug!("cannot read the state of load {load_id}: {error}"),
        }
        std::thread::sleep(FIRST_PAUSE.saturating_mul(1 << (attempt - 1)));
    }
    Err(unknown())
}
