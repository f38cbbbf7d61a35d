//! An object as its reader has it: one stream, or, of a large object, several ranges that are on their way at once and are read one after the other.
//!
//! It begins as one stream to the object's end, large or not, and a reader that never has to wait leaves it so. When the reader of a large object waits
//! and there is room for two parts, the stream is cut at a border of parts ahead of it, and what is behind the border comes in parts of [`PART`]:
//! one more at once whenever the reader waits, one less when it read as many as there are without waiting. Room is shared by all large objects of a list, and
//! is half of what may be fetched ahead (`fetching`); where that is less than two parts, and where no store was seen to know ranges, it stays one
//! stream. So does an object whose listing gave no etag: nothing would hold two answers to be of one version.
//!
//! No reader can wait for ever. It waits for bytes only, never for room: whoever finds none goes on as it is, and a part that its reader comes to and that
//! was not begun is begun at once, as a stream. A request's place (`limiter`) is held only by a part, which has room for all its bytes, or by a stream that
//! has room just now, and gives its place back when it has none; so each place comes back without any reader, and the next in line has it. Parts are begun
//! and read in their order, a reader's own room is passed on from a part that is read to the next one, and what a reader is at needs nobody else's.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Bucket;
use super::stream::{Manner, Stream};
use crate::Object;

/// The bytes of one range. A connection gives 50 to 90 MB a second and takes some 30 ms to begin: less is mostly waiting, and more holds more
/// bytes for as many connections. What uploads in parts makes has borders at such a size or at twice that, and ranges begin at them.
pub(super) const PART: u64 = 4 << 20;
/// The part that is read and the one behind it: with fewer, each part would begin only when it is waited for.
const FEWEST: usize = 2;

/// The reader's end. Dropping it ends the fetching.
#[derive(Debug)]
pub(crate) struct Body {
    stream: Stream,
    /// What a large object has beyond its one stream.
    ranges: Option<Box<Ranges>>,
}

/// Whether `object` is fetched in ranges where there is room for them.
pub(super) fn is_large(bucket: &Bucket, object: &Object) -> bool {
    object.size >= 2 * PART && object.etag.is_some() && bucket.client.limits.concurrency > 1
}

/// How much of the bytes that may be fetched ahead is for parts of large objects.
pub(super) fn room_for_parts(ahead: u64) -> Option<u64> {
    Some(ahead / 2).filter(|room| *room >= FEWEST as u64 * PART)
}

impl Body {
    /// Begins to fetch `object` from its byte `start` on, as one stream.
    pub(super) fn open(bucket: &Arc<Bucket>, object: &Object, start: u64) -> Self {
        let stream = Stream::fetch(bucket, object, start..object.size, Manner::Whole, None);
        Self { stream, ranges: None }
    }

    /// Begins to fetch `object`, in ranges if it is large and there comes to be `room`, which is counted in parts.
    pub(super) fn fetch(
        bucket: &Arc<Bucket>,
        object: &Object,
        budget: Option<OwnedSemaphorePermit>,
        room: Option<&Arc<Semaphore>>,
    ) -> Self {
        let room = room.filter(|_| is_large(bucket, object) && !bucket.client.refuses_ranges());
        let ranges = room.map(|room| Box::new(Ranges::new(bucket, object, room)));
        let manner = if ranges.is_some() { Manner::Lead } else { Manner::Whole };
        let stream = Stream::fetch(bucket, object, 0..object.size, manner, budget);
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

/// What is on its way of an object behind the stream that is read.
#[derive(Debug)]
struct Ranges {
    bucket: Arc<Bucket>,
    object: Object,
    /// Where the reader is.
    at: u64,
    /// Where the next part begins; none as long as there is one stream.
    border: Option<u64>,
    /// Parts that were begun, in order.
    ahead: VecDeque<Stream>,
    /// Whether what is read is a part.
    in_hand: bool,
    /// What all large objects share, in parts.
    room: Arc<Semaphore>,
    /// Room for the part that is read and for those that are ahead.
    places: Vec<OwnedSemaphorePermit>,
    /// Parts that were read since the reader waited: those that began together end together, and then it reads them at once.
    unwaited: usize,
}

impl Ranges {
    fn new(bucket: &Arc<Bucket>, object: &Object, room: &Arc<Semaphore>) -> Self {
        Self {
            bucket: Arc::clone(bucket),
            object: object.clone(),
            at: 0,
            border: None,
            ahead: VecDeque::new(),
            in_hand: false,
            room: Arc::clone(room),
            places: Vec::new(),
            unwaited: 0,
        }
    }

    /// The reader finds nothing in `stream`: more at once, if there is room.
    fn widen(&mut self, stream: &Stream) {
        self.unwaited = 0;
        match self.border {
            None if self.bucket.client.knows_ranges() => {
                let places: Vec<_> = (0..FEWEST).map_while(|_| self.place()).collect();
                if places.len() == FEWEST {
                    self.border = stream.cut();
                    self.places = places;
                }
            }
            Some(border) if border < self.object.size => self.places.extend(self.place()),
            _ => return,
        }
        self.fill();
    }

    fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.room).try_acquire_owned().ok()
    }

    /// Begins as many parts as it has room for, and gives back what it needs no more.
    fn fill(&mut self) {
        let (size, in_hand) = (self.object.size, usize::from(self.in_hand));
        while let Some(start) = self.border.filter(|border| *border < size)
            && self.ahead.len() + in_hand < self.places.len()
        {
            let end = (start + PART).min(size);
            let part = Stream::fetch(&self.bucket, &self.object, start..end, Manner::Part, None);
            self.ahead.push_back(part);
            self.border = Some(end);
        }
        self.places.truncate(self.ahead.len() + in_hand);
    }

    /// What goes on where the reader is.
    fn next(&mut self) -> Stream {
        self.unwaited += 1;
        if self.in_hand && self.unwaited > self.places.len() && self.places.len() > FEWEST {
            self.places.pop();
        }
        if let Some(part) = self.ahead.pop_front().filter(|part| part.start == self.at) {
            self.in_hand = true;
            self.fill();
            return part;
        }
        // The store knew no ranges after all.
        self.ahead.clear();
        self.places.clear();
        (self.border, self.in_hand) = (None, false);
        let rest = self.at..self.object.size;
        Stream::fetch(&self.bucket, &self.object, rest, Manner::Lead, None)
    }
}
