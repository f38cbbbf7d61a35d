//! Lineage of a fact: from a song play to its staged rows, and from those to the bytes in their
//! source objects.
//!
//! The bytes are read from the object again, but only if it is unchanged since the load. Each trace
//! compares size and etag, or the fingerprint, because lineage is requested when data is in doubt.
//! Of a changed object, only the staged values are returned. This module only reads.

use std::collections::BTreeMap;
use std::error::Error;

use serde::{Serialize, Serializer};

use crate::sql::trace as sql;
use sparkify_reader::{RawBytes, RecordKind, bytes_at};
use sparkify_source::{Object, SourceError, Sources};
use sparkify_warehouse::{Rows, Value, Warehouse, WarehouseError};

/// Number of lineage columns before the staged columns in the queries.
const LINEAGE: usize = 8;

/// Plays to trace.
#[derive(Debug, Clone)]
pub enum TraceTarget {
    /// Play with this `songplay_id`.
    Play(uuid::Uuid),
    /// All plays at a position in a session.
    Position {
        /// Value of `session_id`.
        session: i64,
        /// Value of `item_in_session`.
        item: i64,
    },
}

/// Play with its lineage.
#[derive(Debug, Clone, Serialize)]
pub struct Trace {
    /// Row of `songplays`.
    pub play: Fields,
    /// Staged events with the identity of the play: first the one that it was built from, then
    /// duplicates.
    pub events: Vec<Origin>,
    /// Staged records of the song: first the one that the play was matched to.
    pub catalogue: Vec<Origin>,
}

/// Staged row with its source.
#[derive(Debug, Clone, Serialize)]
pub struct Origin {
    /// Relation to the play.
    pub role: Role,
    /// Number of the load that staged it.
    pub load_id: i64,
    /// Start time of that load, UTC.
    pub loaded_at: String,
    /// Key of the object; of the first object for a group.
    pub object: String,
    /// Byte offset in the decompressed object; none for a group.
    pub position: Option<i64>,
    /// Current state of the object.
    #[serde(flatten)]
    pub state: ObjectState,
    /// Staged values.
    pub staged: Fields,
}

/// Relation of a staged row to a play.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Event that the play was built from.
    Made,
    /// Another event with the same identity.
    Duplicate,
    /// Song record that the play was matched to.
    Matched,
    /// Another record of the same song.
    SameSong,
}

impl Role {
    /// Returns the kind of the record.
    fn kind(self) -> RecordKind {
        match self {
            Self::Made | Self::Duplicate => RecordKind::Events,
            Self::Matched | Self::SameSong => RecordKind::Songs,
        }
    }
}

/// State of an object compared with the time of its load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "object_state", rename_all = "snake_case")]
pub enum ObjectState {
    /// Unchanged, with the bytes of the record.
    AsLoaded(RawBytes),
    /// Content differs.
    Changed,
    /// Copied by the warehouse together with others, so that the object of the row is unknown.
    InGroup {
        /// Number of objects in the group.
        objects: i64,
    },
    /// Object no longer exists.
    #[serde(rename = "gone")]
    Missing,
    /// Object cannot be read.
    Unreadable {
        /// Error message.
        #[serde(rename = "because")]
        reason: String,
    },
}

/// Column names and values of a row, in column order.
#[derive(Debug, Clone, PartialEq)]
pub struct Fields(pub Vec<(String, Value)>);

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// Traces every play of `target`. The result is empty if there is no such play.
pub fn trace(
    warehouse: &mut dyn Warehouse,
    sources: &Sources,
    target: &TraceTarget,
) -> Result<Vec<Trace>, WarehouseError> {
    let mut objects = ObjectCache { sources: sources.clone(), objects: BTreeMap::new() };
    let ids = match target {
        TraceTarget::Play(id) => vec![Value::Text(id.to_string())],
        TraceTarget::Position { session, item } => {
            let position = [Value::Int((*session).into()), Value::Int((*item).into())];
            warehouse.query_file(&sql::PLAYS, &position, usize::MAX)?.rows.concat()
        }
    };
    let traces = ids.into_iter().map(|id| trace_play(warehouse, id, &mut objects));
    traces.filter_map(Result::transpose).collect()
}

