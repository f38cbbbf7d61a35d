//! What was loaded already? Every object that a load read, and what that makes of a new listing.
//!
//! An object is known by its key; whether its content is the one that was read is told by size and the store's etag, without one by size and
//! modification time, and by its fingerprint where these leave a doubt. This room reads and writes the bookkeeping tables, and touches no row of data.

mod group;
mod known;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::Date;

use known::{Known, Objects};

use crate::sql;
use sparkify_source::{Fingerprint, InOrder, Listing, Object, SourceError, Sources};
use sparkify_warehouse::{Batch, ColumnType, Listed, Opening, Value, Warehouse, WarehouseError};

/// A file that changed less than this before it was listed may change again without its time telling.
const TOO_FRESH: Duration = Duration::from_secs(2);

/// Everything that was loaded.
#[derive(Debug, Default)]
pub struct Ledger {
    objects: Objects,
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
        let answer = warehouse.query_file(&sql::load::LAST, &[], 1)?;
        let number = |index: usize| {
            answer.rows.first().and_then(|row| row.get(index)).and_then(Value::as_i64)
        };
        Ok(Self { last: number(0).unwrap_or_default(), published: number(1).is_some() })
    }
}

/// Which of the listed objects a load is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Selection {
    /// Read objects again that are loaded as they are.
    pub everything: bool,
    /// Leave out objects whose key has an earlier date, or none.
    pub since: Option<Date>,
    /// Leave out objects whose key has a later date, or none.
    pub until: Option<Date>,
}

/// What a listing means after the loads so far.
#[derive(Debug, Default)]
pub struct Plan {
    /// Objects to read, each with its number; one that was loaded before keeps its own.
    pub read: Vec<(i64, Object)>,
    /// Of these, objects that were loaded before with other content.
    pub changed: BTreeSet<i64>,
    /// How many are read again although they are loaded as they are, because nobody knows which rows are theirs among those of a group that changed.
    pub along: u64,
    /// How many objects are loaded as they are.
    pub unchanged: u64,
    /// How many objects are outside the dates of the selection.
    pub outside: u64,
    /// Objects that were loaded from this location and are no longer listed.
    pub vanished: Vec<(i64, String)>,
    /// Rows in staging of the objects that are read again or have vanished, by their number: an object that is read and not here is new.
    pub rows_held: BTreeMap<i64, u64>,
}

