//! Rejected records (dead-letter queue) of a load, until they are written to the warehouse: spooled
//! in memory while they are few, else in a temporary file.

use std::collections::{BTreeMap, BTreeSet, VecDeque, vec_deque};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::iter::Chain;
use std::sync::{Mutex, PoisonError};
use std::vec;

use tempfile::SpooledTempFile;

use super::bytes::excerpt;
use super::format::NOT_A_PLAY;
use sparkify_warehouse::{BATCH_ROWS, Batch, ColumnType, RowSource};

/// Size of the spool at which it moves to a file, in bytes.
const IN_MEMORY: usize = 8 << 20;
/// Buffer in front of the spool, in bytes: a reject is seven small writes, each a system call in a
/// file.
const BUFFER: usize = 64 << 10;
/// Size at which a batch of rejects ends, in bytes.
const BATCH_BYTES: usize = 16 << 20;
/// Number of rejects that are kept of each object at its start, and as many at its end: millions of
/// them, as in a file of braces, would need far more space than the file.
pub(super) const KEPT: usize = 500;
/// Most rejects of one object that are kept.
pub const KEPT_REJECTS: u64 = 2 * KEPT as u64;
/// Number of rejects that a failed load displays.
const SAMPLES: usize = 5;

/// Reject in the form that a failed load displays.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Sample {
    /// Key of the object.
    pub object: String,
    /// Byte offset in the decompressed object.
    pub position: u64,
    /// Reason of the rejection.
    pub reason: String,
    /// First bytes, escaped.
    pub excerpt: String,
}

/// Reject to be spooled.
pub struct Reject<'a> {
    /// ID of the object in the ledger.
    pub object_id: i64,
    /// Key of the object.
    pub object_key: &'a str,
    /// Byte offset in the decompressed object.
    pub offset: u64,
    /// Length in bytes; `raw` may be shorter.
    pub length: u64,
    /// Reason of the rejection.
    pub reason: &'a str,
    /// First bytes of the record.
    pub raw: &'a [u8],
}

impl Reject<'_> {
    /// Returns the form that a failed load displays.
    pub(super) fn sample(&self) -> Sample {
        Sample {
            object: self.object_key.to_owned(),
            position: self.offset,
            reason: self.reason.to_owned(),
            excerpt: excerpt(self.raw),
        }
    }
}

/// Returns true if a further reject is displayed beside this number.
pub(super) fn is_sample(count: usize) -> bool {
    count < SAMPLES
}

/// Reject that is not spooled yet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PendingReject {
    pub offset: u64,
    pub length: u64,
    pub reason: String,
    pub raw: Vec<u8>,
}

/// Rejects of a part of an object, in order: all are counted, and the first and the last are kept.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct RejectLog {
    /// Number of rejects.
    pub count: u64,
    /// Their total length, in bytes.
    pub bytes: u64,
    /// Number of rejects by reason.
    pub by_reason: BTreeMap<String, u64>,
    first: Vec<PendingReject>,
    last: VecDeque<PendingReject>,
}

impl RejectLog {
    pub(super) fn push(&mut self, reject: PendingReject) {
        self.count += 1;
        // A record that is no play is in order, and its bytes are not lost.
        if !reject.reason.starts_with(NOT_A_PLAY) {
            self.bytes += reject.length;
        }
        add(&mut self.by_reason, &reject.reason, 1);
        if self.first.len() < KEPT {
            self.first.push(reject);
            return;
        }
        keep_last(&mut self.last, reject);
    }
}

impl IntoIterator for RejectLog {
    type Item = PendingReject;
    type IntoIter = Chain<vec::IntoIter<PendingReject>, vec_deque::IntoIter<PendingReject>>;

    /// Iterates over the kept rejects.
    fn into_iter(self) -> Self::IntoIter {
        self.first.into_iter().chain(self.last)
    }
}

/// Appends a reject, and drops the first one if there are too many.
pub(super) fn keep_last(last: &mut VecDeque<PendingReject>, reject: PendingReject) {
    last.push_back(reject);
    if last.len() > KEPT {
        last.pop_front();
    }
}

