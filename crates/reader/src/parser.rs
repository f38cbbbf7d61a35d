//! Parser of one thread: reads records into batches, on the fast path or the slow path.
//!
//! Both paths write to the same sink ([`BatchWriter`]): a row is appended to the batch with its
//! lineage, and a reject to the results of the part that is read ([`PartResult`]). The fast path
//! appends values to their columns while it reads them, without an intermediate row; that is what
//! makes it fast. The slow path types the whole record first, since it knows only at the end if the
//! record is valid.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::erasures::{ErasureFilter, Erasures};
use super::format::{LogFormat, Mapping, NATIVE, NOT_A_PLAY, has_key, recognized};
use super::json::{Member, Raw};
use super::limits::{TextLimits, remove_last_row};
use super::record_template::RecordTemplates;
use super::records::{Input, Item, MAX_RAW, NO_RECORDS, RecordSink, Records};
use super::rejects::{PendingReject, RejectLog};
use super::schema::{RecordKind, RecordShape, RowBuilder};
use sparkify_warehouse::{BATCH_ROWS, Batch};

/// Most bytes of records and rejects that go into one batch, plus one record: rows can be long.
const BATCH_BYTES: usize = 16 << 20;
/// Most names of unknown keys that are counted one by one, and the longest name in bytes.
const MAX_EXTRA: usize = 1000;
const MAX_EXTRA_NAME: usize = 200;

/// Counts and rejects of a part of an object. Its rows are in the batches.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PartResult {
    /// Accepted records.
    pub staged: u64,
    /// Valid records of erased persons, which are left out.
    pub erased: u64,
    /// Rejected records, and damage between records.
    pub rejects: RejectLog,
    /// Number of records with each unknown key.
    pub extra: BTreeMap<String, u64>,
    /// Number of repaired double-encoded values, by field.
    pub repairs: BTreeMap<u32, u64>,
    /// Accepted records that are no plays by a rule of the log format, by the page that it names.
    pub pages: BTreeMap<&'static str, u64>,
}

impl PartResult {
    /// Counts an accepted record, and its repaired fields by their bits.
    fn accept(&mut self, mut repairs: u32) {
        self.staged += 1;
        while repairs != 0 {
            *self.repairs.entry(repairs.trailing_zeros()).or_default() += 1;
            repairs &= repairs - 1;
        }
    }

    fn count_extra(&mut self, key: &[u8]) {
        let key = &key[..key.len().min(MAX_EXTRA_NAME)];
        count_extra(&mut self.extra, &String::from_utf8_lossy(key), 1);
    }
}

/// Adds `by` records to the count of an unknown key.
pub(super) fn count_extra(extra: &mut BTreeMap<String, u64>, name: &str, by: u64) {
    if let Some(count) = extra.get_mut(name) {
        *count += by;
    } else {
        let name = if extra.len() < MAX_EXTRA { name } else { "(other keys)" };
        *extra.entry(name.to_owned()).or_default() += by;
    }
}

/// Reasons to reject a valid record of the other kind.
const MISPLACED: [&str; 2] = ["a song record in the log data", "an event in the song data"];
/// Reason to reject a valid record of another log format, before its name in backticks.
const OF_FORMAT: &str = "a record of the log format ";

/// Returns true if this is the reason of a reject that is a record of the other kind, or of another
/// log format.
pub(super) fn is_misplaced(reason: &str) -> bool {
    MISPLACED.contains(&reason) || format_of(reason).is_some()
}

/// Returns the log format that a reject has by its reason.
pub(super) fn format_of(reason: &str) -> Option<&str> {
    reason.strip_prefix(OF_FORMAT)?.strip_prefix('`')?.strip_suffix('`')
}

/// Reason why a parser stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stopped {
    /// The batch has enough rows, or enough bytes were read for it. It may be empty, if all of
    /// these were rejects.
    Full,
    /// The slice was read to its end.
    SliceEnd,
    /// The stream was read to its end.
    End,
}

/// Parser of one thread. Reused for the next object to save allocations.
pub(super) struct Parser {
    pub records: Records,
    rows: RowParser,
}

/// State that turns records into rows.
struct RowParser {
    kind: RecordKind,
    /// Shape of the records.
    shape: RecordShape,
    /// Format of the records; none for the program's own.
    format: Option<LogFormat>,
    /// Its mapping, unless the fast path reads it.
    mapping: Option<&'static Mapping>,
    /// Page that a rule gave the last record, if it is no play.
    page: Option<&'static str>,
    /// False if every record takes the slow path.
    fast_path: bool,
    /// Values of the scanned record, by column.
    slots: Vec<Raw>,
    /// Unknown keys of the scanned record.
    unknown: Vec<Vec<u8>>,
    builder: RowBuilder,
    templates: RecordTemplates,
    limits: TextLimits,
    erasures: ErasureFilter,
    result: PartResult,
    /// Number of records that took the slow path.
    slow_records: usize,
}

