//! What rows did we read? From the bytes of objects to typed rows of the staging tables, and to rejects with their bytes.
//!
//! `records` cuts a stream into records, `json` finds the values in one, `schema` types them, `text` repairs them: that is the tolerant way, which
//! decides what is a row and what is not. `shape` and `quick` read the records that are written like those before them, which is nearly all, in one
//! look; `block` is what they look with. `worker` goes both ways, `reader` runs it on all threads, and `large` has several threads read one object.
//! A warehouse that fetches objects itself is told to by `direct`, which knows what is left to do here.
//! Nothing here changes what a value means: that is the model's.

mod block;
mod bytes;
#[cfg(any(test, fuzzing))]
pub mod differential;
mod fast_path;
mod json;
mod large;
mod limits;
mod meter;
mod number;
mod reader;
mod record_template;
mod records;
mod rejects;
mod schema;
mod text;
mod worker;

use std::collections::BTreeMap;
use std::sync::Arc;

use thiserror::Error;

use sparkify_source::{Content, Fingerprint, Object, SourceError};
use sparkify_warehouse::{RowSource, sql_files};

pub use bytes::{RawBytes, visible, visible_lines};
pub use limits::TextLimits;
pub use meter::Meter;
pub use reader::Reader;
pub use rejects::{Reject, Rejects, Sample};
pub use schema::RecordKind;
pub use text::repair;

sql_files! {
    /// Staging tables.
    pub mod stage in "stage" {
        STAGING_EVENTS = "staging_events",
        STAGING_SONGS = "staging_songs",
    }
}

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

/// The rows of `objects` as [`stage`] hands them to a warehouse: for whoever wants them without one. What was refused is not told.
pub fn rows(kind: RecordKind, objects: Vec<Object>) -> impl RowSource {
    let numbered = (1..).zip(objects).collect();
    reader::Reader::new(kind, 1, numbered, Arc::default())
}

/// The bytes of the record or reject that begins at `offset` of the decompressed `object`; none when nothing begins there.
pub fn bytes_at(object: &Object, offset: u64) -> Result<Option<Vec<u8>>, ReadError> {
    // Of an object that is far away and not compressed, only what begins there is fetched.
    if object.is_remote()
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
fn record_at(object: &Object, offset: u64) -> Result<Option<Vec<u8>>, ReadError> {
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

/// Failure of reading.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The bytes of an object could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Rejected records could not be spooled.
    #[error("cannot spool rejected records to a temporary file")]
    Spool(#[source] std::io::Error),
}
