//! One large object, read by several threads and still as by one.
//!
//! A thread takes the next slice of the stream, which is decompressed and fingerprinted in order, under a lock; then it parses the slice beside the
//! others. A slice ends before a line that begins with `{`, where a record most likely begins: that is a guess. It is checked when the slices
//! before are through: reading is determined by the offset and the form of the stream, so if the slice before ends exactly there, between two
//! items, and the form is the one that was guessed, what was parsed is what one thread would have read. Only then its rows are given away.
//! Where a guess was wrong (a line within a pretty-printed record, damage), the rest of the object is read by one thread, from the last
//! place that is sure.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::ObjectRows;
use super::fast_path::PADDING;
use super::meter::Meter;
use super::records::{Form, Input, Slice};
use super::worker::{Counts, Stopped, Worker};
use sparkify_source::{Prefetch, Content, Object, SourceError};
use sparkify_warehouse::{BATCH_ROWS, Batch, ColumnType};

/// How a stream is sliced.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slicing {
    /// Objects of at least this many bytes are.
    pub from: u64,
    /// A slice has this many lines that begin with `{`: a batch.
    pub lines: usize,
    /// Or as many as there are in this many bytes.
    pub bytes: usize,
    /// So much is read at a time.
    pub step: usize,
    /// At most this many slices are held until those before them are through.
    pub held: usize,
}

impl Default for Slicing {
    fn default() -> Self {
        Self { from: 8 << 20, lines: BATCH_ROWS, bytes: 4 << 20, step: 128 << 10, held: 16 }
    }
}

/// The stream, sliced in order.
struct Feed {
    content: Option<Content>,
    /// What was read beyond the last slice.
    carry: Vec<u8>,
    /// The offset of the next slice, and what the stream is there.
    offset: u64,
    form: Form,
    /// How many slices were cut.
    count: u64,
    ended: bool,
}

/// A slice and its bytes.
struct Cut {
    number: u64,
    window: Vec<u8>,
    slice: Slice,
    last: bool,
}

impl Feed {
    /// Cuts the next slice off the stream, in `window`.
    fn cut(
        &mut self,
        open: impl FnOnce() -> Result<Content, SourceError>,
        slicing: Slicing,
        mut window: Vec<u8>,
    ) -> Result<Cut, SourceError> {
        let content = match &mut self.content {
            Some(content) => content,
            none => none.insert(open()?),
        };
        let mut lines = Lines { found: 0, last: None, looked_at: 0 };
        let mut filled = self.carry.len();
        grow(&mut window, filled + slicing.step);
        window[..filled].copy_from_slice(&self.carry);
        loop {
            lines.look(&window[..filled], slicing.lines);
            if lines.found == slicing.lines || filled >= slicing.bytes || self.ended {
                break;
            }
            grow(&mut window, filled + slicing.step);
            let room = window.len() - PADDING;
            let read = content.read(&mut window[filled..room])?;
            filled += read;
            self.ended = read == 0;
        }
        if self.count == 0 {
            self.form = first_form(&window[..filled]);
        }
        // At the end of the stream the rest is one slice, if it is no more than one.
        let last = self.ended && lines.found < slicing.lines;
        let border = lines.last.filter(|_| !last);
        Ok(self.hand_out(window, filled, border, last))
    }

    fn hand_out(
        &mut self,
        mut window: Vec<u8>,
        filled: usize,
        border: Option<usize>,
        last: bool,
    ) -> Cut {
        let end = border.unwrap_or(filled);
        self.carry.clear();
        self.carry.extend_from_slice(&window[end..filled]);
        // The first byte of the next slice stands in this one too.
        let filled = border.map_or(filled, |border| border + 1);
        // Room for one byte more: a window that is full would be moved.
        grow(&mut window, filled + 1);
        window[filled..][..PADDING].fill(0);
        let form = if self.count == 0 { Form::Unknown } else { self.form };
        let slice = Slice { filled, offset: self.offset, form, border };
        self.offset += end as u64;
        self.count += 1;
        Cut { number: self.count - 1, window, slice, last }
    }
}

fn grow(window: &mut Vec<u8>, bytes: usize) {
    if window.len() < bytes + PADDING {
        window.resize(bytes + PADDING, 0);
    }
}

/// Where lines begin with `{`.
struct Lines {
    found: usize,
    last: Option<usize>,
    looked_at: usize,
}

impl Lines {
    /// Looks at the bytes that are new, until `enough` were found.
    fn look(&mut self, bytes: &[u8], enough: usize) {
        for line_end in memchr::memchr_iter(b'\n', &bytes[self.looked_at..]) {
            let begins = self.looked_at + line_end + 1;
            if bytes.get(begins) == Some(&b'{') {
                (self.found, self.last) = (self.found + 1, Some(begins));
                if self.found == enough {
                    return;
                }
            }
        }
        // The line end that is last of all may be one: what follows is not known yet.
        self.looked_at = bytes.len().saturating_sub(1);
    }
}