impl Parser {
    pub(super) fn new(kind: RecordKind) -> Self {
        let rows = RowParser {
            kind,
            shape: kind.shape(),
            format: None,
            mapping: None,
            page: None,
            fast_path: true,
            slots: Vec::new(),
            unknown: Vec::new(),
            builder: RowBuilder::new(kind),
            templates: RecordTemplates::new(kind.fields()),
            limits: TextLimits::default(),
            erasures: ErasureFilter::default(),
            result: PartResult::default(),
            slow_records: 0,
        };
        Self { records: Records::new(), rows }
    }

    /// Reads records in this format.
    pub(super) fn of_format(mut self, format: Option<LogFormat>) -> Self {
        self.rows.mapping = format.and_then(LogFormat::mapping);
        self.rows.shape = self.rows.mapping.map_or(self.rows.shape, Mapping::shape);
        self.rows.format = format;
        self.rows.fast_path = self.rows.mapping.is_none();
        self
    }

    /// Rejects records with longer texts.
    pub(super) fn limited(mut self, limits: TextLimits) -> Self {
        self.rows.limits = limits;
        self
    }

    /// Leaves out records of erased persons.
    pub(super) fn without(mut self, erasures: Option<Arc<Erasures>>) -> Self {
        self.rows.erasures = ErasureFilter::new(self.rows.kind, erasures);
        self
    }

    /// Rejects records with numbers that only this crate reads. The slow path reads all records then.
    pub(super) fn requiring_plain_numbers(mut self, required: bool) -> Self {
        if required {
            self.rows.fast_path = false;
            self.rows.builder.require_plain_numbers();
        }
        self
    }

    /// Creates a parser without the fast path, as the reference of differential tests.
    #[cfg(any(test, fuzzing))]
    pub(super) fn slow_path_only(kind: RecordKind) -> Self {
        let mut parser = Self::new(kind);
        parser.rows.fast_path = false;
        parser
    }

    /// Returns the number of records that took the slow path.
    #[cfg(test)]
    pub(super) fn slow_records(&self) -> usize {
        self.rows.slow_records
    }

    /// Prepares to read another stream.
    pub(super) fn restart(&mut self) {
        self.records.restart();
        self.rows.templates.restart();
    }

    /// Takes the counts and rejects since the last call.
    pub(super) fn take_result(&mut self) -> PartResult {
        std::mem::take(&mut self.rows.result)
    }

    /// Reads until `batch` is full or the input ends. `lineage` is the IDs of the load and the
    /// object.
    pub(super) fn fill<I: Input>(
        &mut self,
        input: &mut I,
        lineage: [i64; 2],
        batch: &mut Batch,
    ) -> Result<Stopped, I::Error> {
        let mut writer = BatchWriter { rows: &mut self.rows, lineage, batch };
        let mut bytes = 0;
        while writer.batch.len() < BATCH_ROWS && bytes < BATCH_BYTES {
            bytes += match self.records.next(input, &mut writer)? {
                Item::Record { start, end, .. } => end - start,
                Item::Reject { .. } => self.records.reject_bytes().len(),
                Item::SliceEnd => return Ok(Stopped::SliceEnd),
                Item::End => return Ok(Stopped::End),
            };
        }
        Ok(Stopped::Full)
    }
}

impl RowParser {
    /// Keeps a reject, without its bytes if they name an erased person, and with private texts
    /// masked.
    fn keep_reject(&mut self, offset: u64, length: u64, reason: String, raw: &[u8]) {
        let user = self.mapping.and_then(Mapping::constant_user);
        let is_erased = user.is_some_and(|user| self.erasures.has_user(user));
        let is_erased = is_erased || self.erasures.has_reject(raw);
        let mut raw = if is_erased { Vec::new() } else { raw.to_vec() };
        if let Some(mapping) = self.mapping {
            mapping.mask(&mut raw);
        }
        self.result.rejects.push(PendingReject { offset, length, reason, raw });
    }

    /// Returns the reason to reject a record if it is one of the other kind.
    fn other_kind(&self, raw: &[u8]) -> Option<String> {
        let (other, reason) = match self.kind {
            RecordKind::Events => (RecordKind::Songs, MISPLACED[0]),
            RecordKind::Songs => (RecordKind::Events, MISPLACED[1]),
        };
        // The unknown keys are sorted.
        let has = |slot: usize| {
            let key = other.keys()[slot].as_bytes();
            self.unknown.binary_search_by(|name| name.as_slice().cmp(key)).is_ok()
        };
        let has_keys = match self.mapping {
            None => other.needed().all(has),
            Some(_) => other.needed().all(|slot| has_key(raw, other.keys()[slot])),
        };
        has_keys.then(|| reason.to_owned())
    }

    /// Returns the reason to reject an object if it is of another log format.
    fn other_format(&self, raw: &[u8]) -> Option<String> {
        let own = self.format.map_or(NATIVE, |format| format.name);
        let is_events = self.kind == RecordKind::Events;
        let name = is_events.then(|| recognized(raw, own)).flatten()?;
        Some(format!("{OF_FORMAT}`{name}`"))
    }
}

