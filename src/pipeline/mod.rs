//! The path, in order: list, compare with the ledger, stage, transform, check, publish.
//!
//! One load is one transaction: until the last step nothing is seen by anyone, and whatever fails leaves the warehouse as it was. This room calls
//! and counts; what each step does is written in its own room.

mod failed;
mod summary;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Instant, SystemTime};

use thiserror::Error;

use crate::ledger::{self, Entry, Ledger, LoadEntry, Plan};
use crate::quality::{self, Verdict};
use crate::source::{self, Listing, SourceError};
use crate::stage::{self, Meter, RecordKind, Sample, StageError, Tally};
use crate::warehouse::{SqlFile, Value, Warehouse, WarehouseError};
use crate::{model, sql_files, tables};

pub use summary::{Outcome, Step, Summary};

/// The steps of a load around the tables, in the order in which they are run.
pub const STEPS: &[SqlFile] = sql_files![
    "load": "begin", "commit", "rollback", "prepare", "touch", "retire", "scope", "finish", "duplicates",
];
const COUNTS: &[SqlFile] = sql_files!["report": "row_counts", "match_coverage"];

fn step(name: &str) -> &'static SqlFile {
    STEPS.iter().chain(COUNTS).find(|file| file.name == name).unwrap_or(&STEPS[0])
}

/// What to load.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where the song objects lie.
    pub song_data: Option<String>,
    /// Where the event objects lie.
    pub log_data: Option<String>,
    /// The share of rejects above which the load fails, from 0 to 1.
    pub max_reject_share: f64,
}

/// Loads what is new or changed, and publishes it whole or not at all.
pub fn etl(
    warehouse: &mut dyn Warehouse,
    request: &Request,
    meter: &Arc<Meter>,
) -> Result<Summary, EtlError> {
    let mut clock = Clock::start(meter);
    let listings = clock.time("list", || list(request))?;
    warehouse.run(step("begin"))?;
    let mut summary = Summary::default();
    match load(warehouse, request, &listings, &mut clock, &mut summary) {
        Ok(()) => {
            clock.time("publish", || warehouse.run(step("commit")))?;
            summary.steps = clock.steps;
            Ok(summary)
        }
        Err(error) => {
            // The first error is the one to tell; a connection that is gone has rolled back by itself.
            match warehouse.run(step("rollback")) {
                Ok(()) => failed::note(warehouse, clock.started, &summary, &error),
                Err(second) => tracing::debug!("rolling back: {second}"),
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
            listings.push((kind, source::list(location)?));
        }
    }
    check_request(request)?;
    let mut keys = BTreeSet::new();
    for object in listings.iter().flat_map(|(_, listing)| &listing.objects) {
        if !keys.insert(object.key.as_str()) {
            return Err(EtlError::Overlap { key: object.key.clone() });
        }
    }
    Ok(listings)
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
    let plans = clock.time("compare", || plan(&mut ledger, listings))?;
    *summary = Summary::of(listings, &plans);
    if plans.iter().all(|(_, plan)| plan.read.is_empty()) {
        return Ok(count(warehouse, summary)?);
    }
    let (load_id, incremental) = (ledger.next_load(), !ledger.is_empty());
    let tally = extract(warehouse, &plans, load_id, incremental, clock)?;
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
    check(warehouse, clock)?;
    warehouse.run(step("finish"))?;
    let entry = LoadEntry { load_id, started, incremental, counts, failure: None };
    ledger::close(warehouse, &entry)?;
    Ok(count(warehouse, summary)?)
}

type Plans = Vec<(RecordKind, Plan)>;

fn plan(ledger: &mut Ledger, listings: &Listings) -> Result<Plans, SourceError> {
    listings.iter().map(|(kind, listing)| Ok((*kind, ledger.plan(listing, kind.name())?))).collect()
}

/// Retires what changed objects held before, and reads them and the new ones into staging.
fn extract(
    warehouse: &mut dyn Warehouse,
    plans: &Plans,
    load_id: i64,
    incremental: bool,
    clock: &mut Clock,
) -> Result<Tally, EtlError> {
    warehouse.run(step("prepare"))?;
    let to_read = || plans.iter().flat_map(|(_, plan)| &plan.read);
    let meter = Arc::clone(&clock.meter);
    meter.objects_total.store(to_read().count() as u64, Ordering::Relaxed);
    meter.bytes_total.store(to_read().map(|(_, object)| object.size).sum(), Ordering::Relaxed);
    if incremental {
        ledger::announce(warehouse, to_read().map(|(id, _)| *id).collect())?;
        warehouse.run(step("touch"))?;
        warehouse.run(step("retire"))?;
    }
    let mut tally = Tally::default();
    for (kind, plan) in plans {
        let read = clock.time(&format!("stage {}", kind.name()), || {
            stage::stage(warehouse, *kind, load_id, plan.read.clone(), &meter)
        })?;
        tally.merge(read);
    }
    if incremental {
        warehouse.run(step("touch"))?;
    }
    Ok(tally)
}

fn entry_of(rows: stage::ObjectRows) -> Entry {
    Entry {
        object_id: rows.object_id,
        object: rows.object,
        source: rows.kind.name(),
        fingerprint: rows.fingerprint,
        staged: rows.staged,
        rejected: rows.rejected,
    }
}

fn transform(
    warehouse: &mut dyn Warehouse,
    incremental: bool,
    clock: &mut Clock,
) -> Result<(), EtlError> {
    if incremental {
        clock.time("find what is touched", || warehouse.run(step("scope")))?;
    }
    for table in model::TABLES {
        clock.time(table.name, || model::build(warehouse, table, incremental))?;
    }
    Ok(())
}

fn check(warehouse: &mut dyn Warehouse, clock: &mut Clock) -> Result<(), EtlError> {
    let verdicts = clock.time("check", || quality::run(warehouse))?;
    let failed: Vec<Verdict> = verdicts.into_iter().filter(|verdict| !verdict.passed()).collect();
    if failed.is_empty() { Ok(()) } else { Err(EtlError::ChecksFailed { failed }) }
}

/// What is in the tables now.
fn count(warehouse: &mut dyn Warehouse, summary: &mut Summary) -> Result<(), WarehouseError> {
    let number = |value: &Value| value.as_i64().and_then(|count| u64::try_from(count).ok());
    for row in warehouse.ask(step("row_counts"), usize::MAX)?.rows {
        if let [Value::Text(table), rows] = row.as_slice() {
            summary.tables.push((table.clone(), number(rows).unwrap_or_default()));
        }
    }
    for row in warehouse.ask(step("match_coverage"), usize::MAX)?.rows {
        if let [Value::Text(method), plays, ..] = row.as_slice() {
            summary.matched.push((method.clone(), number(plays).unwrap_or_default()));
        }
    }
    let duplicates = warehouse.ask(step("duplicates"), 1)?;
    summary.duplicates = duplicates.scalar().and_then(number).unwrap_or_default();
    Ok(())
}

/// Times the steps and tells the meter which one is running.
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
        let started = Instant::now();
        let result = work();
        self.steps.push(Step { name: name.into(), seconds: started.elapsed().as_secs_f64() });
        result
    }
}

