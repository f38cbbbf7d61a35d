//! The records of one stream, one after the other, and whatever lies between them: a window slides over the bytes, however many there are.
//!
//! The rules for damage are those of `docs/rules.md`: what is no JSON between records is one reject, up to the next `{`; a record that breaks
//! off is one, up to the next line that begins with `{`.

use memchr::{memchr, memmem};

use super::fast_path::PADDING;
use super::json::{Found, Stop, scan_object};
use sparkify_source::{Content, SourceError};

/// A record longer than this breaks off, in bytes.
const MAX_RECORD: usize = 64 << 20;
/// Of a reject, this many bytes are kept.
pub(super) const MAX_RAW: usize = 1 << 20;
const WINDOW: usize = 256 << 10;

/// Gives bytes: 0 is the end.
pub(super) trait Input {
    type Error;
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Self::Error>;
}

/// Whoever wants the records.
pub(super) trait Taker {
    /// The keys that it has a place for.
    fn keys(&self) -> &'static [&'static str];

    /// Takes the record at `at` of the window, which stands at `offset` of the stream, at once if it can, and says where it ends. Behind the
    /// window's bytes stand [`PADDING`] zeros.
    fn take(&mut self, window: &[u8], at: usize, offset: u64) -> Option<usize>;

    /// A record is scanned, perhaps once more: what was noted of the last one is void.
    fn begin(&mut self);

    /// One key of it, and its value.
    fn note(&mut self, found: Found<'_>);
}

/// Wants to know where records are, and not what is in them.
pub(super) struct Unread;

impl Taker for Unread {
    fn keys(&self) -> &'static [&'static str] {
        &[]
    }

    fn take(&mut self, _: &[u8], _: usize, _: u64) -> Option<usize> {
        None
    }

    fn begin(&mut self) {}

    fn note(&mut self, _: Found<'_>) {}
}

/// What comes next in a stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// A record that was taken at once, of this many bytes.
    Taken { length: usize },
    /// A record: what was noted are places in the window, of which `start..end` is the record.
    Record { offset: u64, start: usize, end: usize },
    /// Bytes that are no record; [`Records::scrap`] holds them, up to [`MAX_RAW`].
    Reject { offset: u64, length: u64, reason: &'static str },
    /// What comes next is another's: the slice of the stream ends, between two items.
    Border,
    /// The end of the stream.
    End,
}

impl Input for Content {
    type Error = SourceError;

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        Content::read(self, buffer)
    }
}

/// What a stream is; with the offset, this is all that reading has to know to go on between two items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Nothing but white space was seen.
    Unknown,
    /// Records side by side.
    Sequence,
    /// Within one JSON array.
    Array,
    /// Behind the `]` of the array.
    Closed,
}

/// A part of a stream, from one line that begins with `{` to another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slice {
    /// Its bytes, and the first of the next slice.
    pub filled: usize,
    /// The offset of its first byte in the stream.
    pub offset: u64,
    /// What the stream is there.
    pub form: Form,
    /// Where the next slice begins; none when it is the last.
    pub border: Option<usize>,
}

/// The window and where it stands in the stream. Reused from one stream to the next for its memory.
pub(super) struct Records {
    window: Vec<u8>,
    /// The window's bytes that are still to be looked at: `at..filled`.
    at: usize,
    filled: usize,
    /// The offset in the stream of the window's first byte.
    base: u64,
    ended: bool,
    form: Form,
    /// Where in the window the next slice begins: its first byte, a `{`, is the last one here.
    border: Option<usize>,
    scrap: Vec<u8>,
}

impl Records {
    pub(super) fn new() -> Self {
        Self {
            window: vec![0; WINDOW + PADDING],
            at: 0,
            filled: 0,
            base: 0,
            ended: false,
            form: Form::Unknown,
            border: None,
            scrap: Vec::new(),
        }
    }

    /// Forgets the last stream; the next one is read from its start.
    pub(super) fn restart(&mut self) {
        self.resume(Form::Unknown, 0);
    }

    /// The same for a stream that was read up to `offset`, between two items.
    pub(super) fn resume(&mut self, form: Form, offset: u64) {
        if self.window.len() != WINDOW + PADDING {
            self.window = vec![0; WINDOW + PADDING];
        }
        (self.at, self.filled, self.base) = (0, 0, offset);
        (self.ended, self.form, self.border) = (false, form, None);
    }