/// What a stream with this start is once its first record is met.
fn first_form(start: &[u8]) -> Form {
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    match start.trim_ascii_start().first() {
        Some(b'[') => Form::Array,
        _ => Form::Sequence,
    }
}

/// A slice that was parsed.
struct Parsed {
    window: Vec<u8>,
    slice: Slice,
    last: bool,
    /// Where in the window the stream goes on, and as what.
    at: usize,
    form: Form,
    /// Whether that is at the slice's end.
    through: bool,
    batches: Vec<Batch>,
    counts: Counts,
}

/// What is known of the slices that were given out.
struct State {
    /// Those that are not through, in order; none while one is parsed.
    pending: VecDeque<Option<Parsed>>,
    /// The number of the first of them, and what the stream is where it begins.
    first: u64,
    form: Form,
    /// Rows that are sure.
    ready: VecDeque<Batch>,
    /// A guess was wrong at the first of them.
    astray: bool,
    spare_batches: Vec<Batch>,
    spare_windows: Vec<Vec<u8>>,
}

/// The object and how far it is.
pub(super) struct Large {
    object_id: i64,
    object: Object,
    /// Where its bytes come from, and the number that they are asked for by.
    ahead: Arc<Prefetch>,
    index: usize,
    load_id: i64,
    types: Vec<ColumnType>,
    slicing: Slicing,
    /// What was read of it and is sure.
    pub rows: Mutex<ObjectRows>,
    feed: Mutex<Feed>,
    state: Mutex<State>,
    moved: Condvar,
}

/// What a thread is to do next.
pub(super) enum Turn {
    /// The batch holds rows.
    Rows,
    /// The object is through: close it.
    Close(Content),
    /// Read the rest alone.
    Alone(Rest),
    /// There is nothing left to do here.
    Done,
}

/// What was not read of a stream, and where it begins.
pub(super) struct Rest {
    pub input: Replay,
    pub form: Form,
    pub offset: u64,
}

impl Large {
    /// The object of `rows`, the one at `index` of those that are fetched `ahead`.
    pub(super) fn new(
        load_id: i64,
        rows: ObjectRows,
        slicing: Slicing,
        ahead: Arc<Prefetch>,
        index: usize,
    ) -> Self {
        let feed = Feed {
            content: None,
            carry: Vec::new(),
            offset: 0,
            form: Form::Unknown,
            count: 0,
            ended: false,
        };
        let state = State {
            pending: VecDeque::new(),
            first: 0,
            form: Form::Unknown,
            ready: VecDeque::new(),
            astray: false,
            spare_batches: Vec::new(),
            spare_windows: Vec::new(),
        };
        Self {
            object_id: rows.object_id,
            object: rows.object.clone(),
            ahead,
            index,
            load_id,
            types: rows.kind.columns(),
            slicing,
            rows: Mutex::new(rows),
            feed: Mutex::new(feed),
            state: Mutex::new(state),
            moved: Condvar::new(),
        }
    }

    fn feed(&self) -> MutexGuard<'_, Feed> {
        self.feed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asked for with the feed in hand or without, but never the other way round.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes part in reading the object until there are rows for `batch`, which is empty. What becomes sure is told to `account`, in order.
    pub(super) fn turn(
        &self,
        worker: &mut Worker,
        batch: &mut Batch,
        meter: &Meter,
        account: &mut dyn FnMut(Counts),
    ) -> Result<Turn, SourceError> {
        loop {
            if self.ready(batch) {
                return Ok(Turn::Rows);
            }
            let Some(cut) = self.next_slice(meter)? else {
                if let Some(rest) = self.rest() {
                    return Ok(Turn::Alone(rest));
                }
                return Ok(if self.ready(batch) { Turn::Rows } else { Turn::Done });
            };
            let (number, parsed) = (cut.number, self.parse(worker, cut));
            let through = self.settle(number, parsed, account);
            if through && let Some(content) = self.feed().content.take() {
                // Rows may be left: whoever closes the object comes back for them.
                return Ok(Turn::Close(content));
            }
        }
    }

    /// Exchanges `batch` for one whose rows are sure.
    fn ready(&self, batch: &mut Batch) -> bool {
        let mut state = self.state();
        let Some(full) = state.ready.pop_front() else { return false };
        let empty = std::mem::replace(batch, full);
        state.spare_batches.push(empty);
        true
    }

