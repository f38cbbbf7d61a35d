//! The records of one stream, one after the other, and whatever lies between them: a window slides over the bytes, however many there are.
//!
//! The rules for damage are those of `docs/rules.md`: what is no JSON between records is one reject, up to the next `{`; a record that breaks
//! off is one, up to the next line that begins with `{`.

use memchr::{memchr, memmem};

use super::json::{Raw, Stop, scan_object};

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

/// What comes next in a stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// A record: its slots are filled with places in the window, of which `start..end` is the record.
    Record { offset: u64, start: usize, end: usize },
    /// Bytes that are no record; [`Records::scrap`] holds them, up to [`MAX_RAW`].
    Reject { offset: u64, length: u64, reason: &'static str },
    /// The end of the stream.
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Nothing but white space was seen.
    Unknown,
    /// Records side by side.
    Sequence,
    /// Within one JSON array.
    Array,
    /// Behind the `]` of the array.
    Closed,
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
    scrap: Vec<u8>,
}

impl Records {
    pub(super) fn new() -> Self {
        Self {
            window: vec![0; WINDOW],
            at: 0,
            filled: 0,
            base: 0,
            ended: false,
            form: Form::Unknown,
            scrap: Vec::new(),
        }
    }

    /// Forgets the last stream.
    pub(super) fn restart(&mut self) {
        if self.window.len() > WINDOW {
            self.window = vec![0; WINDOW];
        }
        (self.at, self.filled, self.base) = (0, 0, 0);
        self.ended = false;
        self.form = Form::Unknown;
    }

    /// The bytes in which the slots of the last record point.
    pub(super) fn window(&self) -> &[u8] {
        &self.window[..self.filled]
    }

    /// The bytes of the last reject.
    pub(super) fn scrap(&self) -> &[u8] {
        &self.scrap
    }

    /// The next record or reject.
    pub(super) fn next<I: Input>(
        &mut self,
        input: &mut I,
        keys: &[&str],
        slots: &mut [Raw],
        extra: &mut dyn FnMut(&[u8]),
    ) -> Result<Item, I::Error> {
        loop {
            match self.next_byte(input)? {
                None => return Ok(self.end()),
                Some(b'{') => return self.record(input, keys, slots, extra),
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
        if self.filled == self.window.len() {
            if self.at > self.window.len() / 2 {
                self.window.copy_within(self.at..self.filled, 0);
                self.base += self.at as u64;
                self.filled -= self.at;
                self.at = 0;
            } else {
                self.window.resize(self.window.len() * 2, 0);
            }
        }
        let read = input.read(&mut self.window[self.filled..])?;
        self.filled += read;
        self.ended = read == 0;
        Ok(!self.ended)
    }

    fn record<I: Input>(
        &mut self,
        input: &mut I,
        keys: &[&str],
        slots: &mut [Raw],
        extra: &mut dyn FnMut(&[u8]),
    ) -> Result<Item, I::Error> {
        if self.form == Form::Unknown {
            self.form = Form::Sequence;
        }
        loop {
            let mut extras = Vec::new();
            let window = &self.window[..self.filled];
            let scanned = scan_object(window, self.at, keys, slots, &mut |key| {
                extras.push(key.to_owned());
            });
            let reason = match scanned {
                Ok(end) => {
                    extras.sort_unstable();
                    extras.dedup();
                    for key in &extras {
                        extra(key);
                    }
                    let item = Item::Record { offset: self.offset(), start: self.at, end };
                    self.at = end;
                    return Ok(item);
                }
                Err(Stop::Invalid(reason)) => reason,
                Err(Stop::Incomplete) if self.filled - self.at > MAX_RECORD => {
                    "a record longer than 64 MiB"
                }
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

    /// Reads as many bytes again as the unfinished record has, so that scanning it anew stays cheap; false at the end.
    fn fill_double<I: Input>(&mut self, input: &mut I) -> Result<bool, I::Error> {
        let wanted = (self.filled - self.at) * 2;
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
        let mut slots = [Raw::Missing; 1];
        let mut items = Vec::new();
        loop {
            let item = records.next(&mut input, &["a"], &mut slots, &mut |_| {});
            match item.unwrap_or_else(|never| match never {}) {
                Item::Record { offset, .. } => items.push(format!("record@{offset}")),
                Item::Reject { offset, length, .. } => {
                    assert_eq!(records.scrap().len() as u64, length);
                    let scrap = String::from_utf8_lossy(records.scrap());
                    items.push(format!("reject@{offset}:{scrap}"));
                }
                Item::End => return items,
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
        let item = records.next(&mut input, &[], &mut [], &mut |_| {}).unwrap();
        let length = junk.len() as u64;
        assert_eq!(item, Item::Reject { offset: 0, length, reason: "no JSON" });
        assert_eq!(records.scrap().len(), MAX_RAW);
        let item = records.next(&mut input, &[], &mut [], &mut |_| {}).unwrap();
        assert!(matches!(item, Item::Record { offset, .. } if offset == length));
    }
}
