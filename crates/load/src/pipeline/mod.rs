//! Steps of a load, in order: list, compare with the ledger, stage, transform, run the data tests,
//! publish.
//!
//! One load is one transaction. No other session sees its changes before the commit, and an error
//! leaves the warehouse as it was. This module orders and counts the steps; other modules implement
//! them.

mod administration;
mod error;
mod extract;
mod failure_log;
mod load;
mod preview;
mod rehearsal;
mod reject_limit;
mod retry;
mod summary;
mod timer;

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use time::Date;

use crate::data_tests;
use crate::ledger::{Relocation, Selection};
use crate::log_format::ChosenFormat;
use crate::scope::{self, Scope};
use crate::{model, sql, staging, tables};
use sparkify_reader::{ErasureKey, Meter, RecordKind};
use sparkify_source::{Listing, Sources};
use sparkify_warehouse::{Bounds, LockScope, Warehouse, WarehouseError};

pub(crate) use administration::change;
pub use administration::{recreate, upgrade};
pub use error::EtlError;
use load::{Input, Load, LoadPlan, compare};
pub use preview::{Preview, preview};
pub(crate) use rehearsal::rehearse;
pub use reject_limit::{DamagedObject, TooManyRejects};
use retry::{FailedAttempt, retry};
pub use summary::{LeftObject, Outcome, Step, Summary};
use timer::StepTimer;

/// Event for which the load lock is waited for, as the user reads it.
const OTHER_LOAD: &str = "another load of this warehouse to end";
/// Time after which the user is told that a load waits for a locked table.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);

/// Options of a load.
#[derive(Debug, Clone)]
pub struct Request {
    /// Location of the song objects: a folder, a file or an S3 prefix.
    pub song_data: Option<String>,
    /// Location of the event objects.
    pub log_data: Option<String>,
    /// Maximum share of rejected records, and of their bytes, from 0 to 1. Above it, the load
    /// fails.
    pub max_reject_share: f64,
    /// Read every listed object again and rebuild the whole model.
    pub full_refresh: bool,
    /// Compare the content of all objects with their fingerprints.
    pub verify_content: bool,
    /// Delete the rows of objects that no longer exist.
    pub prune: bool,
    /// Locations whose objects were moved.
    pub relocations: Vec<Relocation>,
    /// Skip event objects whose key has an earlier date, or none.
    pub since: Option<Date>,
    /// Skip event objects whose key has a later date, or none.
    pub until: Option<Date>,
    /// Absolute path of the warehouse file, which is not input even if it is within a location.
    pub own_file: Option<String>,
    /// Access to folders and S3.
    pub sources: Sources,
    /// Key of the hashes of erased persons; required if persons were erased.
    pub erasure_key: Option<ErasureKey>,
    /// Format of the events.
    pub log_format: ChosenFormat,
}

impl Request {
    /// Creates an incremental load of these locations with default options.
    pub fn new(song_data: Option<String>, log_data: Option<String>) -> Self {
        Self {
            song_data,
            log_data,
            max_reject_share: 0.01,
            full_refresh: false,
            verify_content: false,
            prune: false,
            relocations: Vec::new(),
            since: None,
            until: None,
            own_file: None,
            sources: Sources::default(),
            erasure_key: None,
            log_format: ChosenFormat::default(),
        }
    }

    fn selection(&self, kind: RecordKind) -> Selection {
        let all = Selection {
            everything: self.full_refresh,
            verify_content: self.verify_content,
            strict: self.sources.options().strict,
            ..Selection::default()
        };
        match kind {
            RecordKind::Songs => all,
            RecordKind::Events => Selection { since: self.since, until: self.until, ..all },
        }
    }
}

/// Listed objects of a load that has started.
pub struct Listed {
    timer: StepTimer,
    listings: Listings,
}

/// Lists the objects of a load. This needs no warehouse, so a wrong location leaves none behind.
///
/// # Errors
/// If a location cannot be listed or is empty.
pub fn list(request: &Request, meter: &Arc<Meter>) -> Result<Listed, EtlError> {
    let mut timer = StepTimer::start(meter);
    let listings = timer.time("list", || list_locations(request))?;
    Ok(Listed { timer, listings })
}

