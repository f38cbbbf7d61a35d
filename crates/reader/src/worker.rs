//! What one thread reads with: a window of records, the row that it is making, and the counts of what it met.
//!
//! A record goes its quick way (`shape`) or its tolerant one (`json`, then `schema`); either way it is a row of the batch, or a reject that is held
//! until the reader takes the counts.

use std::collections::BTreeMap;

use super::json::{Found, Raw};
use super::limits::{TextLimits, take_back};
use super::record_template::Shapes;
use super::records::{Input, Item, MAX_RAW, Records, Taker};
use super::schema::{RecordKind, RowBuilder};
use sparkify_warehouse::{BATCH_ROWS, Batch};

/// A batch is made of this many bytes of records and rejects at most, and of one record more: rows can be long.
const BATCH_BYTES: usize = 16 << 20;
/// At most this many names of unknown keys are counted one by one, each up to this many bytes.
const MAX_EXTRA: usize = 1000;
const MAX_EXTRA_NAME: usize = 200;

/// One reject, until it is written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub offset: u64,
    pub length: u64,
    pub reason: String,
    pub raw: Vec<u8>,
}

/// What was met in a part of an object.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Records accepted.
    pub staged: u64,
    /// Records and bytes refused.
    pub rejects: Vec<Held>,
    /// Unknown keys, and in how many records each stood.
    pub extra: BTreeMap<String, u64>,
    /// By field, how many values had been encoded twice.
    pub repairs: BTreeMap<u32, u64>,
}

impl Counts {
    /// Counts the fields whose bits are set.
    fn repaired(&mut self, mut bits: u32) {
        while bits != 0 {
            *self.repairs.entry(bits.trailing_zeros()).or_default() += 1;
            bits &= bits - 1;
        }
    }
}

/// Counts an unknown key in `by` records more.
pub(super) fn count_extra(extra: &mut BTreeMap<String, u64>, name: &str, by: u64) {
    if let Some(count) = extra.get_mut(name) {
        *count += by;
    } else {
        let name = if extra.len() < MAX_EXTRA { name } else { "(other keys)" };
        *extra.entry(name.to_owned()).or_default() += by;
    }
}

fn note_extra(extra: &mut BTreeMap<String, u64>, key: &[u8]) {
    let key = &key[..key.len().min(MAX_EXTRA_NAME)];
    count_extra(extra, &String::from_utf8_lossy(key), 1);
}

/// Why a worker stopped reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stopped {
    /// The batch is full.
    Full,
    /// The slice is read, and another begins.
    Border,
    /// The stream is read.
    End,
}

/// See the head of this file; reused from object to object for its memory.
pub(super) struct Worker {
    pub records: Records,
    typing: Typing,
}

/// What makes rows of records.
struct Typing {
    kind: RecordKind,
    /// Whether records may go the quick way.
    quick: bool,
    slots: Vec<Raw>,
    /// Keys of the record that no column has.
    unknown: Vec<Vec<u8>>,
    row: RowBuilder,
    shapes: Shapes,
    limits: TextLimits,
    counts: Counts,
    /// How many records went the tolerant way.
    scanned: usize,
}

impl Worker {
    pub(super) fn new(kind: RecordKind) -> Self {
        let typing = Typing {
            kind,
            quick: true,
            slots: Vec::new(),
            unknown: Vec::new(),
            row: RowBuilder::new(kind),
            shapes: Shapes::new(kind.fields()),
            limits: TextLimits::default(),
            counts: Counts::default(),
            scanned: 0,
        };
        Self { records: Records::new(), typing }
    }

    /// One that refuses records with longer texts.
    pub(super) fn limited(mut self, limits: TextLimits) -> Self {
        self.typing.limits = limits;
        self
    }

    /// One that reads every record the tolerant way: what the quick way is compared with.
    #[cfg(any(test, fuzzing))]
    pub(super) fn tolerant(kind: RecordKind) -> Self {
        let mut worker = Self::new(kind);
        worker.typing.quick = false;
        worker
    }

    /// How many records went the tolerant way.
    #[cfg(test)]
    pub(super) fn scanned(&self) -> usize {
        self.typing.scanned
    }

    /// Another stream begins.
    pub(super) fn restart(&mut self) {
        self.records.restart();
        self.typing.shapes.restart();
    }

    /// What was met since this was asked before.
    pub(super) fn counts(&mut self) -> Counts {
        std::mem::take(&mut self.typing.counts)
    }

