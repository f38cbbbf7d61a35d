//! From listed objects to rows of a staging table: workers take objects from one queue, and each fills batches from the object it has open.
//!
//! The warehouse's threads call [`RowSource::next`]; whichever calls takes an idle worker, or starts one while objects are left. So a load uses as
//! many threads as the warehouse has, whether the objects are a million small ones or a few large ones.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::json::Raw;
use super::meter::Meter;
use super::records::{Input, Item, Records};
use super::rejects::{Reject, Rejects};
use super::schema::{RecordKind, RowBuilder};
use super::{ObjectRows, StageError, Tally};
use crate::source::{Ahead, Content, Object, SourceError};
use crate::warehouse::{BATCH_ROWS, Batch, ColumnType, RowSource};

/// At most this many names of unknown keys are counted one by one, each up to this many bytes.
const MAX_EXTRA: usize = 1000;
const MAX_EXTRA_NAME: usize = 200;

/// What the workers share.
struct Shared {
    idle: Vec<Worker>,
    tally: Tally,
    rejects: Rejects,
    error: Option<StageError>,
}

/// All records of one kind in one load.
pub(super) struct Reader {
    kind: RecordKind,
    load_id: i64,
    objects: Vec<(i64, Object)>,
    ahead: Ahead,
    next: AtomicUsize,
    shared: Mutex<Shared>,
    meter: Arc<Meter>,
}

impl Reader {
    pub(super) fn new(
        kind: RecordKind,
        load_id: i64,
        objects: Vec<(i64, Object)>,
        meter: Arc<Meter>,
    ) -> Self {
        let shared = Shared {
            idle: Vec::new(),
            tally: Tally::default(),
            rejects: Rejects::new(),
            error: None,
        };
        Self {
            kind,
            load_id,
            ahead: Ahead::start(objects.iter().map(|(_, object)| object)),
            objects,
            next: AtomicUsize::new(0),
            shared: Mutex::new(shared),
            meter,
        }
    }

    /// After the load: what was read, or the error that ended it.
    pub(super) fn finish(&self) -> Result<(Tally, Rejects), StageError> {
        let mut shared = self.shared();
        match shared.error.take() {
            Some(error) => Err(error),
            None => Ok((
                std::mem::take(&mut shared.tally),
                std::mem::replace(&mut shared.rejects, Rejects::new()),
            )),
        }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fills `batch` from the worker's object, then from the next ones; false when no object is left.
    fn fill(&self, worker: &mut Worker, batch: &mut Batch) -> Result<bool, StageError> {
        while batch.len() < BATCH_ROWS {
            if worker.open.is_none() && !self.open_next(worker)? {
                return Ok(false);
            }
            self.step(worker, batch)?;
        }
        if let Some(open) = &mut worker.open {
            open.told.tell(&self.meter, open.content.consumed(), &open.rows);
        }
        Ok(true)
    }

    fn open_next(&self, worker: &mut Worker) -> Result<bool, StageError> {
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        let Some((object_id, object)) = self.objects.get(index) else { return Ok(false) };
        let content = self.ahead.open(index, object)?;
        worker.records.restart();
        let rows = ObjectRows {
            object_id: *object_id,
            object: object.clone(),
            kind: self.kind,
            ..ObjectRows::default()
        };
        worker.open = Some(Open { content, rows, told: Told::default() });
        Ok(true)
    }

    /// Takes the next item of the open object.
    fn step(&self, worker: &mut Worker, batch: &mut Batch) -> Result<(), StageError> {
        let Some(open) = &mut worker.open else { return Ok(()) };
        let (tally, extra) = (&mut worker.tally, &mut worker.extra);
        let item = worker.records.next(
            &mut open.content,
            &worker.keys,
            &mut worker.slots,
            &mut |key| {
                count_extra(extra, key);
            },
        )?;
        let (offset, length, reason) = match item {
            Item::Record { offset, start, end } => {
                let lineage = [self.load_id, open.rows.object_id, signed(offset)];
                let window = worker.records.window();
                match worker.row.append(window, &worker.slots, lineage, batch) {
                    Ok(()) => {
                        open.rows.staged += 1;
                        return Ok(());
                    }
                    Err(reason) => {
                        let raw = &window[start..end];
                        let raw = &raw[..raw.len().min(super::records::MAX_RAW)];
                        let length = (end - start) as u64;
                        return self.reject(&mut open.rows, offset, length, &reason, raw);
                    }
                }
            }
            Item::Reject { offset, length, reason } => (offset, length, reason),
            Item::End => {
                let Some(mut open) = worker.open.take() else { return Ok(()) };
                let mut rows = open.rows;
                rows.fingerprint = open.content.fingerprint()?;
                open.told.tell(&self.meter, rows.object.size, &rows);
                Meter::advance(&self.meter.objects, 1);
                tally.objects.push(rows);
                return Ok(());
            }
        };
        self.reject(&mut open.rows, offset, length, reason, worker.records.scrap())
    }

    fn reject(
        &self,
        rows: &mut ObjectRows,
        offset: u64,
        length: u64,
        reason: &str,
        raw: &[u8],
    ) -> Result<(), StageError> {
        rows.rejected += 1;
        let reject = Reject {
            object_id: rows.object_id,
            object_key: &rows.object.key,
            offset,
            length,
            reason,
            raw,
        };
        self.shared().rejects.push(&reject).map_err(StageError::Spool)
    }

    fn retire(&self, worker: Worker) {
        let mut shared = self.shared();
        let mut tally = worker.tally;
        for (field, count) in self.kind.fields().iter().zip(&worker.row.repairs) {
            if *count > 0 {
                *tally.repairs.entry(format!("{}.{}", self.kind.name(), field.key)).or_default() +=
                    count;
            }
        }
        for (name, count) in worker.extra {
            *tally.extra_keys.entry(name).or_default() += count;
        }
        shared.tally.merge(tally);
    }
}

fn signed(offset: u64) -> i64 {
    i64::try_from(offset).unwrap_or(i64::MAX)
}

fn count_extra(extra: &mut std::collections::BTreeMap<String, u64>, key: &[u8]) {
    let name = String::from_utf8_lossy(&key[..key.len().min(MAX_EXTRA_NAME)]).into_owned();
    if extra.len() < MAX_EXTRA || extra.contains_key(&name) {
        *extra.entry(name).or_default() += 1;
    } else {
        *extra.entry("(other keys)".into()).or_default() += 1;
    }
}

impl RowSource for Reader {
    fn types(&self) -> Vec<ColumnType> {
        self.kind.columns()
    }

