//! The path, in order: list, compare with the ledger, stage, transform, check, publish.
//!
//! One load is one transaction: until the last step nothing is seen by anyone, and whatever fails leaves the warehouse as it was. This room calls
//! and counts; what each step does is written in its own room.

mod error;
mod failed;
mod preview;
mod retry;
mod summary;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Instant, SystemTime};

use rustix::time::{ClockId, clock_gettime};
use time::Date;

use crate::ledger::{self, Entry, Ledger, LoadEntry, Plan, Selection};
use crate::quality::{self, Verdict};
use crate::{model, sql, staging, tables};
use sparkify_reader::{Meter, ObjectRows, RecordKind, Tally};
use sparkify_source::{Listing, Object, Sources};
use sparkify_warehouse::{LockScope, Value, Warehouse, WarehouseError};

pub use error::EtlError;
pub use preview::{Preview, preview};
use retry::{Ended, retry};
pub use summary::{Outcome, Step, Summary};

/// No bounds: since, until, level.
const ALL_PLAYS: [Value; 3] = [Value::Null, Value::Null, Value::Null];

/// What to load.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where the song objects lie.
    pub song_data: Option<String>,
    /// Where the event objects lie.
    pub log_data: Option<String>,
    /// The share of rejects above which the load fails, from 0 to 1.
    pub max_reject_share: f64,
    /// Read every listed object again, and make the whole model anew.
    pub full_refresh: bool,
    /// Remove the rows of objects that are no longer there.
    pub prune: bool,
    /// Leave out event objects whose key has an earlier date, or none.
    pub since: Option<Date>,
    /// Leave out event objects whose key has a later date, or none.
    pub until: Option<Date>,
    /// The file of the warehouse itself, absolute: it is no input, wherever it lies.
    pub own_file: Option<String>,
    /// How the locations are reached.
    pub sources: Sources,
    /// The `JSONPaths` file by which a warehouse that fetches event objects itself finds their values.
    pub log_paths: Option<String>,
}

impl Request {
    /// What is new or changed at these locations.
    pub fn new(song_data: Option<String>, log_data: Option<String>) -> Self {
        Self {
            song_data,
            log_data,
            max_reject_share: 0.01,
            full_refresh: false,
            prune: false,
            since: None,
            until: None,
            own_file: None,
            sources: Sources::default(),
            log_paths: None,
        }
    }

    fn selection(&self, kind: RecordKind) -> Selection {
        match kind {
            RecordKind::Songs => {
                Selection { everything: self.full_refresh, ..Selection::default() }
            }
            RecordKind::Events => {
                Selection { everything: self.full_refresh, since: self.since, until: self.until }
            }
        }
    }
}

/// Loads what is new or changed, and publishes it whole or not at all.
pub fn etl(
    warehouse: &mut dyn Warehouse,
    request: &Request,
    meter: &Arc<Meter>,
) -> Result<Summary, EtlError> {
    let mut clock = Clock::start(meter);
    let listings = clock.time("list", || list(request))?;
    staging::check_loadable(warehouse, listings.iter().flat_map(|(_, listing)| &listing.objects))?;
    retry(warehouse, &clock, |warehouse, clock, summary| {
        load(warehouse, request, &listings, clock, summary)
    })
}

/// Reads the objects that hold rejects again: what can be used now leaves the rejects and enters the model, once.
pub fn replay(
    warehouse: &mut dyn Warehouse,
    request: &Request,
    meter: &Arc<Meter>,
) -> Result<Summary, EtlError> {
    retry(warehouse, &Clock::start(meter), |warehouse, clock, summary| {
        tables::ensure(warehouse)?;
        let ledger = Ledger::read(warehouse)?;
        let mut work = Work { incremental: true, ..Work::default() };
        for kind in [RecordKind::Songs, RecordKind::Events] {
            let (mut plan, gone) = ledger.rejecting(kind.name(), &request.sources)?;
            ledger.complete(&mut plan, &[], None, &request.sources)?;
            work.summary.objects_vanished.extend(gone);
            work.plans.push((kind, plan));
        }
        work.count();
        run(warehouse, request, &ledger, work, &Vec::new(), clock, summary)
    })
}