/// Loads new and changed objects of the listing and publishes them in one transaction.
///
/// # Errors
/// Nothing is published then, except possibly after [`EtlError::Doubt`].
pub fn etl(
    warehouse: &mut dyn Warehouse,
    request: &Request,
    listed: Listed,
) -> Result<Summary, EtlError> {
    let Listed { timer, listings } = listed;
    staging::check_loadable(warehouse, listings.iter().flat_map(|(_, listing)| &listing.objects))?;
    retry(warehouse, &timer, Load::new(request, Input::Listings(&listings)))
}

/// Reprocesses rejected records: reads their objects again, so that records that are valid by now
/// enter the model.
pub fn replay(
    warehouse: &mut dyn Warehouse,
    request: &Request,
    meter: &Arc<Meter>,
) -> Result<Summary, EtlError> {
    retry(warehouse, &StepTimer::start(meter), Load::new(request, Input::Rejected))
}

/// Acquires the load lock, runs `load` in one transaction and commits it. The load fills the summary
/// step by step, so that a failed attempt still reports the counts up to the error.
fn run_transaction(
    warehouse: &mut dyn Warehouse,
    mut timer: StepTimer,
    load: &mut Load<'_>,
) -> Result<Summary, Box<FailedAttempt>> {
    let mut summary = Summary::default();
    let meter = Arc::clone(&timer.meter);
    meter.set_interrupter(warehouse.interrupter());
    if let Err(error) = acquire_lock(warehouse, &meter) {
        let error = error.into();
        return Err(Box::new(FailedAttempt { error, summary, is_usable: false, at_commit: false }));
    }
    // A lock on a table is taken inside the transaction, so the tables are created before.
    let lockable =
        if locks_a_table(warehouse) { tables::ensure_lockable(warehouse) } else { Ok(()) };
    let prepared = lockable.map_err(EtlError::from);
    let prepared = prepared.and_then(|()| load.prepare(warehouse, &mut timer, &mut summary));
    let begun = prepared.and_then(|()| Ok(begin(warehouse, &meter)?));
    let worked = begun.and_then(|()| load.run(warehouse, &mut timer, &mut summary));
    // From here on a cancellation would leave the outcome unknown.
    meter.set_interrupter(None);
    if let Err(error) = worked {
        return Err(Box::new(roll_back(warehouse, &meter, error, summary, false)));
    }
    summary.steps.clone_from(&timer.steps);
    match timer.time("publish", || warehouse.run(&sql::load::COMMIT)) {
        Ok(()) => Ok(Summary { steps: timer.steps, ..summary }),
        Err(error) => {
            // The server may have committed before the connection was lost.
            let at_commit = matches!(error, EtlError::Warehouse(WarehouseError::Lost { .. }));
            Err(Box::new(roll_back(warehouse, &meter, error, summary, at_commit)))
        }
    }
}

fn begin(warehouse: &mut dyn Warehouse, meter: &Meter) -> Result<(), WarehouseError> {
    warehouse.run(&sql::load::BEGIN)?;
    lock_table(warehouse, meter)
}

/// Takes the lock of an engine that locks a table. The statement does not tell that it waits, so the
/// user is told after a while.
fn lock_table(warehouse: &mut dyn Warehouse, meter: &Meter) -> Result<(), WarehouseError> {
    if !locks_a_table(warehouse) {
        return Ok(());
    }
    let (locked, waiting) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if waiting.recv_timeout(LOCK_PATIENCE) == Err(RecvTimeoutError::Timeout) {
                meter.wait_for(OTHER_LOAD);
            }
        });
        let done = warehouse.run(&sql::load::LOCK);
        drop(locked);
        done
    })
}

/// Rolls back after `error`. An error of the rollback itself is only logged: the first error is
/// reported, and a server rolls back the transaction of a lost connection by itself.
fn roll_back(
    warehouse: &mut dyn Warehouse,
    meter: &Meter,
    error: EtlError,
    summary: Summary,
    at_commit: bool,
) -> FailedAttempt {
    let mut rolled_back = warehouse.run(&sql::load::ROLLBACK);
    if rolled_back.is_err() && meter.is_cancelled() {
        // The server may have processed the last cancel request late, and ended the rollback.
        rolled_back = warehouse.run(&sql::load::ROLLBACK);
    }
    if let Err(second) = &rolled_back {
        tracing::debug!("rollback failed: {second}");
    }
    FailedAttempt { error, summary, is_usable: rolled_back.is_ok(), at_commit }
}

