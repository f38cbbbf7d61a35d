//! JSON records to typed column batches: reads objects and returns rows of the staging tables, and
//! rejected records with their bytes.
//!
//! - `records` splits a stream into records and the damage between them; `resync` finds the next
//!   record after a broken one.
//! - Slow path: `json` scans one record, `schema` types its values, `text` and `number` convert
//!   them. It decides what is a row and what is a reject.
//! - Fast path: `record_template` and `fast_path` read a record that has the same layout as an
//!   earlier one, as nearly all have, in one pass; `block` scans 16 bytes at a time.
//! - Other log formats: `format` maps their records to columns, on the slow path; `container` finds
//!   records that are inside an object, as in exports.
//! - `parser` runs both paths and writes their rows into the same batch.
//! - `reader` runs one parser per thread, and `slices` lets several threads read one large object.
//! - `differential` compares the fast path and the slices with the slow path on one thread.
//!
//! No value changes its meaning here: that is the model's task.

mod account;
mod block;
mod bytes;
mod container;
#[cfg(any(test, fuzzing))]
pub mod differential;
mod erasures;
mod fast_path;
mod format;
mod json;
mod limits;
mod meter;
mod number;
mod parser;
mod reader;
mod record_template;
mod records;
mod rejects;
mod resync;
mod schema;
mod slices;
mod text;

use std::collections::BTreeMap;
use std::sync::Arc;

use thiserror::Error;

use sparkify_source::{Content, Fingerprint, Object, SourceError};
use sparkify_warehouse::{RowSource, sql_files};

pub use bytes::{RawBytes, visible, visible_lines};
pub use erasures::{ErasureKey, Erasures};
pub use format::{FormatError, LogFormat, NATIVE, NOT_A_PLAY};
pub use limits::TextLimits;
pub use meter::Meter;
pub use reader::Reader;
pub use rejects::{KEPT_REJECTS, Reject, RejectSource, Rejects, Sample};
pub use schema::RecordKind;
pub use text::repair;

sql_files! {
    /// Staging tables.
    pub mod stage in "stage" {
        STAGING_EVENTS = "staging_events",
        STAGING_SONGS = "staging_songs",
    }
}

/// Row counts of one object.
#[derive(Debug, Clone)]
pub struct ObjectRows {
    /// ID in the ledger.
    pub object_id: i64,
    /// The object as it was listed.
    pub object: Object,
    /// Kind of its records.
    pub kind: RecordKind,
    /// Fingerprint of its content; none if the warehouse copied the object itself.
    pub fingerprint: Option<Fingerprint>,
    /// Accepted records.
    pub staged: u64,
    /// Rejected records.
    pub rejected: u64,
    /// Valid records of erased persons, which are left out.
    pub erased: u64,
    /// Decompressed size, in bytes; the stored size if the warehouse copied the object itself.
    pub bytes: u64,
    /// Total length of the rejected records, in bytes.
    pub rejected_bytes: u64,
    /// Reason of the first reject.
    pub first_reason: Option<Box<str>>,
    /// ID of its group, if the warehouse copied it together with others. The rows of the whole
    /// group have this ID as their object, and are counted there.
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
            erased: 0,
            bytes: 0,
            rejected_bytes: 0,
            first_reason: None,
            group: None,
        }
    }
}

/// Object that changed or was removed while it was read, so that its rows are incomplete.
#[derive(Debug, Clone)]
pub struct UnstableObject {
    /// ID in the ledger.
    pub object_id: i64,
    /// The object as it was listed.
    pub object: Object,
    /// Message of the error.
    pub reason: String,
}

/// Counts of everything that a load read.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Counts of each object.
    pub objects: Vec<ObjectRows>,
    /// Number of records with each unknown key.
    pub extra_keys: BTreeMap<String, u64>,
    /// Number of repaired double-encoded values, by `kind.key`.
    pub repairs: BTreeMap<String, u64>,
    /// Accepted records that are no plays by a rule of the log format, by the page that it names.
    pub pages: BTreeMap<String, u64>,
    /// Rejected records, by reason.
    pub rejects: BTreeMap<String, u64>,
    /// The first few rejected records.
    pub samples: Vec<Sample>,
    /// Objects that were not read completely. Their counts are left out.
    pub unstable: Vec<UnstableObject>,
    /// Number of objects that the warehouse should have copied and that were read here, since it
    /// refused records of them.
    pub given_back: u64,
}