/// Does `work` in one transaction, and publishes what it did if it came to a good end. The summary grows with the work: of a load that failed,
/// it has what was known by then.
fn publish(
    warehouse: &mut dyn Warehouse,
    mut clock: Clock,
    work: &impl Fn(&mut dyn Warehouse, &mut Clock, &mut Summary) -> Result<(), EtlError>,
) -> Result<Summary, Box<Ended>> {
    let mut summary = Summary::default();
    if let Err(error) = acquire_lock(warehouse, &clock.meter) {
        let error = error.into();
        return Err(Box::new(Ended { error, summary, is_usable: false, at_commit: false }));
    }
    let begun = begin(warehouse).map_err(EtlError::from);
    if let Err(error) = begun.and_then(|()| work(warehouse, &mut clock, &mut summary)) {
        return Err(Box::new(undone(warehouse, error, summary, false)));
    }
    summary.steps.clone_from(&clock.steps);
    match clock.time("publish", || warehouse.run(&sql::load::COMMIT)) {
        Ok(()) => Ok(Summary { steps: clock.steps, ..summary }),
        Err(error) => {
            let at_commit = matches!(error, WarehouseError::Lost { .. });
            Err(Box::new(undone(warehouse, error.into(), summary, at_commit)))
        }
    }
}

/// One load is one transaction. Where a lock comes first, the tables that it is about are there before.
fn begin(warehouse: &mut dyn Warehouse) -> Result<(), WarehouseError> {
    let lock = warehouse.load_lock().map(|lock| lock.scope());
    if lock == Some(LockScope::Table) {
        tables::ensure(warehouse)?;
    }
    warehouse.run(&sql::load::BEGIN)?;
    warehouse.run(&sql::load::LOCK)
}

/// The first error is the one to tell; a connection that is gone has rolled back by itself.
fn undone(
    warehouse: &mut dyn Warehouse,
    error: EtlError,
    summary: Summary,
    at_commit: bool,
) -> Ended {
    let rolled_back = warehouse.run(&sql::load::ROLLBACK);
    if let Err(second) = &rolled_back {
        tracing::debug!("rolling back: {second}");
    }
    Ended { error, summary, is_usable: rolled_back.is_ok(), at_commit }
}

/// Updates the planner's statistics, where a load has to.
fn analyze(warehouse: &mut dyn Warehouse) -> Result<(), WarehouseError> {
    warehouse.statistics().map_or(Ok(()), |statistics| statistics.analyze())
}

/// Has the warehouse for this load alone, once another load is done.
fn acquire_lock(warehouse: &mut dyn Warehouse, meter: &Meter) -> Result<(), WarehouseError> {
    let Some(lock) = warehouse.load_lock() else { return Ok(()) };
    lock.acquire(&mut || meter.wait_for("another load of this warehouse to end"))
}

/// Drops every table of ours and creates it empty: all of it, or nothing.
pub fn recreate(warehouse: &mut dyn Warehouse, meter: &Meter) -> Result<(), WarehouseError> {
    acquire_lock(warehouse, meter)?;
    warehouse.run(&sql::load::BEGIN)?;
    match tables::recreate(warehouse) {
        Ok(()) => warehouse.run(&sql::load::COMMIT),
        Err(error) => {
            if let Err(second) = warehouse.run(&sql::load::ROLLBACK) {
                tracing::debug!("rolling back: {second}");
            }
            Err(error)
        }
    }
}

/// Whether the request names anything to load: known before a warehouse is opened.
pub fn check_request(request: &Request) -> Result<(), EtlError> {
    if request.song_data.is_none() && request.log_data.is_none() {
        return Err(EtlError::NoSource);
    }
    Ok(())
}

type Listings = Vec<(RecordKind, Listing)>;