fn trace_play(
    warehouse: &mut dyn Warehouse,
    id: Value,
    objects: &mut ObjectCache,
) -> Result<Option<Trace>, WarehouseError> {
    let id = [id];
    let Rows { columns, rows, .. } = warehouse.query_file(&sql::PLAY, &id, 1)?;
    let Some(play) = rows.into_iter().next() else { return Ok(None) };
    let events = warehouse.query_file(&sql::EVENTS, &id, usize::MAX)?;
    let catalogue = warehouse.query_file(&sql::CATALOGUE, &id, usize::MAX)?;
    Ok(Some(Trace {
        play: Fields(columns.into_iter().zip(play).collect()),
        events: objects.origins(events, Role::Made, Role::Duplicate),
        catalogue: objects.origins(catalogue, Role::Matched, Role::SameSong),
    }))
}

/// Cache of the source objects of a trace, so that each one is compared once.
struct ObjectCache {
    sources: Sources,
    objects: BTreeMap<String, Result<Object, ObjectState>>,
}

/// Object as the ledger recorded it.
struct LoadedObject {
    key: String,
    size: i64,
    etag: Option<String>,
    fingerprint: String,
}

impl ObjectCache {
    fn origins(&mut self, result: Rows, first: Role, others: Role) -> Vec<Origin> {
        let Rows { columns, rows, .. } = result;
        let roles = std::iter::once(first).chain(std::iter::repeat(others));
        let origin = |(row, role): (Vec<Value>, Role)| {
            let number = |index: usize| row[index].as_i64().unwrap_or_default();
            let (object, position) = (row[2].to_string(), number(6));
            let loaded = LoadedObject {
                key: object.clone(),
                size: number(3),
                etag: row[4].as_text().map(str::to_owned),
                fingerprint: row[5].to_string(),
            };
            let (position, state) = match row[7].as_i64() {
                Some(objects) => (None, ObjectState::InGroup { objects }),
                None => (Some(position), self.read(role.kind(), &loaded, position)),
            };
            let (load_id, loaded_at) = (number(0), row[1].to_string());
            let staged = columns.iter().cloned().zip(row).skip(LINEAGE).collect();
            Origin { role, load_id, loaded_at, object, position, state, staged: Fields(staged) }
        };
        rows.into_iter().zip(roles).map(origin).collect()
    }

    /// Reads the record at `position` of an object, if the object is unchanged.
    fn read(&mut self, kind: RecordKind, loaded: &LoadedObject, position: i64) -> ObjectState {
        let sources = &self.sources;
        let entry = self.objects.entry(loaded.key.clone());
        match entry.or_insert_with(|| find_unchanged(loaded, sources)) {
            Err(state) => state.clone(),
            Ok(object) => {
                match bytes_at(kind, object, u64::try_from(position).unwrap_or_default()) {
                    Ok(Some(bytes)) => ObjectState::AsLoaded(RawBytes(bytes)),
                    Ok(None) => ObjectState::Changed,
                    Err(error) => unreadable(&error),
                }
            }
        }
    }
}

/// Finds an object and compares it with its ledger entry: the same etag means the same content,
/// otherwise the fingerprint is computed from the content.
fn find_unchanged(loaded: &LoadedObject, sources: &Sources) -> Result<Object, ObjectState> {
    let object = match sources.find(&loaded.key) {
        Ok(object) => object,
        Err(SourceError::Missing { .. } | SourceError::Gone { .. }) => {
            return Err(ObjectState::Missing);
        }
        Err(error) => return Err(unreadable(&error)),
    };
    if i64::try_from(object.size) != Ok(loaded.size) {
        return Err(ObjectState::Changed);
    }
    if object.etag.is_some() && object.etag.as_deref() == loaded.etag.as_deref() {
        return Ok(object);
    }
    match object.fingerprint() {
        Ok(found) if found.to_string() == loaded.fingerprint => Ok(object),
        Ok(_) => Err(ObjectState::Changed),
        Err(error) => Err(unreadable(&error)),
    }
}

fn unreadable(error: &dyn Error) -> ObjectState {
    let cause = error.source().map_or(String::new(), |cause| format!(": {cause}"));
    ObjectState::Unreadable { reason: format!("{error}{cause}") }
}
