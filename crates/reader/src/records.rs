//! Splits a stream into records and the damage between them. A window slides over the bytes, so
//! memory use does not depend on the size of the stream.
//!
//! The start of each record is known here, its values are not. For each record:
//! 1. The sink tries its fast path on the window ([`RecordSink::try_fast_path`]).
//! 2. Otherwise the slow path scans the record (`json`), reports its members to the sink, and then
//!    passes the whole record to it ([`RecordSink::record`]).
//!
//! Damage goes to the sink as well ([`RecordSink::reject`]), so both paths return their results
//! through one channel, in stream order. [`Records::next`] itself returns only the extent of the
//! item.
//!
//! Resynchronization after damage follows `docs/reference/rules.md`:
//! - Bytes between records that are not JSON are one reject, up to the next `{`. A `{` between
//!   records always opens a record.
//! - A record whose JSON is invalid or truncated is one reject, up to the next line that begins
//!   with `{`, or the next complete record within a line (`resync`).

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr;

use super::container::Containers;
use super::fast_path::PADDING;
use super::format::NOT_A_PLAY;
use super::json::{Member, ScanError, scan_key, scan_object, scan_value};
use super::resync::{RecordSearch, Region, Search};
use super::schema::{RecordKind, RecordShape};
use sparkify_source::{Content, SourceError, recognized};

/// Longest record, in bytes. A longer one is rejected like invalid JSON.
const MAX_RECORD: usize = 64 << 20;
/// Bytes of a reject that are kept.
pub(super) const MAX_RAW: usize = 1 << 20;
/// First bytes of a PDF document.
const PDF: &[u8] = b"%PDF-";
/// Reason to reject an object that should contain records.
pub(super) const NO_RECORDS: &str = "no list of records";
/// Initial size of the window, in bytes.
const WINDOW: usize = 256 << 10;

/// Stream of bytes; a read of 0 bytes is its end.
pub(super) trait Input {
    type Error;
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Self::Error>;
}

/// Receiver of the records and rejects of a stream, in order.
pub(super) trait RecordSink {
    /// Returns the shape of the records.
    fn shape(&self) -> RecordShape;

    /// Returns true if a stream that is a document is no damage: exports come with one.
    fn leaves_out_documents(&self) -> bool {
        false
    }

    /// Tries to read the record at `at` of the window, which is at `offset` of the stream, on the
    /// fast path. Returns the offset after it; none if the record must take the slow path, and then
    /// nothing was appended. The window ends with [`PADDING`] zeros.
    fn try_fast_path(&mut self, window: &[u8], at: usize, offset: u64) -> Option<usize>;

    /// Starts a scan on the slow path. It discards the members of the last scan: a record that
    /// exceeds the window is scanned again.
    fn begin_scan(&mut self);

    /// Receives a member of the scanned record.
    fn member(&mut self, member: Member<'_>);

    /// Receives the scanned record, which is valid JSON; its members are ranges of the window.
    fn record(&mut self, window: &[u8], record: Range<usize>, offset: u64);

    /// Receives `length` bytes that are not a record, of which `raw` holds up to [`MAX_RAW`].
    fn reject(&mut self, offset: u64, length: u64, reason: &str, raw: &[u8]);
}

/// Sink that discards everything, for callers that need only the extents of records of one kind.
pub(super) struct Discard(pub RecordKind);

impl RecordSink for Discard {
    fn shape(&self) -> RecordShape {
        self.0.shape()
    }

    fn try_fast_path(&mut self, _: &[u8], _: usize, _: u64) -> Option<usize> {
        None
    }

    fn begin_scan(&mut self) {}

    fn member(&mut self, _: Member<'_>) {}

    fn record(&mut self, _: &[u8], _: Range<usize>, _: u64) {}

    fn reject(&mut self, _: u64, _: u64, _: &str, _: &[u8]) {}
}

/// Extent of the next item of a stream; the sink has received its content.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// Record at `start..end` of the window.
    Record { offset: u64, start: usize, end: usize },
    /// Bytes that are not a record; [`Records::reject_bytes`] holds up to [`MAX_RAW`] of them.
    Reject { offset: u64, length: u64 },
    /// The end of the slice, between two items.
    SliceEnd,
    /// The end of the stream.
    End,
}

impl Input for Content {
    type Error = SourceError;

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        Content::read(self, buffer)
    }
}

