//! What was loaded already? Every object that a load read, and what that makes of a new listing.
//!
//! An object is known by its key; whether its content is the one that was read is told by size and modification time, and by its fingerprint where
//! these leave a doubt. This room reads and writes the bookkeeping tables, and touches no row of data.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::source::{Listing, Object, SourceError};
use crate::sql_files;
use crate::warehouse::{
    BATCH_ROWS, Batch, ColumnType, RowSource, SqlFile, Value, Warehouse, WarehouseError,
};

/// The bookkeeping tables.
pub const TABLES: &[SqlFile] = sql_files!["ledger": "etl_loads", "etl_objects", "etl_rejects"];

const QUERIES: &[SqlFile] = sql_files!["load": "objects", "last"];

/// A file that changed less than this before it was listed may change again without its time telling.
const TOO_FRESH: Duration = Duration::from_secs(2);

/// An object that was loaded.
#[derive(Debug, Clone)]
struct Known {
    object_id: i64,
    source: String,
    size: u64,
    modified_ns: Option<i64>,
    fingerprint: String,
}

/// Everything that was loaded.
#[derive(Debug, Default)]
pub struct Ledger {
    objects: BTreeMap<String, Known>,
    loads: Loads,
    last_object: i64,
}

/// The loads so far.
#[derive(Debug, Default, Clone, Copy)]
struct Loads {
    /// The number of the last one, however it ended.
    last: i64,
    /// Whether any was published.
    published: bool,
}

impl Loads {
    fn read(warehouse: &mut dyn Warehouse) -> Result<Self, WarehouseError> {
        let answer = warehouse.ask(&QUERIES[1], 1)?;
        let number = |index: usize| {
            answer.rows.first().and_then(|row| row.get(index)).and_then(Value::as_i64)
        };
        Ok(Self { last: number(0).unwrap_or_default(), published: number(1).is_some() })
    }
}

/// What a listing means after the loads so far.
#[derive(Debug, Default)]
pub struct Plan {
    /// Objects to read, each with its number; a changed one keeps its own.
    pub read: Vec<(i64, Object)>,
    /// How many of these were loaded before, with other content.
    pub changed: u64,
    /// Objects that are loaded as they are.
    pub unchanged: u64,
    /// Keys that were loaded from this location and are no longer listed.
    pub vanished: Vec<String>,
}

impl Ledger {
    /// Reads the ledger; its tables exist.
    pub fn read(warehouse: &mut dyn Warehouse) -> Result<Self, WarehouseError> {
        let mut ledger = Self::default();
        for row in warehouse.ask(&QUERIES[0], usize::MAX)?.rows {
            let number = |index: usize| row.get(index).and_then(Value::as_i64);
            let text = |index: usize| row.get(index).map(Value::to_string).unwrap_or_default();
            let known = Known {
                object_id: number(0).unwrap_or_default(),
                source: text(2),
                size: number(3).and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
                modified_ns: number(4),
                fingerprint: text(5),
            };
            ledger.last_object = ledger.last_object.max(known.object_id);
            ledger.objects.insert(text(1), known);
        }
        ledger.loads = Loads::read(warehouse)?;
        Ok(ledger)
    }

    /// Whether nothing was published yet.
    pub fn is_empty(&self) -> bool {
        !self.loads.published
    }

    /// The number of the load to come.
    pub fn next_load(&self) -> i64 {
        self.loads.last + 1
    }

    /// Compares a listing of one kind of record with what was loaded.
    pub fn plan(&mut self, listing: &Listing, kind: &str) -> Result<Plan, SourceError> {
        let mut plan = Plan::default();
        for object in &listing.objects {
            match self.objects.get(&object.key) {
                Some(known) if is_unchanged(known, object)? => plan.unchanged += 1,
                Some(known) => {
                    plan.changed += 1;
                    plan.read.push((known.object_id, object.clone()));
                }
                None => {
                    self.last_object += 1;
                    plan.read.push((self.last_object, object.clone()));
                }
            }
        }
        let listed: BTreeSet<&str> =
            listing.objects.iter().map(|object| object.key.as_str()).collect();
        let below = format!("{}/", listing.root);
        let gone = self.objects.iter().filter(|(key, known)| {
            known.source == kind && key.starts_with(&below) && !listed.contains(key.as_str())
        });
        plan.vanished = gone.map(|(key, _)| key.clone()).collect();
        Ok(plan)
    }
}

fn is_unchanged(known: &Known, object: &Object) -> Result<bool, SourceError> {
    if known.size != object.size {
        return Ok(false);
    }
    if known.modified_ns == Some(object.modified_ns) {
        return Ok(true);
    }
    Ok(object.fingerprint()? == known.fingerprint)
}

/// One object as the ledger is told of it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its number.
    pub object_id: i64,
    /// As it was listed.
    pub object: Object,
    /// events or songs.
    pub source: &'static str,
    /// The fingerprint of its content.
    pub fingerprint: String,
    /// Records accepted.
    pub staged: u64,
    /// Records refused.
    pub rejected: u64,
}

/// One load as the ledger is told of it, in the order of the columns behind the times.
#[derive(Debug, Clone)]
pub struct LoadEntry {
    /// Its number.
    pub load_id: i64,
    /// When it began.
    pub started: SystemTime,
    /// Whether it touched only part of the model.
    pub incremental: bool,
    /// objects, replaced, `size_bytes`, events, songs, rejects, repairs.
    pub counts: [u64; 7],
    /// Why it failed; none when it is published.
    pub failure: Option<String>,
}

