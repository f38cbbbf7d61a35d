//! What could not be used, and why? The rejects of every load, to be counted, looked at and taken elsewhere.
//!
//! A room of its own beside `ledger`, which asks what was loaded in order to decide what to load next: this one asks on behalf of people, decides
//! nothing, and only reads. It knows the query for each view and hands out data; how a reject came to be is `stage`'s.

use std::fmt;
use std::io;
use std::str::FromStr;

use serde::Serialize;

use crate::sql::rejects as sql;
use sparkify_reader::RawBytes;
use sparkify_warehouse::{Opening, RowSink, SqlFile, Value, Warehouse, WarehouseError};

/// Rejects are fetched for as many objects at a time as hold about this many bytes of them.
const FETCH_BYTES: i128 = 32 << 20;

/// What a reject is called by: unique, and the same as long as its object is not replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RejectId {
    /// The object's number in the ledger.
    pub object_id: i64,
    /// Where it begins in the decompressed object.
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

    fn from_str(written: &str) -> Result<Self, ()> {
        let (object_id, position) = written.split_once(':').ok_or(())?;
        let number = |text: &str| text.parse().ok().filter(|number| *number >= 0).ok_or(());
        Ok(Self { object_id: number(object_id)?, position: number(position)? })
    }
}

/// One record that could not be used.
#[derive(Debug, Clone, Serialize)]
pub struct Reject {
    /// What it is called by.
    pub id: RejectId,
    /// The object's key.
    pub object: String,
    /// Where it begins in the decompressed object.
    pub position: i64,
    /// Its whole length in bytes.
    pub length: i64,
    /// What is wrong with it.
    pub reason: String,
    /// The load that met it.
    pub load_id: i64,
    /// When that load began, UTC.
    pub loaded_at: String,
    /// Whether it is longer than what was kept of it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
    /// How many of its bytes were kept.
    #[serde(skip)]
    pub kept: usize,
    /// Its bytes as they came.
    #[serde(flatten)]
    pub raw: RawBytes,
}

/// Which rejects are meant; by default, all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// A part of the reason, in whatever case.
    pub reason: Option<String>,
    /// A part of the object's key.
    pub object: Option<String>,
}

impl Filter {
    fn values(&self) -> [Value; 2] {
        let value = |part: &Option<String>| part.clone().map_or(Value::Null, Value::Text);
        [value(&self.reason), value(&self.object)]
    }
}

/// How many rejects have one reason.
#[derive(Debug, Clone, Serialize)]
pub struct ReasonCount {
    /// What is wrong with them.
    pub reason: String,
    /// How many they are.
    pub rejects: u64,
}

/// How many rejects `filter` means, by reason, the most frequent first.
pub fn by_reason(
    warehouse: &mut dyn Warehouse,
    filter: &Filter,
) -> Result<Vec<ReasonCount>, WarehouseError> {
    let rows = warehouse.query_file(&sql::REASONS, &filter.values(), usize::MAX)?.rows;
    let count = |row: Vec<Value>| ReasonCount {
        reason: row[0].to_string(),
        rejects: row[1].as_i64().and_then(|count| count.try_into().ok()).unwrap_or_default(),
    };
    Ok(rows.into_iter().map(count).collect())
}

/// Hands out the first `limit` rejects that `filter` means, by object and position; of a long one, an engine may tell only the first bytes.
pub fn list(
    warehouse: &mut dyn Warehouse,
    filter: &Filter,
    limit: u32,
    each: &mut dyn FnMut(Reject) -> io::Result<()>,
) -> Result<(), WarehouseError> {
    let [reason, object] = filter.values();
    ask(warehouse, &sql::LIST, &[reason, object, Value::Int(limit.into())], each)
}

