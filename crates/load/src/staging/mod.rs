//! Staging: brings objects into the staging tables, and rejected records into `etl_rejects`.
//!
//! Objects are read by `sparkify_reader`, or copied by the warehouse itself ([`direct`]).
//!
//! An object that changes or is removed while it is read is read once more, in its version then. If
//! that fails too, it is left for the next run. Its incomplete rows are deleted both times, so
//! nothing of it is published.

pub mod direct;
mod repair;

use std::sync::Arc;

use sparkify_reader::{
    Erasures, LogFormat, Meter, ReadError, Reader, RecordKind, RejectSource, Rejects, Tally,
    TextLimits,
};
use sparkify_source::{Listing, Object, SourceError, Sources};
use sparkify_warehouse::{Batch, Opening, RowSource, Warehouse, WarehouseError, WrittenRows};
use thiserror::Error;

use crate::log_format::ChosenFormat;
use crate::{ledger, sql};

pub use direct::DirectError;

/// Request to stage objects of one kind.
#[derive(Debug)]
pub struct StageRequest<'a> {
    /// Kind of record in the objects.
    pub kind: RecordKind,
    /// Number of the load.
    pub load_id: i64,
    /// Objects with their ledger numbers.
    pub objects: Vec<(i64, Object)>,
    /// Listing that the objects are from; none if each was looked up by its key.
    pub listing: Option<&'a Listing>,
    /// Format of the events.
    pub log_format: &'a ChosenFormat,
    /// Text of the `JSONPaths` file of that format, if COPY can express it.
    pub copy_paths: Option<String>,
    /// Access to the objects.
    pub sources: &'a Sources,
    /// Erased persons, whose records are left out.
    pub erasures: Option<Arc<Erasures>>,
    /// True if nothing of the location was loaded before: it is then checked that the first records
    /// are of this kind.
    pub is_new_location: bool,
}

/// Checks that the rows of `objects` can be loaded into this warehouse as configured: by bulk
/// insert, or copied by the warehouse from S3.
pub fn check_loadable<'a>(
    warehouse: &mut dyn Warehouse,
    mut objects: impl Iterator<Item = &'a Object>,
) -> Result<(), WarehouseError> {
    match warehouse.remote_copy() {
        Some(remote) if !remote.supports_bulk_insert() && !objects.all(Object::is_copyable) => {
            Err(WarehouseError::NoStaging)
        }
        _ => Ok(()),
    }
}

/// Returns true if the warehouse inserts rows from files. Objects can then be extracted before the
/// transaction begins.
pub fn extracts_to_files(warehouse: &mut dyn Warehouse) -> bool {
    warehouse.remote_copy().is_some_and(|remote| remote.supports_bulk_insert())
}

/// Stages objects in the staging table of their kind, and rejected records in `etl_rejects`.
pub fn stage(
    warehouse: &mut dyn Warehouse,
    mut request: StageRequest<'_>,
    meter: &Arc<Meter>,
) -> Result<Tally, StageError> {
    if request.objects.is_empty() {
        return Ok(Tally::default());
    }
    check_loadable(warehouse, request.objects.iter().map(|(_, object)| object))?;
    let remote = warehouse.remote_copy().filter(|remote| !remote.supports_bulk_insert());
    if let Some(naming) = remote.map(|remote| remote.naming()) {
        direct::stage(warehouse, &request, naming, meter)
    } else {
        let objects = std::mem::take(&mut request.objects);
        read(warehouse, objects, &ReadJob::new(&request, meter))
    }
}

/// Extracts objects to files, for [`insert`]. See [`extracts_to_files`].
pub fn extract(
    warehouse: &mut dyn Warehouse,
    mut request: StageRequest<'_>,
    meter: &Arc<Meter>,
) -> Result<Vec<Extract>, StageError> {
    let mut extracts = Vec::new();
    let objects = std::mem::take(&mut request.objects);
    if !objects.is_empty() {
        let job = ReadJob { to_files: true, ..ReadJob::new(&request, meter) };
        read_stable(warehouse, objects, &job, &mut |_, extract| {
            extracts.push(extract);
            Ok(())
        })?;
    }
    Ok(extracts)
}

