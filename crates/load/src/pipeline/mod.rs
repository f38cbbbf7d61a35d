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
mod preview;
mod reject_limit;
mod retry;
mod summary;
mod timer;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use time::Date;

use crate::data_tests;
use crate::ledger::{
    self, Ledger, LoadEntry, LoadOutcome, Moved, ObjectUpdate, Plan, Relocation, Selection,
};
use crate::log_format::ChosenFormat;
use crate::scope::{self, Scope};
use crate::{erase, model, sql, staging, tables};
use sparkify_reader::{ErasureKey, Meter, RecordKind};
use sparkify_source::{Listing, Object, Sources};
use sparkify_warehouse::{Bounds, LockScope, Warehouse, WarehouseError};

pub(crate) use administration::change;
pub use administration::{recreate, upgrade};
pub use error::EtlError;
use extract::{ExtractContext, extract, object_entry};
pub use preview::{Preview, preview};
pub use reject_limit::{DamagedObject, TooManyRejects};
use retry::{FailedAttempt, retry};
pub use summary::{LeftObject, Outcome, Step, Summary};
use timer::StepTimer;

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
    retry(warehouse, &timer, |warehouse, timer, summary| {
        load(warehouse, request, &listings, timer, summary)
    })
}

/// Reprocesses rejected records: reads their objects again, so that records that are valid by now
/// enter the model.
pub fn replay(
    warehouse: &mut dyn Warehouse,
    request: &Request,
    meter: &Arc<Meter>,
) -> Result<Summary, EtlError> {
    retry(warehouse, &StepTimer::start(meter), |warehouse, timer, summary| {
        let upgraded = tables::ensure(warehouse)?;
        let ledger = Ledger::read(warehouse)?;
        let mut work = LoadPlan { incremental: true, ..LoadPlan::default() };
        work.summary.upgraded_from = upgraded.map(|upgrade| upgrade.from);
        for kind in [RecordKind::Songs, RecordKind::Events] {
            let (mut plan, missing) = ledger.plan_reprocessing(kind.name(), &request.sources)?;
            ledger.add_group_members(&mut plan, &[], None, &request.sources)?;
            work.summary.objects_vanished.extend(missing);
            work.plans.push((kind, plan));
        }
        work.summarize();
        run(warehouse, request, &ledger, work, &Vec::new(), timer, summary)
    })
}

