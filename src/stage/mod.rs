//! What rows did we read? From the bytes of objects to typed rows of the staging tables, and to rejects with their bytes.
//!
//! `records` cuts a stream into records, `json` finds the values in one, `schema` types them, `text` repairs them: that is the tolerant way, which
//! decides what is a row and what is not. `shape` and `quick` read the records that are written like those before them, which is nearly all, in one
//! look; `block` is what they look with. `worker` goes both ways, `reader` runs it on all threads, and `large` has several threads read one object.
//! A warehouse that fetches objects itself is told to by `direct`, which knows what is left to do here.
//! Nothing here changes what a value means: that is the model's.

mod block;
mod bytes;
mod direct;
mod json;
#[cfg(any(test, fuzzing))]
pub mod judge;
mod large;
mod limits;
mod mend;
mod meter;
mod number;
mod paths;
mod quick;
mod reader;
mod records;
mod rejects;
mod schema;
mod shape;
mod text;
mod worker;

use std::collections::BTreeMap;
use std::sync::Arc;

use thiserror::Error;

use crate::source::{Content, Fingerprint, Listing, Object, SourceError, Sources};
use crate::sql_files;
use crate::warehouse::{Batch, RowSource, SqlFile, Warehouse, WarehouseError};

pub use bytes::{RawBytes, visible, visible_lines};
pub use direct::{DirectError, STEPS as DIRECT};
pub use meter::Meter;
pub use rejects::Sample;
pub use schema::RecordKind;

/// Staging tables. Their files are the schema of the records: each column line names the JSON key that fills it.
pub const TABLES: &[SqlFile] = sql_files!["stage": "staging_events", "staging_songs"];

/// Staging table of events.
pub const EVENTS: &SqlFile = &TABLES[0];

/// Staging table of song records.
pub const SONGS: &SqlFile = &TABLES[1];

/// What was read from one object.
#[derive(Debug, Clone)]
pub struct ObjectRows {
    /// Its number in the ledger.
    pub object_id: i64,
    /// The object as it was listed.
    pub object: Object,
    /// What it holds.
    pub kind: RecordKind,
    /// The fingerprint of its content; none where nobody here read it.
    pub fingerprint: Option<Fingerprint>,
    /// Records accepted.
    pub staged: u64,
    /// Records refused.
    pub rejected: u64,
    /// The number of its group, if the warehouse fetched it with others: the rows of all stand at that number, and are counted there.
    pub group: Option<i64>,
}

impl Default for ObjectRows {
    fn default() -> Self {
        Self {
            object_id: 0,
            object: Object::default(),
            kind: RecordKind::Events,
            fingerprint: None,
            staged: 0,
            rejected: 0,
            group: None,
        }
    }
}

/// What a load read.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Each object.
    pub objects: Vec<ObjectRows>,
    /// Unknown keys, and in how many records each stood.
    pub extra_keys: BTreeMap<String, u64>,
    /// Values that had been encoded twice, by `kind.key`.
    pub repairs: BTreeMap<String, u64>,
    /// Records refused, by reason.
    pub rejects: BTreeMap<String, u64>,
    /// The first few of them.
    pub samples: Vec<Sample>,
    /// Objects that the warehouse was to fetch, and that were read here, since it refused records of them.
    pub given_back: u64,
}

impl Tally {
    /// Adds what another part of the load read.
    pub fn merge(&mut self, other: Self) {
        if self.objects.is_empty() {
            self.objects = other.objects;
        } else {
            self.objects.extend(other.objects);
        }
        self.samples.extend(other.samples);
        self.given_back += other.given_back;
        for (ours, theirs) in [
            (&mut self.extra_keys, other.extra_keys),
            (&mut self.repairs, other.repairs),
            (&mut self.rejects, other.rejects),
        ] {
            for (name, count) in theirs {
                *ours.entry(name).or_default() += count;
            }
        }
    }

    /// Records accepted of one kind.
    pub fn staged(&self, kind: RecordKind) -> u64 {
        self.objects.iter().filter(|rows| rows.kind == kind).map(|rows| rows.staged).sum()
    }

    /// Objects that the warehouse fetched itself.
    pub fn fetched(&self) -> u64 {
        self.objects.iter().filter(|rows| rows.group.is_some()).count() as u64
    }

    /// Records refused.
    pub fn rejected(&self) -> u64 {
        self.objects.iter().map(|rows| rows.rejected).sum()
    }
}

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

/// How many rows are to be expected, for a warehouse that takes many otherwise than few.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Amount {
    Many,
    Few,
}