/// Adds to the count of a reason.
pub(super) fn add(by_reason: &mut BTreeMap<String, u64>, reason: &str, count: u64) {
    match by_reason.get_mut(reason) {
        Some(total) => *total += count,
        None => drop(by_reason.insert(reason.to_owned(), count)),
    }
}

/// Spool of the rejects of one load.
pub struct Rejects {
    spool: BufWriter<SpooledTempFile>,
    /// Number of rejects in the spool.
    stored: u64,
    /// Objects whose rejects in the spool do not count.
    discarded: BTreeSet<i64>,
    /// Number of rejects. An object with many has only the first and the last of them in the spool.
    pub count: u64,
    /// Number of rejects by reason.
    pub by_reason: BTreeMap<String, u64>,
    /// The first few rejects.
    pub samples: Vec<Sample>,
}

impl Default for Rejects {
    fn default() -> Self {
        Self::new()
    }
}

impl Rejects {
    /// Creates an empty spool.
    pub fn new() -> Self {
        Self {
            spool: BufWriter::with_capacity(BUFFER, SpooledTempFile::new(IN_MEMORY)),
            stored: 0,
            discarded: BTreeSet::new(),
            count: 0,
            by_reason: BTreeMap::new(),
            samples: Vec::new(),
        }
    }

    /// Adds a reject. A full disk may show only at a later reject, or in
    /// [`into_source`](Self::into_source).
    pub fn push(&mut self, reject: &Reject<'_>) -> io::Result<()> {
        let by_reason = BTreeMap::from([(reject.reason.to_owned(), 1)]);
        self.count(1, &by_reason, vec![reject.sample()]);
        self.store(reject)
    }

    /// Adds to the counts.
    pub(super) fn count(
        &mut self,
        rejects: u64,
        by_reason: &BTreeMap<String, u64>,
        samples: Vec<Sample>,
    ) {
        self.count += rejects;
        for (reason, count) in by_reason {
            add(&mut self.by_reason, reason, *count);
        }
        let space = SAMPLES.saturating_sub(self.samples.len());
        self.samples.extend(samples.into_iter().take(space));
    }

    /// Writes a reject to the spool, without counting it.
    pub(super) fn store(&mut self, reject: &Reject<'_>) -> io::Result<()> {
        self.stored += 1;
        self.spool.write_all(&reject.object_id.to_le_bytes())?;
        self.spool.write_all(&reject.offset.to_le_bytes())?;
        self.spool.write_all(&reject.length.to_le_bytes())?;
        for bytes in [reject.reason.as_bytes(), reject.raw] {
            self.spool.write_all(&(bytes.len() as u64).to_le_bytes())?;
            self.spool.write_all(bytes)?;
        }
        Ok(())
    }

    /// Leaves out the rejects of an object that was not read to its end.
    pub(super) fn discard(&mut self, object_id: i64) {
        self.discarded.insert(object_id);
    }

    /// Returns each reject as a line.
    #[cfg(any(test, fuzzing))]
    pub(super) fn lines(self) -> Vec<String> {
        let source = self.into_source(1).expect("a spool");
        let mut spool = source.state.into_inner().expect("no panic");
        let mut lines = Vec::new();
        for _ in 0..spool.1 {
            let reject = read_reject(&mut spool.0).expect("a reject");
            if !source.discarded.contains(&reject.numbers[0]) {
                lines.push(reject.line());
            }
        }
        lines
    }

    /// Returns the rejects as rows of `etl_rejects`.
    pub fn into_source(self, load_id: i64) -> io::Result<RejectSource> {
        let mut spool = self.spool.into_inner().map_err(io::IntoInnerError::into_error)?;
        spool.seek(SeekFrom::Start(0))?;
        let (stored, discarded) = (self.stored, self.discarded);
        let state = Mutex::new((BufReader::with_capacity(BUFFER, spool), stored));
        Ok(RejectSource { load_id, stored, discarded, state })
    }
}

