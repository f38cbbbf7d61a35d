//! Ledger of loaded objects, and the plan of an incremental load: which objects of a new listing
//! have to be read.
//!
//! An object is identified by its key. Whether its content is unchanged is decided by its version,
//! or by its fingerprint (`comparison`). This module reads and writes the load metadata tables
//! only.

mod comparison;
mod group;
mod key_dates;
mod loaded_objects;
mod relocation;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use time::Date;

use comparison::{Comparison, compare, recorded};
use loaded_objects::{LoadedObject, LoadedObjects};

use crate::sql;
use sparkify_source::{Fingerprint, InOrder, Listing, Object, SourceError, Sources};
use sparkify_warehouse::{Batch, ColumnType, Opening, RowList, Value, Warehouse, WarehouseError};

pub use comparison::ObjectUpdate;
pub use key_dates::day;
pub use relocation::{Moved, Relocated, Relocation};

/// Ledger of all loaded objects and loads.
#[derive(Debug, Default)]
pub struct Ledger {
    objects: LoadedObjects,
    loads: Loads,
    last_object: i64,
}

/// Summary of the previous loads.
#[derive(Debug, Default, Clone, Copy)]
struct Loads {
    /// Number of the last load, published or failed.
    last: i64,
    /// True if at least one load was published.
    published: bool,
}

impl Loads {
    fn read(warehouse: &mut dyn Warehouse) -> Result<Self, WarehouseError> {
        let last = warehouse.query_file(&sql::load::LAST, &[], 1)?;
        let number =
            |index: usize| last.rows.first().and_then(|row| row.get(index)).and_then(Value::as_i64);
        Ok(Self { last: number(0).unwrap_or_default(), published: number(1).is_some() })
    }
}

/// Restriction of a load to some of the listed objects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Selection {
    /// Also read objects that are unchanged since they were loaded.
    pub everything: bool,
    /// Compare the content of all objects, even if their version is unchanged.
    pub verify_content: bool,
    /// An object that changes or is removed while it is compared is an error. Otherwise it counts
    /// as changed.
    pub strict: bool,
    /// Skip objects whose key has an earlier date, or none.
    pub since: Option<Date>,
    /// Skip objects whose key has a later date, or none.
    pub until: Option<Date>,
}

/// Difference between a listing and the ledger: the work of one load for one kind of record.
#[derive(Debug, Default)]
pub struct Plan {
    /// Objects to read, with their ledger numbers. An object that was loaded before keeps its
    /// number.
    pub read: Vec<(i64, Object)>,
    /// Objects in `read` that were loaded before with other content.
    pub changed: BTreeSet<i64>,
    /// Number of unchanged objects in `read` that share a group with a changed one, so that their
    /// rows cannot be kept.
    pub reread_with_group: u64,
    /// Number of unchanged objects, which are not read.
    pub unchanged: u64,
    /// Number of objects outside the dates of the selection.
    pub outside: u64,
    /// Objects that were loaded from this location and are no longer listed.
    pub vanished: Vec<(i64, String)>,
    /// Number of staged rows of each object that is read again or has vanished. An object in `read`
    /// without an entry is new.
    pub staged_rows: BTreeMap<i64, u64>,
    /// Unchanged objects with another key or version than their entry.
    pub updates: Vec<ObjectUpdate>,
}

impl Ledger {
    /// Reads the ledger. Its tables must exist.
    pub fn read(warehouse: &mut dyn Warehouse) -> Result<Self, WarehouseError> {
        let mut ledger = Self::default();
        let objects = sql::load::OBJECTS.statement(Opening::full(warehouse.engine()));
        warehouse.query_each(&objects, &[], &mut ledger.objects)?;
        ledger.objects.sort();
        let numbers = ledger.objects.all().iter().map(|loaded| loaded.object_id);
        ledger.last_object = numbers.max().unwrap_or_default();
        ledger.loads = Loads::read(warehouse)?;
        Ok(ledger)
    }

    /// Returns the digest of the ledger in the warehouse, which changes with each load.
    pub fn digest(warehouse: &mut dyn Warehouse) -> Result<Vec<Value>, WarehouseError> {
        Ok(warehouse.query_file(&sql::load::DIGEST, &[], 1)?.rows.concat())
    }

    /// Returns true if no load was published yet.
    pub fn is_empty(&self) -> bool {
        !self.loads.published
    }

    /// Returns the number of the next load.
    pub fn next_load(&self) -> i64 {
        self.loads.last + 1
    }