/// Sink that appends rows to a batch, and keeps rejects and counts.
struct BatchWriter<'a> {
    rows: &'a mut RowParser,
    lineage: [i64; 2],
    batch: &'a mut Batch,
}

impl BatchWriter<'_> {
    fn lineage(&self, offset: u64) -> [i64; 3] {
        [self.lineage[0], self.lineage[1], i64::try_from(offset).unwrap_or(i64::MAX)]
    }

    /// Appends the scanned record; returns one bit for each repaired field, or the reason why the
    /// record is rejected, and then the batch is unchanged.
    fn append(&mut self, window: &[u8], start: usize, offset: u64) -> Result<u32, String> {
        let lineage = self.lineage(offset);
        let rows = &mut *self.rows;
        rows.page = None;
        let repairs = match rows.mapping {
            None => rows.builder.append(window, &rows.slots, lineage, self.batch)?,
            Some(mapping) => {
                let mapped =
                    rows.builder.append_mapped(mapping, window, start, lineage, self.batch)?;
                rows.page = mapped.page;
                mapped.repairs
            }
        };
        let Some((column, length, limit)) = rows.limits.exceeded(self.batch) else {
            return Ok(repairs);
        };
        remove_last_row(self.batch);
        let key = rows.kind.keys().get(column).copied().unwrap_or_default();
        Err(format!("`{key}` is longer than {limit} bytes: {length}"))
    }
}

impl RecordSink for BatchWriter<'_> {
    fn shape(&self) -> RecordShape {
        self.rows.shape
    }

    fn leaves_out_documents(&self) -> bool {
        self.rows.mapping.is_some()
    }

    fn try_fast_path(&mut self, window: &[u8], at: usize, offset: u64) -> Option<usize> {
        if !self.rows.fast_path {
            return None;
        }
        let lineage = self.lineage(offset);
        let matched = self.rows.templates.read(window, at, self.batch)?;
        let end = matched.end;
        #[cfg(test)]
        injected_panic(&window[at..end]);
        let first = self.batch.columns.len() - lineage.len();
        for (column, value) in self.batch.columns[first..].iter_mut().zip(lineage) {
            column.push_int(value);
        }
        if self.rows.limits.exceeded(self.batch).is_some() {
            // The slow path rejects the record with the reason.
            remove_last_row(self.batch);
            return None;
        }
        if self.rows.erasures.remove_erased(self.batch) {
            self.rows.result.erased += 1;
            return Some(end);
        }
        self.rows.result.accept(matched.repairs);
        for key in matched.extra {
            self.rows.result.count_extra(key);
        }
        Some(end)
    }

    fn begin_scan(&mut self) {
        self.rows.unknown.clear();
        self.rows.slots.clear();
        self.rows.slots.resize(self.rows.kind.keys().len(), Raw::Missing);
    }

    fn member(&mut self, member: Member<'_>) {
        match member.slot {
            // A mapping finds its values itself.
            _ if self.rows.mapping.is_some() => {}
            Some(slot) => self.rows.slots[slot] = member.value,
            None => self.rows.unknown.push(member.name.into_owned()),
        }
    }

    fn record(&mut self, window: &[u8], record: Range<usize>, offset: u64) {
        #[cfg(test)]
        injected_panic(&window[record.clone()]);
        let appended = self.append(window, record.start, offset);
        let rows = &mut *self.rows;
        rows.slow_records += 1;
        rows.unknown.sort_unstable();
        rows.unknown.dedup();
        for key in &rows.unknown {
            rows.result.count_extra(key);
        }
        match appended {
            Ok(_) if rows.erasures.remove_erased(self.batch) => rows.result.erased += 1,
            Ok(repairs) => {
                rows.result.accept(repairs);
                if let Some(page) = rows.page {
                    *rows.result.pages.entry(page).or_default() += 1;
                }
                if rows.fast_path {
                    rows.templates.learn(window, record.start, rows.kind.keys());
                }
            }
            Err(reason) => {
                let raw = &window[record.start..record.end.min(record.start + MAX_RAW)];
                let is_left_out = reason.starts_with(NOT_A_PLAY);
                let misplaced = rows.other_kind(raw);
                let misplaced =
                    misplaced.or_else(|| (!is_left_out).then(|| rows.other_format(raw)).flatten());
                let reason = misplaced.unwrap_or(reason);
                rows.keep_reject(offset, record.len() as u64, reason, raw);
            }
        }
    }

    fn reject(&mut self, offset: u64, length: u64, reason: &str, raw: &[u8]) {
        let is_object = reason == NO_RECORDS;
        let misplaced = is_object.then(|| self.rows.other_format(raw)).flatten();
        let reason = misplaced.unwrap_or_else(|| reason.to_owned());
        self.rows.keep_reject(offset, length, reason, raw);
    }
}

/// Text of a record on which a parser panics in tests.
#[cfg(test)]
pub(super) const PANIC: &str = "inject a panic";

#[cfg(test)]
fn injected_panic(record: &[u8]) {
    assert!(memchr::memmem::find(record, PANIC.as_bytes()).is_none(), "injected");
}