/// State of the parser between two items. Together with the offset it determines how the rest of
/// the stream is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ParserState {
    /// Only white space so far.
    Start,
    /// In a sequence of records.
    Sequence,
    /// Inside one JSON array.
    Array,
    /// After the `]` of the array.
    ArrayClosed,
}

/// Where a member of a container leads.
enum Led {
    /// To an array of records.
    Records,
    /// To a single record.
    Record,
    /// To a further container.
    Container(Vec<u8>),
    /// To a value without records.
    Nowhere,
}

/// Part of a stream, from one line that begins with `{` to another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slice {
    /// Number of bytes in the window: the slice, and the first byte of the next slice.
    pub filled: usize,
    /// Offset of the first byte in the stream.
    pub offset: u64,
    /// Assumed state of the parser at the first byte.
    pub state: ParserState,
    /// Start of the next slice in the window; none in the last slice.
    pub boundary: Option<usize>,
}

/// Window and parser state of a stream. Reused for the next stream to save allocations.
pub(super) struct Records {
    window: Vec<u8>,
    /// Unread bytes of the window: `at..filled`.
    at: usize,
    filled: usize,
    /// Offset in the stream of the window's first byte.
    base: u64,
    ended: bool,
    state: ParserState,
    /// Start of the next slice in the window. Its first byte, a `{`, is the last byte of this
    /// window.
    boundary: Option<usize>,
    /// Bytes of the last reject.
    raw: Vec<u8>,
    /// Open objects that contain records.
    containers: Containers,
}

impl Records {
    pub(super) fn new() -> Self {
        Self {
            window: vec![0; WINDOW + PADDING],
            at: 0,
            filled: 0,
            base: 0,
            ended: false,
            state: ParserState::Start,
            boundary: None,
            raw: Vec::new(),
            containers: Containers::default(),
        }
    }

    /// Prepares to read a stream from its start.
    pub(super) fn restart(&mut self) {
        self.resume(ParserState::Start, 0);
    }

    /// Prepares to read a stream from `offset` on, which is between two items.
    pub(super) fn resume(&mut self, state: ParserState, offset: u64) {
        if self.window.len() != WINDOW + PADDING {
            self.window = vec![0; WINDOW + PADDING];
        }
        (self.at, self.filled, self.base) = (0, 0, offset);
        (self.ended, self.state, self.boundary) = (false, state, None);
        self.containers = Containers::default();
    }

    /// Prepares to read a slice: the first `filled` bytes of `window`, which has space for one more
    /// byte and [`PADDING`] zeros after them. The input of a slice has no further bytes.
    pub(super) fn enter(&mut self, window: Vec<u8>, slice: Slice) {
        self.window = window;
        (self.at, self.filled, self.base) = (0, slice.filled, slice.offset);
        (self.ended, self.state, self.boundary) = (false, slice.state, slice.boundary);
    }

    /// Ends a slice: returns its window, the position in it, and the state of the parser there.
    pub(super) fn leave(&mut self) -> (Vec<u8>, usize, ParserState) {
        (std::mem::take(&mut self.window), self.at, self.state)
    }

    /// Returns the bytes of the window, of which the last record is a range.
    pub(super) fn window(&self) -> &[u8] {
        &self.window[..self.filled]
    }

    /// Returns the bytes of the last reject, up to [`MAX_RAW`].
    pub(super) fn reject_bytes(&self) -> &[u8] {
        &self.raw
    }

    /// Reads the next item into `sink`.
    ///
    /// After an input error the position is that before the item, and the sink has received neither
    /// a record nor a reject. A slice relies on that: its input fails at the slice's end, and the
    /// rest of the stream is read from that position.
    pub(super) fn next<I: Input>(
        &mut self,
        input: &mut I,
        sink: &mut impl RecordSink,
    ) -> Result<Item, I::Error> {
        let (at, state) = (self.at, self.state);
        let item = self.read(input, sink);
        if item.is_err() {
            (self.at, self.state) = (at, state);
        }
        item
    }