    /// Compares a listing of one kind of record with the loaded objects.
    pub fn plan(
        &mut self,
        listing: &Listing,
        kind: &str,
        selection: Selection,
        started: SystemTime,
    ) -> Result<Plan, SourceError> {
        let mut plan = Plan::default();
        // Both lists are sorted by key, so one merge pass finds the common keys.
        let mut all = InOrder::new(self.objects.all(), |loaded| &loaded.key);
        for object in &listing.objects {
            if !selection.includes(&object.key) {
                plan.outside += 1;
                continue;
            }
            let Some(loaded) = all.get(&object.key) else {
                self.last_object += 1;
                plan.read.push((self.last_object, object.clone()));
                continue;
            };
            let unchanged = match compare(loaded, object, selection.verify_content) {
                // Reading it will show if it is stable by then.
                Err(error) if error.is_unstable() && !selection.strict => false,
                compared => compared? == Comparison::Unchanged,
            };
            if !unchanged {
                plan.changed.insert(loaded.object_id);
            }
            if unchanged && !selection.everything {
                plan.unchanged += 1;
                plan.updates.extend(ObjectUpdate::of(loaded, object, started));
            } else {
                plan.staged_rows.insert(loaded.object_id, loaded.staged);
                plan.read.push((loaded.object_id, object.clone()));
            }
        }
        let below = format!("{}/", listing.root);
        let mut listed = listing.in_order();
        let loaded_here = self.objects.of(kind).filter(|loaded| loaded.key.starts_with(&below));
        for loaded in loaded_here.filter(|loaded| listed.get(&loaded.key).is_none()) {
            // It may still exist.
            if listing.may_hide(&loaded.key) {
                continue;
            }
            plan.staged_rows.insert(loaded.object_id, loaded.staged);
            plan.vanished.push((loaded.object_id, loaded.key.to_string()));
        }
        Ok(plan)
    }

    /// Plans to reprocess the objects of one kind that have rejected records, in their current
    /// version. Also returns the keys of such objects that no longer exist.
    pub fn plan_reprocessing(
        &self,
        kind: &str,
        sources: &Sources,
    ) -> Result<(Plan, Vec<String>), SourceError> {
        let (mut plan, mut missing) = (Plan::default(), Vec::new());
        for loaded in self.objects.of(kind).filter(|loaded| loaded.rejected > 0) {
            match sources.find(&loaded.key) {
                Ok(object) => {
                    plan.staged_rows.insert(loaded.object_id, loaded.staged);
                    plan.read.push((loaded.object_id, object));
                }
                Err(SourceError::Missing { .. }) => missing.push(loaded.key.to_string()),
                Err(error) => return Err(error),
            }
        }
        Ok((plan, missing))
    }
}

/// Row of `etl_objects`.
#[derive(Debug, Clone)]
pub struct ObjectEntry {
    /// Number of the object in the ledger.
    pub object_id: i64,
    /// Object as it was listed.
    pub object: Object,
    /// `events` or `songs`.
    pub source: &'static str,
    /// Fingerprint of the content; none if the warehouse copied the object itself.
    pub fingerprint: Option<Fingerprint>,
    /// Number of accepted records.
    pub staged: u64,
    /// Number of rejected records.
    pub rejected: u64,
    /// Number of the group that it was copied with.
    pub group: Option<i64>,
    /// Number of valid records of erased persons.
    pub erased: u64,
}

/// Row of `etl_loads`.
#[derive(Debug, Clone)]
pub struct LoadEntry {
    /// Number of the load.
    pub load_id: i64,
    /// Start time.
    pub started: SystemTime,
    /// True if the load rebuilt only the affected part of the model.
    pub incremental: bool,
    /// Values of the columns objects, replaced, `size_bytes`, events, songs, rejects and repairs.
    pub counts: [u64; 7],
    /// Outcome.
    pub outcome: LoadOutcome,
}

/// Outcome of a load in `etl_loads`.
#[derive(Debug, Clone)]
pub enum LoadOutcome {
    /// Published, with a message if it left objects for the next run.
    Published(Option<String>),
    /// Failed, with the error message.
    Failed(String),
}

/// Number of objects above which their entries are inserted in bulk. Some 300 entries fit into one
/// statement of Redshift's Data API.
const MANY_OBJECTS: usize = 10_000;

/// Inserts the objects of a load into `etl_objects`.
pub fn record_objects(
    warehouse: &mut dyn Warehouse,
    load_id: i64,
    started: SystemTime,
    mut entries: Vec<ObjectEntry>,
) -> Result<(), WarehouseError> {
    // Threads finish objects in any order; sorting makes the written rows deterministic.
    entries.sort_by_key(|entry| entry.object_id);
    let is_bulk = entries.len() > MANY_OBJECTS
        && warehouse.remote_copy().is_none_or(|remote| remote.supports_bulk_insert());
    let objects = RowList::new(OBJECT_TYPES, entries, move |entry, batch| {
        let object = &entry.object;
        push(batch, 0, entry.object_id);
        batch.columns[1].push_bytes(object.key.as_bytes());
        batch.columns[2].push_bytes(entry.source.as_bytes());
        push(batch, 3, signed(object.size));
        let (modified_ns, version) = recorded(object, started);
        push_optional(batch, 4, modified_ns);
        push_text(batch, 5, version.as_deref());
        let fingerprint = entry.fingerprint.map(|fingerprint| fingerprint.to_string());
        batch.columns[6].push_bytes(fingerprint.unwrap_or_default().as_bytes());
        for (column, value) in
            [(7, load_id), (8, signed(entry.staged)), (9, signed(entry.rejected))]
        {
            push(batch, column, value);
        }
        push_optional(batch, 10, entry.group);
        push(batch, 11, signed(entry.erased));
    });
    let objects = objects.with_bulk(is_bulk);
    warehouse.load("etl_objects", Arc::new(objects)).map(drop)
}

