//! What did a fact come from? The way back from a play to the staged rows, and from these to the bytes in their objects.
//!
//! The bytes are read again from the object, and only from an object that still is the one that was loaded: its size and its etag, or its
//! fingerprint, are compared each time, since this is asked when somebody doubts. Where it is not, staging's own values stand in. This room only reads.

use std::collections::BTreeMap;
use std::error::Error;

use serde::{Serialize, Serializer};

use crate::source::{Object, SourceError, Sources};
use crate::sql_files;
use crate::stage::{self, RawBytes};
use crate::warehouse::{Rows, SqlFile, Value, Warehouse, WarehouseError};

/// Its questions to the warehouse.
pub const QUERIES: &[SqlFile] = sql_files![
    "trace":
    "plays", "play", "events" of stage::EVENTS, "catalogue" of stage::SONGS,
];

/// How many columns of a staged row's answer say where it came from.
const LINEAGE: usize = 8;

/// Which play is meant.
#[derive(Debug, Clone)]
pub enum Asked {
    /// The one of this `songplay_id`.
    Play(uuid::Uuid),
    /// All that stand at this place of this session.
    Place {
        /// The session's number.
        session: i64,
        /// The place in it.
        item: i64,
    },
}

/// One play and everything that it came from.
#[derive(Debug, Clone, Serialize)]
pub struct Trace {
    /// The row of songplays.
    pub play: Fields,
    /// The staged events of its identity: first the one that it was made from, then its duplicates.
    pub events: Vec<Origin>,
    /// The records of the catalogue that say its song: first the one that it was matched to.
    pub catalogue: Vec<Origin>,
}

/// A staged row and where it came from.
#[derive(Debug, Clone, Serialize)]
pub struct Origin {
    /// What it is to the play.
    pub role: Role,
    /// The load that read it.
    pub load_id: i64,
    /// When that load began, UTC.
    pub loaded_at: String,
    /// The object's key; of a group the first.
    pub object: String,
    /// Where it begins in the decompressed object; none in a group.
    pub position: Option<i64>,
    /// What lies there now.
    #[serde(flatten)]
    pub now: Now,
    /// What was staged.
    pub staged: Fields,
}

/// What a staged row is to the play.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The event that the play was made from.
    Made,
    /// Another event of the same identity, which adds nothing.
    Duplicate,
    /// The record that the play was matched to.
    Matched,
    /// Another record of that song.
    SameSong,
}

/// The state of an object since it was loaded, and the bytes if they can be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "object_state", rename_all = "snake_case")]
pub enum Now {
    /// It is as it was loaded; these are the record's bytes.
    AsLoaded(RawBytes),
    /// It has other content.
    Changed,
    /// The warehouse fetched it with others, and did not say what came from where.
    InGroup {
        /// How many objects these are.
        objects: i64,
    },
    /// It is not there.
    Gone,
    /// It cannot be read.
    Unreadable {
        /// What went wrong.
        because: String,
    },
}

/// Values under the names of their columns, in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Fields(pub Vec<(String, Value)>);

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// Traces every play that is `asked` for; none when there is no such play.
pub fn trace(
    warehouse: &mut dyn Warehouse,
    sources: &Sources,
    asked: &Asked,
) -> Result<Vec<Trace>, WarehouseError> {
    let mut objects = Objects { sources: sources.clone(), seen: BTreeMap::new() };
    let ids = match asked {
        Asked::Play(id) => vec![Value::Text(id.to_string())],
        Asked::Place { session, item } => {
            let place = [Value::Int((*session).into()), Value::Int((*item).into())];
            warehouse.ask_with(&QUERIES[0], &place, usize::MAX)?.rows.concat()
        }
    };
    let traces = ids.into_iter().map(|id| follow(warehouse, id, &mut objects));
    traces.filter_map(Result::transpose).collect()
}