    fn read<I: Input>(
        &mut self,
        input: &mut I,
        sink: &mut impl RecordSink,
    ) -> Result<Item, I::Error> {
        loop {
            let next = self.next_byte(input)?;
            if self.boundary == Some(self.at) {
                return Ok(Item::SliceEnd);
            }
            if !sink.shape().containers.is_empty() && next.is_some() {
                match self.contained(input, sink)? {
                    Some(item) => return Ok(item),
                    None => continue,
                }
            }
            match next {
                None => return Ok(self.end(sink)),
                Some(b'{') => return self.record(input, sink),
                Some(b'[') if self.state == ParserState::Start => self.state = ParserState::Array,
                Some(b',') if self.state == ParserState::Array => {}
                Some(b']') if self.state == ParserState::Array => {
                    self.state = ParserState::ArrayClosed;
                }
                Some(_) => return self.damage(input, sink),
            }
            self.at += 1;
        }
    }

    fn offset(&self) -> u64 {
        self.base + self.at as u64
    }

    /// Reads the next byte of a stream whose records are in containers. Returns an item, or nothing
    /// if the byte only leads to the next one.
    fn contained<I: Input>(
        &mut self,
        input: &mut I,
        sink: &mut impl RecordSink,
    ) -> Result<Option<Item>, I::Error> {
        let byte = self.window[self.at];
        let is_open = self.containers.is_open();
        match byte {
            b'{' if self.containers.in_array => return self.record(input, sink).map(Some),
            b'{' if !is_open => {
                self.enter_sequence();
                self.containers.open_first(self.offset(), &self.window[self.at..self.filled]);
            }
            b'[' if self.state == ParserState::Start && !is_open => self.state = ParserState::Array,
            b',' if is_open || self.state == ParserState::Array => {}
            b']' if self.containers.in_array => self.containers.in_array = false,
            b']' if self.state == ParserState::Array && !is_open => {
                self.state = ParserState::ArrayClosed;
            }
            b'}' if is_open => {
                self.at += 1;
                return Ok(self.close_container(sink));
            }
            b'"' if is_open && !self.containers.in_array => return self.member(input, sink),
            _ => {
                if is_open {
                    // The records after the damage are found one by one.
                    self.containers.enter_array();
                }
                return self.damage(input, sink).map(Some);
            }
        }
        self.at += 1;
        Ok(None)
    }

    /// Closes the innermost container. One without records is not of this format: a reject.
    fn close_container(&mut self, sink: &mut impl RecordSink) -> Option<Item> {
        self.containers.in_array = false;
        let (start, head) = self.containers.close()?;
        let length = self.offset() - start;
        self.raw = head;
        self.raw.truncate(usize::try_from(length).unwrap_or(MAX_RAW));
        Some(self.reject(sink, start, length, NO_RECORDS))
    }

    /// Reads the key of a container, and skips its value unless it leads to records.
    fn member<I: Input>(
        &mut self,
        input: &mut I,
        sink: &mut impl RecordSink,
    ) -> Result<Option<Item>, I::Error> {
        let paths = sink.shape().containers;
        loop {
            let most = self.filled.min(self.at + MAX_RECORD);
            let window = &self.window[..most];
            let scanned = scan_key(window, self.at).and_then(|(key, value)| {
                let leads = self.containers.leads(&key, paths);
                match (leads, *window.get(value).ok_or(ScanError::Incomplete)?) {
                    (Some(true), b'[') => Ok((Led::Records, value)),
                    (Some(true), b'{') => Ok((Led::Record, value)),
                    (Some(false), b'{') => Ok((Led::Container(key.into_owned()), value)),
                    _ => scan_value(window, value).map(|end| (Led::Nowhere, end)),
                }
            });
            match scanned {
                Ok((led, at)) => {
                    self.at = at;
                    match led {
                        Led::Nowhere => return Ok(None),
                        // One record may stand in place of an array.
                        Led::Record => {
                            self.containers.found = true;
                            let item = self.record(input, sink)?;
                            self.containers.in_array = matches!(item, Item::Reject { .. });
                            return Ok(Some(item));
                        }
                        Led::Records => self.containers.enter_array(),
                        Led::Container(key) => self.containers.open(key),
                    }
                    self.at += 1;
                    return Ok(None);
                }
                Err(ScanError::Incomplete) if most == self.filled && self.fill_double(input)? => {}
                Err(_) => {
                    self.containers.enter_array();
                    return self.damage(input, sink).map(Some);
                }
            }
        }
    }

