//! Queries on rejected records: counts by reason, lists, single records and export.
//!
//! This module only reads. The reader and [`staging`](crate::staging) decide which records are
//! rejected.

use std::fmt;
use std::io;
use std::str::FromStr;

use serde::Serialize;

use crate::sql::rejects as sql;
use sparkify_reader::RawBytes;
use sparkify_warehouse::{Opening, RowSink, SqlFile, Value, Warehouse, WarehouseError};

/// Approximate number of bytes of rejected records that one query of an export fetches.
const FETCH_BYTES: i128 = 32 << 20;

/// Identifier of a rejected record, written `object_id:position`. It is stable as long as the
/// object is not replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RejectId {
    /// Number of the object in the ledger.
    pub object_id: i64,
    /// Byte offset in the decompressed object.
    pub position: i64,
}

impl fmt::Display for RejectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.object_id, self.position)
    }
}

impl Serialize for RejectId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for RejectId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (object_id, position) = text.split_once(':').ok_or(())?;
        let number = |text: &str| text.parse().ok().filter(|number| *number >= 0).ok_or(());
        Ok(Self { object_id: number(object_id)?, position: number(position)? })
    }
}

/// Rejected record.
#[derive(Debug, Clone, Serialize)]
pub struct Reject {
    /// Identifier.
    pub id: RejectId,
    /// Key of the object.
    pub object: String,
    /// Byte offset in the decompressed object.
    pub position: i64,
    /// Length in bytes.
    pub length: i64,
    /// Reason of the rejection.
    pub reason: String,
    /// Number of the load that rejected it.
    pub load_id: i64,
    /// Start time of that load, UTC.
    pub loaded_at: String,
    /// True if the record is longer than its stored bytes.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
    /// Number of stored bytes.
    #[serde(skip)]
    pub kept: usize,
    /// Stored bytes, unchanged.
    #[serde(flatten)]
    pub raw: RawBytes,
}

/// Filter of rejected records; all by default.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Substring of the reason, case-insensitive.
    pub reason: Option<String>,
    /// Substring of the object's key.
    pub object: Option<String>,
}

impl Filter {
    fn parameters(&self) -> [Value; 2] {
        let value = |part: &Option<String>| part.clone().map_or(Value::Null, Value::Text);
        [value(&self.reason), value(&self.object)]
    }
}

/// Number of rejected records with one reason.
#[derive(Debug, Clone, Serialize)]
pub struct ReasonCount {
    /// Reason of the rejection.
    pub reason: String,
    /// Number of records.
    pub rejects: u64,
}

/// Counts the records that match `filter` by reason, most frequent first.
pub fn by_reason(
    warehouse: &mut dyn Warehouse,
    filter: &Filter,
) -> Result<Vec<ReasonCount>, WarehouseError> {
    let rows = warehouse.query_file(&sql::REASONS, &filter.parameters(), usize::MAX)?.rows;
    let count = |row: Vec<Value>| ReasonCount {
        reason: row[0].to_string(),
        rejects: row[1].as_i64().and_then(|count| count.try_into().ok()).unwrap_or_default(),
    };
    Ok(rows.into_iter().map(count).collect())
}

/// Returns the number of rejected records that are counted, but not kept, of all objects.
pub fn not_kept(warehouse: &mut dyn Warehouse) -> Result<u64, WarehouseError> {
    let count = warehouse.query_file(&sql::NOT_KEPT, &[], 1)?;
    let count = count.scalar().and_then(Value::as_i64);
    Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or_default())
}

/// Passes the first `limit` records that match `filter` to `each`, ordered by object and position.
/// An engine may return only the first bytes of a long record.
pub fn list(
    warehouse: &mut dyn Warehouse,
    filter: &Filter,
    limit: u32,
    each: &mut dyn FnMut(Reject) -> io::Result<()>,
) -> Result<(), WarehouseError> {
    let [reason, object] = filter.parameters();
    query_each(warehouse, &sql::LIST, &[reason, object, Value::Int(limit.into())], each)
}

/// Returns the record with this identifier, with all of its stored bytes.
pub fn find(warehouse: &mut dyn Warehouse, id: RejectId) -> Result<Option<Reject>, WarehouseError> {
    let mut found = None;
    let values = [Value::Int(id.object_id.into()), Value::Int(id.position.into())];
    query_each(warehouse, &sql::ONE, &values, &mut |reject| {
        found = Some(reject);
        Ok(())
    })?;
    if let Some(reject) = &mut found {
        fetch_rest(warehouse, reject)?;
    }
    Ok(found)
}

