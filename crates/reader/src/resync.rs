//! Search for the next record after a broken one.
//!
//! A line that begins with `{` begins a record. Within a line, a `{` is not enough: inside a broken
//! record it may belong to a nested object or to a string. It begins a record if a complete JSON
//! object with all required keys follows. Without that rule, one damaged byte in a file without
//! newlines would lose the rest of the file.

use memchr::{memchr, memmem};

use super::json::{ScanError, find_object};
use super::schema::RecordShape;

/// Longest record that is found within a line, in bytes.
const MAX_RECORD: usize = 64 << 10;
/// Bytes that may be scanned in vain for each skipped byte, and at first. So the search takes
/// linear time, whatever the bytes are.
const EFFORT: u64 = 16;
const FIRST_EFFORT: u64 = 1 << 20;

/// Bytes to search.
#[derive(Debug, Clone, Copy)]
pub(super) struct Region<'a> {
    pub bytes: &'a [u8],
    /// Start of the search. The bytes before it are searched already.
    pub from: usize,
    /// Offset of the first byte in the stream.
    pub offset: u64,
    /// True if the stream has no bytes after these.
    pub ended: bool,
}

/// Result of a search.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Search {
    /// Start of the next record.
    Found(usize),
    /// No record yet. The next region begins with the byte at `keep`, and its search at `from`.
    More { keep: usize, from: usize },
}

/// Search for the record that follows a broken one.
pub(super) struct RecordSearch {
    shape: RecordShape,
    /// Offset of the broken record in the stream.
    start: u64,
    /// Bytes that were scanned in vain.
    effort: u64,
}

impl RecordSearch {
    pub(super) fn new(shape: RecordShape, start: u64) -> Self {
        Self { shape, start, effort: 0 }
    }

    pub(super) fn next(&mut self, region: Region<'_>) -> Search {
        let Region { bytes, mut from, offset, ended } = region;
        let line = memmem::find(bytes.get(from - 1..).unwrap_or_default(), b"\n{");
        let line = line.map(|at| from + at);
        while let Some(at) = bytes.get(from..).and_then(|rest| memchr(b'{', rest)) {
            let start = from + at;
            if Some(start) == line {
                return Search::Found(start);
            }
            from = start + 1;
            let spent = EFFORT * (offset + start as u64 - self.start) + FIRST_EFFORT;
            if self.effort > spent {
                continue;
            }
            // A record within a line ends before the next line that begins with `{`.
            let most = line.unwrap_or(bytes.len()).min(start + MAX_RECORD);
            let (found, scanned) = find_object(&bytes[..most], start, self.shape);
            match found {
                Ok(true) => return Search::Found(start),
                Err(ScanError::Incomplete)
                    if !ended && line.is_none() && most < start + MAX_RECORD =>
                {
                    return Search::More { keep: start - 1, from: start };
                }
                _ => self.effort += scanned as u64,
            }
        }
        // The last byte may be a newline whose next byte is not read yet.
        let end = bytes.len().max(from);
        Search::More { keep: end - 1, from: end }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::RecordKind;

    const SONG: &str =
        r#"{"song_id":"S","title":"T","artist_id":"A","artist_name":"N","duration":1}"#;

    /// Searches `text` as the stream after its first byte, with so many bytes at first and one more
    /// each time; returns what was found, or none at the end.
    fn search(text: &[u8], first: usize) -> Option<usize> {
        let mut search = RecordSearch::new(RecordKind::Songs.shape(), 0);
        let (mut begin, mut end, mut from) = (0, first.min(text.len()), 1);
        loop {
            let (bytes, ended) = (&text[begin..end], end == text.len());
            match search.next(Region { bytes, from, offset: begin as u64, ended }) {
                Search::Found(at) => return Some(begin + at),
                Search::More { .. } if ended => return None,
                Search::More { keep, from: next } => {
                    (begin, from) = (begin + keep, next - keep);
                    end += 1;
                }
            }
        }
    }

    #[test]
    fn a_record_is_found_at_a_line_or_if_it_is_complete() {
        let cases = [
            (format!("{{\"a\":\0}}{SONG}"), Some(7)),
            (format!("{{\"a\":\0}} , {SONG}"), Some(10)),
            (format!("{{\"title\":\"x{SONG}{SONG}"), Some(11)),
            // Required keys are missing, and then the line decides.
            (format!("{{\"a\":\0}}{{\"title\":\"T\"}}\n{SONG}"), Some(21)),
            (format!("{{\"a\":\0}}{{}}{{\n{SONG}"), Some(11)),
            (format!("{{\"a\":\0}}{}", SONG.replace(":1}", ":}")), None),
            (format!("{{\"a\":\0}}{}", &SONG[..SONG.len() - 1]), None),
            // A record within a line does not extend beyond the next line that begins with `{`.
            (format!("{{\"a\":\0}}{}", SONG.replace(":1", ":1,\"x\":\n{}")), Some(86)),
            (format!("{{\"a\":\0}}{}", SONG.replace('T', &"T".repeat(MAX_RECORD))), None),
        ];
        for (text, expected) in cases {
            for first in [1, 2, 9, usize::MAX] {
                assert_eq!(search(text.as_bytes(), first), expected, "{text:.100} in {first}");
            }
        }
    }

    #[test]
    fn the_effort_is_limited() {
        // Each `{` begins an object that is open to the end of the search.
        let text = r#"{"a":[1,"#.repeat(1 << 17);
        let mut search = RecordSearch::new(RecordKind::Songs.shape(), 0);
        let region = Region { bytes: text.as_bytes(), from: 1, offset: 0, ended: true };
        assert!(matches!(search.next(region), Search::More { .. }));
        let most = EFFORT * text.len() as u64 + FIRST_EFFORT + MAX_RECORD as u64;
        assert!(search.effort <= most, "{} of {most}", search.effort);
    }
}