/// Inserts a load that ends now into `etl_loads`.
pub fn record_load(warehouse: &mut dyn Warehouse, load: &LoadEntry) -> Result<(), WarehouseError> {
    let loads = RowList::new(LOAD_TYPES, vec![load.clone()], |load, batch| {
        push(batch, 0, load.load_id);
        push(batch, 1, micros(load.started));
        push(batch, 2, micros(SystemTime::now()));
        batch.columns[3].push_bytes(env!("CARGO_PKG_VERSION").as_bytes());
        batch.columns[4].push_bytes(if load.incremental { b"incremental" } else { b"full" });
        for (index, count) in load.counts.iter().enumerate() {
            push(batch, 5 + index, signed(*count));
        }
        let (outcome, message) = match &load.outcome {
            LoadOutcome::Published(message) => ("published", message.as_deref()),
            LoadOutcome::Failed(message) => ("failed", Some(message.as_str())),
        };
        push_text(batch, 12, Some(outcome));
        push_text(batch, 13, message);
    });
    warehouse.load(sql::ledger::ETL_LOADS.name, Arc::new(loads)).map(drop)
}

/// Returns true if the load with this number and start time is published.
pub fn is_published(
    warehouse: &mut dyn Warehouse,
    load_id: i64,
    started: SystemTime,
) -> Result<bool, WarehouseError> {
    let load = [Value::Int(load_id.into()), Value::Timestamp(micros(started))];
    let published = warehouse.query_file(&sql::load::PUBLISHED, &load, 1)?;
    Ok(published.scalar().and_then(Value::as_i64) == Some(1))
}

/// Inserts a failed load into `etl_loads` under the next number, after its transaction was rolled
/// back. Its kind is full if `full`, or if no load was published before it.
pub fn record_failed_load(
    warehouse: &mut dyn Warehouse,
    started: SystemTime,
    full: bool,
    counts: [u64; 7],
    message: String,
) -> Result<(), WarehouseError> {
    let Loads { last, published } = Loads::read(warehouse)?;
    let incremental = published && !full;
    let outcome = LoadOutcome::Failed(message);
    record_load(warehouse, &LoadEntry { load_id: last + 1, started, incremental, counts, outcome })
}

/// Inserts the numbers of objects of a load into `scope_objects`.
pub fn set_scope_objects(
    warehouse: &mut dyn Warehouse,
    load_id: i64,
    object_ids: Vec<i64>,
) -> Result<(), WarehouseError> {
    let ids = RowList::new(&[ColumnType::BigInt; 2], object_ids, move |id, batch| {
        push(batch, 0, *id);
        push(batch, 1, load_id);
    });
    warehouse.load("scope_objects", Arc::new(ids)).map(drop)
}

/// Records new keys and versions of unchanged objects.
pub fn update_objects(
    warehouse: &mut dyn Warehouse,
    updates: Vec<ObjectUpdate>,
) -> Result<(), WarehouseError> {
    const TYPES: &[ColumnType] =
        &[ColumnType::BigInt, ColumnType::Text, ColumnType::BigInt, ColumnType::Text];
    if updates.is_empty() {
        return Ok(());
    }
    warehouse.run(&sql::load::PREPARE_UPDATE)?;
    let updates = RowList::new(TYPES, updates, |update, batch| {
        push(batch, 0, update.object_id);
        push_text(batch, 1, Some(&update.key));
        push_optional(batch, 2, update.modified_ns);
        push_text(batch, 3, update.version.as_deref());
    });
    warehouse.load("known_objects", Arc::new(updates))?;
    warehouse.run(&sql::load::UPDATE_OBJECTS)
}

const OBJECT_TYPES: &[ColumnType] = &[
    ColumnType::BigInt,
    ColumnType::Text,
    ColumnType::Text,
    ColumnType::BigInt,
    ColumnType::BigInt,
    ColumnType::Text,
    ColumnType::Text,
    ColumnType::BigInt,
    ColumnType::BigInt,
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

fn push_optional(batch: &mut Batch, column: usize, value: Option<i64>) {
    match value {
        Some(value) => push(batch, column, value),
        None => batch.columns[column].push_null(),
    }
}

fn push_text(batch: &mut Batch, column: usize, value: Option<&str>) {
    match value {
        Some(text) => batch.columns[column].push_bytes(text.as_bytes()),
        None => batch.columns[column].push_null(),
    }
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn micros(moment: SystemTime) -> i64 {
    let since = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
