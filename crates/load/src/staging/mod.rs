//! Staging: brings objects into the staging tables, and rejected records into `etl_rejects`.
//!
//! Objects are read by `sparkify_reader`, or copied by the warehouse itself ([`direct`]).

pub mod direct;
mod json_paths;
mod repair;

use std::sync::Arc;

use sparkify_reader::{Meter, ReadError, Reader, RecordKind, Rejects, Tally, TextLimits};
use sparkify_source::{Listing, Object, Sources};
use sparkify_warehouse::{Batch, Opening, RowSource, Warehouse, WarehouseError};
use thiserror::Error;

pub use direct::DirectError;

/// What is to be staged, and what is known around it.
#[derive(Debug)]
pub struct Order<'a> {
    /// What the objects hold.
    pub kind: RecordKind,
    /// The load that reads them.
    pub load_id: i64,
    /// The objects, each with its number in the ledger.
    pub objects: Vec<(i64, Object)>,
    /// The listing that they are from; none when they were looked for one by one.
    pub listing: Option<&'a Listing>,
    /// The `JSONPaths` file for event objects that a warehouse fetches itself.
    pub log_paths: Option<&'a str>,
    /// Where objects are to be had.
    pub sources: &'a Sources,
}

/// Checks that the rows of `objects` can be loaded into this warehouse as configured: by bulk insert, or copied by the
/// warehouse from S3.
pub fn check_loadable<'a>(
    warehouse: &mut dyn Warehouse,
    mut objects: impl Iterator<Item = &'a Object>,
) -> Result<(), WarehouseError> {
    match warehouse.remote_copy() {
        Some(remote) if !remote.supports_bulk_insert() && !objects.all(Object::is_remote) => {
            Err(WarehouseError::NoStaging)
        }
        _ => Ok(()),
    }
}

/// Stages the objects of `order` in the staging table of their kind, and their rejects in `etl_rejects`.
pub fn stage(
    warehouse: &mut dyn Warehouse,
    order: Order<'_>,
    meter: &Arc<Meter>,
) -> Result<Tally, StageError> {
    if order.objects.is_empty() {
        return Ok(Tally::default());
    }
    check_loadable(warehouse, order.objects.iter().map(|(_, object)| object))?;
    let remote = warehouse.remote_copy().filter(|remote| !remote.supports_bulk_insert());
    match remote.map(|remote| remote.naming()) {
        Some(naming) => direct::stage(warehouse, &order, naming, meter),
        None => {
            let reader = Reader::new(order.kind, order.load_id, order.objects, Arc::clone(meter));
            read(warehouse, order.kind, order.load_id, reader)
        }
    }
}

/// Reads the objects of `reader` in this process.
fn read(
    warehouse: &mut dyn Warehouse,
    kind: RecordKind,
    load_id: i64,
    reader: Reader,
) -> Result<Tally, StageError> {
    let reader = Arc::new(reader.limited(text_limits(warehouse, kind)));
    let loaded = warehouse.load(kind.table(), reader.clone());
    // The reader's own error is more precise than what the engine reports of it.
    let (mut tally, rejects) = reader.finish()?;
    loaded?;
    keep(warehouse, rejects, load_id, &mut tally)?;
    Ok(tally)
}

/// Returns how long a text may be in each column of the staging table.
fn text_limits(warehouse: &mut dyn Warehouse, kind: RecordKind) -> TextLimits {
    let opening = Opening::full(warehouse.engine());
    let Some(remote) = warehouse.remote_copy() else { return TextLimits::default() };
    let columns = kind.ddl().columns(opening);
    TextLimits::new(columns.iter().map(|column| remote.text_limit(&column.declared_type)).collect())
}

/// The keys of those of `objects` that hold what is no record: all are read, and nothing is kept.
fn rejecting(kind: RecordKind, objects: Vec<(i64, Object)>) -> Result<Vec<String>, StageError> {
    let reader = Reader::new(kind, 0, objects, Arc::default());
    let drain = || {
        let mut batch = Batch::new(&kind.columns());
        // The reader keeps the error.
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

/// Writes rejects, and counts them.
fn keep(
    warehouse: &mut dyn Warehouse,
    rejects: Rejects,
    load_id: i64,
    tally: &mut Tally,
) -> Result<(), StageError> {
    tally.rejects.clone_from(&rejects.by_reason);
    tally.samples.clone_from(&rejects.samples);
    if rejects.count > 0 {
        let source = rejects.into_source(load_id).map_err(ReadError::Spool)?;
        warehouse.load("etl_rejects", Arc::new(source))?;
    }
    Ok(())
}

/// Failure of staging.
#[derive(Debug, Error)]
pub enum StageError {
    /// Objects could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The warehouse did not take the rows.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    /// The warehouse could not copy the objects itself.
    #[error(transparent)]
    Direct(#[from] DirectError),
}