/// Acquires the load lock, runs `work` in one transaction and commits it. `work` fills the summary
/// step by step, so that a failed attempt still reports the counts up to the error.
fn run_transaction(
    warehouse: &mut dyn Warehouse,
    mut timer: StepTimer,
    work: &impl Fn(&mut dyn Warehouse, &mut StepTimer, &mut Summary) -> Result<(), EtlError>,
) -> Result<Summary, Box<FailedAttempt>> {
    let mut summary = Summary::default();
    let meter = Arc::clone(&timer.meter);
    meter.set_interrupter(warehouse.interrupter());
    if let Err(error) = acquire_lock(warehouse, &meter) {
        let error = error.into();
        return Err(Box::new(FailedAttempt { error, summary, is_usable: false, at_commit: false }));
    }
    let begun = begin(warehouse).map_err(EtlError::from);
    let worked = begun.and_then(|()| work(warehouse, &mut timer, &mut summary));
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

/// Begins the transaction. A lock on a table is taken inside it, so the tables are created before.
fn begin(warehouse: &mut dyn Warehouse) -> Result<(), WarehouseError> {
    if locks_a_table(warehouse) {
        tables::ensure_lockable(warehouse)?;
    }
    warehouse.run(&sql::load::BEGIN)?;
    warehouse.run(&sql::load::LOCK)
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
    lock.acquire(&mut || meter.wait_for("another load of this warehouse to end"))
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

/// Complete plan of a load.
#[derive(Default)]
struct LoadPlan {
    plans: Plans,
    /// True if only the affected part of the model is rebuilt.
    incremental: bool,
    /// Objects whose rows are deleted: vanished ones, and doubled ones.
    prune: Vec<i64>,
    /// Objects that were moved and loaded again, with their numbers of staged rows.
    doubled: BTreeMap<i64, u64>,
    /// New keys and versions of objects whose content is unchanged, by object.
    updates: BTreeMap<i64, ObjectUpdate>,
    /// New objects that were loaded from another location.
    moved: Vec<Moved>,
    summary: Summary,
}

impl LoadPlan {
    fn to_read(&self) -> impl Iterator<Item = &(i64, Object)> {
        self.plans.iter().flat_map(|(_, plan)| &plan.read)
    }

    fn is_empty(&self) -> bool {
        self.to_read().next().is_none() && self.prune.is_empty()
    }

    /// Adds the counts of the plans to the summary.
    fn summarize(&mut self) {
        for (_, plan) in &self.plans {
            self.summary.add_plan(plan);
        }
    }
}

fn load(
    warehouse: &mut dyn Warehouse,
    request: &Request,
    listings: &Listings,
    timer: &mut StepTimer,
    summary: &mut Summary,
) -> Result<(), EtlError> {
    let upgraded = tables::ensure(warehouse)?;
    let mut ledger = Ledger::read(warehouse)?;
    let started = timer.started;
    let mut work = timer.time("compare", || compare(&mut ledger, request, listings, started))?;
    work.summary.upgraded_from = upgraded.map(|upgrade| upgrade.from);
    run(warehouse, request, &ledger, work, listings, timer, summary)
}

type Plans = Vec<(RecordKind, Plan)>;

/// Compares the listings with the ledger.
fn compare(
    ledger: &mut Ledger,
    request: &Request,
    listings: &Listings,
    started: SystemTime,
) -> Result<LoadPlan, EtlError> {
    let incremental = !ledger.is_empty() && !request.full_refresh;
    let mut work = LoadPlan { incremental, ..LoadPlan::default() };
    relocate(ledger, request, listings, &mut work)?;
    for (kind, listing) in listings {
        let selection = request.selection(*kind);
        let mut plan = ledger.plan(listing, kind.name(), selection, started)?;
        plan.vanished.retain(|(id, _)| !work.doubled.contains_key(id));
        if request.prune {
            if listing.objects.is_empty() && !plan.vanished.is_empty() {
                return Err(EtlError::PruneAll { location: listing.root.clone() });
            }
            work.prune.extend(plan.vanished.iter().map(|(id, _)| *id));
            work.summary.objects_pruned += plan.vanished.len() as u64;
        }
        ledger.add_group_members(&mut plan, &work.prune, Some(listing), &request.sources)?;
        work.moved.extend(ledger.find_moved(&plan, listing, kind.name()));
        let updates = std::mem::take(&mut plan.updates).into_iter();
        work.updates.extend(updates.map(|update| (update.object_id, update)));
        work.summary.add_listing(listing);
        work.plans.push((*kind, plan));
    }
    work.prune.sort_unstable();
    work.prune.dedup();
    work.summary.add_moved(&work.moved);
    work.summarize();
    Ok(work)
}

/// Gives the entries of moved objects their new keys.
fn relocate(
    ledger: &mut Ledger,
    request: &Request,
    listings: &Listings,
    work: &mut LoadPlan,
) -> Result<(), EtlError> {
    let listings: Vec<&Listing> = listings.iter().map(|(_, listing)| listing).collect();
    for relocation in &request.relocations {
        let relocated = ledger.relocate(relocation, &listings);
        let objects = relocated.updates.len() + relocated.doubled.len();
        if objects == 0 {
            return Err(EtlError::NothingToRelocate { relocation: relocation.clone() });
        }
        work.summary.objects_relocated += objects as u64;
        work.prune.extend(relocated.doubled.keys());
        work.doubled.extend(relocated.doubled);
        let updates = relocated.updates.into_iter();
        work.updates.extend(updates.map(|update| (update.object_id, update)));
    }
    Ok(())
}

/// Runs one load from the updates of the ledger to the data tests, within the open transaction.
fn run(
    warehouse: &mut dyn Warehouse,
    request: &Request,
    ledger: &Ledger,
    mut work: LoadPlan,
    listings: &Listings,
    timer: &mut StepTimer,
    summary: &mut Summary,
) -> Result<(), EtlError> {
    *summary = std::mem::take(&mut work.summary);
    let updates = std::mem::take(&mut work.updates).into_values().collect();
    ledger::update_objects(warehouse, updates)?;
    if work.is_empty() {
        return Ok(count_rows(warehouse, summary)?);
    }
    let (load_id, incremental) = (ledger.next_load(), work.incremental);
    summary.incremental = incremental;
    let erasures = erase::read(warehouse, request.erasure_key.as_ref())?;
    let loaded_before = !ledger.is_empty();
    let context = ExtractContext { request, listings, load_id, loaded_before, erasures };
    let (tally, bounds) = extract(warehouse, &work, &context, timer)?;
    summary.add_tally(&tally, load_id, incremental);
    summary.leave(&tally.unstable, &work);
    reject_limit::check(&tally, request.max_reject_share, summary)?;
    let (started, counts) = (timer.started, summary.ledger_counts());
    let entries = tally.objects.into_iter().map(object_entry).collect();
    ledger::record_objects(warehouse, load_id, started, entries)?;
    let scope = transform(warehouse, incremental.then_some(bounds), timer)?;
    run_data_tests(warehouse, scope.as_ref(), timer)?;
    if incremental {
        warehouse.run(&sql::load::DROP_SCOPE)?;
    }
    warehouse.run(&sql::load::FINISH)?;
    let outcome = LoadOutcome::Published(summary.left_message());
    let entry = LoadEntry { load_id, started, incremental, counts, outcome };
    ledger::record_load(warehouse, &entry)?;
    Ok(count_rows(warehouse, summary)?)
}

/// Builds the model: whole or, with bounds of what was staged, the rows that the load affects.
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
