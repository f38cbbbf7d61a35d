//! What records have in common: whoever writes them writes the same bytes between the values of each.
//!
//! A shape is those bytes, from `{` to `}`, and the column that each value between them fills. It is learnt from a record that was read the tolerant
//! way; the next record is compared with it, piece by piece, and its values go straight into their columns (`quick`). A record that differs
//! leaves no trace and is read the tolerant way, so a shape can be unlucky but not wrong.

use super::block::{self, BLOCK};
use super::fast_path::{self, PADDING};
use super::json::{Found, Raw, Stop, scan_object};
use super::schema::Field;
use sparkify_warehouse::Batch;

/// Shapes that are kept: of producers that write a record of one kind in this many ways, each is met.
const MOST: usize = 4;
/// So often a shape is learnt in vain before learning is given up for this stream.
const PATIENCE: u32 = 64;

/// The bytes between two values.
#[derive(PartialEq, Eq)]
struct Literal {
    bytes: Vec<u8>,
    /// The first of them, and zeros.
    blocks: [[u8; BLOCK]; 2],
    /// A bit for each byte in `blocks` that counts.
    counts: u32,
}

impl Literal {
    fn new(bytes: &[u8]) -> Self {
        let mut blocks = [[0; BLOCK]; 2];
        for (at, byte) in bytes.iter().take(PADDING).enumerate() {
            blocks[at / BLOCK][at % BLOCK] = *byte;
        }
        let counts = 1_u32.checked_shl(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        Self { bytes: bytes.to_owned(), blocks, counts: counts.map_or(u32::MAX, |bit| bit - 1) }
    }

    /// Behind these bytes, if they stand at `at`.
    fn pass(&self, window: &[u8], at: usize) -> Option<usize> {
        let here: &[u8; PADDING] = window.get(at..)?.first_chunk()?;
        let (blocks, _) = here.as_chunks::<BLOCK>();
        let same = block::equal(&blocks[0], &self.blocks[0])
            | block::equal(&blocks[1], &self.blocks[1]) << BLOCK;
        let long = self.bytes.len() > PADDING;
        let passed =
            same & self.counts == self.counts && (!long || window[at..].starts_with(&self.bytes));
        passed.then_some(at + self.bytes.len())
    }
}

/// One way to write a record.
#[derive(PartialEq, Eq)]
struct Shape {
    /// The bytes before each value, and the column that it fills, if one does.
    pieces: Vec<(Literal, Option<usize>)>,
    /// From the last value to `}`.
    tail: Literal,
    /// Columns whose key does not occur.
    absent: Vec<usize>,
    /// Keys that no column has, once each.
    extra: Vec<Vec<u8>>,
}

impl Shape {
    /// The shape of the record at `start`, which is valid; none where no later record could be read so.
    fn of(window: &[u8], start: usize, keys: &[&str], fields: &[Field]) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut extra = Vec::new();
        let mut seen = vec![false; keys.len()];
        let (mut at, mut usual) = (start, true);
        let note = &mut |found: Found<'_>| {
            let literal = Literal::new(&window[at..found.start]);
            match found.slot {
                // The last of two counts, which is known at the end alone.
                Some(slot) => usual &= !std::mem::replace(&mut seen[slot], true),
                None => extra.push(found.name.to_vec()),
            }
            usual &= !matches!(found.value, Raw::Other("an object" | "an array"));
            pieces.push((literal, found.slot));
            at = found.end;
        };
        let end: Result<usize, Stop> = scan_object(window, start, keys, note);
        let absent: Vec<usize> = (0..keys.len()).filter(|slot| !seen[*slot]).collect();
        usual &= absent.iter().all(|slot| !fields[*slot].needed);
        extra.sort_unstable();
        extra.dedup();
        let tail = Literal::new(&window[at..end.ok()?]);
        usual.then_some(Self { pieces, tail, absent, extra })
    }

    /// Reads the record at `at` into `batch`, sets the bits of the values that were repaired, and gives the offset behind it.
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

/// The shapes of the records that were read lately, the last one first.
pub(super) struct Shapes {
    fields: &'static [Field],
    known: Vec<Shape>,
    patience: u32,
    scratch: Vec<u8>,
}

/// A record that was read at once.
pub(super) struct Taken<'a> {
    /// The offset behind it.
    pub end: usize,
    /// A bit for each field that was repaired.
    pub repairs: u32,
    /// Its keys that no column has, once each.
    pub extra: &'a [Vec<u8>],
}

impl Shapes {
    pub(super) fn new(fields: &'static [Field]) -> Self {
        Self { fields, known: Vec::new(), patience: PATIENCE, scratch: Vec::new() }
    }

    /// Another stream may be another producer's.
    pub(super) fn restart(&mut self) {
        self.patience = PATIENCE;
    }

    /// Reads the record at `at` if it is of a known shape; else `batch` stays as it was. `window` ends with [`PADDING`] zeros. The columns of
    /// lineage are left to the caller.
    pub(super) fn take(
        &mut self,
        window: &[u8],
        at: usize,
        batch: &mut Batch,
    ) -> Option<Taken<'_>> {
        let rows = batch.columns.last().map_or(0, sparkify_warehouse::Column::len);
        for index in 0..self.known.len() {
            let shape = &self.known[index];
            let read = shape.read(window, at, self.fields, batch, &mut self.scratch);
            if let Some((end, repairs)) = read {
                self.known.swap(0, index);
                self.patience = PATIENCE;
                return Some(Taken { end, repairs, extra: &self.known[0].extra });
            }
            for column in &mut batch.columns[..self.fields.len()] {
                column.truncate(rows);
            }
        }
        None
    }

    /// Learns the shape of the record at `start`, which was accepted, and of no known shape.
    pub(super) fn learn(&mut self, window: &[u8], start: usize, keys: &[&str]) {
        if self.patience == 0 {
            return;
        }
        self.patience -= 1;
        let shape = Shape::of(window, start, keys, self.fields);
        // A known one has met a value that is out of the usual.
        if let Some(shape) = shape.filter(|shape| !self.known.contains(shape)) {
            self.known.truncate(MOST - 1);
            self.known.insert(0, shape);
        }
    }
}
