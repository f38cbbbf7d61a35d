//! Ledger of loaded objects, and the plan of an incremental load: which objects of a new listing
//! have to be read.
//!
//! An object is identified by its key. Its content is unchanged if size and etag are. Without an
//! etag, size and modification time decide, and the fingerprint of the content if the time differs
//! or cannot be trusted. This module reads and writes the load metadata tables only.

mod group;
mod loaded_objects;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::Date;

use loaded_objects::{LoadedObject, LoadedObjects};

use crate::sql;
use sparkify_source::{Fingerprint, InOrder, Listing, Object, SourceError, Sources};
use sparkify_warehouse::{Batch, ColumnType, Opening, RowList, Value, Warehouse, WarehouseError};

/// Minimum age of a modification time that is recorded. A younger file may change again within the
/// resolution of its file system's clock, so that the time would not show the change.
const MIN_MTIME_AGE: Duration = Duration::from_secs(2);

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
            let unchanged = is_unchanged(loaded, object)?;
            if !unchanged {
                plan.changed.insert(loaded.object_id);
            }
            if unchanged && !selection.everything {
                plan.unchanged += 1;
            } else {
                plan.staged_rows.insert(loaded.object_id, loaded.staged);
                plan.read.push((loaded.object_id, object.clone()));
            }
        }
        let below = format!("{}/", listing.root);
        let mut listed = listing.in_order();
        let loaded_here = self.objects.of(kind).filter(|loaded| loaded.key.starts_with(&below));
        for loaded in loaded_here.filter(|loaded| listed.get(&loaded.key).is_none()) {
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

impl Selection {
    fn includes(&self, key: &str) -> bool {
        if self.since.is_none() && self.until.is_none() {
            return true;
        }
        let inside = |date: Date| {
            self.since.is_none_or(|since| since <= date)
                && self.until.is_none_or(|until| date <= until)
        };
        date_in(key).is_some_and(inside)
    }
}

/// Returns the date in a key: `2018-11-05` in the file name, otherwise the folders `2018/11/05`.
fn date_in(key: &str) -> Option<Date> {
    let name = key.rsplit('/').next().unwrap_or(key);
    let written = name.as_bytes().windows(10).find_map(|part| parse_date(part, b'-'));
    written.or_else(|| key.as_bytes().windows(10).find_map(|part| parse_date(part, b'/')))
}

fn parse_date(part: &[u8], separator: u8) -> Option<Date> {
    if part.get(4) != Some(&separator) || part.get(7) != Some(&separator) {
        return None;
    }
    let number = |range: std::ops::Range<usize>| {
        let digits = part.get(range).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
        std::str::from_utf8(digits).ok()?.parse::<u16>().ok()
    };
    let month = time::Month::try_from(u8::try_from(number(5..7)?).ok()?).ok()?;
    Date::from_calendar_date(number(0..4)?.into(), month, u8::try_from(number(8..10)?).ok()?).ok()
}

/// Parses a date of the form `2018-11-05`.
pub fn day(written: &str) -> Option<Date> {
    (written.len() == 10).then(|| parse_date(written.as_bytes(), b'-')).flatten()
}

fn is_unchanged(loaded: &LoadedObject, object: &Object) -> Result<bool, SourceError> {
    if loaded.size != object.size {
        return Ok(false);
    }
    // An etag identifies the version, so it decides both ways.
    if let (Some(loaded), Some(etag)) = (&loaded.etag, &object.etag) {
        return Ok(loaded == etag);
    }
    if loaded.modified_ns == Some(object.modified_ns) {
        return Ok(true);
    }
    Ok(Some(object.fingerprint()?) == loaded.fingerprint)
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
    /// Error message of a failed load; none if it was published.
    pub failure: Option<String>,
}

/// Inserts the objects of a load into `etl_objects`.
pub fn record_objects(
    warehouse: &mut dyn Warehouse,
    load_id: i64,
    started: SystemTime,
    mut entries: Vec<ObjectEntry>,
) -> Result<(), WarehouseError> {
    // Threads finish objects in any order; sorting makes the written rows deterministic.
    entries.sort_by_key(|entry| entry.object_id);
    let objects = RowList::new(OBJECT_TYPES, entries, move |entry, batch| {
        let object = &entry.object;
        push(batch, 0, entry.object_id);
        batch.columns[1].push_bytes(object.key.as_bytes());
        batch.columns[2].push_bytes(entry.source.as_bytes());
        push(batch, 3, signed(object.size));
        match trusted_mtime(object.modified_ns, started) {
            Some(modified) => push(batch, 4, modified),
            None => batch.columns[4].push_null(),
        }
        match &object.etag {
            Some(etag) => batch.columns[5].push_bytes(etag.as_bytes()),
            None => batch.columns[5].push_null(),
        }
        let fingerprint = entry.fingerprint.map(|fingerprint| fingerprint.to_string());
        batch.columns[6].push_bytes(fingerprint.unwrap_or_default().as_bytes());
        for (column, value) in
            [(7, load_id), (8, signed(entry.staged)), (9, signed(entry.rejected))]
        {
            push(batch, column, value);
        }
        match entry.group {
            Some(group) => push(batch, 10, group),
            None => batch.columns[10].push_null(),
        }
    });
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
    let failure = Some(message);
    record_load(warehouse, &LoadEntry { load_id: last + 1, started, incremental, counts, failure })
}

/// Inserts the numbers of the objects that a load reads or prunes into `scope_objects`.
pub fn set_scope_objects(
    warehouse: &mut dyn Warehouse,
    object_ids: Vec<i64>,
) -> Result<(), WarehouseError> {
    let ids = RowList::new(&[ColumnType::BigInt], object_ids, |id, batch| push(batch, 0, *id));
    warehouse.load("scope_objects", Arc::new(ids)).map(drop)
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

/// Returns the modification time if any later change of the file would alter it, see
/// [`MIN_MTIME_AGE`].
fn trusted_mtime(modified_ns: i64, listed: SystemTime) -> Option<i64> {
    let limit = listed.checked_sub(MIN_MTIME_AGE)?.duration_since(UNIX_EPOCH).ok()?;
    (i128::from(modified_ns) < i128::try_from(limit.as_nanos()).ok()?).then_some(modified_ns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_of_a_key_is_in_its_name_or_its_folders() {
        let on = |key| date_in(key).map(|date| date.to_string());
        assert_eq!(on("/d/2018/11/2018-11-05-events.json").as_deref(), Some("2018-11-05"));
        assert_eq!(on("/d/2018/11/05/events.json").as_deref(), Some("2018-11-05"));
        assert_eq!(on("/2017-01-01/events.json"), None);
        assert_eq!(on("/d/2018-13-05-events.json"), None);
        assert_eq!(day("2018-02-30"), None);
    }
}
