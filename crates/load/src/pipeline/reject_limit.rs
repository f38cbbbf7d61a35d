//! Limit of rejected records, and of rejected bytes: a whole file that is lost to one damaged byte
//! is a single record.

use std::fmt;

use serde::Serialize;

use super::{EtlError, Summary};
use sparkify_reader::{NOT_A_PLAY, ObjectRows, Sample, Tally};

/// Most damaged objects that a summary and an error name.
const MAX_NAMED: usize = 20;

/// Object that staged no record, or lost more than the permitted share of its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DamagedObject {
    /// Key of the object.
    pub object: String,
    /// Records staged.
    pub staged: u64,
    /// Records rejected.
    pub rejected: u64,
    /// Decompressed size in bytes.
    pub bytes: u64,
    /// Total length of the rejected records in bytes.
    pub rejected_bytes: u64,
    /// Reason of the first reject.
    pub reason: String,
}

impl DamagedObject {
    fn of(rows: &ObjectRows) -> Self {
        Self {
            object: rows.object.key.to_string(),
            staged: rows.staged,
            rejected: rows.rejected,
            bytes: rows.bytes,
            rejected_bytes: rows.rejected_bytes,
            reason: rows.first_reason.as_deref().unwrap_or_default().to_owned(),
        }
    }
}

/// Rejects of a load that exceed the limit.
#[derive(Debug)]
pub struct TooManyRejects {
    /// Rejected and all records.
    records: [u64; 2],
    /// Bytes of the rejected records, and all bytes.
    bytes: [u64; 2],
    /// Maximum share of both.
    limit: f64,
    /// Objects that lost most, at most [`MAX_NAMED`].
    pub damaged: Vec<DamagedObject>,
    /// Number of all such objects.
    pub objects_damaged: u64,
    /// First rejected records.
    pub samples: Vec<Sample>,
}

impl fmt::Display for TooManyRejects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |[part, whole]: [u64; 2]| share(part, whole) * 100.0;
        let [rejected, all] = self.records;
        if percent(self.records) > self.limit * 100.0 {
            write!(f, "too many rejected records: {rejected} of {all} ")?;
            write!(f, "({:.2} %)", percent(self.records))?;
        } else {
            let [lost, size] = self.bytes;
            let records = if rejected == 1 { "record" } else { "records" };
            write!(f, "too many rejected bytes: {lost} of {size} ({:.2} %)", percent(self.bytes))?;
            write!(f, " in {rejected} {records}")?;
        }
        write!(f, "; the limit is {:.2} %", self.limit * 100.0)
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Adds the damaged objects to the summary, and compares the shares of the load with the limit.
pub(super) fn check(tally: &Tally, limit: f64, summary: &mut Summary) -> Result<(), EtlError> {
    let is_damaged = |rows: &&ObjectRows| {
        let lost = share(rows.rejected_bytes, rows.bytes) > limit;
        // The records of a file may all be no plays.
        let is_other = rows.first_reason.as_deref().is_some_and(|it| it.starts_with(NOT_A_PLAY));
        // The bytes of an object in a group are not those of its rows.
        rows.rejected > 0 && (rows.staged == 0 && !is_other || lost && rows.group.is_none())
    };
    let mut damaged: Vec<&ObjectRows> = tally.objects.iter().filter(is_damaged).collect();
    summary.objects_damaged = damaged.len() as u64;
    damaged.sort_by(|one, other| {
        let lost = other.rejected_bytes.cmp(&one.rejected_bytes);
        lost.then_with(|| one.object.key.cmp(&other.object.key))
    });
    summary.damaged = damaged.into_iter().take(MAX_NAMED).map(DamagedObject::of).collect();
    let (bytes, rejected_bytes) = tally.bytes();
    let (records, bytes) = ([summary.rejected, summary.records], [rejected_bytes, bytes]);
    summary.rejected_bytes = rejected_bytes;
    if [records, bytes].iter().all(|[part, whole]| share(*part, *whole) <= limit) {
        return Ok(());
    }
    Err(EtlError::TooManyRejects(Box::new(TooManyRejects {
        records,
        bytes,
        limit,
        damaged: summary.damaged.clone(),
        objects_damaged: summary.objects_damaged,
        samples: tally.samples.clone(),
    })))
}
