//! Parallel reading of one large object, with the same result as one thread.
//!
//! A thread takes the next slice of the stream. Reading, decompression and fingerprint happen in
//! order, under a lock; parsing happens outside it, so that several slices are parsed at the same
//! time.
//!
//! A slice boundary (newline, then `{`) is a guess. A slice's rows are released only when the
//! previous slice ended exactly there in the same parser state; on a wrong guess one thread
//! re-reads from the last confirmed offset.
//!
//! That confirmation suffices because offset and parser state determine how the rest of a stream is
//! read: if they match, the parser of the slice did what a single parser would have done. Guesses
//! are wrong in pretty-printed records with a `{` at the start of a line, and sometimes after
//! damage.
//!
//! Two locks, always taken in this order: the slicer, then the queue. A thread waits on the queue's
//! condition variable only while the first pending slice is being parsed by another thread, which
//! waits for nothing. If that thread fails or panics, [`SlicedObject::abort`] wakes the waiting
//! ones.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::account::Account;
use super::fast_path::PADDING;
use super::meter::Meter;
use super::parser::{Parser, PartResult, Stopped};
use super::records::{Input, ParserState, Slice};
use sparkify_source::{Content, Object, Prefetch, SourceError};
use sparkify_warehouse::{BATCH_ROWS, Batch, ColumnType};

/// Sizes of slices.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slicing {
    /// Smallest object that is sliced, in bytes.
    pub min_object: u64,
    /// Lines that begin with `{` in a slice: about the rows of one batch.
    pub lines: usize,
    /// Bytes after which a slice ends at its last such line, even if it has fewer.
    pub bytes: usize,
    /// Bytes per read.
    pub step: usize,
    /// Most slices that wait for confirmation. It limits memory.
    pub pending: usize,
}

impl Default for Slicing {
    fn default() -> Self {
        Self {
            min_object: 8 << 20,
            lines: BATCH_ROWS,
            bytes: 4 << 20,
            step: 128 << 10,
            pending: 16,
        }
    }
}

/// Reads the stream and splits it into slices, in order.
struct Slicer {
    content: Option<Content>,
    /// Bytes that were read after the end of the last slice.
    carry: Vec<u8>,
    /// Offset of the next slice.
    offset: u64,
    /// Assumed parser state at the next slice.
    parser_state: ParserState,
    /// Number of slices so far.
    count: u64,
    ended: bool,
}

/// Slice before parsing.
struct RawSlice {
    number: u64,
    window: Vec<u8>,
    slice: Slice,
    last: bool,
}

impl Slicer {
    /// Reads the next slice into `window`.
    fn next(
        &mut self,
        open: impl FnOnce() -> Result<Content, SourceError>,
        slicing: Slicing,
        mut window: Vec<u8>,
    ) -> Result<RawSlice, SourceError> {
        let content = match &mut self.content {
            Some(content) => content,
            none => none.insert(open()?),
        };
        let mut lines = LineSearch { found: 0, last: None, searched: 0 };
        let mut filled = self.carry.len();
        grow(&mut window, filled + slicing.step);
        window[..filled].copy_from_slice(&self.carry);
        loop {
            lines.search(&window[..filled], slicing.lines);
            if lines.found == slicing.lines || filled >= slicing.bytes || self.ended {
                break;
            }
            grow(&mut window, filled + slicing.step);
            let end = window.len() - PADDING;
            let read = content.read(&mut window[filled..end])?;
            filled += read;
            self.ended = read == 0;
        }
        if self.count == 0 {
            self.parser_state = state_after_first_record(&window[..filled]);
        }
        // The rest of the stream is the last slice, unless it has the lines of a full one.
        let last = self.ended && lines.found < slicing.lines;
        let boundary = lines.last.filter(|_| !last);
        Ok(self.finish(window, filled, boundary, last))
    }

    /// Ends a slice at `boundary` of its window, or at its last byte. Keeps the rest for the next
    /// one.
    fn finish(
        &mut self,
        mut window: Vec<u8>,
        filled: usize,
        boundary: Option<usize>,
        last: bool,
    ) -> RawSlice {
        let end = boundary.unwrap_or(filled);
        self.carry.clear();
        self.carry.extend_from_slice(&window[end..filled]);
        // The window keeps the first byte of the next slice, so that the parser sees the `{` there
        // and stops before it, instead of asking for more input.
        let filled = boundary.map_or(filled, |boundary| boundary + 1);
        // Space for one byte more: the parser would compact or grow a full window.
        grow(&mut window, filled + 1);
        window[filled..][..PADDING].fill(0);
        let state = if self.count == 0 { ParserState::Start } else { self.parser_state };
        let slice = Slice { filled, offset: self.offset, state, boundary };
        self.offset += end as u64;
        self.count += 1;
        RawSlice { number: self.count - 1, window, slice, last }
    }
}

