//! From listed objects to rows of a staging table: threads take objects from one queue, and each fills batches from the object it has open.
//!
//! The warehouse's threads call [`RowSource::next`]; whichever calls takes an idle hand, or starts one while there is work. So a load uses as
//! many threads as the warehouse has, whether the objects are a million small ones or a few large ones: whoever finds the queue empty helps with the
//! large objects that are not through.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::large::{Large, Replay, Rest, Slicing, Turn};
use super::limits::TextLimits;
use super::meter::Meter;
use super::rejects::{Reject, Rejects};
use super::schema::RecordKind;
use super::worker::{Counts, Stopped, Worker, count_extra};
use super::{ObjectRows, ReadError, Tally};
use sparkify_source::{Prefetch, Content, Object};
use sparkify_warehouse::{BATCH_ROWS, Batch, ColumnType, RowSource};

/// What the threads share.
struct Shared {
    /// The first object that nobody has taken.
    next: usize,
    /// Large objects that may need help.
    large: Vec<Arc<Large>>,
    idle: Vec<Hand>,
    tally: Tally,
    rejects: Rejects,
    error: Option<ReadError>,
}

/// What one thread works with at a time.
struct Hand {
    worker: Worker,
    work: Work,
}

/// What a hand is at.
enum Work {
    None,
    /// An object of its own.
    Own(Box<Open>),
    /// One that others may read as well.
    Shared(Arc<Large>),
}

/// One object that is being read from its start to its end.
struct Open {
    input: Replay,
    rows: ObjectRows,
    told: u64,
}

/// All records of one kind in one load.
pub struct Reader {
    kind: RecordKind,
    load_id: i64,
    /// The objects, and the number of each in the ledger.
    objects: Arc<[Object]>,
    ids: Vec<i64>,
    ahead: Arc<Prefetch>,
    slicing: Slicing,
    limits: TextLimits,
    is_bulk: bool,
    shared: Mutex<Shared>,
    meter: Arc<Meter>,
}

impl Reader {
    /// A reader of `objects`, each with its number in the ledger.
    pub fn new(
        kind: RecordKind,
        load_id: i64,
        objects: Vec<(i64, Object)>,
        meter: Arc<Meter>,
    ) -> Self {
        let shared = Shared {
            next: 0,
            large: Vec::new(),
            idle: Vec::new(),
            tally: Tally::default(),
            rejects: Rejects::new(),
            error: None,
        };
        let slicing = Slicing::default();
        let (ids, objects): (Vec<i64>, Vec<Object>) = objects.into_iter().unzip();
        let objects = Arc::from(objects);
        let ahead = Arc::new(Prefetch::start(&objects));
        let (shared, limits, is_bulk) = (Mutex::new(shared), TextLimits::default(), true);
        Self { kind, load_id, objects, ids, ahead, slicing, limits, is_bulk, shared, meter }
    }

    /// Refuses records with longer texts.
    pub fn limited(self, limits: TextLimits) -> Self {
        Self { limits, ..self }
    }

    /// Announces few rows, for a warehouse that inserts few rows without a staging file.
    pub fn expecting_few(self) -> Self {
        Self { is_bulk: false, ..self }
    }

    /// Slices otherwise: smaller input shows what happens between slices.
    #[cfg(any(test, fuzzing))]
    pub(super) fn sliced(self, slicing: Slicing) -> Self {
        Self { slicing, ..self }
    }