/// Why a load was not published.
#[derive(Debug, Error)]
pub enum EtlError {
    /// Neither songs nor events were named.
    #[error("neither song data nor log data was named")]
    NoSource,
    /// The same object as songs and as events.
    #[error("`{key}` lies in the song data and in the log data")]
    Overlap {
        /// The object.
        key: String,
    },
    /// The objects could not be listed or read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The warehouse failed.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    /// The rejects could not be kept.
    #[error("cannot keep the rejects in a temporary file")]
    Spool(#[source] std::io::Error),
    /// More records were refused than allowed.
    #[error("{rejected} records ({:.2} %) cannot be used, and at most {:.2} % may be", share * 100.0, limit * 100.0)]
    TooManyRejects {
        /// Records refused.
        rejected: u64,
        /// Their share of all records.
        share: f64,
        /// The share that is allowed.
        limit: f64,
        /// The first few.
        samples: Vec<Sample>,
    },
    /// The tables that this load would publish break a check.
    #[error("{} of the checks failed", failed.len())]
    ChecksFailed {
        /// The checks that failed.
        failed: Vec<Verdict>,
    },
}

impl From<StageError> for EtlError {
    fn from(error: StageError) -> Self {
        match error {
            StageError::Source(error) => Self::Source(error),
            StageError::Warehouse(error) => Self::Warehouse(error),
            StageError::Spool(error) => Self::Spool(error),
        }
    }
}

impl EtlError {
    /// Whether the data is at fault, and not the tool or its surroundings.
    pub fn is_about_data(&self) -> bool {
        matches!(self, Self::TooManyRejects { .. } | Self::ChecksFailed { .. })
    }

    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoSource => Some(
                "give `--song-data DIR` and `--log-data DIR`, or `[S3] SONG_DATA` and `LOG_DATA` in `dwh.cfg`".into(),
            ),
            Self::Overlap { .. } => Some("name folders that do not contain each other".into()),
            Self::Source(error) => Some(error.hint()),
            Self::Warehouse(error) => error.hint(),
            Self::Spool(_) => Some("check the space in the folder of temporary files, TMPDIR".into()),
            Self::TooManyRejects { .. } => Some(
                "mend the records, or allow more with `--max-reject-share`; nothing of this load was published".into(),
            ),
            Self::ChecksFailed { .. } => Some("nothing of this load was published".into()),
        }
    }
}