    fn end(&mut self, sink: &mut impl RecordSink) -> Item {
        if self.containers.is_open() {
            self.containers = Containers::default();
            self.raw.clear();
            return self.reject(sink, self.offset(), 0, "the object is not closed");
        }
        if self.state != ParserState::Array {
            return Item::End;
        }
        self.state = ParserState::ArrayClosed;
        self.raw.clear();
        self.reject(sink, self.offset(), 0, "the array is not closed")
    }

    fn reject(&self, sink: &mut impl RecordSink, offset: u64, length: u64, reason: &str) -> Item {
        sink.reject(offset, length, reason, &self.raw);
        Item::Reject { offset, length }
    }

    /// Moves to the next byte that is not white space and returns it; none at the end.
    fn next_byte<I: Input>(&mut self, input: &mut I) -> Result<Option<u8>, I::Error> {
        // Skips a byte-order mark.
        if self.base == 0 && self.at == 0 {
            while self.filled < 3 && self.fill(input)? {}
            if self.window().starts_with(b"\xef\xbb\xbf") {
                self.at = 3;
            }
        }
        loop {
            let rest = &self.window[self.at..self.filled];
            match rest.iter().position(|byte| !is_blank(*byte)) {
                Some(blanks) => {
                    self.at += blanks;
                    return Ok(Some(self.window[self.at]));
                }
                None => self.at = self.filled,
            }
            if !self.fill(input)? {
                return Ok(None);
            }
        }
    }

    /// Reads more bytes into the window, and keeps those from `at` on; returns false at the end of
    /// the stream.
    ///
    /// A full window is compacted if at least half of it was read, else doubled. So each byte is
    /// moved a constant number of times on average.
    fn fill<I: Input>(&mut self, input: &mut I) -> Result<bool, I::Error> {
        if self.ended {
            return Ok(false);
        }
        if self.filled + PADDING == self.window.len() {
            if self.at > self.filled / 2 {
                self.window.copy_within(self.at..self.filled, 0);
                self.base += self.at as u64;
                self.filled -= self.at;
                self.at = 0;
            } else {
                self.window.resize(self.filled * 2 + PADDING, 0);
            }
        }
        let end = self.window.len() - PADDING;
        let read = input.read(&mut self.window[self.filled..end])?;
        self.filled += read;
        self.window[self.filled..][..PADDING].fill(0);
        self.ended = read == 0;
        Ok(!self.ended)
    }

    fn record<I: Input>(
        &mut self,
        input: &mut I,
        sink: &mut impl RecordSink,
    ) -> Result<Item, I::Error> {
        let first = self.enter_sequence();
        let shape = sink.shape();
        loop {
            let (offset, start) = (self.offset(), self.at);
            if let Some(end) = self.fast_path(sink) {
                self.at = end;
                return Ok(Item::Record { offset, start, end });
            }
            let most = self.filled.min(start + MAX_RECORD);
            sink.begin_scan();
            let visit = &mut |member: Member<'_>| sink.member(member);
            let reason = match scan_object(&self.window[..most], start, shape.keys, visit) {
                Ok(end) => {
                    self.at = end;
                    sink.record(self.window(), start..end, offset);
                    return Ok(Item::Record { offset, start, end });
                }
                Err(ScanError::Invalid(reason)) => reason,
                Err(ScanError::Incomplete) if most < self.filled => "a record longer than 64 MiB",
                Err(ScanError::Incomplete) => {
                    if self.fill_double(input)? {
                        continue;
                    }
                    "truncated record"
                }
            };
            let mut search = RecordSearch::new(shape, offset);
            let length = self.skip(input, |region| search.next(region))?;
            return Ok(self.reject(sink, offset, length, &self.named(reason, first)));
        }
    }