/// Objects that were read once.
pub struct Extract {
    tally: Tally,
    /// Rejected records, if any.
    rejects: Option<Arc<RejectSource>>,
    /// Rows in files; none if they were inserted while the objects were read.
    written: Option<WrittenRows>,
    /// Objects that were not read to their end. Their rows must not stay.
    unread: Vec<i64>,
}

/// Parameters of reading in this process.
struct ReadJob<'a> {
    request: &'a StageRequest<'a>,
    meter: &'a Arc<Meter>,
    /// True if few rows are expected.
    few: bool,
    /// True if it is an error that all first records are of the other kind.
    checks_kind: bool,
    /// True if the rows are written to files and not inserted.
    to_files: bool,
}

impl<'a> ReadJob<'a> {
    fn new(request: &'a StageRequest<'a>, meter: &'a Arc<Meter>) -> Self {
        let checks_kind = request.is_new_location;
        Self { request, meter, few: false, checks_kind, to_files: false }
    }
}

/// Parses objects in this process and inserts their rows.
fn read(
    warehouse: &mut dyn Warehouse,
    objects: Vec<(i64, Object)>,
    job: &ReadJob<'_>,
) -> Result<Tally, StageError> {
    let mut tally = Tally::default();
    read_stable(warehouse, objects, job, &mut |warehouse, extract| {
        tally.merge(insert(warehouse, job.request.load_id, &extract)?);
        Ok(())
    })?;
    Ok(tally)
}

/// Receiver of extracts, in the order in which they have to be inserted.
type ExtractSink<'a> = &'a mut dyn FnMut(&mut dyn Warehouse, Extract) -> Result<(), StageError>;

/// Parses objects, and unstable ones once more.
fn read_stable(
    warehouse: &mut dyn Warehouse,
    objects: Vec<(i64, Object)>,
    job: &ReadJob<'_>,
    sink: ExtractSink<'_>,
) -> Result<(), StageError> {
    let mut first = read_once(warehouse, objects, job)?;
    let mut again = Vec::new();
    for unstable in std::mem::take(&mut first.tally.unstable) {
        match job.request.sources.refreshed(&unstable.object) {
            Ok(object) => again.push((unstable.object_id, object)),
            Err(error) if error.is_unstable() || matches!(error, SourceError::Missing { .. }) => {
                first.tally.unstable.push(unstable);
            }
            Err(error) => return Err(ReadError::from(error).into()),
        }
    }
    sink(warehouse, first)?;
    if again.is_empty() {
        return Ok(());
    }
    let second = ReadJob { few: true, checks_kind: false, ..*job };
    let second = read_once(warehouse, again, &second)?;
    sink(warehouse, second)
}

fn read_once(
    warehouse: &mut dyn Warehouse,
    objects: Vec<(i64, Object)>,
    job: &ReadJob<'_>,
) -> Result<Extract, StageError> {
    let StageRequest { kind, load_id, sources, .. } = *job.request;
    let reader = Reader::new(kind, load_id, objects, Arc::clone(job.meter))
        .of_format(job.request.log_format.format);
    let reader = if job.few { reader.expecting_few() } else { reader };
    let reader = reader.leaving_unstable(!sources.options().strict).checking_kind(job.checks_kind);
    let reader = reader.without(job.request.erasures.clone());
    let reader = Arc::new(reader.limited(text_limits(warehouse, kind)));
    let source: Arc<dyn RowSource> = reader.clone();
    let written = match warehouse.remote_copy().filter(|_| job.to_files) {
        Some(remote) => remote.write(kind.table(), &source).map(Some),
        None => warehouse.load(kind.table(), source).map(|_| None),
    };
    // The reader's own error comes first: the engine repeats only its text.
    let (mut tally, rejects) = reader.finish()?;
    let written = written?;
    let rejects = reject_rows(rejects, load_id, &mut tally)?;
    let unread = tally.unstable.iter().map(|unstable| unstable.object_id).collect();
    Ok(Extract { tally, rejects, written, unread })
}