    /// After the load: what was read, or the error that ended it.
    pub fn finish(&self) -> Result<(Tally, Rejects), ReadError> {
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

    /// Fills `batch` with rows, as long as there are any; false when nothing is left to do.
    fn fill(&self, hand: &mut Hand, batch: &mut Batch) -> Result<bool, ReadError> {
        while batch.len() < BATCH_ROWS {
            match &mut hand.work {
                Work::None => {
                    if !self.find_work(hand)? {
                        return Ok(false);
                    }
                }
                Work::Own(open) => {
                    if self.read(&mut hand.worker, open, batch)? == Stopped::Full {
                        return Ok(true);
                    }
                    if let Work::Own(open) = std::mem::replace(&mut hand.work, Work::None) {
                        self.close(open.input.content, open.rows)?;
                    }
                }
                // A batch that was parsed ahead takes the place of this one.
                Work::Shared(_) if !batch.is_empty() => return Ok(true),
                Work::Shared(_) => {
                    if self.take_part(hand, batch)? {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(true)
    }

    /// The next object, or a large one that others have begun; false when there is none.
    fn find_work(&self, hand: &mut Hand) -> Result<bool, ReadError> {
        let mut shared = self.shared();
        let index = shared.next;
        let (Some(object), Some(object_id)) = (self.objects.get(index), self.ids.get(index)) else {
            let begun = shared.large.last().cloned();
            return Ok(begun.map(|large| hand.work = Work::Shared(large)).is_some());
        };
        shared.next += 1;
        let rows = ObjectRows {
            object_id: *object_id,
            object: object.clone(),
            kind: self.kind,
            ..ObjectRows::default()
        };
        if object.size >= self.slicing.from {
            let large = Arc::new(Large::new(
                self.load_id,
                rows,
                self.slicing,
                Arc::clone(&self.ahead),
                index,
            ));
            shared.large.push(Arc::clone(&large));
            hand.work = Work::Shared(large);
            return Ok(true);
        }
        drop(shared);
        let input = Replay::none(self.ahead.open(index, object)?);
        hand.worker.restart();
        hand.work = Work::Own(Box::new(Open { input, rows, told: 0 }));
        Ok(true)
    }

    fn read(
        &self,
        worker: &mut Worker,
        open: &mut Open,
        batch: &mut Batch,
    ) -> Result<Stopped, ReadError> {
        let lineage = [self.load_id, open.rows.object_id];
        let stopped = worker.fill(&mut open.input, lineage, batch)?;
        self.account(&mut open.rows, worker.counts())?;
        let consumed = open.input.content.consumed();
        Meter::advance(&self.meter.bytes, consumed.saturating_sub(open.told));
        open.told = consumed;
        Ok(stopped)
    }

    /// Works on a large object; true when `batch` has rows by that.
    fn take_part(&self, hand: &mut Hand, batch: &mut Batch) -> Result<bool, ReadError> {
        let Work::Shared(large) = &hand.work else { return Ok(false) };
        let large = Arc::clone(large);
        let mut accounted = Ok(());
        let mut account = |counts| {
            let mut rows = large.rows.lock().unwrap_or_else(PoisonError::into_inner);
            let now = self.account(&mut rows, counts);
            accounted = std::mem::replace(&mut accounted, Ok(())).and(now);
        };
        let turn = large.turn(&mut hand.worker, batch, &self.meter, &mut account)?;
        accounted?;
        let rows = || large.rows.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match turn {
            Turn::Rows => return Ok(true),
            Turn::Close(content) => self.close(content, rows())?,
            Turn::Alone(Rest { input, form, offset }) => {
                hand.worker.restart();
                hand.worker.records.resume(form, offset);
                let told = input.content.consumed();
                hand.work = Work::Own(Box::new(Open { input, rows: rows(), told }));
            }
            Turn::Done => {
                self.shared().large.retain(|other| !Arc::ptr_eq(other, &large));
                hand.work = Work::None;
            }
        }
        Ok(false)
    }

    /// Adds what was met in a part of an object.
    fn account(&self, rows: &mut ObjectRows, counts: Counts) -> Result<(), ReadError> {
        rows.staged += counts.staged;
        rows.rejected += counts.rejects.len() as u64;
        let records = counts.staged + counts.rejects.len() as u64;
        Meter::advance(&self.meter.records, records);
        if counts.rejects.is_empty() && counts.extra.is_empty() && counts.repairs.is_empty() {
            return Ok(());
        }
        let mut shared = self.shared();
        for (field, count) in counts.repairs {
            let key = self.kind.keys()[field as usize];
            *shared.tally.repairs.entry(format!("{}.{key}", self.kind.name())).or_default() +=
                count;
        }
        for (name, count) in counts.extra {
            count_extra(&mut shared.tally.extra_keys, &name, count);
        }
        for held in counts.rejects {
            let reject = Reject {
                object_id: rows.object_id,
                object_key: &rows.object.key,
                offset: held.offset,
                length: held.length,
                reason: &held.reason,
                raw: &held.raw,
            };
            shared.rejects.push(&reject).map_err(ReadError::Spool)?;
        }
        Ok(())
    }

    fn close(&self, content: Content, mut rows: ObjectRows) -> Result<(), ReadError> {
        rows.fingerprint = Some(content.fingerprint()?);
        Meter::advance(&self.meter.objects, 1);
        self.shared().tally.objects.push(rows);
        Ok(())
    }
}

impl RowSource for Reader {
    fn is_bulk(&self) -> bool {
        self.is_bulk
    }

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
        let new = || {
            let worker = Worker::new(self.kind).limited(self.limits.clone());
            Hand { worker, work: Work::None }
        };
        let mut hand = idle.unwrap_or_else(new);
        match self.fill(&mut hand, batch) {
            Ok(true) => self.shared().idle.push(hand),
            Ok(false) => {}
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
