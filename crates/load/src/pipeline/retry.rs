//! A load that something passing ended is tried again as a whole, as long as nothing of it can be there.
//!
//! Passing is a conflict with what others did at the same time, and a connection that was lost. Lost at the commit, it leaves a doubt: then the ledger is
//! asked before anything is tried again. Only a warehouse that can be connected to again is; the others end as they did.

use std::sync::Arc;
use std::time::Duration;

use super::{Clock, EtlError, Summary, failed, publish};
use crate::ledger;
use sparkify_reader::Meter;
use sparkify_warehouse::{Reconnect, Warehouse, WarehouseError};

/// How often a load is tried.
const TRIES: u32 = 4;
/// How often a connection is tried when it is not known whether a load was published.
const CONNECTIONS: u32 = 6;
/// The first pause; each is twice as long as the one before.
const FIRST: Duration = Duration::from_millis(500);

/// How one try ended that published nothing, as far as is known.
pub(super) struct Ended {
    pub error: EtlError,
    /// What was known by then.
    pub summary: Summary,
    /// Whether it is rolled back, so that the warehouse takes statements.
    pub is_usable: bool,
    /// Whether the answer to the commit is what was lost.
    pub at_commit: bool,
}

/// Publishes what `work` does, with as many tries as it takes and may take.
pub(super) fn retry(
    warehouse: &mut dyn Warehouse,
    clock: &Clock,
    work: impl Fn(&mut dyn Warehouse, &mut Clock, &mut Summary) -> Result<(), EtlError>,
) -> Result<Summary, EtlError> {
    let mut tried: Vec<String> = Vec::new();
    loop {
        let ended = match publish(warehouse, clock.clone(), &work) {
            Ok(summary) => return Ok(Summary { tried_again: tried, ..summary }),
            Err(ended) => *ended,
        };
        if ended.at_commit && settled(warehouse, clock, &ended)? {
            return Ok(Summary { tried_again: tried, ..ended.summary });
        }
        let made = u32::try_from(tried.len()).unwrap_or(TRIES) + 1;
        if !is_transient(&ended.error) || reconnection(warehouse).is_none() || made >= TRIES {
            return Err(last(warehouse, clock, ended, made));
        }
        let reason = ended.error.to_string();
        again(&clock.meter, &reason, made);
        tried.push(reason);
        if !ended.is_usable {
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
        EtlError::Warehouse(WarehouseError::Conflict { .. } | WarehouseError::Lost { .. })
    )
}

/// Says why, and waits.
fn again(meter: &Arc<Meter>, reason: &str, made: u32) {
    meter.enter(&format!("try again: {reason}"));
    meter.restart();
    std::thread::sleep(FIRST.saturating_mul(1 << made.min(6).saturating_sub(1)));
}

/// Notes the failure where that is possible.
fn last(warehouse: &mut dyn Warehouse, clock: &Clock, ended: Ended, made: u32) -> EtlError {
    let Ended { error, summary, is_usable, .. } = ended;
    if is_usable || (reconnection(warehouse).is_some() && reconnect(warehouse).is_ok()) {
        failed::note(warehouse, clock.started, &summary, &error);
    }
    match error {
        EtlError::Warehouse(source) if made > 1 => EtlError::GaveUp { tries: made, source },
        error => error,
    }
}

/// Whether the load whose commit was not answered is published, as the ledger has it.
fn settled(warehouse: &mut dyn Warehouse, clock: &Clock, ended: &Ended) -> Result<bool, EtlError> {
    // A load that had nothing to publish is as good undone as done.
    let Some(load_id) = ended.summary.load_id else { return Ok(false) };
    let doubt = || EtlError::Doubt { load_id };
    if reconnection(warehouse).is_none() {
        return Err(doubt());
    }
    for made in 1..=CONNECTIONS {
        clock.meter.enter("ask whether the load is published");
        let asked = reconnect(warehouse)
            .and_then(|()| ledger::is_published(warehouse, load_id, clock.started));
        match asked {
            Ok(published) => return Ok(published),
            Err(error) => tracing::debug!("asking whether load {load_id} is published: {error}"),
        }
        std::thread::sleep(FIRST.saturating_mul(1 << (made - 1)));
    }
    Err(doubt())
}