impl Ledger {
    /// Reads the ledger; its tables exist.
    pub fn read(warehouse: &mut dyn Warehouse) -> Result<Self, WarehouseError> {
        let mut ledger = Self::default();
        let objects = sql::load::OBJECTS.statement(Opening::full(warehouse.engine()));
        warehouse.query_each(&objects, &[], &mut ledger.objects)?;
        ledger.objects.sort();
        let numbers = ledger.objects.all().iter().map(|known| known.object_id);
        ledger.last_object = numbers.max().unwrap_or_default();
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
    pub fn plan(
        &mut self,
        listing: &Listing,
        kind: &str,
        selection: Selection,
    ) -> Result<Plan, SourceError> {
        let mut plan = Plan::default();
        // Both are in the order of their keys: one walk tells what is in both.
        let mut all = InOrder::new(self.objects.all(), |known| &known.key);
        for object in &listing.objects {
            if !selection.takes(&object.key) {
                plan.outside += 1;
                continue;
            }
            let Some(known) = all.get(&object.key) else {
                self.last_object += 1;
                plan.read.push((self.last_object, object.clone()));
                continue;
            };
            let unchanged = is_unchanged(known, object)?;
            if !unchanged {
                plan.changed.insert(known.object_id);
            }
            if unchanged && !selection.everything {
                plan.unchanged += 1;
            } else {
                plan.rows_held.insert(known.object_id, known.staged);
                plan.read.push((known.object_id, object.clone()));
            }
        }
        let below = format!("{}/", listing.root);
        let mut listed = listing.in_order();
        let were_there = self.objects.of(kind).filter(|known| known.key.starts_with(&below));
        for known in were_there.filter(|known| listed.get(&known.key).is_none()) {
            plan.rows_held.insert(known.object_id, known.staged);
            plan.vanished.push((known.object_id, known.key.to_string()));
        }
        Ok(plan)
    }

    /// The objects of one kind that hold rejects, as they lie there now, to be read again; and the keys of those that are gone.
    pub fn rejecting(
        &self,
        kind: &str,
        sources: &Sources,
    ) -> Result<(Plan, Vec<String>), SourceError> {
        let (mut plan, mut gone) = (Plan::default(), Vec::new());
        for known in self.objects.of(kind).filter(|known| known.rejected > 0) {
            match sources.find(&known.key) {
                Ok(object) => {
                    plan.rows_held.insert(known.object_id, known.staged);
                    plan.read.push((known.object_id, object));
                }
                Err(SourceError::Missing { .. }) => gone.push(known.key.to_string()),
                Err(error) => return Err(error),
            }
        }
        Ok((plan, gone))
    }
}

impl Selection {
    fn takes(&self, key: &str) -> bool {
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

/// The date that a key names: `2018-11-05` in its last part, else the folders `2018/11/05`.
fn date_in(key: &str) -> Option<Date> {
    let name = key.rsplit('/').next().unwrap_or(key);
    let written = name.as_bytes().windows(10).find_map(|part| parse_date(part, b'-'));
    written.or_else(|| key.as_bytes().windows(10).find_map(|part| parse_date(part, b'/')))
}

fn parse_date(part: &[u8], between: u8) -> Option<Date> {
    if part.get(4) != Some(&between) || part.get(7) != Some(&between) {
        return None;
    }
    let number = |range: std::ops::Range<usize>| {
        let digits = part.get(range).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
        std::str::from_utf8(digits).ok()?.parse::<u16>().ok()
    };
    let month = time::Month::try_from(u8::try_from(number(5..7)?).ok()?).ok()?;
    Date::from_calendar_date(number(0..4)?.into(), month, u8::try_from(number(8..10)?).ok()?).ok()
}

/// A day as people type it: `2018-11-05`.
pub fn day(written: &str) -> Option<Date> {
    (written.len() == 10).then(|| parse_date(written.as_bytes(), b'-')).flatten()
}

fn is_unchanged(known: &Known, object: &Object) -> Result<bool, SourceError> {
    if known.size != object.size {
        return Ok(false);
    }
    // A store's own name for the version leaves no doubt, either way.
    if let (Some(known), Some(etag)) = (&known.etag, &object.etag) {
        return Ok(known == etag);
    }
    if known.modified_ns == Some(object.modified_ns) {
        return Ok(true);
    }
    Ok(Some(object.fingerprint()?) == known.fingerprint)
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
    /// The fingerprint of its content; none where nobody here read it.
    pub fingerprint: Option<Fingerprint>,
    /// Records accepted.
    pub staged: u64,
    /// Records refused.
    pub rejected: u64,
    /// The number of the group that it was fetched with.
    pub group: Option<i64>,
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
    mut entries: Vec<Entry>,
) -> Result<(), WarehouseError> {
    // Several threads read them, in whatever order: what is written is the same each time.
    entries.sort_by_key(|entry| entry.object_id);
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
    warehouse.load(sql::ledger::ETL_LOADS.name, Arc::new(loads)).map(drop)
}

/// Whether the load of this number that began then is published.
pub fn is_published(
    warehouse: &mut dyn Warehouse,
    load_id: i64,
    started: SystemTime,
) -> Result<bool, WarehouseError> {
    let load = [Value::Int(load_id.into()), Value::Timestamp(micros(started))];
    let answer = warehouse.query_file(&sql::load::PUBLISHED, &load, 1)?;
    Ok(answer.scalar().and_then(Value::as_i64) == Some(1))
}

/// Writes that a load failed, once nothing else is left of it; it takes the next number. It was a `full` one if that was asked for, or if nothing
/// was published before it.
pub fn close_failed(
    warehouse: &mut dyn Warehouse,
    started: SystemTime,
    full: bool,
    counts: [u64; 7],
    message: String,
) -> Result<(), WarehouseError> {
    let Loads { last, published } = Loads::read(warehouse)?;
    let incremental = published && !full;
    let failure = Some(message);
    close(warehouse, &LoadEntry { load_id: last + 1, started, incremental, counts, failure })
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

/// A modification time that will tell the next version apart, or none.
fn settled(modified_ns: i64, listed: SystemTime) -> Option<i64> {
    let limit = listed.checked_sub(TOO_FRESH)?.duration_since(UNIX_EPOCH).ok()?;
    (i128::from(modified_ns) < i128::try_from(limit.as_nanos()).ok()?).then_some(modified_ns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_tells_its_date_by_its_name_or_its_folders() {
        let on = |key| date_in(key).map(|date| date.to_string());
        assert_eq!(on("/d/2018/11/2018-11-05-events.json").as_deref(), Some("2018-11-05"));
        assert_eq!(on("/d/2018/11/05/events.json").as_deref(), Some("2018-11-05"));
        assert_eq!(on("/2017-01-01/events.json"), None);
        assert_eq!(on("/d/2018-13-05-events.json"), None);
        assert_eq!(day("2018-02-30"), None);
    }
}