/// Updates the planner's statistics on engines that require it within a load.
fn analyze(warehouse: &mut dyn Warehouse) -> Result<(), WarehouseError> {
    warehouse.statistics().map_or(Ok(()), sparkify_warehouse::Statistics::analyze)
}

/// Acquires the load lock, waiting for another load to end.
fn acquire_lock(warehouse: &mut dyn Warehouse, meter: &Meter) -> Result<(), WarehouseError> {
    let Some(lock) = warehouse.load_lock() else { return Ok(()) };
    lock.acquire(&mut || meter.wait_for(OTHER_LOAD))
}

fn locks_a_table(warehouse: &mut dyn Warehouse) -> bool {
    warehouse.load_lock().is_some_and(|lock| lock.scope() == LockScope::Table)
}

/// Checks that the request names at least one location. This needs no connection.
pub fn check_request(request: &Request) -> Result<(), EtlError> {
    if request.song_data.is_none() && request.log_data.is_none() {
        return Err(EtlError::NoSource);
    }
    Ok(())
}

type Listings = Vec<(RecordKind, Listing)>;

fn list_locations(request: &Request) -> Result<Listings, EtlError> {
    let mut listings = Vec::new();
    for (kind, location) in
        [(RecordKind::Songs, &request.song_data), (RecordKind::Events, &request.log_data)]
    {
        if let Some(location) = location {
            let mut listing = request.sources.list(location)?;
            if let Some(file) = &request.own_file {
                listing.leave_out(file);
            }
            let required = request.sources.options().require_objects && !request.prune;
            if required && listing.objects.is_empty() {
                return Err(EtlError::Empty { location: location.clone() });
            }
            listings.push((kind, listing));
        }
    }
    check_request(request)?;
    if let [(_, one), (_, other)] = &listings[..]
        && let Some(key) = shared_key(one, other)
    {
        return Err(EtlError::Overlap { key });
    }
    Ok(listings)
}

/// Returns the first key that is in both listings.
fn shared_key(one: &Listing, other: &Listing) -> Option<String> {
    let mut others = other.in_order();
    let shared = one.objects.iter().find(|object| others.get(&object.key).is_some());
    shared.map(|object| object.key.to_string())
}

fn transform(
    warehouse: &mut dyn Warehouse,
    bounds: Option<Bounds>,
    timer: &mut StepTimer,
) -> Result<Option<Scope>, EtlError> {
    let find = |bounds| {
        timer.time("find affected keys", || {
            analyze(warehouse)?;
            let scope = scope::find(warehouse, bounds)?;
            analyze(warehouse)?;
            Ok::<_, EtlError>(scope)
        })
    };
    let scope = bounds.map(find).transpose()?;
    for table in model::TABLES {
        timer.time(table.name, || {
            model::build(warehouse, table, scope.as_ref())?;
            analyze(warehouse)
        })?;
    }
    Ok(scope)
}

fn run_data_tests(
    warehouse: &mut dyn Warehouse,
    scope: Option<&Scope>,
    timer: &mut StepTimer,
) -> Result<(), EtlError> {
    let failed = timer.time("check", || data_tests::failed(warehouse, scope))?;
    if failed.is_empty() { Ok(()) } else { Err(EtlError::ChecksFailed { failed }) }
}

/// Adds row counts, match coverage, duplicates and spilled bytes to the summary.
fn count_rows(warehouse: &mut dyn Warehouse, summary: &mut Summary) -> Result<(), WarehouseError> {
    for row in warehouse.query_file(&sql::load::SUMMARY, &[], usize::MAX)?.rows {
        let [subject, name, number] = row.as_slice() else { continue };
        let number =
            number.as_i64().and_then(|count| u64::try_from(count).ok()).unwrap_or_default();
        match subject.as_text() {
            Some("table") => summary.tables.push((name.to_string(), number)),
            Some("match") => summary.matched.push((name.to_string(), number)),
            _ => summary.duplicates = number,
        }
    }
    summary.bytes_spilled =
        warehouse.statistics().map_or(0, |statistics| statistics.bytes_spilled());
    Ok(())
}
