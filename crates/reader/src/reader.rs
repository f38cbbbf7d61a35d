//! Reader: turns listed objects into rows of a staging table, on as many threads as the warehouse
//! has.
//!
//! The warehouse's threads call [`RowSource::next`]. Each call takes an idle worker, or starts one
//! while there are objects left. So all threads are busy, whether the input is a million small
//! objects or a few large ones: a worker that finds no further object helps with the large objects
//! that are not finished.
//!
//! An object that changes or is removed while it is read is left out, if the caller allows it
//! ([`Reader::leaving_unstable`]): its counts are dropped, and the caller deletes its rows.
//!
//! A call never returns an empty batch before the end of the input, since engines take that for the
//! end. A panic in a call becomes an error of the load; it neither unwinds into the engine, nor
//! leaves other threads waiting.

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::account::Account;
use super::erasures::Erasures;
use super::format::LogFormat;
use super::limits::TextLimits;
use super::meter::Meter;
use super::parser::{Parser, PartResult, Stopped, count_extra, format_of, is_misplaced};
use super::rejects::{Reject, Rejects};
use super::schema::RecordKind;
use super::slices::{Remainder, ReplayInput, SlicedObject, Slicing, Step};
use super::{ObjectRows, ReadError, Tally, UnstableObject};
use sparkify_source::{Content, Object, Prefetch, SourceError};
use sparkify_warehouse::{BATCH_ROWS, Batch, ColumnType, RowSource};

/// Numbers of records and of objects by which the kind of all objects is judged.
const KIND_SAMPLE: (u64, usize) = (100, 3);

/// State that the threads share.
struct Shared {
    /// Index of the first object that no worker has started.
    next: usize,
    /// Large objects that are not finished.
    large: Vec<Arc<SlicedObject>>,
    idle: Vec<Worker>,
    tally: Tally,
    rejects: Rejects,
    /// Number of records of the other kind, while the kind is checked, and their objects.
    misplaced: u64,
    misplaced_in: BTreeSet<i64>,
    /// Log format that they have, if it is another.
    misplaced_as: Option<String>,
    /// The first error. It ends the load.
    error: Option<ReadError>,
}

/// Parser with the object that it reads. Used by one thread at a time.
struct Worker {
    parser: Parser,
    work: Work,
}

/// Current object of a worker.
enum Work {
    None,
    /// Read by this worker only.
    Whole(Box<OpenObject>),
    /// Read by any number of workers.
    Sliced(Arc<SlicedObject>),
}

/// Object that is read from its start to its end.
struct OpenObject {
    input: ReplayInput,
    account: Account,
    /// Bytes that the meter has counted.
    metered: u64,
}

/// Reader of all records of one kind in one load.
pub struct Reader {
    kind: RecordKind,
    load_id: i64,
    objects: Arc<[Object]>,
    /// The ID of each object in the ledger.
    ids: Vec<i64>,
    prefetch: Arc<Prefetch>,
    slicing: Slicing,
    limits: TextLimits,
    erasures: Option<Arc<Erasures>>,
    format: Option<LogFormat>,
    plain_numbers: bool,
    is_bulk: bool,
    leaves_unstable: bool,
    /// True until a record is not of the other kind, if the caller asked for the check.
    checks_kind: AtomicBool,
    shared: Mutex<Shared>,
    meter: Arc<Meter>,
}