fn follow(
    warehouse: &mut dyn Warehouse,
    id: Value,
    objects: &mut Objects,
) -> Result<Option<Trace>, WarehouseError> {
    let id = [id];
    let Rows { columns, rows, .. } = warehouse.ask_with(&QUERIES[1], &id, 1)?;
    let Some(play) = rows.into_iter().next() else { return Ok(None) };
    let events = warehouse.ask_with(&QUERIES[2], &id, usize::MAX)?;
    let catalogue = warehouse.ask_with(&QUERIES[3], &id, usize::MAX)?;
    Ok(Some(Trace {
        play: Fields(columns.into_iter().zip(play).collect()),
        events: objects.origins(events, Role::Made, Role::Duplicate),
        catalogue: objects.origins(catalogue, Role::Matched, Role::SameSong),
    }))
}

/// The objects that were looked at, each once.
struct Objects {
    sources: Sources,
    seen: BTreeMap<String, Result<Object, Now>>,
}

/// An object as it was loaded.
struct Loaded {
    key: String,
    size: i64,
    etag: Option<String>,
    fingerprint: String,
}

impl Objects {
    fn origins(&mut self, answer: Rows, first: Role, others: Role) -> Vec<Origin> {
        let Rows { columns, rows, .. } = answer;
        let roles = std::iter::once(first).chain(std::iter::repeat(others));
        let origin = |(row, role): (Vec<Value>, Role)| {
            let number = |index: usize| row[index].as_i64().unwrap_or_default();
            let (object, position) = (row[2].to_string(), number(6));
            let loaded = Loaded {
                key: object.clone(),
                size: number(3),
                etag: row[4].as_text().map(str::to_owned),
                fingerprint: row[5].to_string(),
            };
            let (position, now) = match row[7].as_i64() {
                Some(objects) => (None, Now::InGroup { objects }),
                None => (Some(position), self.read(&loaded, position)),
            };
            let (load_id, loaded_at) = (number(0), row[1].to_string());
            let staged = columns.iter().cloned().zip(row).skip(LINEAGE).collect();
            Origin { role, load_id, loaded_at, object, position, now, staged: Fields(staged) }
        };
        rows.into_iter().zip(roles).map(origin).collect()
    }

    /// What lies at `position` of an object now.
    fn read(&mut self, loaded: &Loaded, position: i64) -> Now {
        let sources = &self.sources;
        let seen = self.seen.entry(loaded.key.clone());
        match seen.or_insert_with(|| as_loaded(loaded, sources)) {
            Err(state) => state.clone(),
            Ok(object) => {
                match stage::bytes_at(object, u64::try_from(position).unwrap_or_default()) {
                    Ok(Some(bytes)) => Now::AsLoaded(RawBytes(bytes)),
                    Ok(None) => Now::Changed,
                    Err(error) => unreadable(&error),
                }
            }
        }
    }
}

/// The object of this key, if it still is what was loaded. The same etag is the same content; without one the content is read.
fn as_loaded(loaded: &Loaded, sources: &Sources) -> Result<Object, Now> {
    let object = match sources.find(&loaded.key) {
        Ok(object) => object,
        Err(SourceError::Missing { .. } | SourceError::Gone { .. }) => return Err(Now::Gone),
        Err(error) => return Err(unreadable(&error)),
    };
    // Where the key became a folder or a link, what was found is another object.
    if *object.key != *loaded.key || i64::try_from(object.size) != Ok(loaded.size) {
        return Err(Now::Changed);
    }
    if object.etag.is_some() && object.etag.as_deref() == loaded.etag.as_deref() {
        return Ok(object);
    }
    match object.fingerprint() {
        Ok(found) if found.to_string() == loaded.fingerprint => Ok(object),
        Ok(_) => Err(Now::Changed),
        Err(error) => Err(unreadable(&error)),
    }
}

fn unreadable(error: &dyn Error) -> Now {
    let cause = error.source().map_or(String::new(), |cause| format!(": {cause}"));
    Now::Unreadable { because: format!("{error}{cause}") }
}