impl Tally {
    /// Adds the counts of another part of the load.
    pub fn merge(&mut self, other: Self) {
        if self.objects.is_empty() {
            self.objects = other.objects;
        } else {
            self.objects.extend(other.objects);
        }
        self.samples.extend(other.samples);
        self.unstable.extend(other.unstable);
        self.given_back += other.given_back;
        for (totals, added) in [
            (&mut self.extra_keys, other.extra_keys),
            (&mut self.repairs, other.repairs),
            (&mut self.pages, other.pages),
            (&mut self.rejects, other.rejects),
        ] {
            for (name, count) in added {
                *totals.entry(name).or_default() += count;
            }
        }
    }

    /// Returns the number of accepted records of one kind.
    pub fn staged(&self, kind: RecordKind) -> u64 {
        self.objects.iter().filter(|rows| rows.kind == kind).map(|rows| rows.staged).sum()
    }

    /// Returns the number of objects that the warehouse copied itself.
    pub fn fetched(&self) -> u64 {
        self.objects.iter().filter(|rows| rows.group.is_some()).count() as u64
    }

    /// Returns the number of rejected records.
    pub fn rejected(&self) -> u64 {
        self.objects.iter().map(|rows| rows.rejected).sum()
    }

    /// Returns the number of records that the log format leaves out, by name. They are counted with
    /// the rejected records.
    pub fn left_out(&self) -> BTreeMap<String, u64> {
        let named = |(reason, count): (&String, &u64)| {
            Some((reason.strip_prefix(NOT_A_PLAY)?.to_owned(), *count))
        };
        self.rejects.iter().filter_map(named).collect()
    }

    /// Returns the number of records of erased persons.
    pub fn erased(&self) -> u64 {
        self.objects.iter().map(|rows| rows.erased).sum()
    }

    /// Returns the number of bytes that were read, decompressed, and of those that were rejected.
    pub fn bytes(&self) -> (u64, u64) {
        let sum = |of: fn(&ObjectRows) -> u64| self.objects.iter().map(of).sum();
        (sum(|rows| rows.bytes), sum(|rows| rows.rejected_bytes))
    }
}

/// Returns the rows of `objects` as a load sends them to a warehouse. The IDs of the objects count
/// from 1; rejects are dropped.
pub fn rows(kind: RecordKind, objects: Vec<Object>) -> impl RowSource {
    let numbered = (1..).zip(objects).collect();
    reader::Reader::new(kind, 1, numbered, Arc::default())
}

/// Returns the bytes of the record or reject that begins at `offset` of the decompressed `object`;
/// none if neither begins there. The log format does not matter for a record.
pub fn bytes_at(
    kind: RecordKind,
    object: &Object,
    offset: u64,
) -> Result<Option<Vec<u8>>, ReadError> {
    if let Some(bytes) = record_at(kind, object, offset)? {
        return Ok(Some(bytes));
    }
    let mut content = Content::open(object)?;
    let mut records = records::Records::new();
    loop {
        match records.next(&mut content, &mut records::Discard(kind))? {
            records::Item::Record { offset: at, start, end } if at == offset => {
                return Ok(Some(records.window()[start..end].to_vec()));
            }
            records::Item::Reject { offset: at, .. } if at == offset => {
                return Ok(Some(records.reject_bytes().to_vec()));
            }
            records::Item::End => return Ok(None),
            _ => {}
        }
    }
}

/// Returns the record at `offset` of an object, read from there on.
///
/// A valid record needs no context. A reject does: its extent depends on the bytes before it.
fn record_at(kind: RecordKind, object: &Object, offset: u64) -> Result<Option<Vec<u8>>, ReadError> {
    let mut content = Content::open(object)?;
    if content.is_compressed() {
        let (mut skipped, mut buffer) = (0, vec![0; 1 << 16]);
        while skipped < offset {
            let most = usize::try_from(offset - skipped).unwrap_or(usize::MAX).min(buffer.len());
            match content.read(&mut buffer[..most])? {
                0 => return Ok(None),
                read => skipped += read as u64,
            }
        }
    } else {
        content = Content::open_at(object, offset)?;
    }
    let mut records = records::Records::new();
    match records.next(&mut content, &mut records::Discard(kind))? {
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
    /// All first records are of the other kind: the locations may be swapped.
    #[error("the first records are of the other kind, in `{object}` for example")]
    OtherKind {
        /// Key of an object.
        object: String,
    },
    /// All first records have another log format.
    #[error("the first records have the log format `{format}`, in `{object}` for example")]
    OtherFormat {
        /// Key of an object.
        object: String,
        /// Name of the format.
        format: String,
    },
    /// The load was cancelled.
    #[error("the load was cancelled")]
    Cancelled,
    /// A thread that reads objects panicked, with this message.
    #[error("internal error while reading: {0}")]
    Panicked(String),
}