    /// Reads on until `batch` is full or the input ends. `lineage` is the load and the object.
    pub(super) fn fill<I: Input>(
        &mut self,
        input: &mut I,
        lineage: [i64; 2],
        batch: &mut Batch,
    ) -> Result<Stopped, I::Error> {
        let (records, typing) = (&mut self.records, &mut self.typing);
        let mut bytes = 0;
        while batch.len() < BATCH_ROWS && bytes < BATCH_BYTES {
            let item = records.next(input, &mut Taking { typing, lineage, batch })?;
            bytes += match item {
                Item::Taken { length } => length,
                Item::Record { offset, start, end } => {
                    let place = [lineage[0], lineage[1], signed(offset)];
                    typing.record(records.window(), start..end, offset, place, batch);
                    end - start
                }
                Item::Reject { offset, length, reason } => {
                    let (reason, raw) = (reason.to_owned(), records.scrap().to_vec());
                    let size = raw.len();
                    typing.counts.rejects.push(Held { offset, length, reason, raw });
                    size
                }
                Item::Border => return Ok(Stopped::Border),
                Item::End => return Ok(Stopped::End),
            };
        }
        Ok(Stopped::Full)
    }
}

impl Typing {
    /// Makes a row of the record that was scanned, or a reject.
    fn record(
        &mut self,
        window: &[u8],
        record: std::ops::Range<usize>,
        offset: u64,
        lineage: [i64; 3],
        batch: &mut Batch,
    ) {
        self.scanned += 1;
        self.unknown.sort_unstable();
        self.unknown.dedup();
        for key in &self.unknown {
            note_extra(&mut self.counts.extra, key);
        }
        let appended = self.row.append(window, &self.slots, lineage, batch);
        match appended.and_then(|repairs| self.fits(batch).map(|()| repairs)) {
            Ok(repairs) => {
                self.counts.staged += 1;
                self.counts.repaired(repairs);
                if self.quick {
                    self.shapes.learn(window, record.start, self.kind.keys());
                }
            }
            Err(reason) => {
                let (raw, length) = (&window[record.clone()], record.len());
                let raw = raw[..length.min(MAX_RAW)].to_vec();
                self.counts.rejects.push(Held { offset, length: length as u64, reason, raw });
            }
        }
    }
}

impl Typing {
    /// Whether the last row's texts are short enough; one that is not is taken back.
    fn fits(&self, batch: &mut Batch) -> Result<(), String> {
        let Some((column, length, bound)) = self.limits.exceeded(batch) else { return Ok(()) };
        take_back(batch);
        let key = self.kind.keys().get(column).copied().unwrap_or_default();
        Err(format!("`{key}` is longer than {bound} bytes: {length}"))
    }
}

/// A worker's typing, with where its rows go.
struct Taking<'a> {
    typing: &'a mut Typing,
    lineage: [i64; 2],
    batch: &'a mut Batch,
}

impl Taker for Taking<'_> {
    fn keys(&self) -> &'static [&'static str] {
        self.typing.kind.keys()
    }

    fn take(&mut self, window: &[u8], at: usize, offset: u64) -> Option<usize> {
        if !self.typing.quick {
            return None;
        }
        let taken = self.typing.shapes.take(window, at, self.batch)?;
        let behind = self.batch.columns.len() - 3;
        let lineage = [self.lineage[0], self.lineage[1], signed(offset)];
        for (column, value) in self.batch.columns[behind..].iter_mut().zip(lineage) {
            column.push_int(value);
        }
        if self.typing.limits.exceeded(self.batch).is_some() {
            // The tolerant way says why.
            take_back(self.batch);
            return None;
        }
        let counts = &mut self.typing.counts;
        counts.staged += 1;
        counts.repaired(taken.repairs);
        for key in taken.extra {
            note_extra(&mut counts.extra, key);
        }
        Some(taken.end)
    }

    fn begin(&mut self) {
        self.typing.unknown.clear();
        self.typing.slots.clear();
        self.typing.slots.resize(self.typing.kind.keys().len(), Raw::Missing);
    }

    fn note(&mut self, found: Found<'_>) {
        match found.slot {
            Some(slot) => self.typing.slots[slot] = found.value,
            None => self.typing.unknown.push(found.name.into_owned()),
        }
    }
}

fn signed(offset: u64) -> i64 {
    i64::try_from(offset).unwrap_or(i64::MAX)
}