fn grow(window: &mut Vec<u8>, bytes: usize) {
    if window.len() < bytes + PADDING {
        window.resize(bytes + PADDING, 0);
    }
}

/// Search for lines that begin with `{`.
struct LineSearch {
    found: usize,
    last: Option<usize>,
    /// Bytes that were searched.
    searched: usize,
}

impl LineSearch {
    /// Searches the bytes that were not searched yet, until `enough` lines were found.
    fn search(&mut self, bytes: &[u8], enough: usize) {
        for line_end in memchr::memchr_iter(b'\n', &bytes[self.searched..]) {
            let begins = self.searched + line_end + 1;
            if bytes.get(begins) == Some(&b'{') {
                (self.found, self.last) = (self.found + 1, Some(begins));
                if self.found == enough {
                    return;
                }
            }
        }
        // The last byte may be a newline whose next byte is not read yet.
        self.searched = bytes.len().saturating_sub(1);
    }
}

/// Guesses the parser state of a stream after its first record, from its first bytes.
fn state_after_first_record(start: &[u8]) -> ParserState {
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    match start.trim_ascii_start().first() {
        Some(b'[') => ParserState::Array,
        _ => ParserState::Sequence,
    }
}

/// Slice after parsing. Its rows are not confirmed yet.
struct ParsedSlice {
    window: Vec<u8>,
    slice: Slice,
    last: bool,
    /// Position in the window, and parser state, where the parser stopped.
    at: usize,
    state: ParserState,
    /// True if the parser stopped exactly at the end of the slice.
    complete: bool,
    batches: Vec<Batch>,
    result: PartResult,
}

/// Slices that were handed out, and rows that are confirmed.
struct SliceQueue {
    /// Slices that are not confirmed, in order; none while a slice is being parsed.
    pending: VecDeque<Option<ParsedSlice>>,
    /// Number of the first pending slice.
    first: u64,
    /// Confirmed parser state at its start.
    state: ParserState,
    /// Confirmed rows.
    ready: VecDeque<Batch>,
    /// True if the boundary before or in the first pending slice was a wrong guess.
    wrong_guess: bool,
    /// True if a thread failed: no further rows are read.
    aborted: bool,
    spare_batches: Vec<Batch>,
    spare_windows: Vec<Vec<u8>>,
}

/// Large object that several threads read.
pub(super) struct SlicedObject {
    pub object_id: i64,
    pub object: Object,
    prefetch: Arc<Prefetch>,
    /// Index of the object in the prefetched list.
    index: usize,
    load_id: i64,
    types: Vec<ColumnType>,
    slicing: Slicing,
    /// Counts of its confirmed slices.
    pub account: Mutex<Account>,
    /// True if a thread reported that the object is left out.
    left: AtomicBool,
    slicer: Mutex<Slicer>,
    queue: Mutex<SliceQueue>,
    /// Signalled when a slice was parsed, and when reading is aborted.
    changed: Condvar,
}

/// Outcome of [`SlicedObject::read`].
pub(super) enum Step {
    /// The batch holds confirmed rows.
    Rows,
    /// All slices are confirmed: the caller closes the object.
    Close(Content),
    /// A guess was wrong: the caller reads the remainder on its own.
    Remainder(Remainder),
    /// This thread has nothing left to do for the object.
    Done,
}

/// Unconfirmed rest of a stream.
pub(super) struct Remainder {
    pub input: ReplayInput,
    pub state: ParserState,
    pub offset: u64,
}

impl SlicedObject {
    /// Prepares to read the object of `account`, which is at `index` of the prefetched list.
    pub(super) fn new(
        load_id: i64,
        account: Account,
        slicing: Slicing,
        prefetch: Arc<Prefetch>,
        index: usize,
    ) -> Self {
        let slicer = Slicer {
            content: None,
            carry: Vec::new(),
            offset: 0,
            parser_state: ParserState::Start,
            count: 0,
            ended: false,
        };
        let queue = SliceQueue {
            pending: VecDeque::new(),
            first: 0,
            state: ParserState::Start,
            ready: VecDeque::new(),
            wrong_guess: false,
            aborted: false,
            spare_batches: Vec::new(),
            spare_windows: Vec::new(),
        };
        Self {
            object_id: account.rows.object_id,
            object: account.rows.object.clone(),
            prefetch,
            index,
            load_id,
            types: account.rows.kind.columns(),
            slicing,
            account: Mutex::new(account),
            left: AtomicBool::new(false),
            slicer: Mutex::new(slicer),
            queue: Mutex::new(queue),
            changed: Condvar::new(),
        }
    }