    fn next(&self, batch: &mut Batch) -> Result<(), String> {
        let idle = {
            let mut shared = self.shared();
            if shared.error.is_some() {
                return Err("the load has failed".into());
            }
            shared.idle.pop()
        };
        let mut worker = idle.unwrap_or_else(|| Worker::new(self.kind));
        match self.fill(&mut worker, batch) {
            Ok(true) => self.shared().idle.push(worker),
            Ok(false) => self.retire(worker),
            Err(error) => {
                let text = error.to_string();
                let mut shared = self.shared();
                if shared.error.is_none() {
                    shared.error = Some(error);
                }
                return Err(text);
            }
        }
        Ok(())
    }
}

/// One object that is being read.
struct Open {
    content: Content,
    rows: ObjectRows,
    told: Told,
}

/// How much of an object the meter has been told of.
#[derive(Default)]
struct Told {
    bytes: u64,
    records: u64,
}

impl Told {
    fn tell(&mut self, meter: &Meter, bytes: u64, rows: &ObjectRows) {
        let records = rows.staged + rows.rejected;
        Meter::advance(&meter.bytes, bytes.saturating_sub(self.bytes));
        Meter::advance(&meter.records, records - self.records);
        *self = Self { bytes, records };
    }
}

/// What one thread works with at a time.
struct Worker {
    open: Option<Open>,
    records: Records,
    keys: Vec<&'static str>,
    slots: Vec<Raw>,
    row: RowBuilder,
    tally: Tally,
    extra: std::collections::BTreeMap<String, u64>,
}

impl Worker {
    fn new(kind: RecordKind) -> Self {
        let keys: Vec<_> = kind.fields().iter().map(|field| field.key).collect();
        Self {
            open: None,
            records: Records::new(),
            slots: vec![Raw::Missing; keys.len()],
            keys,
            row: RowBuilder::new(kind),
            tally: Tally::default(),
            extra: std::collections::BTreeMap::new(),
        }
    }
}

impl Input for Content {
    type Error = SourceError;

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        Content::read(self, buffer)
    }
}