/// Passes every record to `each`, object by object, and returns their number.
pub fn for_each(
    warehouse: &mut dyn Warehouse,
    each: &mut dyn FnMut(Reject) -> io::Result<()>,
) -> Result<u64, WarehouseError> {
    let mut count = 0;
    // In several queries, because an engine may hold the whole result of one in memory.
    for (first, last) in object_ranges(warehouse)? {
        let mut rejects = Vec::new();
        query_each(warehouse, &sql::OF_OBJECTS, &[first, last], &mut |reject| {
            rejects.push(reject);
            Ok(())
        })?;
        for mut reject in rejects {
            fetch_rest(warehouse, &mut reject)?;
            count += 1;
            each(reject).map_err(WarehouseError::Sink)?;
        }
    }
    Ok(count)
}

/// Fetches the remaining bytes of a record, because some engines limit the length of a value in a
/// result.
fn fetch_rest(warehouse: &mut dyn Warehouse, reject: &mut Reject) -> Result<(), WarehouseError> {
    let RejectId { object_id, position } = reject.id;
    while reject.raw.0.len() < reject.kept {
        let offset = i128::try_from(reject.raw.0.len()).unwrap_or_default();
        let values = [object_id.into(), position.into(), offset].map(Value::Int);
        let rows = warehouse.query_file(&sql::RAW_PART, &values, 1)?;
        match rows.scalar() {
            Some(Value::Bytes(more)) if !more.is_empty() => reject.raw.0.extend(more),
            _ => {
                let message =
                    format!("the stored bytes of rejected record {} are incomplete", reject.id);
                return Err(WarehouseError::Statement { message, hint: None });
            }
        }
    }
    Ok(())
}

/// Returns the first and last object of each query of an export, so that a query fetches about
/// [`FETCH_BYTES`].
fn object_ranges(warehouse: &mut dyn Warehouse) -> Result<Vec<(Value, Value)>, WarehouseError> {
    let mut ranges: Vec<(Value, Value)> = Vec::new();
    let mut range_bytes = FETCH_BYTES;
    for row in warehouse.query_file(&sql::BY_OBJECT, &[], usize::MAX)?.rows {
        let bytes = if let Value::Int(bytes) = row[1] { bytes } else { 0 };
        match ranges.last_mut() {
            Some((_, last)) if range_bytes + bytes <= FETCH_BYTES => {
                range_bytes += bytes;
                *last = row[0].clone();
            }
            _ => {
                range_bytes = bytes;
                ranges.push((row[0].clone(), row[0].clone()));
            }
        }
    }
    Ok(ranges)
}

fn query_each(
    warehouse: &mut dyn Warehouse,
    file: &SqlFile,
    parameters: &[Value],
    each: &mut dyn FnMut(Reject) -> io::Result<()>,
) -> Result<(), WarehouseError> {
    let statement = file.statement(Opening::full(warehouse.engine()));
    warehouse.query_each(&statement, parameters, &mut RejectSink(each))
}

struct RejectSink<'a>(&'a mut dyn FnMut(Reject) -> io::Result<()>);

impl RowSink for RejectSink<'_> {
    fn start(&mut self, _: Vec<String>) -> Result<(), WarehouseError> {
        Ok(())
    }

    fn row(&mut self, row: Vec<Value>) -> Result<(), WarehouseError> {
        (self.0)(reject(row)).map_err(WarehouseError::Sink)
    }
}

/// Converts a row of the queries that return complete records.
fn reject(mut row: Vec<Value>) -> Reject {
    let raw = match row.pop() {
        Some(Value::Bytes(bytes)) => bytes,
        _ => Vec::new(),
    };
    let number = |index: usize| row.get(index).and_then(Value::as_i64).unwrap_or_default();
    let text = |index: usize| row.get(index).map(Value::to_string).unwrap_or_default();
    let (position, length, kept) = (number(1), number(2), number(7));
    Reject {
        id: RejectId { object_id: number(0), position },
        object: text(3),
        position,
        length,
        reason: text(6),
        load_id: number(4),
        loaded_at: text(5),
        truncated: kept < length,
        kept: usize::try_from(kept).unwrap_or_default(),
        raw: RawBytes(raw),
    }
}

#[cfg(test)]
mod tests {
    use super::RejectId;

    #[test]
    fn an_identifier_consists_of_two_numbers() {
        let id: RejectId = "12:0345".parse().unwrap();
        assert_eq!((id.object_id, id.position, id.to_string().as_str()), (12, 345, "12:345"));
        for wrong in ["", "12", "12:", ":3", "12:-3", "a:b", "1:2:3", "1:99999999999999999999"] {
            assert!(wrong.parse::<RejectId>().is_err(), "{wrong}");
        }
    }
}