    fn slicer(&self) -> MutexGuard<'_, Slicer> {
        self.slicer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queue(&self) -> MutexGuard<'_, SliceQueue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops all threads that read the object, including those that wait for a slice of another
    /// thread. Called when one of them failed or panicked: its slice will never be confirmed.
    pub(super) fn abort(&self) {
        self.queue().aborted = true;
        self.changed.notify_all();
    }

    /// Notes that the object is left out; returns true if that was noted before.
    pub(super) fn was_left(&self) -> bool {
        self.left.swap(true, Ordering::Relaxed)
    }

    /// Parses slices until there are confirmed rows for `batch`, which is empty. Passes the counts
    /// of each confirmed slice to `account`, in order.
    pub(super) fn read(
        &self,
        parser: &mut Parser,
        batch: &mut Batch,
        meter: &Meter,
        account: &mut dyn FnMut(PartResult),
    ) -> Result<Step, SourceError> {
        loop {
            if self.take_ready(batch) {
                return Ok(Step::Rows);
            }
            let Some(raw) = self.next_slice(meter)? else {
                if let Some(remainder) = self.remainder() {
                    return Ok(Step::Remainder(remainder));
                }
                return Ok(if self.take_ready(batch) { Step::Rows } else { Step::Done });
            };
            let (number, parsed) = (raw.number, self.parse(parser, raw));
            let complete = self.confirm(number, parsed, account);
            if complete && let Some(content) = self.slicer().content.take() {
                // Confirmed rows may be left: the caller reads again after it has closed the
                // object.
                return Ok(Step::Close(content));
            }
        }
    }

    /// Exchanges `batch` for one with confirmed rows, if there is one.
    fn take_ready(&self, batch: &mut Batch) -> bool {
        let mut queue = self.queue();
        let Some(full) = queue.ready.pop_front() else { return false };
        let empty = std::mem::replace(batch, full);
        queue.spare_batches.push(empty);
        true
    }

    /// Reads the next slice, as soon as fewer than the limit are pending; none after the last
    /// slice, a wrong guess or an abort.
    fn next_slice(&self, meter: &Meter) -> Result<Option<RawSlice>, SourceError> {
        let window = {
            let mut queue = self.queue();
            while queue.pending.len() >= self.slicing.pending
                && queue.ready.is_empty()
                && !queue.wrong_guess
                && !queue.aborted
            {
                queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
            queue.spare_windows.pop().unwrap_or_default()
        };
        let mut slicer = self.slicer();
        if self.queue().is_stopped() || (slicer.ended && slicer.carry.is_empty()) {
            return Ok(None);
        }
        let before = slicer.content.as_ref().map_or(0, Content::consumed);
        let open = || self.prefetch.open(self.index, &self.object);
        let raw = slicer.next(open, self.slicing, window)?;
        let now = slicer.content.as_ref().map_or(0, Content::consumed);
        Meter::advance(&meter.bytes, now - before);
        self.queue().pending.push_back(None);
        Ok(Some(raw))
    }

    fn parse(&self, parser: &mut Parser, raw: RawSlice) -> ParsedSlice {
        let RawSlice { window, slice, last, .. } = raw;
        parser.records.enter(window, slice);
        let mut batches = Vec::new();
        let complete = loop {
            let spare = self.queue().spare_batches.pop();
            let mut batch = spare.unwrap_or_else(|| Batch::new(&self.types));
            batch.clear();
            let lineage = [self.load_id, self.object_id];
            let stopped = parser.fill(&mut SliceInput { last }, lineage, &mut batch);
            batches.push(batch);
            match stopped {
                Ok(Stopped::Full) => {}
                Ok(Stopped::SliceEnd | Stopped::End) => break true,
                Err(PastSliceEnd) => break false,
            }
        };
        let (window, at, state) = parser.records.leave();
        let result = parser.take_result();
        ParsedSlice { window, slice, last, at, state, complete, batches, result }
    }

    /// Stores a parsed slice, and releases the rows of all slices that it confirms. Returns true if
    /// that was the last slice of the object.
    fn confirm(
        &self,
        number: u64,
        parsed: ParsedSlice,
        account: &mut dyn FnMut(PartResult),
    ) -> bool {
        let mut queue = self.queue();
        let index = usize::try_from(number - queue.first).unwrap_or(usize::MAX);
        if let Some(pending) = queue.pending.get_mut(index) {
            *pending = Some(parsed);
        }
        let mut complete = false;
        while !queue.is_stopped()
            && let Some(Some(_)) = queue.pending.front()
        {
            complete = queue.advance(account);
        }
        self.changed.notify_all();
        complete
    }

    /// Returns the unconfirmed rest of the stream after a wrong guess, once no slice is being
    /// parsed and only to the first caller.
    fn remainder(&self) -> Option<Remainder> {
        let mut slicer = self.slicer();
        let mut queue = self.queue();
        if queue.aborted || !queue.wrong_guess || queue.pending.iter().any(Option::is_none) {
            return None;
        }
        let content = slicer.content.take()?;
        let mut remainder = Remainder {
            input: ReplayInput { bytes: Vec::new(), given: 0, content },
            state: queue.state,
            offset: 0,
        };
        // The bytes of the unconfirmed slices were consumed from the content, so they are replayed.
        // The first slice is confirmed up to the position of its parser.
        for (index, parsed) in std::mem::take(&mut queue.pending).into_iter().flatten().enumerate()
        {
            let end = parsed.slice.boundary.unwrap_or(parsed.slice.filled);
            let from = if index == 0 { parsed.at } else { 0 };
            if index == 0 {
                remainder.offset = parsed.slice.offset + from as u64;
            }
            remainder.input.bytes.extend_from_slice(&parsed.window[from..end]);
        }
        remainder.input.bytes.append(&mut slicer.carry);
        Some(remainder)
    }
}

impl SliceQueue {
    /// Returns true if no further slices are read.
    fn is_stopped(&self) -> bool {
        self.wrong_guess || self.aborted
    }