/// Adds the counts of rejected records to the tally, and returns their rows, if there are any.
fn reject_rows(
    rejects: Rejects,
    load_id: i64,
    tally: &mut Tally,
) -> Result<Option<Arc<RejectSource>>, StageError> {
    tally.rejects.clone_from(&rejects.by_reason);
    tally.samples.clone_from(&rejects.samples);
    let rows = (rejects.count > 0).then(|| rejects.into_source(load_id)).transpose();
    Ok(rows.map_err(ReadError::Spool)?.map(Arc::new))
}

fn insert_rejects(
    warehouse: &mut dyn Warehouse,
    rejects: Option<&Arc<RejectSource>>,
) -> Result<(), StageError> {
    let Some(rejects) = rejects else { return Ok(()) };
    rejects.rewind().map_err(ReadError::Spool)?;
    warehouse.load(sql::ledger::ETL_REJECTS.name, rejects.clone())?;
    Ok(())
}

/// Inserts rows and rejected records of an extract, except those of objects that were not read to
/// their end. It can be repeated in another transaction.
pub fn insert(
    warehouse: &mut dyn Warehouse,
    load_id: i64,
    extract: &Extract,
) -> Result<Tally, StageError> {
    if let Some((written, remote)) = extract.written.as_ref().zip(warehouse.remote_copy()) {
        remote.insert_written(written)?;
    }
    insert_rejects(warehouse, extract.rejects.as_ref())?;
    if !extract.unread.is_empty() {
        ledger::set_scope_objects(warehouse, load_id, extract.unread.clone())?;
        warehouse.run(&sql::load::DELETE_UNREAD)?;
    }
    Ok(extract.tally.clone())
}

/// Returns the maximum length of text in each column of the staging table.
fn text_limits(warehouse: &mut dyn Warehouse, kind: RecordKind) -> TextLimits {
    let opening = Opening::full(warehouse.engine());
    let Some(remote) = warehouse.remote_copy() else { return TextLimits::default() };
    let columns = kind.ddl().columns(opening);
    TextLimits::new(columns.iter().map(|column| remote.text_limit(&column.declared_type)).collect())
}

/// Parses `objects` without storing any row, and returns the keys of those that have rejected
/// records, or records with numbers that only the reader reads.
fn find_rejecting(
    kind: RecordKind,
    format: Option<LogFormat>,
    objects: Vec<(i64, Object)>,
) -> Result<Vec<String>, StageError> {
    let reader = Reader::new(kind, 0, objects, Arc::default()).of_format(format);
    let reader = reader.requiring_plain_numbers();
    let drain = || {
        let mut batch = Batch::new(&kind.columns());
        // An error ends the loop; `reader.finish` returns it.
        while reader.next(&mut batch).is_ok() && !batch.is_empty() {
            batch.clear();
        }
    };
    std::thread::scope(|threads| {
        for _ in 1..std::thread::available_parallelism().map_or(1, std::num::NonZero::get) {
            threads.spawn(drain);
        }
        drain();
    });
    let (tally, _) = reader.finish()?;
    let rejecting = tally.objects.into_iter().filter(|rows| rows.rejected > 0);
    Ok(rejecting.map(|rows| rows.object.key.to_string()).collect())
}

/// Error of staging.
#[derive(Debug, Error)]
pub enum StageError {
    /// The objects cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The warehouse refused the rows.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    /// The warehouse cannot copy the objects itself.
    #[error(transparent)]
    Direct(#[from] DirectError),
}