/// Rejects of a load as rows for the warehouse.
pub struct RejectSource {
    load_id: i64,
    /// Number of rejects in the spool.
    stored: u64,
    discarded: BTreeSet<i64>,
    /// The spool, and the number of rejects left in it.
    state: Mutex<(BufReader<SpooledTempFile>, u64)>,
}

/// Reject as read from the spool.
struct Spooled {
    /// ID of the object, offset in it, and length.
    numbers: [i64; 3],
    reason: Vec<u8>,
    raw: Vec<u8>,
}

impl Spooled {
    #[cfg(any(test, fuzzing))]
    fn line(&self) -> String {
        let ([_, offset, length], reason) = (self.numbers, String::from_utf8_lossy(&self.reason));
        format!("reject {offset} {length} {reason} {:?}", self.raw)
    }
}

fn read_reject(spool: &mut impl Read) -> io::Result<Spooled> {
    let mut number = || -> io::Result<i64> {
        let mut bytes = [0; 8];
        spool.read_exact(&mut bytes)?;
        Ok(i64::from_le_bytes(bytes))
    };
    let numbers = [number()?, number()?, number()?];
    let mut bytes = || -> io::Result<Vec<u8>> {
        let mut size = [0; 8];
        spool.read_exact(&mut size)?;
        let mut bytes = vec![0; usize::try_from(u64::from_le_bytes(size)).unwrap_or(0)];
        spool.read_exact(&mut bytes)?;
        Ok(bytes)
    };
    Ok(Spooled { numbers, reason: bytes()?, raw: bytes()? })
}

impl RejectSource {
    /// Starts again with the first reject.
    pub fn rewind(&self) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0.seek(SeekFrom::Start(0))?;
        state.1 = self.stored;
        Ok(())
    }

    fn read_one(&self, spool: &mut impl Read, batch: &mut Batch) -> io::Result<usize> {
        let Spooled { numbers: [object_id, offset, length], reason, raw } = read_reject(spool)?;
        if self.discarded.contains(&object_id) {
            return Ok(0);
        }
        for (column, value) in [self.load_id, object_id, offset, length].into_iter().enumerate() {
            batch.columns[column].push_int(value);
        }
        batch.columns[4].push_bytes(&reason);
        batch.columns[5].push_bytes(&raw);
        Ok(reason.len() + raw.len())
    }
}

impl RowSource for RejectSource {
    fn types(&self) -> Vec<ColumnType> {
        let mut types = vec![ColumnType::BigInt; 4];
        types.extend([ColumnType::Text, ColumnType::Bytes]);
        types
    }

    fn next(&self, batch: &mut Batch) -> Result<(), String> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bytes = 0;
        while state.1 > 0 && batch.len() < BATCH_ROWS && bytes < BATCH_BYTES {
            let read = self.read_one(&mut state.0, batch);
            bytes += read.map_err(|error| format!("cannot read the spooled rejects: {error}"))?;
            state.1 -= 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_return_from_memory_and_from_a_file() {
        for (number, size) in [(3, 10), (20, 1 << 20)] {
            let mut rejects = Rejects::new();
            for offset in 0..number {
                let raw = vec![b'x'; size];
                let (length, reason) = (raw.len() as u64, "invalid JSON");
                let (object_id, object_key) = (7, "a.json");
                let reject = Reject { object_id, object_key, offset, length, reason, raw: &raw };
                rejects.push(&reject).unwrap();
            }
            assert_eq!(rejects.count, number);
            let source = rejects.into_source(1).unwrap();
            // A load that is retried inserts them again.
            for _ in 0..2 {
                let (mut batch, mut rows) = (Batch::new(&source.types()), 0);
                source.rewind().unwrap();
                loop {
                    batch.clear();
                    source.next(&mut batch).unwrap();
                    if batch.is_empty() {
                        break;
                    }
                    rows += batch.len() as u64;
                }
                assert_eq!(rows, number);
            }
        }
    }
}