    /// The next slice, once there is room for it; none when all were given out.
    fn next_slice(&self, meter: &Meter) -> Result<Option<Cut>, SourceError> {
        let window = {
            // The first of those that are held back is being parsed, by a thread that does nothing else meanwhile.
            let mut state = self.state();
            while state.pending.len() >= self.slicing.held
                && state.ready.is_empty()
                && !state.astray
            {
                state = self.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.spare_windows.pop().unwrap_or_default()
        };
        let mut feed = self.feed();
        if self.state().astray || (feed.ended && feed.carry.is_empty()) {
            return Ok(None);
        }
        let before = feed.content.as_ref().map_or(0, Content::consumed);
        let cut = feed.cut(|| self.ahead.open(self.index, &self.object), self.slicing, window)?;
        let now = feed.content.as_ref().map_or(0, Content::consumed);
        Meter::advance(&meter.bytes, now - before);
        self.state().pending.push_back(None);
        Ok(Some(cut))
    }

    fn parse(&self, worker: &mut Worker, cut: Cut) -> Parsed {
        let Cut { window, slice, last, .. } = cut;
        worker.records.enter(window, slice);
        let mut batches = Vec::new();
        let through = loop {
            let spare = self.state().spare_batches.pop();
            let mut batch = spare.unwrap_or_else(|| Batch::new(&self.types));
            batch.clear();
            let stopped =
                worker.fill(&mut Nothing { last }, [self.load_id, self.object_id], &mut batch);
            batches.push(batch);
            match stopped {
                Ok(Stopped::Full) => {}
                Ok(Stopped::Border | Stopped::End) => break true,
                Err(Unfinished) => break false,
            }
        };
        let (window, at, form) = worker.records.leave();
        Parsed { window, slice, last, at, form, through, batches, counts: worker.counts() }
    }

    /// Puts a parsed slice in its place, and sets free what is sure by it; true when the object is through by that.
    fn settle(&self, number: u64, parsed: Parsed, account: &mut dyn FnMut(Counts)) -> bool {
        let mut state = self.state();
        let place = usize::try_from(number - state.first).unwrap_or(usize::MAX);
        if let Some(pending) = state.pending.get_mut(place) {
            *pending = Some(parsed);
        }
        let mut through = false;
        while !state.astray
            && let Some(Some(_)) = state.pending.front()
        {
            through = state.advance(account);
        }
        self.moved.notify_all();
        through
    }

    /// What is left to one thread, for the one that asks first after the last slice came back.
    fn rest(&self) -> Option<Rest> {
        let mut feed = self.feed();
        let mut state = self.state();
        if !state.astray || state.pending.iter().any(Option::is_none) {
            return None;
        }
        let content = feed.content.take()?;
        let mut rest = Rest {
            input: Replay { bytes: Vec::new(), given: 0, content },
            form: state.form,
            offset: 0,
        };
        for (index, parsed) in std::mem::take(&mut state.pending).into_iter().flatten().enumerate()
        {
            let end = parsed.slice.border.unwrap_or(parsed.slice.filled);
            let from = if index == 0 { parsed.at } else { 0 };
            if index == 0 {
                rest.offset = parsed.slice.offset + from as u64;
            }
            rest.input.bytes.extend_from_slice(&parsed.window[from..end]);
        }
        rest.input.bytes.append(&mut feed.carry);
        Some(rest)
    }
}

impl State {
    /// Looks at the first slice, which is parsed: takes what is sure of it; true when it was the last of all.
    fn advance(&mut self, account: &mut dyn FnMut(Counts)) -> bool {
        let Some(Some(parsed)) = self.pending.front_mut() else { return false };
        if parsed.slice.form != self.form {
            // Not a byte of it is sure.
            parsed.at = 0;
            self.astray = true;
            return false;
        }
        let full = parsed.batches.drain(..).partition::<Vec<_>, _>(Batch::is_empty);
        self.spare_batches.extend(full.0);
        self.ready.extend(full.1);
        account(std::mem::take(&mut parsed.counts));
        self.form = parsed.form;
        self.astray = !parsed.through;
        let last = parsed.last;
        if !self.astray {
            if let Some(Some(parsed)) = self.pending.pop_front() {
                self.spare_windows.push(parsed.window);
            }
            self.first += 1;
        }
        last && !self.astray
    }
}

/// What a slice reads behind its end.
struct Nothing {
    last: bool,
}

/// An item goes on beyond its slice.
#[derive(Debug)]
struct Unfinished;

impl Input for Nothing {
    type Error = Unfinished;

    fn read(&mut self, _: &mut [u8]) -> Result<usize, Unfinished> {
        if self.last { Ok(0) } else { Err(Unfinished) }
    }
}

/// A stream with bytes given back to it.
pub(super) struct Replay {
    bytes: Vec<u8>,
    given: usize,
    pub content: Content,
}

impl Replay {
    /// The stream with nothing given back.
    pub(super) fn none(content: Content) -> Self {
        Self { bytes: Vec::new(), given: 0, content }
    }
}

impl Input for Replay {
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
