//! Record templates: a producer writes the same bytes between the values of all its records.
//!
//! A record template holds those bytes, from `{` to `}`, and the column of each value between them.
//! It is learned from a record that the slow path accepted. A later record is compared with it
//! piece by piece, and its values go directly into their columns (`fast_path`). A record that
//! differs leaves the batch unchanged and falls back to the slow path, so a template affects speed
//! and never results.

use super::block::{self, BLOCK};
use super::fast_path::{self, PADDING};
use super::json::{Member, Raw, ScanError, scan_object};
use super::schema::Field;
use sparkify_warehouse::Batch;

/// Number of templates kept, for input that mixes the layouts of several producers.
const MOST: usize = 4;
/// Learned templates in a row that match no record before learning stops for this stream.
const PATIENCE: u32 = 64;

/// The bytes between two values.
#[derive(PartialEq, Eq)]
struct Literal {
    bytes: Vec<u8>,
    /// The first bytes, padded with zeros.
    blocks: [[u8; BLOCK]; 2],
    /// Mask of the bytes in `blocks` that are compared: all but the padding.
    mask: u32,
}

impl Literal {
    fn new(bytes: &[u8]) -> Self {
        let mut blocks = [[0; BLOCK]; 2];
        for (at, byte) in bytes.iter().take(PADDING).enumerate() {
            blocks[at / BLOCK][at % BLOCK] = *byte;
        }
        let mask = 1_u32.checked_shl(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        Self { bytes: bytes.to_owned(), blocks, mask: mask.map_or(u32::MAX, |bit| bit - 1) }
    }

    /// Returns the offset after these bytes, if they are at `at`.
    ///
    /// Two block comparisons cover nearly every literal: a comma, a key and a colon.
    fn pass(&self, window: &[u8], at: usize) -> Option<usize> {
        let here: &[u8; PADDING] = window.get(at..)?.first_chunk()?;
        let (blocks, _) = here.as_chunks::<BLOCK>();
        let same = block::equal(&blocks[0], &self.blocks[0])
            | block::equal(&blocks[1], &self.blocks[1]) << BLOCK;
        let long = self.bytes.len() > PADDING;
        let passed =
            same & self.mask == self.mask && (!long || window[at..].starts_with(&self.bytes));
        passed.then_some(at + self.bytes.len())
    }
}

/// Layout of a record.
#[derive(PartialEq, Eq)]
struct RecordTemplate {
    /// The bytes before each value, and the column of the value; none for an unknown key.
    pieces: Vec<(Literal, Option<usize>)>,
    /// The bytes from the last value to `}`.
    tail: Literal,
    /// Columns whose key is missing.
    absent: Vec<usize>,
    /// Unknown keys, without duplicates.
    extra: Vec<Vec<u8>>,
}

impl RecordTemplate {
    /// Learns the template of the valid record at `start`; none if the fast path cannot read such
    /// records.
    fn of(window: &[u8], start: usize, keys: &[&str], fields: &[Field]) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut extra = Vec::new();
        let mut seen = vec![false; keys.len()];
        let (mut at, mut readable) = (start, true);
        let visit = &mut |member: Member<'_>| {
            let literal = Literal::new(&window[at..member.start]);
            match member.slot {
                // The last value of a repeated key counts; the fast path would append both.
                Some(slot) => readable &= !std::mem::replace(&mut seen[slot], true),
                None => extra.push(member.name.to_vec()),
            }
            readable &= !matches!(member.value, Raw::Other("an object" | "an array"));
            pieces.push((literal, member.slot));
            at = member.end;
        };
        let end: Result<usize, ScanError> = scan_object(window, start, keys, visit);
        let absent: Vec<usize> = (0..keys.len()).filter(|slot| !seen[*slot]).collect();
        readable &= absent.iter().all(|slot| !fields[*slot].needed);
        extra.sort_unstable();
        extra.dedup();
        let tail = Literal::new(&window[at..end.ok()?]);
        readable.then_some(Self { pieces, tail, absent, extra })
    }

    /// Appends the record at `at` to `batch`. Returns the offset after it, and one bit for each
    /// field that was repaired.
    fn read(
        &self,
        window: &[u8],
        mut at: usize,
        fields: &[Field],
        batch: &mut Batch,
        scratch: &mut Vec<u8>,
    ) -> Option<(usize, u32)> {
        let mut repairs = 0;
        for (before, slot) in &self.pieces {
            at = before.pass(window, at)?;
            at = match *slot {
                Some(slot) => {
                    let (mut repaired, column) = (false, &mut batch.columns[slot]);
                    let end = fast_path::value(&fields[slot], column, window, at, &mut repaired)?;
                    repairs |= u32::from(repaired) << slot;
                    end
                }
                None => fast_path::skip(window, at, scratch)?,
            };
        }
        at = self.tail.pass(window, at)?;
        for slot in &self.absent {
            batch.columns[*slot].push_null();
        }
        Some((at, repairs))
    }
}

/// Templates of recent records, the last one used first.
pub(super) struct RecordTemplates {
    fields: &'static [Field],
    known: Vec<RecordTemplate>,
    /// Attempts to learn that are left; every match resets it.
    patience: u32,
    scratch: Vec<u8>,
}

/// Record that a template matched.
pub(super) struct Matched<'a> {
    /// Offset after the record.
    pub end: usize,
    /// One bit for each field that was repaired.
    pub repairs: u32,
    /// Unknown keys, without duplicates.
    pub extra: &'a [Vec<u8>],
}

impl RecordTemplates {
    pub(super) fn new(fields: &'static [Field]) -> Self {
        Self { fields, known: Vec::new(), patience: PATIENCE, scratch: Vec::new() }
    }

    /// Prepares for another stream, which may be another producer's.
    pub(super) fn restart(&mut self) {
        self.patience = PATIENCE;
    }

    /// Appends the record at `at` to `batch` if a known template matches it; else `batch` is
    /// unchanged. `window` ends with [`PADDING`] zeros. The caller appends the lineage columns.
    pub(super) fn read(
        &mut self,
        window: &[u8],
        at: usize,
        batch: &mut Batch,
    ) -> Option<Matched<'_>> {
        let rows = batch.columns.last().map_or(0, sparkify_warehouse::Column::len);
        for index in 0..self.known.len() {
            let template = &self.known[index];
            let read = template.read(window, at, self.fields, batch, &mut self.scratch);
            if let Some((end, repairs)) = read {
                self.known.swap(0, index);
                self.patience = PATIENCE;
                return Some(Matched { end, repairs, extra: &self.known[0].extra });
            }
            // Removes the values that were appended before the mismatch.
            for column in &mut batch.columns[..self.fields.len()] {
                column.truncate(rows);
            }
        }
        None
    }

    /// Learns the template of the record at `start`, which the slow path accepted.
    pub(super) fn learn(&mut self, window: &[u8], start: usize, keys: &[&str]) {
        if self.patience == 0 {
            return;
        }
        self.patience -= 1;
        let template = RecordTemplate::of(window, start, keys, self.fields);
        // A template is known already if only an uncommon value of the record did not fit.
        if let Some(template) = template.filter(|template| !self.known.contains(template)) {
            self.known.truncate(MOST - 1);
            self.known.insert(0, template);
        }
    }
}