/// Writes what a load read.
pub fn record(
    warehouse: &mut dyn Warehouse,
    load_id: i64,
    started: SystemTime,
    entries: Vec<Entry>,
) -> Result<(), WarehouseError> {
    let objects = Listed::new(OBJECT_TYPES, entries, move |entry, batch| {
        let object = &entry.object;
        push(batch, 0, entry.object_id);
        batch.columns[1].push_bytes(object.key.as_bytes());
        batch.columns[2].push_bytes(entry.source.as_bytes());
        push(batch, 3, signed(object.size));
        match settled(object.modified_ns, started) {
            Some(modified) => push(batch, 4, modified),
            None => batch.columns[4].push_null(),
        }
        batch.columns[5].push_bytes(entry.fingerprint.as_bytes());
        for (column, value) in
            [(6, load_id), (7, signed(entry.staged)), (8, signed(entry.rejected))]
        {
            push(batch, column, value);
        }
    });
    warehouse.load("etl_objects", Arc::new(objects)).map(drop)
}

/// Writes that a load has ended now.
pub fn close(warehouse: &mut dyn Warehouse, load: &LoadEntry) -> Result<(), WarehouseError> {
    let loads = Listed::new(LOAD_TYPES, vec![load.clone()], |load, batch| {
        push(batch, 0, load.load_id);
        push(batch, 1, micros(load.started));
        push(batch, 2, micros(SystemTime::now()));
        batch.columns[3].push_bytes(env!("CARGO_PKG_VERSION").as_bytes());
        batch.columns[4].push_bytes(if load.incremental { b"incremental" } else { b"full" });
        for (index, count) in load.counts.iter().enumerate() {
            push(batch, 5 + index, signed(*count));
        }
        match &load.failure {
            None => {
                batch.columns[12].push_bytes(b"published");
                batch.columns[13].push_null();
            }
            Some(message) => {
                batch.columns[12].push_bytes(b"failed");
                batch.columns[13].push_bytes(message.as_bytes());
            }
        }
    });
    warehouse.load(TABLES[0].name, Arc::new(loads)).map(drop)
}

/// Writes that a load failed, once nothing else is left of it; it takes the next number.
pub fn close_failed(
    warehouse: &mut dyn Warehouse,
    started: SystemTime,
    counts: [u64; 7],
    message: String,
) -> Result<(), WarehouseError> {
    let Loads { last, published } = Loads::read(warehouse)?;
    let failure = Some(message);
    let entry = LoadEntry { load_id: last + 1, started, incremental: published, counts, failure };
    close(warehouse, &entry)
}

/// The numbers of the objects that a load reads, into `scope_objects`.
pub fn announce(warehouse: &mut dyn Warehouse, object_ids: Vec<i64>) -> Result<(), WarehouseError> {
    let ids = Listed::new(&[ColumnType::BigInt], object_ids, |id, batch| push(batch, 0, *id));
    warehouse.load("scope_objects", Arc::new(ids)).map(drop)
}

const OBJECT_TYPES: &[ColumnType] = &[
    ColumnType::BigInt,
    ColumnType::Text,
    ColumnType::Text,
    ColumnType::BigInt,
    ColumnType::BigInt,
    ColumnType::Text,
    ColumnType::BigInt,
    ColumnType::BigInt,
    ColumnType::BigInt,
];

const LOAD_TYPES: &[ColumnType] = &[
    ColumnType::BigInt,
    ColumnType::Timestamp,
    ColumnType::Timestamp,
    ColumnType::Text,
    ColumnType::Text,
    ColumnType::BigInt,
    ColumnType::BigInt,
    ColumnType::BigInt,
    ColumnType::BigInt,
    ColumnType::BigInt,
    ColumnType::BigInt,
    ColumnType::BigInt,
    ColumnType::Text,
    ColumnType::Text,
];

fn push(batch: &mut Batch, column: usize, value: i64) {
    batch.columns[column].push_int(value);
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn micros(moment: SystemTime) -> i64 {
    let since = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// A modification time that will tell the next version apart, or none.
fn settled(modified_ns: i64, listed: SystemTime) -> Option<i64> {
    let limit = listed.checked_sub(TOO_FRESH)?.duration_since(UNIX_EPOCH).ok()?;
    (i128::from(modified_ns) < i128::try_from(limit.as_nanos()).ok()?).then_some(modified_ns)
}

/// Rows made from a list of items.
struct Listed<T, F> {
    types: &'static [ColumnType],
    items: Mutex<std::vec::IntoIter<T>>,
    append: F,
}

impl<T, F: Fn(&T, &mut Batch)> Listed<T, F> {
    fn new(types: &'static [ColumnType], items: Vec<T>, append: F) -> Self {
        Self { types, items: Mutex::new(items.into_iter()), append }
    }
}

impl<T: Send, F: Fn(&T, &mut Batch) + Send + Sync> RowSource for Listed<T, F> {
    fn types(&self) -> Vec<ColumnType> {
        self.types.to_vec()
    }

    fn next(&self, batch: &mut Batch) -> Result<(), String> {
        let mut items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        for item in items.by_ref().take(BATCH_ROWS) {
            (self.append)(&item, batch);
        }
        Ok(())
    }
}