    /// Reads a slice: the first `filled` bytes of `window`, with room for one more and [`PADDING`] zeros behind them; its first byte stands at
    /// `offset` of the stream. The input for it has no bytes to give.
    pub(super) fn enter(&mut self, window: Vec<u8>, slice: Slice) {
        self.window = window;
        (self.at, self.filled, self.base) = (0, slice.filled, slice.offset);
        (self.ended, self.form, self.border) = (false, slice.form, slice.border);
    }

    /// After a slice: its window, and where in it and as what the stream goes on.
    pub(super) fn leave(&mut self) -> (Vec<u8>, usize, Form) {
        (std::mem::take(&mut self.window), self.at, self.form)
    }

    /// The bytes in which the slots of the last record point.
    pub(super) fn window(&self) -> &[u8] {
        &self.window[..self.filled]
    }

    /// The bytes of the last reject.
    pub(super) fn scrap(&self) -> &[u8] {
        &self.scrap
    }

    /// The next record or reject. After an error of an input that gives nothing, reading can go on where it was before.
    pub(super) fn next<I: Input>(
        &mut self,
        input: &mut I,
        taker: &mut impl Taker,
    ) -> Result<Item, I::Error> {
        let (at, form) = (self.at, self.form);
        let item = self.read(input, taker);
        if item.is_err() {
            (self.at, self.form) = (at, form);
        }
        item
    }

    fn read<I: Input>(&mut self, input: &mut I, taker: &mut impl Taker) -> Result<Item, I::Error> {
        loop {
            let next = self.next_byte(input)?;
            if self.border == Some(self.at) {
                return Ok(Item::Border);
            }
            match next {
                None => return Ok(self.end()),
                Some(b'{') => return self.record(input, taker),
                Some(b'[') if self.form == Form::Unknown => self.form = Form::Array,
                Some(b',') if self.form == Form::Array => {}
                Some(b']') if self.form == Form::Array => self.form = Form::Closed,
                Some(_) => return self.junk(input),
            }
            self.at += 1;
        }
    }

    fn offset(&self) -> u64 {
        self.base + self.at as u64
    }

    fn end(&mut self) -> Item {
        if self.form != Form::Array {
            return Item::End;
        }
        self.form = Form::Closed;
        self.scrap.clear();
        Item::Reject { offset: self.offset(), length: 0, reason: "the array is not closed" }
    }

    /// The next byte that is no white space, not taken; none at the end.
    fn next_byte<I: Input>(&mut self, input: &mut I) -> Result<Option<u8>, I::Error> {
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

    /// Reads more bytes behind those of the window, which are kept from `at` on; false at the end of the stream.
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
        let room = self.window.len() - PADDING;
        let read = input.read(&mut self.window[self.filled..room])?;
        self.filled += read;
        self.window[self.filled..][..PADDING].fill(0);
        self.ended = read == 0;
        Ok(!self.ended)
    }

    fn record<I: Input>(
        &mut self,
        input: &mut I,
        taker: &mut impl Taker,
    ) -> Result<Item, I::Error> {
        if self.form == Form::Unknown {
            self.form = Form::Sequence;
        }
        loop {
            if let Some(end) = self.take(taker) {
                let length = end - self.at;
                self.at = end;
                return Ok(Item::Taken { length });
            }
            let most = self.filled.min(self.at + MAX_RECORD);
            taker.begin();
            let keys = taker.keys();
            let note = &mut |found: Found<'_>| taker.note(found);
            let reason = match scan_object(&self.window[..most], self.at, keys, note) {
                Ok(end) => {
                    let item = Item::Record { offset: self.offset(), start: self.at, end };
                    self.at = end;
                    return Ok(item);
                }
                Err(Stop::Invalid(reason)) => reason,
                Err(Stop::Incomplete) if most < self.filled => "a record longer than 64 MiB",
                Err(Stop::Incomplete) => {
                    if self.fill_double(input)? {
                        continue;
                    }
                    "the file ends within it"
                }
            };
            let offset = self.offset();
            let length = self.skip(input, |bytes| memmem::find(bytes, b"\n{").map(|at| at + 1))?;
            return Ok(Item::Reject { offset, length, reason });
        }
    }

    /// Has the record taken at once, unless it could be longer than one may be.
    fn take(&self, taker: &mut impl Taker) -> Option<usize> {
        if self.filled - self.at > MAX_RECORD {
            return None;
        }
        taker.take(&self.window[..self.filled + PADDING], self.at, self.offset())
    }