impl Reader {
    /// Creates a reader of `objects`, each with its ID in the ledger, and starts to prefetch them.
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
            misplaced: 0,
            misplaced_in: BTreeSet::new(),
            misplaced_as: None,
            error: None,
        };
        let slicing = Slicing::default();
        let (ids, objects): (Vec<i64>, Vec<Object>) = objects.into_iter().unzip();
        let objects = Arc::from(objects);
        let prefetch = Arc::new(Prefetch::start(&objects));
        Self {
            kind,
            load_id,
            objects,
            ids,
            prefetch,
            slicing,
            limits: TextLimits::default(),
            erasures: None,
            format: None,
            plain_numbers: false,
            is_bulk: true,
            leaves_unstable: false,
            checks_kind: AtomicBool::new(false),
            shared: Mutex::new(shared),
            meter,
        }
    }

    /// Leaves out objects that change or are removed while they are read; otherwise that is an
    /// error. [`Tally::unstable`] lists them, and the caller deletes their rows.
    #[must_use]
    pub fn leaving_unstable(self, leaves_unstable: bool) -> Self {
        Self { leaves_unstable, ..self }
    }

    /// Fails if the first records are all of the other kind. They are few, so that swapped locations
    /// are noticed at once.
    #[must_use]
    pub fn checking_kind(self, checks_kind: bool) -> Self {
        Self { checks_kind: AtomicBool::new(checks_kind), ..self }
    }

    /// Rejects records with longer texts.
    #[must_use]
    pub fn limited(self, limits: TextLimits) -> Self {
        Self { limits, ..self }
    }

    /// Reads events in this format. Song records have one format only.
    #[must_use]
    pub fn of_format(self, format: Option<LogFormat>) -> Self {
        let format = format.filter(|_| self.kind == RecordKind::Events);
        let is_contained = format.is_some_and(|format| format.is_contained());
        // Slices begin at lines; the records of a container have no context there.
        let min_object = if is_contained { u64::MAX } else { self.slicing.min_object };
        let slicing = Slicing { min_object, ..self.slicing };
        Self { slicing, format, ..self }
    }

    /// Leaves out records of erased persons.
    #[must_use]
    pub fn without(self, erasures: Option<Arc<Erasures>>) -> Self {
        Self { erasures, ..self }
    }

    /// Rejects records with numbers that a warehouse may read differently, such as `2e2`.
    #[must_use]
    pub fn requiring_plain_numbers(self) -> Self {
        Self { plain_numbers: true, ..self }
    }

    /// Announces few rows, for a warehouse that inserts few rows without a staging file.
    #[must_use]
    pub fn expecting_few(self) -> Self {
        Self { is_bulk: false, ..self }
    }

    /// Changes the sizes of slices, so that tests and fuzzing need only small input.
    #[cfg(any(test, fuzzing))]
    pub(super) fn sliced(self, slicing: Slicing) -> Self {
        Self { slicing, ..self }
    }

    /// Returns the counts and rejects of a finished load, or the error that ended it.
    pub fn finish(&self) -> Result<(Tally, Rejects), ReadError> {
        let mut shared = self.shared();
        match shared.error.take() {
            Some(error) => Err(error),
            None if shared.misplaced > 0 && self.checks_kind.load(Ordering::Relaxed) => {
                let object = self.objects.first().map(|object| object.key.to_string());
                Err(misplaced(object.unwrap_or_default(), shared.misplaced_as.take()))
            }
            None => Ok((std::mem::take(&mut shared.tally), std::mem::take(&mut shared.rejects))),
        }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fills `batch` with rows, at least one if there are any left; returns false if no work is
    /// left.
    fn fill(&self, worker: &mut Worker, batch: &mut Batch) -> Result<bool, ReadError> {
        while batch.len() < BATCH_ROWS {
            if self.meter.is_cancelled() {
                return Err(ReadError::Cancelled);
            }
            match &mut worker.work {
                Work::None => {
                    if !self.find_work(worker)? {
                        return Ok(false);
                    }
                }
                Work::Whole(open) => match self.read(&mut worker.parser, open, batch) {
                    Err(error) => {
                        let ObjectRows { object_id, object, .. } = &open.account.rows;
                        let (object_id, object) = (*object_id, object.clone());
                        worker.work = Work::None;
                        self.leave(object_id, object, error)?;
                    }
                    // Long rejects fill a batch without a row: an engine would take it for the end.
                    Ok(Stopped::Full) if batch.is_empty() => {}
                    Ok(Stopped::Full) => return Ok(true),
                    Ok(Stopped::SliceEnd | Stopped::End) => {
                        if let Work::Whole(open) = std::mem::replace(&mut worker.work, Work::None) {
                            self.close(open.input.content, open.account)?;
                        }
                    }
                },
                // Confirmed batches replace `batch`, so it must be empty.
                Work::Sliced(_) if !batch.is_empty() => return Ok(true),
                Work::Sliced(_) => {
                    if self.read_slices(worker, batch)? {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(true)
    }

    /// Assigns the next object to a worker, or a large one that others have started; returns false
    /// if there is none.
    fn find_work(&self, worker: &mut Worker) -> Result<bool, ReadError> {
        let mut shared = self.shared();
        let index = shared.next;
        let (Some(object), Some(object_id)) = (self.objects.get(index), self.ids.get(index)) else {
            let started = shared.large.last().cloned();
            return Ok(started.map(|large| worker.work = Work::Sliced(large)).is_some());
        };
        shared.next += 1;
        let rows = ObjectRows {
            object_id: *object_id,
            object: object.clone(),
            kind: self.kind,
            ..ObjectRows::default()
        };
        if object.size >= self.slicing.min_object {
            let large = Arc::new(SlicedObject::new(
                self.load_id,
                Account::new(rows),
                self.slicing,
                Arc::clone(&self.prefetch),
                index,
            ));
            shared.large.push(Arc::clone(&large));
            worker.work = Work::Sliced(large);
            return Ok(true);
        }
        drop(shared);
        match self.prefetch.open(index, object) {
            Ok(content) => {
                let (input, account) = (ReplayInput::none(content), Account::new(rows));
                worker.parser.restart();
                worker.work = Work::Whole(Box::new(OpenObject { input, account, metered: 0 }));
            }
            Err(error) => self.leave(*object_id, object.clone(), error.into())?,
        }
        Ok(true)
    }

    /// Leaves out an object that `error` made unreadable, if it is unstable and may be left out;
    /// returns the error otherwise.
    fn leave(&self, object_id: i64, object: Object, error: ReadError) -> Result<(), ReadError> {
        match error {
            ReadError::Source(error) if self.leaves_unstable && error.is_unstable() => {
                tracing::info!("{error}");
                let mut shared = self.shared();
                shared.rejects.discard(object_id);
                let reason = error.to_string();
                shared.tally.unstable.push(UnstableObject { object_id, object, reason });
                Ok(())
            }
            other => Err(other),
        }
    }

    /// Leaves out a large object. Several threads may find that it is unstable; only the first
    /// reports it.
    fn leave_large(&self, large: &Arc<SlicedObject>, error: SourceError) -> Result<(), ReadError> {
        if self.leaves_unstable && error.is_unstable() {
            large.abort();
            if large.was_left() {
                return Ok(());
            }
        }
        self.leave(large.object_id, large.object.clone(), error.into())
    }

    fn read(
        &self,
        parser: &mut Parser,
        open: &mut OpenObject,
        batch: &mut Batch,
    ) -> Result<Stopped, ReadError> {
        let lineage = [self.load_id, open.account.rows.object_id];
        let stopped = parser.fill(&mut open.input, lineage, batch);
        // The results of an object that is left out do not count.
        let result = parser.take_result();
        let stopped = stopped?;
        self.account(&mut open.account, result)?;
        let consumed = open.input.content.consumed();
        Meter::advance(&self.meter.bytes, consumed.saturating_sub(open.metered));
        open.metered = consumed;
        Ok(stopped)
    }

    /// Reads slices of the worker's large object; returns true if `batch` holds rows of it.
    fn read_slices(&self, worker: &mut Worker, batch: &mut Batch) -> Result<bool, ReadError> {
        let Work::Sliced(large) = &worker.work else { return Ok(false) };
        let large = Arc::clone(large);
        let mut accounted = Ok(());
        let mut account = |result| {
            let mut account = large.account.lock().unwrap_or_else(PoisonError::into_inner);
            let now = self.account(&mut account, result);
            accounted = std::mem::replace(&mut accounted, Ok(())).and(now);
        };
        let step = large.read(&mut worker.parser, batch, &self.meter, &mut account);
        accounted?;
        let account = || {
            let mut account = large.account.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *account)
        };
        let step = match step {
            Ok(step) => step,
            Err(error) => {
                self.leave_large(&large, error)?;
                Step::Done
            }
        };
        match step {
            Step::Rows => return Ok(true),
            Step::Close(content) => self.close(content, account())?,
            Step::Remainder(Remainder { input, state, offset }) => {
                worker.parser.restart();
                worker.parser.records.resume(state, offset);
                let metered = input.content.consumed();
                let account = account();
                worker.work = Work::Whole(Box::new(OpenObject { input, account, metered }));
            }
            Step::Done => {
                self.shared().large.retain(|other| !Arc::ptr_eq(other, &large));
                worker.work = Work::None;
            }
        }
        Ok(false)
    }

    /// Adds the counts and rejects of a part of an object.
    fn account(&self, account: &mut Account, result: PartResult) -> Result<(), ReadError> {
        Meter::advance(&self.meter.records, result.staged + result.erased + result.rejects.count);
        self.check_kind(&result, &account.rows)?;
        let mut spool = |reject: &Reject<'_>| self.shared().rejects.store(reject);
        account.add(result, &mut spool).map_err(ReadError::Spool)
    }

    /// Returns an error if this part completes the first records, and all are of the other kind.
    fn check_kind(&self, part: &PartResult, rows: &ObjectRows) -> Result<(), ReadError> {
        if !self.checks_kind.load(Ordering::Relaxed) {
            return Ok(());
        }
        if part.staged + part.erased > 0
            || !part.rejects.by_reason.keys().all(|reason| is_misplaced(reason))
        {
            self.checks_kind.store(false, Ordering::Relaxed);
            return Ok(());
        }
        let mut shared = self.shared();
        shared.misplaced += part.rejects.count;
        if let Some(format) = part.rejects.by_reason.keys().find_map(|reason| format_of(reason)) {
            shared.misplaced_as = Some(format.to_owned());
        }
        shared.misplaced_in.insert(rows.object_id);
        let (records, objects) = KIND_SAMPLE;
        let objects = objects.min(self.objects.len());
        if shared.misplaced < records || shared.misplaced_in.len() < objects {
            return Ok(());
        }
        Err(misplaced(rows.object.key.to_string(), shared.misplaced_as.take()))
    }

    /// Adds the counts of an object that was read to its end, if it is still the listed version.
    fn close(&self, content: Content, mut account: Account) -> Result<(), ReadError> {
        account.rows.bytes = content.decompressed();
        match content.fingerprint() {
            Ok(fingerprint) => account.rows.fingerprint = Some(fingerprint),
            Err(error) => {
                return self.leave(account.rows.object_id, account.rows.object, error.into());
            }
        }
        Meter::advance(&self.meter.objects, 1);
        let mut shared = self.shared();
        let Shared { tally, rejects, .. } = &mut *shared;
        account.close(rejects).map_err(ReadError::Spool)?;
        for (field, count) in &account.repairs {
            let key = self.kind.keys()[*field as usize];
            *tally.repairs.entry(format!("{}.{key}", self.kind.name())).or_default() += count;
        }
        for (page, count) in &account.pages {
            *tally.pages.entry((*page).to_owned()).or_default() += count;
        }
        for (name, count) in &account.extra {
            count_extra(&mut tally.extra_keys, name, *count);
        }
        tally.objects.push(account.rows);
        Ok(())
    }

    /// Ends the load with an error, unless it has one already, and wakes all threads that wait for
    /// a slice.
    fn fail(&self, error: ReadError, worker: &Worker) {
        let started = {
            let mut shared = self.shared();
            shared.error.get_or_insert(error);
            shared.large.clone()
        };
        // The worker's object may have been removed from the list by a thread that found it done.
        // The lock is released: a thread that confirms slices takes it while it holds their queue.
        if let Work::Sliced(large) = &worker.work {
            large.abort();
        }
        for large in &started {
            large.abort();
        }
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
        const FAILED: &str = "the load has failed";
        let idle = {
            let mut shared = self.shared();
            if shared.error.is_some() {
                return Err(FAILED.into());
            }
            shared.idle.pop()
        };
        let new = || {
            let parser = Parser::new(self.kind)
                .of_format(self.format)
                .limited(self.limits.clone())
                .without(self.erasures.clone())
                .requiring_plain_numbers(self.plain_numbers);
            Worker { parser, work: Work::None }
        };
        let mut worker = idle.unwrap_or_else(new);
        // Unwind safety: after a panic the load has failed. The worker is dropped, the caller
        // discards the batch, and locks recover from poisoning.
        let filled = catch_unwind(AssertUnwindSafe(|| self.fill(&mut worker, batch)))
            .unwrap_or_else(|panic| Err(ReadError::Panicked(message(&*panic))));
        match filled {
            Ok(work_left) => {
                let mut shared = self.shared();
                // Another thread may have failed meanwhile, and this one stopped because of that.
                if shared.error.is_some() {
                    return Err(FAILED.into());
                }
                if work_left {
                    shared.idle.push(worker);
                }
                Ok(())
            }
            Err(error) => {
                let text = error.to_string();
                self.fail(error, &worker);
                Err(text)
            }
        }
    }
}

/// Returns the error of a location whose first records are misplaced.
fn misplaced(object: String, format: Option<String>) -> ReadError {
    match format {
        Some(format) => ReadError::OtherFormat { object, format },
        None => ReadError::OtherKind { object },
    }
}

/// Returns the message of a panic.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a thread panicked").to_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::sync::mpsc;
    use std::time::Duration;

    use sparkify_source::Sources;

    use super::*;
    use crate::parser::PANIC;

    fn song(id: &str, title: &str, more: &str) -> String {
        format!(r#"{{"song_id":"{id}","title":"{title}","artist_id":"A","artist_name":"N"{more}}}"#)
            + "\n"
    }

    /// A reader of one file with this content.
    fn reader(content: &str, slicing: Slicing) -> (Reader, tempfile::NamedTempFile) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(content.as_bytes()).unwrap();
        let object = Sources::default().find(file.path().to_str().unwrap()).unwrap();
        let reader = Reader::new(RecordKind::Songs, 1, vec![(1, object)], Arc::default());
        (reader.sliced(slicing), file)
    }

    /// Rejects that fill batches without a row, then one song.
    fn long_rejects() -> [String; 2] {
        let song_after = song("S", "T", r#","duration":1"#);
        let one_long = song("S", &"x".repeat(17 << 20), "");
        let many = song("S", &"x".repeat(1 << 20), "").repeat(17);
        [one_long + &song_after, many + &song_after]
    }

    #[test]
    fn a_batch_is_never_empty_before_the_end_of_the_input() {
        let whole = Slicing { min_object: u64::MAX, ..Slicing::default() };
        for slicing in [whole, Slicing::default()] {
            for content in long_rejects() {
                let (reader, _file) = reader(&content, slicing);
                let mut batch = Batch::new(&reader.types());
                reader.next(&mut batch).unwrap();
                assert_eq!(batch.len(), 1);
                batch.clear();
                reader.next(&mut batch).unwrap();
                assert!(batch.is_empty());
                let (tally, rejects) = reader.finish().unwrap();
                assert_eq!((tally.staged(RecordKind::Songs), tally.rejected()), (1, rejects.count));
            }
        }
    }

    #[test]
    fn objects_that_change_or_vanish_are_left_out_and_the_others_are_read() {
        let whole = Slicing { min_object: u64::MAX, ..Slicing::default() };
        let sliced = Slicing { min_object: 0, lines: 1, bytes: 100, step: 50, pending: 2 };
        for (slicing, leaves_unstable) in [(whole, true), (sliced, true), (whole, false)] {
            let folder = tempfile::tempdir().unwrap();
            let path = |name: &str| folder.path().join(name);
            for name in ["a", "b", "c", "d"] {
                let songs = song(name, "T", r#","duration":1"#) + "{}\n";
                std::fs::write(path(name), songs.repeat(3)).unwrap();
            }
            let listing = Sources::default().list(folder.path().to_str().unwrap()).unwrap();
            let numbered = (1..).zip(listing.objects).collect();
            let reader = Reader::new(RecordKind::Songs, 1, numbered, Arc::default());
            let reader = reader.sliced(slicing).leaving_unstable(leaves_unstable);
            std::fs::write(path("b"), "{}").unwrap();
            std::fs::remove_file(path("c")).unwrap();
            let mut batch = Batch::new(&reader.types());
            while reader.next(&mut batch).is_ok() && !batch.is_empty() {
                batch.clear();
            }
            match reader.finish() {
                Ok((tally, rejects)) => {
                    let ids = |objects: &[ObjectRows]| -> Vec<i64> {
                        objects.iter().map(|rows| rows.object_id).collect()
                    };
                    assert_eq!(ids(&tally.objects), [1, 4]);
                    let left: Vec<i64> = tally.unstable.iter().map(|left| left.object_id).collect();
                    assert_eq!(left, [2, 3]);
                    // Without the reject of the object that changed.
                    assert_eq!((tally.rejected(), rejects.count), (6, 6));
                    assert_eq!(rejects.lines().len(), 6);
                    assert!(leaves_unstable);
                }
                Err(error) => {
                    assert!(error.to_string().ends_with("changed while it was read"), "{error}");
                    assert!(!leaves_unstable);
                }
            }
        }
    }

    #[test]
    fn a_panic_ends_the_load_and_leaves_no_thread_waiting() {
        let record = |number: usize| {
            let title = if number == 7 { PANIC } else { "T" };
            song(&format!("S{number}"), title, r#","duration":1"#)
        };
        let content: String = (0..2000).map(record).collect();
        let whole = Slicing { min_object: u64::MAX, ..Slicing::default() };
        let sliced = Slicing { min_object: 0, lines: 1, bytes: 1000, step: 100, pending: 2 };
        for slicing in [whole, sliced] {
            let (reader, _file) = reader(&content, slicing);
            let reader = Arc::new(reader);
            let (sender, ended) = mpsc::channel();
            for _ in 0..4 {
                let (reader, sender) = (Arc::clone(&reader), sender.clone());
                std::thread::spawn(move || {
                    let mut batch = Batch::new(&reader.types());
                    let outcome = loop {
                        batch.clear();
                        match reader.next(&mut batch) {
                            Ok(()) if batch.is_empty() => break Ok(()),
                            Ok(()) => {}
                            Err(error) => break Err(error),
                        }
                    };
                    sender.send(outcome).unwrap();
                });
            }
            let outcomes: Vec<_> = (0..4)
                .map(|_| ended.recv_timeout(Duration::from_mins(1)).expect("no thread waits"))
                .collect();
            assert!(outcomes.contains(&Err("internal error while reading: injected".into())));
            let error = reader.finish().map(|_| ()).unwrap_err();
            assert!(matches!(error, ReadError::Panicked(message) if message == "injected"));
        }
    }
}
