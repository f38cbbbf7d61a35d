//! Download of one object: one stream, or several range reads at the same time, which are read one
//! after the other.
//!
//! Every download starts as one stream to the end of the object, and stays so if the reader never
//! waits. When the reader of a large object waits, and the part budget allows two parts, the stream
//! is cut at a multiple of [`PART`] after its position, and the rest is downloaded in parts.
//! Concurrency adapts to the reader: one part more each time it waits, one part less after it has
//! read all parts in flight without waiting.
//!
//! The part budget is shared by all large objects of a list. It is half of the prefetch budget
//! (`downloads`). A download stays one stream if the budget is below two parts, if the server has
//! not answered a range read with a range yet, or if the object has no etag, since responses could
//! then be from different versions.
//!
//! Liveness: a reader waits only for bytes, never for budget. Without budget it continues with the
//! parts that it has, and a part that it reaches and that was not started is started as a stream.
//!
//! Permits bound network I/O only. A download blocked on a slow consumer releases its permit, and a
//! requested object starts even if the prefetch budget is spent. This rules out deadlock: a part
//! never blocks, since its window holds all its bytes, and a stream releases its permit while its
//! window is full. So every permit is released without action of a reader, and the next request
//! gets it.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Bucket;
use super::stream::{Mode, Stream};
use crate::Object;

/// Size of one range read. A connection transfers 50 to 90 MB/s after a latency of about 30 ms:
/// smaller ranges mostly wait, and larger ones need more memory for the same number of connections.
/// Multipart uploads commonly have parts of this size or a multiple, and ranges begin at their
/// boundaries.
pub(super) const PART: u64 = 4 << 20;
/// Fewest parts in flight: the one that is read and the next one. With one, each part would start
/// only when the reader waits for it.
const FEWEST: usize = 2;

/// Reading end of a download. Dropping it cancels the download.
#[derive(Debug)]
pub(crate) struct Body {
    stream: Stream,
    /// State of range reads, for a large object.
    ranges: Option<Box<Ranges>>,
}

/// Returns true if `object` is downloaded in ranges when the budget allows it.
pub(super) fn is_large(bucket: &Bucket, object: &Object) -> bool {
    object.size >= 2 * PART && object.etag.is_some() && bucket.client.limits.concurrency > 1
}

/// Returns the share of the prefetch budget that is for parts of large objects, in bytes; none if
/// it is too small.
pub(super) fn part_budget(prefetch: u64) -> Option<u64> {
    Some(prefetch / 2).filter(|bytes| *bytes >= FEWEST as u64 * PART)
}

impl Body {
    /// Starts to download the bytes `span` of `object`, as one stream. `budget` is its share of the
    /// prefetch budget.
    pub(super) fn open(
        bucket: &Arc<Bucket>,
        object: &Object,
        span: Range<u64>,
        budget: Option<OwnedSemaphorePermit>,
    ) -> Self {
        let stream = Stream::fetch(bucket, object, span, Mode::Whole, budget);
        Self { stream, ranges: None }
    }

    /// Starts to download `object`, in ranges if it is large and `part_budget`, counted in parts,
    /// allows it later. `budget` is its share of the prefetch budget.
    pub(super) fn fetch(
        bucket: &Arc<Bucket>,
        object: &Object,
        budget: Option<OwnedSemaphorePermit>,
        part_budget: Option<&Arc<Semaphore>>,
    ) -> Self {
        let part_budget =
            part_budget.filter(|_| is_large(bucket, object) && !bucket.client.refuses_ranges());
        let ranges = part_budget.map(|budget| Box::new(Ranges::new(bucket, object, budget)));
        let mode = if ranges.is_some() { Mode::Probe } else { Mode::Whole };
        let stream = Stream::fetch(bucket, object, 0..object.size, mode, budget);
        Self { stream, ranges }
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(ranges) = &mut self.ranges
                && self.stream.keeps_waiting()
            {
                ranges.widen(&self.stream);
            }
            let read = match self.stream.read(buffer) {
                Ok(read) => read,
                Err(error) => {
                    self.ranges = None;
                    return Err(error);
                }
            };
            let Some(ranges) = &mut self.ranges else { return Ok(read) };
            ranges.at += read as u64;
            if read > 0 || buffer.is_empty() || ranges.at >= ranges.object.size {
                return Ok(read);
            }
            self.stream = ranges.next();
        }
    }
}

/// Range reads of an object, after the stream that is being read.
#[derive(Debug)]
struct Ranges {
    bucket: Arc<Bucket>,
    object: Object,
    /// Position of the reader.
    at: u64,
    /// Start of the next part; none while the download is one stream.
    next_part: Option<u64>,
    /// Started parts, in order.
    parts: VecDeque<Stream>,
    /// True if the reader is in a part.
    reads_part: bool,
    /// Budget of all large objects, in parts.
    budget: Arc<Semaphore>,
    /// Budget for the part that is read and for the started ones.
    reserved: Vec<OwnedSemaphorePermit>,
    /// Parts read since the reader last waited. Parts that started together arrive together, so
    /// fewer parts than are in flight say nothing about the speed of the reader.
    unwaited: usize,
}

impl Ranges {
    fn new(bucket: &Arc<Bucket>, object: &Object, budget: &Arc<Semaphore>) -> Self {
        Self {
            bucket: Arc::clone(bucket),
            object: object.clone(),
            at: 0,
            next_part: None,
            parts: VecDeque::new(),
            reads_part: false,
            budget: Arc::clone(budget),
            reserved: Vec::new(),
            unwaited: 0,
        }
    }

    /// Starts one part more, if the budget allows it, since the reader would have to wait for
    /// `stream`.
    fn widen(&mut self, stream: &Stream) {
        self.unwaited = 0;
        match self.next_part {
            None if self.bucket.client.knows_ranges() => {
                let reserved: Vec<_> = (0..FEWEST).map_while(|_| self.reserve()).collect();
                if reserved.len() == FEWEST {
                    self.next_part = stream.cut();
                    self.reserved = reserved;
                }
            }
            Some(start) if start < self.object.size => self.reserved.extend(self.reserve()),
            _ => return,
        }
        self.fill();
    }

    /// Reserves budget for a part, without waiting.
    fn reserve(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.budget).try_acquire_owned().ok()
    }

    /// Starts parts up to the reserved budget, and releases what is left of it at the object's end.
    fn fill(&mut self) {
        let (size, reading) = (self.object.size, usize::from(self.reads_part));
        while let Some(start) = self.next_part.filter(|start| *start < size)
            && self.parts.len() + reading < self.reserved.len()
        {
            let end = (start + PART).min(size);
            let part = Stream::fetch(&self.bucket, &self.object, start..end, Mode::Part, None);
            self.parts.push_back(part);
            self.next_part = Some(end);
        }
        self.reserved.truncate(self.parts.len() + reading);
    }

    /// Returns the stream that continues at the reader's position.
    fn next(&mut self) -> Stream {
        self.unwaited += 1;
        if self.reads_part && self.unwaited > self.reserved.len() && self.reserved.len() > FEWEST {
            self.reserved.pop();
        }
        if let Some(part) = self.parts.pop_front().filter(|part| part.start == self.at) {
            self.reads_part = true;
            self.fill();
            return part;
        }
        // The server ignored a range: the part ended without data. Falls back to one stream.
        self.parts.clear();
        self.reserved.clear();
        (self.next_part, self.reads_part) = (None, false);
        let rest = self.at..self.object.size;
        Stream::fetch(&self.bucket, &self.object, rest, Mode::Probe, None)
    }
}