    /// Confirms the first pending slice, which is parsed, or finds that a guess was wrong. Releases
    /// its confirmed rows. Returns true if it was the last slice and is complete.
    ///
    /// The slice begins exactly where the previous one ended: else that one was not complete, and
    /// `wrong_guess` is set. What remains to be compared is the parser state.
    fn advance(&mut self, account: &mut dyn FnMut(PartResult)) -> bool {
        let Some(Some(parsed)) = self.pending.front_mut() else { return false };
        if parsed.slice.state != self.state {
            // Nothing of this slice is confirmed.
            parsed.at = 0;
            self.wrong_guess = true;
            return false;
        }
        // The rows of an incomplete slice are confirmed up to the position of its parser: they
        // began at a confirmed offset.
        let (empty, full) = parsed.batches.drain(..).partition::<Vec<_>, _>(Batch::is_empty);
        self.spare_batches.extend(empty);
        self.ready.extend(full);
        account(std::mem::take(&mut parsed.result));
        self.state = parsed.state;
        self.wrong_guess = !parsed.complete;
        let last = parsed.last;
        if !self.wrong_guess {
            if let Some(Some(parsed)) = self.pending.pop_front() {
                self.spare_windows.push(parsed.window);
            }
            self.first += 1;
        }
        last && !self.wrong_guess
    }
}

/// Input of a slice, whose bytes are all in the window: ends after the last slice, and fails after
/// any other.
struct SliceInput {
    last: bool,
}

/// Error of an item that continues after its slice.
#[derive(Debug)]
struct PastSliceEnd;

impl Input for SliceInput {
    type Error = PastSliceEnd;

    fn read(&mut self, _: &mut [u8]) -> Result<usize, PastSliceEnd> {
        if self.last { Ok(0) } else { Err(PastSliceEnd) }
    }
}

/// Stream that first returns bytes that were read from it before.
pub(super) struct ReplayInput {
    bytes: Vec<u8>,
    given: usize,
    pub content: Content,
}

impl ReplayInput {
    /// Creates an input without bytes to replay.
    pub(super) fn none(content: Content) -> Self {
        Self { bytes: Vec::new(), given: 0, content }
    }
}

impl Input for ReplayInput {
    type Error = SourceError;

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        let left = &self.bytes[self.given..];
        if left.is_empty() {
            self.bytes = Vec::new();
            self.given = 0;
            return self.content.read(buffer);
        }
        let count = left.len().min(buffer.len());
        buffer[..count].copy_from_slice(&left[..count]);
        self.given += count;
        Ok(count)
    }
}
