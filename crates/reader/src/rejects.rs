//! Records that could not be used, kept until the load is written: in memory while they are few, in a temporary file beyond.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::sync::{Mutex, PoisonError};

use tempfile::SpooledTempFile;

use super::bytes::excerpt;
use sparkify_warehouse::{BATCH_ROWS, Batch, ColumnType, RowSource};

/// Rejects take this much memory before they go to a file, in bytes.
const IN_MEMORY: usize = 8 << 20;
/// A batch of rejects holds about this many bytes at most.
const BATCH_BYTES: usize = 16 << 20;
/// How many are told with their bytes when a load fails.
const SAMPLES: usize = 5;

/// One reject as people are shown it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Sample {
    /// The object's key.
    pub object: String,
    /// Where it begins in the decompressed object.
    pub position: u64,
    /// What is wrong.
    pub reason: String,
    /// The first bytes of it.
    pub excerpt: String,
}

/// One reject on its way into the store.
pub struct Reject<'a> {
    /// The object's ID in the ledger.
    pub object_id: i64,
    /// The object's key.
    pub object_key: &'a str,
    /// Offset in the decompressed object, in bytes.
    pub offset: u64,
    /// Length in bytes; `raw` may be shorter.
    pub length: u64,
    /// Why the record was rejected.
    pub reason: &'a str,
    /// The record's first bytes.
    pub raw: &'a [u8],
}

/// All rejects of one load.
pub struct Rejects {
    spool: SpooledTempFile,
    /// Rejects so far.
    pub count: u64,
    /// Rejects so far, by reason.
    pub by_reason: BTreeMap<String, u64>,
    /// The first few of them.
    pub samples: Vec<Sample>,
}

impl Rejects {
    /// An empty spool.
    pub fn new() -> Self {
        Self {
            spool: SpooledTempFile::new(IN_MEMORY),
            count: 0,
            by_reason: BTreeMap::new(),
            samples: Vec::new(),
        }
    }

    /// Adds a reject.
    pub fn push(&mut self, reject: &Reject<'_>) -> io::Result<()> {
        self.count += 1;
        *self.by_reason.entry(reject.reason.to_owned()).or_default() += 1;
        if self.samples.len() < SAMPLES {
            self.samples.push(Sample {
                object: reject.object_key.to_owned(),
                position: reject.offset,
                reason: reject.reason.to_owned(),
                excerpt: excerpt(reject.raw),
            });
        }
        self.spool.write_all(&reject.object_id.to_le_bytes())?;
        self.spool.write_all(&reject.offset.to_le_bytes())?;
        self.spool.write_all(&reject.length.to_le_bytes())?;
        for bytes in [reject.reason.as_bytes(), reject.raw] {
            self.spool.write_all(&(bytes.len() as u64).to_le_bytes())?;
            self.spool.write_all(bytes)?;
        }
        Ok(())
    }

    /// Each reject as a line.
    #[cfg(any(test, fuzzing))]
    pub(super) fn lines(self) -> Vec<String> {
        let source = self.into_source(1).expect("a spool");
        let mut spool = source.state.into_inner().expect("no panic");
        let mut lines = Vec::new();
        for _ in 0..spool.1 {
            lines.push(read_reject(&mut spool.0).expect("a reject").line());
        }
        lines
    }

    /// The rejects as rows of `etl_rejects`.
    pub fn into_source(mut self, load_id: i64) -> io::Result<RejectSource> {
        self.spool.seek(SeekFrom::Start(0))?;
        let state = (BufReader::new(self.spool), self.count);
        Ok(RejectSource { load_id, state: Mutex::new(state) })
    }
}

/// Gives the rejects of a load to the warehouse.
pub struct RejectSource {
    load_id: i64,
    state: Mutex<(BufReader<SpooledTempFile>, u64)>,
}

/// One reject as the spool gives it back.
struct Spooled {
    /// Of the object, its offset there, and its length.
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
    fn read_one(&self, spool: &mut impl Read, batch: &mut Batch) -> io::Result<usize> {
        let Spooled { numbers: [object_id, offset, length], reason, raw } = read_reject(spool)?;
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
            bytes += read.map_err(|error| format!("cannot read the rejects back: {error}"))?;
            state.1 -= 1;
        }
        Ok(())
    }
}