    /// Reads as many bytes again as the unfinished record has, so that scanning it anew stays cheap; false at the end.
    fn fill_double<I: Input>(&mut self, input: &mut I) -> Result<bool, I::Error> {
        // One byte more than a record may have is enough to know that it is too long.
        let wanted = ((self.filled - self.at) * 2).min(MAX_RECORD + 1);
        let mut more = false;
        while self.filled - self.at < wanted && self.fill(input)? {
            more = true;
        }
        Ok(more)
    }

    fn junk<I: Input>(&mut self, input: &mut I) -> Result<Item, I::Error> {
        if self.form == Form::Unknown {
            self.form = Form::Sequence;
        }
        let offset = self.offset();
        let length = self.skip(input, |bytes| memchr(b'{', bytes))?;
        Ok(Item::Reject { offset, length, reason: "no JSON" })
    }

    /// Takes bytes up to where `find` says, or to the end, into the scrap; trailing white space is not counted. The first byte is never found.
    fn skip<I: Input>(
        &mut self,
        input: &mut I,
        find: impl Fn(&[u8]) -> Option<usize>,
    ) -> Result<u64, I::Error> {
        self.scrap.clear();
        let start = self.offset();
        let mut solid = start;
        // `find` may need the last byte that it saw before.
        let mut from = 1;
        loop {
            let rest = &self.window[self.at..self.filled];
            let found = rest.get(from..).and_then(&find).map(|at| at + from);
            let taken = &rest[..found.unwrap_or(rest.len())];
            let room = MAX_RAW - self.scrap.len();
            // What was kept back for `find` is in the scrap already.
            let fresh = taken.get(usize::from(from != 1)..).unwrap_or_default();
            self.scrap.extend_from_slice(&fresh[..fresh.len().min(room)]);
            if let Some(last) = taken.iter().rposition(|byte| !is_blank(*byte)) {
                solid = self.offset() + last as u64 + 1;
            }
            if found.is_some() {
                self.at += taken.len();
                break;
            }
            self.at = self.filled.saturating_sub(1).max(self.at);
            from = 0;
            if !self.fill(input)? {
                self.at = self.filled;
                break;
            }
        }
        let length = solid - start;
        self.scrap.truncate(usize::try_from(length).unwrap_or(MAX_RAW));
        Ok(length)
    }
}

/// White space as JSON has it.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    /// Gives its bytes a few at a time.
    struct Drip<'a>(&'a [u8], usize);

    impl Input for Drip<'_> {
        type Error = Infallible;
        fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
            let count = self.1.min(self.0.len()).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    /// Each item of `text` as `record@offset` or `reject@offset:bytes`.
    fn items(text: &[u8], drip: usize) -> Vec<String> {
        let mut records = Records::new();
        let mut input = Drip(text, drip);
        let mut items = Vec::new();
        loop {
            let item = records.next(&mut input, &mut Unread);
            match item.unwrap_or_else(|never| match never {}) {
                Item::Record { offset, .. } => items.push(format!("record@{offset}")),
                Item::Reject { offset, length, .. } => {
                    assert_eq!(records.scrap().len() as u64, length);
                    let scrap = String::from_utf8_lossy(records.scrap());
                    items.push(format!("reject@{offset}:{scrap}"));
                }
                Item::End => return items,
                Item::Taken { .. } | Item::Border => unreachable!("nothing is taken or cut"),
            }
        }
    }

    #[test]
    fn every_form_is_cut_the_same_however_the_bytes_arrive() {
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
            for drip in [1, 2, 3, 1000] {
                assert_eq!(items(text, drip), *expected, "{}", String::from_utf8_lossy(text));
            }
        }
    }

    #[test]
    fn records_larger_than_the_window_and_long_damage_are_held() {
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(WINDOW * 3));
        let text = format!("{{}}\n{long}\n{{}}");
        assert_eq!(items(text.as_bytes(), 10_000).len(), 3);

        let junk = "j".repeat(MAX_RAW + 5);
        let mut records = Records::new();
        let text = format!("{junk}{{}}");
        let mut input = Drip(text.as_bytes(), 70_000);
        let item = records.next(&mut input, &mut Unread).unwrap();
        let length = junk.len() as u64;
        assert_eq!(item, Item::Reject { offset: 0, length, reason: "no JSON" });
        assert_eq!(records.scrap().len(), MAX_RAW);
        let item = records.next(&mut input, &mut Unread).unwrap();
        assert!(matches!(item, Item::Record { offset, .. } if offset == length));
    }
}