/// Whether the rows of `objects` can come into this warehouse as it is set up: read here, or fetched by it from where they lie.
pub fn can_read<'a>(
    warehouse: &dyn Warehouse,
    mut objects: impl Iterator<Item = &'a Object>,
) -> Result<(), WarehouseError> {
    let fetches = || warehouse.fetches().is_some();
    if warehouse.takes_rows_in_number() || (fetches() && objects.all(Object::is_far)) {
        return Ok(());
    }
    Err(WarehouseError::NoStaging)
}

/// Brings the objects of `order` into the staging table of their kind, and their rejects into `etl_rejects`.
pub fn stage(
    warehouse: &mut dyn Warehouse,
    order: Order<'_>,
    meter: &Arc<Meter>,
) -> Result<Tally, StageError> {
    if order.objects.is_empty() {
        return Ok(Tally::default());
    }
    can_read(warehouse, order.objects.iter().map(|(_, object)| object))?;
    match warehouse.fetches().filter(|_| !warehouse.takes_rows_in_number()) {
        Some(naming) => direct::stage(warehouse, &order, naming, meter),
        None => read(warehouse, order.kind, order.load_id, order.objects, meter, Amount::Many),
    }
}

/// Reads `objects` here.
fn read(
    warehouse: &mut dyn Warehouse,
    kind: RecordKind,
    load_id: i64,
    objects: Vec<(i64, Object)>,
    meter: &Arc<Meter>,
    amount: Amount,
) -> Result<Tally, StageError> {
    if objects.is_empty() {
        return Ok(Tally::default());
    }
    let reader = reader::Reader::new(kind, load_id, objects, Arc::clone(meter));
    let reader = Arc::new(reader.limited(limits::Limits::of(warehouse, kind)).expecting(amount));
    let loaded = warehouse.load(kind.table(), reader.clone());
    // The reader's own error says more than what the engine made of it.
    let (mut tally, rejects) = reader.finish()?;
    loaded?;
    keep(warehouse, rejects, load_id, &mut tally)?;
    Ok(tally)
}

/// The keys of those of `objects` that hold what is no record: all are read, and nothing is kept.
fn rejecting(kind: RecordKind, objects: Vec<(i64, Object)>) -> Result<Vec<String>, StageError> {
    let reader = reader::Reader::new(kind, 0, objects, Arc::default());
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
    rejects: rejects::Rejects,
    load_id: i64,
    tally: &mut Tally,
) -> Result<(), StageError> {
    tally.rejects.clone_from(&rejects.by_reason);
    tally.samples.clone_from(&rejects.samples);
    if rejects.count > 0 {
        let source = rejects.into_source(load_id).map_err(StageError::Spool)?;
        warehouse.load("etl_rejects", Arc::new(source))?;
    }
    Ok(())
}

/// The rows of `objects` as [`stage`] hands them to a warehouse: for whoever wants them without one. What was refused is not told.
pub fn rows(kind: RecordKind, objects: Vec<Object>) -> impl RowSource {
    let numbered = (1..).zip(objects).collect();
    reader::Reader::new(kind, 1, numbered, Arc::default())
}

/// The bytes of the record or reject that begins at `offset` of the decompressed `object`; none when nothing begins there.
pub fn bytes_at(object: &Object, offset: u64) -> Result<Option<Vec<u8>>, StageError> {
    // Of an object that is far away and not compressed, only what begins there is fetched.
    if object.is_far()
        && let Some(bytes) = record_at(object, offset)?
    {
        return Ok(Some(bytes));
    }
    let mut content = Content::open(object)?;
    let mut records = records::Records::new();
    loop {
        match records.next(&mut content, &mut records::Unread)? {
            records::Item::Record { offset: at, start, end } if at == offset => {
                return Ok(Some(records.window()[start..end].to_vec()));
            }
            records::Item::Reject { offset: at, .. } if at == offset => {
                return Ok(Some(records.scrap().to_vec()));
            }
            records::Item::End => return Ok(None),
            _ => {}
        }
    }
}

/// The record that stands right at `offset` of an object, if the bytes there are one by themselves.
fn record_at(object: &Object, offset: u64) -> Result<Option<Vec<u8>>, StageError> {
    if Content::open(object)?.is_compressed() {
        return Ok(None);
    }
    let mut content = Content::open_at(object, offset)?;
    let mut records = records::Records::new();
    match records.next(&mut content, &mut records::Unread)? {
        records::Item::Record { offset: 0, start, end } => {
            Ok(Some(records.window()[start..end].to_vec()))
        }
        _ => Ok(None),
    }
}

/// Why staging came to no end.
#[derive(Debug, Error)]
pub enum StageError {
    /// The bytes could not be had.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The warehouse did not take the rows.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    /// The warehouse could not fetch the objects itself.
    #[error(transparent)]
    Direct(#[from] DirectError),
    /// Rejects could not be kept.
    #[error("cannot keep the rejects in a temporary file")]
    Spool(#[source] std::io::Error),
}