    /// Leaves the state before the first record; returns true if that was the state.
    fn enter_sequence(&mut self) -> bool {
        let first = self.state == ParserState::Start;
        if first {
            self.state = ParserState::Sequence;
        }
        first
    }

    /// Returns the reason of a reject. If it is the first item, its bytes may show the format that
    /// the object has by mistake.
    fn named(&self, reason: &'static str, first: bool) -> Cow<'static, str> {
        match recognized(&self.raw).filter(|_| first) {
            Some(what) => format!("not JSON: {what}").into(),
            None => reason.into(),
        }
    }

    /// Tries the fast path, unless the record might exceed the length limit, which it does not
    /// check.
    fn fast_path(&self, sink: &mut impl RecordSink) -> Option<usize> {
        if self.filled - self.at > MAX_RECORD {
            return None;
        }
        sink.try_fast_path(&self.window[..self.filled + PADDING], self.at, self.offset())
    }

    /// Doubles the bytes of an incomplete record, so that scanning it again takes linear time in
    /// total; returns false at the end of the stream.
    fn fill_double<I: Input>(&mut self, input: &mut I) -> Result<bool, I::Error> {
        // One byte above the limit suffices to find that a record is too long.
        let wanted = ((self.filled - self.at) * 2).min(MAX_RECORD + 1);
        let mut more = false;
        while self.filled - self.at < wanted && self.fill(input)? {
            more = true;
        }
        Ok(more)
    }

    /// Reads bytes between records that are not JSON, up to the next `{`.
    fn damage<I: Input>(
        &mut self,
        input: &mut I,
        sink: &mut impl RecordSink,
    ) -> Result<Item, I::Error> {
        let first = self.enter_sequence();
        let offset = self.offset();
        if first && sink.leaves_out_documents() {
            while self.filled - self.at < PDF.len() && self.fill(input)? {}
            if self.window[self.at..self.filled].starts_with(PDF) {
                let length = self.skip(input, |Region { bytes, .. }| Search::More {
                    keep: bytes.len(),
                    from: bytes.len(),
                })?;
                let reason = format!("{NOT_A_PLAY}PDF document");
                return Ok(self.reject(sink, offset, length, &reason));
            }
        }
        let length = self.skip(input, |Region { bytes, from, .. }| {
            match bytes.get(from..).and_then(|rest| memchr(b'{', rest)) {
                Some(at) => Search::Found(from + at),
                None => Search::More { keep: bytes.len(), from: bytes.len().max(from) },
            }
        })?;
        Ok(self.reject(sink, offset, length, &self.named("invalid JSON", first)))
    }

    /// Resynchronizes: skips to where `search` finds a record, or to the end of the stream, and
    /// keeps the skipped bytes as the reject. Returns their length without white space at their
    /// end.
    ///
    /// The first search begins after the first byte of the reject, so that skipping makes progress.
    fn skip<I: Input>(
        &mut self,
        input: &mut I,
        mut search: impl FnMut(Region<'_>) -> Search,
    ) -> Result<u64, I::Error> {
        self.raw.clear();
        let start = self.offset();
        let mut solid = start;
        let mut from = 1;
        loop {
            let (offset, ended) = (self.offset(), self.ended);
            let bytes = &self.window[self.at..self.filled];
            let (skipped, found) = match search(Region { bytes, from, offset, ended }) {
                Search::Found(at) => (&bytes[..at], true),
                Search::More { .. } if ended => (bytes, true),
                Search::More { keep, from: next } => {
                    from = next - keep;
                    (&bytes[..keep], false)
                }
            };
            let space = MAX_RAW - self.raw.len();
            self.raw.extend_from_slice(&skipped[..skipped.len().min(space)]);
            if let Some(last) = skipped.iter().rposition(|byte| !is_blank(*byte)) {
                solid = offset + last as u64 + 1;
            }
            self.at += skipped.len();
            if found {
                break;
            }
            // At the end of the stream, the kept bytes are searched once more.
            self.fill(input)?;
        }
        let length = solid - start;
        self.raw.truncate(usize::try_from(length).unwrap_or(MAX_RAW));
        Ok(length)
    }
}

/// Returns true for white space as JSON defines it.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::differential::Chunked;

    /// Sink of the reasons of rejects.
    struct Reasons(Vec<String>);

    impl RecordSink for Reasons {
        fn shape(&self) -> RecordShape {
            RecordKind::Songs.shape()
        }

        fn try_fast_path(&mut self, _: &[u8], _: usize, _: u64) -> Option<usize> {
            None
        }

        fn begin_scan(&mut self) {}

        fn member(&mut self, _: Member<'_>) {}

        fn record(&mut self, _: &[u8], _: Range<usize>, _: u64) {}

        fn reject(&mut self, _: u64, length: u64, reason: &str, raw: &[u8]) {
            assert_eq!(raw.len(), usize::try_from(length).unwrap().min(MAX_RAW));
            self.0.push(reason.to_owned());
        }
    }

    /// Each item of `text` as `record@offset` or `reject@offset:bytes`.
    fn items(text: &[u8], chunk: usize) -> Vec<String> {
        let mut records = Records::new();
        let mut input = Chunked(text, chunk);
        let mut items = Vec::new();
        loop {
            let item = records.next(&mut input, &mut Discard(RecordKind::Songs));
            match item.unwrap_or_else(|never| match never {}) {
                Item::Record { offset, .. } => items.push(format!("record@{offset}")),
                Item::Reject { offset, length } => {
                    assert_eq!(records.reject_bytes().len() as u64, length);
                    let raw = String::from_utf8_lossy(records.reject_bytes());
                    items.push(format!("reject@{offset}:{raw}"));
                }
                Item::End => return items,
                Item::SliceEnd => unreachable!("the stream is not sliced"),
            }
        }
    }

    #[test]
    fn every_form_is_split_the_same_for_any_chunk_size() {
        let cases: &[(&[u8], &[&str])] = &[
            (b"", &[]),
            (b" \n\t", &[]),
            (b"{}{}\n{ }", &["record@0", "record@2", "record@5"]),
            (b"\xef\xbb\xbf{}", &["record@3"]),
            (b"[{},\n{}]\n", &["record@1", "record@5"]),
            (b"[]", &[]),
            (b"[{}", &["record@1", "reject@3:"]),
            (b"[{}] {}", &["record@1", "record@5"]),
            (b"{},{}", &["record@0", "reject@2:,", "record@3"]),
            (b"cat x \n{}", &["reject@0:cat x", "record@7"]),
            (b"{\"a\":1\n{\"a\":2}\n", &["reject@0:{\"a\":1", "record@7"]),
            (b"{\"a\":\n{\"a\":2}\n{}", &["reject@0:{\"a\":", "record@6", "record@14"]),
            (b"{\"a\" {}\n {}\r\n{}", &["reject@0:{\"a\" {}\n {}", "record@13"]),
            (b"{}\n{\"a\":\"x", &["record@0", "reject@3:{\"a\":\"x"]),
            (b"{}\njunk", &["record@0", "reject@3:junk"]),
        ];
        for (text, expected) in cases {
            for chunk in [1, 2, 3, 1000] {
                assert_eq!(items(text, chunk), *expected, "{}", String::from_utf8_lossy(text));
            }
        }
    }

    #[test]
    fn records_larger_than_the_window_and_long_damage_are_read() {
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(WINDOW * 3));
        let text = format!("{{}}\n{long}\n{{}}");
        assert_eq!(items(text.as_bytes(), 10_000).len(), 3);

        let damage = "j".repeat(MAX_RAW + 5);
        let mut records = Records::new();
        let text = format!("{damage}{{}}");
        let mut input = Chunked(text.as_bytes(), 70_000);
        let mut reasons = Reasons(Vec::new());
        let item = records.next(&mut input, &mut reasons).unwrap();
        assert_eq!(reasons.0, ["invalid JSON"]);
        let length = damage.len() as u64;
        assert_eq!(item, Item::Reject { offset: 0, length });
        assert_eq!(records.reject_bytes().len(), MAX_RAW);
        let item = records.next(&mut input, &mut Discard(RecordKind::Songs)).unwrap();
        assert!(matches!(item, Item::Record { offset, .. } if offset == length));
    }
}