/// The reject that is called `id`, if there is one.
pub fn find(warehouse: &mut dyn Warehouse, id: RejectId) -> Result<Option<Reject>, WarehouseError> {
    let mut found = None;
    let values = [Value::Int(id.object_id.into()), Value::Int(id.position.into())];
    ask(warehouse, &sql::ONE, &values, &mut |reject| {
        found = Some(reject);
        Ok(())
    })?;
    if let Some(reject) = &mut found {
        complete(warehouse, reject)?;
    }
    Ok(found)
}

/// Hands out every reject, object by object, and says how many they were.
pub fn each(
    warehouse: &mut dyn Warehouse,
    each: &mut dyn FnMut(Reject) -> io::Result<()>,
) -> Result<u64, WarehouseError> {
    let mut count = 0;
    // A part at a time: an engine may hold a whole answer in memory.
    for (first, last) in parts(warehouse)? {
        let mut part = Vec::new();
        ask(warehouse, &sql::OF_OBJECTS, &[first, last], &mut |reject| {
            part.push(reject);
            Ok(())
        })?;
        for mut reject in part {
            complete(warehouse, &mut reject)?;
            count += 1;
            each(reject).map_err(WarehouseError::Sink)?;
        }
    }
    Ok(count)
}

/// Fetches what is still missing of a reject's bytes: an engine may not tell a long value in one row.
fn complete(warehouse: &mut dyn Warehouse, reject: &mut Reject) -> Result<(), WarehouseError> {
    let RejectId { object_id, position } = reject.id;
    while reject.raw.0.len() < reject.kept {
        let behind = i128::try_from(reject.raw.0.len()).unwrap_or_default();
        let values = [object_id.into(), position.into(), behind].map(Value::Int);
        let answer = warehouse.query_file(&sql::RAW_PART, &values, 1)?;
        match answer.scalar() {
            Some(Value::Bytes(more)) if !more.is_empty() => reject.raw.0.extend(more),
            _ => {
                let message = format!("the bytes of reject {} end too early", reject.id);
                return Err(WarehouseError::Statement { message, hint: None });
            }
        }
    }
    Ok(())
}

/// The first and last object of each part that is fetched at once.
fn parts(warehouse: &mut dyn Warehouse) -> Result<Vec<(Value, Value)>, WarehouseError> {
    let mut parts: Vec<(Value, Value)> = Vec::new();
    let mut held = FETCH_BYTES;
    for row in warehouse.query_file(&sql::BY_OBJECT, &[], usize::MAX)?.rows {
        let bytes = if let Value::Int(bytes) = row[1] { bytes } else { 0 };
        match parts.last_mut() {
            Some((_, last)) if held + bytes <= FETCH_BYTES => {
                held += bytes;
                *last = row[0].clone();
            }
            _ => {
                held = bytes;
                parts.push((row[0].clone(), row[0].clone()));
            }
        }
    }
    Ok(parts)
}

fn ask(
    warehouse: &mut dyn Warehouse,
    file: &SqlFile,
    values: &[Value],
    each: &mut dyn FnMut(Reject) -> io::Result<()>,
) -> Result<(), WarehouseError> {
    let statement = file.statement(Opening::full(warehouse.engine()));
    warehouse.query_each(&statement, values, &mut Each(each))
}

struct Each<'a>(&'a mut dyn FnMut(Reject) -> io::Result<()>);

impl RowSink for Each<'_> {
    fn start(&mut self, _: Vec<String>) -> Result<(), WarehouseError> {
        Ok(())
    }

    fn row(&mut self, row: Vec<Value>) -> Result<(), WarehouseError> {
        (self.0)(reject(row)).map_err(WarehouseError::Sink)
    }
}

/// A row of the queries that answer whole rejects.
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
    fn a_reject_is_called_by_two_numbers() {
        let id: RejectId = "12:0345".parse().unwrap();
        assert_eq!((id.object_id, id.position, id.to_string().as_str()), (12, 345, "12:345"));
        for wrong in ["", "12", "12:", ":3", "12:-3", "a:b", "1:2:3", "1:99999999999999999999"] {
            assert!(wrong.parse::<RejectId>().is_err(), "{wrong}");
        }
    }
}