fn list(request: &Request) -> Result<Listings, EtlError> {
    let mut listings = Vec::new();
    for (kind, location) in
        [(RecordKind::Songs, &request.song_data), (RecordKind::Events, &request.log_data)]
    {
        if let Some(location) = location {
            let mut listing = request.sources.list(location)?;
            if let Some(file) = &request.own_file {
                listing.leave_out(file);
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

/// The first key that is in both listings.
fn shared_key(one: &Listing, other: &Listing) -> Option<String> {
    let mut others = other.in_order();
    let shared = one.objects.iter().find(|object| others.get(&object.key).is_some());
    shared.map(|object| object.key.to_string())
}

/// What a load is about to do.
#[derive(Default)]
struct Work {
    plans: Plans,
    /// Whether only the touched part of the model is made anew.
    incremental: bool,
    /// Objects whose rows go without others in their place.
    prune: Vec<i64>,
    summary: Summary,
}

impl Work {
    fn to_read(&self) -> impl Iterator<Item = &(i64, Object)> {
        self.plans.iter().flat_map(|(_, plan)| &plan.read)
    }

    fn is_nothing(&self) -> bool {
        self.to_read().next().is_none() && self.prune.is_empty()
    }

    /// Enters the plans in the summary.
    fn count(&mut self) {
        for (_, plan) in &self.plans {
            self.summary.plan(plan);
        }
    }
}

fn load(
    warehouse: &mut dyn Warehouse,
    request: &Request,
    listings: &Listings,
    clock: &mut Clock,
    summary: &mut Summary,
) -> Result<(), EtlError> {
    tables::ensure(warehouse)?;
    let mut ledger = Ledger::read(warehouse)?;
    let work = clock.time("compare", || compare(&mut ledger, request, listings))?;
    run(warehouse, request, &ledger, work, listings, clock, summary)
}

type Plans = Vec<(RecordKind, Plan)>;

/// What the listings mean after the loads so far.
fn compare(ledger: &mut Ledger, request: &Request, listings: &Listings) -> Result<Work, EtlError> {
    let mut work =
        Work { incremental: !ledger.is_empty() && !request.full_refresh, ..Work::default() };
    for (kind, listing) in listings {
        let mut plan = ledger.plan(listing, kind.name(), request.selection(*kind))?;
        if request.prune {
            if listing.objects.is_empty() && !plan.vanished.is_empty() {
                return Err(EtlError::PruneAll { location: listing.root.clone() });
            }
            work.prune.extend(plan.vanished.iter().map(|(id, _)| *id));
        }
        ledger.complete(&mut plan, &work.prune, Some(listing), &request.sources)?;
        work.summary.objects_ignored.extend(listing.ignored.iter().cloned());
        work.plans.push((*kind, plan));
    }
    work.summary.objects_pruned = work.prune.len() as u64;
    work.count();
    Ok(work)
}

/// One load, from staging to the checks.
fn run(
    warehouse: &mut dyn Warehouse,
    request: &Request,
    ledger: &Ledger,
    mut work: Work,
    listings: &Listings,
    clock: &mut Clock,
    summary: &mut Summary,
) -> Result<(), EtlError> {
    *summary = std::mem::take(&mut work.summary);
    if work.is_nothing() {
        return Ok(count(warehouse, summary)?);
    }
    let (load_id, incremental) = (ledger.next_load(), work.incremental);
    summary.incremental = incremental;
    let order = Extract { request, listings, load_id, loaded_before: !ledger.is_empty() };
    let tally = extract(warehouse, &work, &order, clock)?;
    let share = summary.take(&tally, load_id, incremental);
    if share > request.max_reject_share {
        return Err(EtlError::TooManyRejects {
            rejected: tally.rejected(),
            share,
            limit: request.max_reject_share,
            samples: tally.samples,
        });
    }
    let (started, counts) = (clock.started, summary.ledger_counts());
    let entries = tally.objects.into_iter().map(entry_of).collect();
    ledger::record(warehouse, load_id, started, entries)?;
    transform(warehouse, incremental, clock)?;
    check(warehouse, incremental, clock)?;
    warehouse.run(&sql::load::FINISH)?;
    let entry = LoadEntry { load_id, started, incremental, counts, failure: None };
    ledger::close(warehouse, &entry)?;
    Ok(count(warehouse, summary)?)
}

/// Around the objects of a load.
struct Extract<'a> {
    request: &'a Request,
    listings: &'a Listings,
    load_id: i64,
    loaded_before: bool,
}

impl<'a> Extract<'a> {
    fn of(&self, kind: RecordKind, plan: &Plan) -> staging::Order<'a> {
        let listing = self.listings.iter().find(|(of, _)| *of == kind);
        staging::Order {
            kind,
            load_id: self.load_id,
            objects: plan.read.clone(),
            listing: listing.map(|(_, listing)| listing),
            log_paths: self.request.log_paths.as_deref(),
            sources: &self.request.sources,
        }
    }
}

/// Retires what the objects held before, and reads them into staging.
fn extract(
    warehouse: &mut dyn Warehouse,
    work: &Work,
    order: &Extract<'_>,
    clock: &mut Clock,
) -> Result<Tally, EtlError> {
    warehouse.run(&sql::load::PREPARE)?;
    let meter = Arc::clone(&clock.meter);
    meter.objects_total.store(work.to_read().count() as u64, Ordering::Relaxed);
    meter.bytes_total.store(work.to_read().map(|(_, object)| object.size).sum(), Ordering::Relaxed);
    if order.loaded_before {
        let objects = work.to_read().map(|(id, _)| *id).chain(work.prune.iter().copied());
        ledger::announce(warehouse, objects.collect())?;
        clock.time("retire", || {
            if work.incremental {
                warehouse.run(&sql::load::AFFECTED_KEYS)?;
            }
            warehouse.run(&sql::load::DELETE_REPLACED)
        })?;
    }
    let mut tally = Tally::default();
    for (kind, plan) in &work.plans {
        let read = clock.time(&format!("stage {}", kind.name()), || {
            let read = staging::stage(warehouse, order.of(*kind, plan), &meter)?;
            analyze(warehouse)?;
            Ok::<_, EtlError>(read)
        })?;
        tally.merge(read);
    }
    if work.incremental {
        warehouse.run(&sql::load::AFFECTED_KEYS)?;
    }
    Ok(tally)
}

fn entry_of(rows: ObjectRows) -> Entry {
    Entry {
        object_id: rows.object_id,
        object: rows.object,
        source: rows.kind.name(),
        fingerprint: rows.fingerprint,
        staged: rows.staged,
        rejected: rows.rejected,
        group: rows.group,
    }
}

fn transform(
    warehouse: &mut dyn Warehouse,
    incremental: bool,
    clock: &mut Clock,
) -> Result<(), EtlError> {
    if incremental {
        clock.time("find affected keys", || {
            analyze(warehouse)?;
            warehouse.run(&sql::load::SCOPE)?;
            analyze(warehouse)
        })?;
    }
    for table in model::TABLES {
        clock.time(table.name, || {
            model::build(warehouse, table, incremental)?;
            analyze(warehouse)
        })?;
    }
    Ok(())
}

fn check(
    warehouse: &mut dyn Warehouse,
    incremental: bool,
    clock: &mut Clock,
) -> Result<(), EtlError> {
    let verdicts = clock.time("check", || quality::run(warehouse, incremental))?;
    let failed: Vec<Verdict> = verdicts.into_iter().filter(|verdict| !verdict.passed()).collect();
    if failed.is_empty() { Ok(()) } else { Err(EtlError::ChecksFailed { failed }) }
}

/// What is in the tables now.
fn count(warehouse: &mut dyn Warehouse, summary: &mut Summary) -> Result<(), WarehouseError> {
    let number = |value: &Value| value.as_i64().and_then(|count| u64::try_from(count).ok());
    for row in warehouse.query_file(&sql::counts::ROW_COUNTS, &[], usize::MAX)?.rows {
        if let [Value::Text(table), rows] = row.as_slice() {
            summary.tables.push((table.clone(), number(rows).unwrap_or_default()));
        }
    }
    for row in warehouse.query_file(&sql::counts::MATCH_COVERAGE, &ALL_PLAYS, usize::MAX)?.rows {
        if let [Value::Text(method), plays, ..] = row.as_slice() {
            summary.matched.push((method.clone(), number(plays).unwrap_or_default()));
        }
    }
    summary.bytes_spilled =
        warehouse.statistics().map_or(0, |statistics| statistics.bytes_spilled());
    let duplicates = warehouse.query_file(&sql::load::DUPLICATES, &[], 1)?;
    summary.duplicates = duplicates.scalar().and_then(number).unwrap_or_default();
    Ok(())
}

/// Times the steps and tells the meter which one is running.
#[derive(Clone)]
struct Clock {
    meter: Arc<Meter>,
    started: SystemTime,
    steps: Vec<Step>,
}

impl Clock {
    fn start(meter: &Arc<Meter>) -> Self {
        Self { meter: Arc::clone(meter), started: SystemTime::now(), steps: Vec::new() }
    }

    fn time<T>(&mut self, name: &str, work: impl FnOnce() -> T) -> T {
        self.meter.enter(name);
        let (started, cpu) = (Instant::now(), cpu_seconds());
        let result = work();
        self.steps.push(Step {
            name: name.into(),
            seconds: started.elapsed().as_secs_f64(),
            cpu_seconds: cpu_seconds() - cpu,
        });
        result
    }
}

/// The time of the processor that this process has taken so far, in seconds.
fn cpu_seconds() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}
