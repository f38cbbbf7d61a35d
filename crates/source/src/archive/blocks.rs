//! Reader of parts of an archive: blocks of the file, or range requests to the object.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex};

use super::super::content::Raw;
use crate::{Object, SourceError};

/// Size of the last block. It holds the end record, the comment, and most directories.
const TAIL: u64 = 128 << 10;
/// Size of every other block.
const BLOCK: u64 = 1 << 20;
/// Most blocks that are read for a directory, so that a hostile one ends.
const MOST: u32 = 80;

/// First error of the source. The zip library does not keep it.
pub(super) type FirstError = Arc<Mutex<Option<SourceError>>>;

/// Random access to an archive. It holds two blocks.
pub(super) struct Blocks {
    archive: Object,
    pub(super) position: u64,
    tail: Block,
    current: Block,
    read: u32,
    error: FirstError,
}

#[derive(Default)]
struct Block {
    start: u64,
    bytes: Vec<u8>,
}

impl Block {
    /// Returns the bytes from `position` on; empty if it is not in the block.
    fn from(&self, position: u64) -> &[u8] {
        let at = position.checked_sub(self.start).and_then(|at| usize::try_from(at).ok());
        at.and_then(|at| self.bytes.get(at..)).unwrap_or_default()
    }
}

impl Blocks {
    pub(super) fn new(archive: &Object, error: FirstError) -> Self {
        let (tail, current) = (Block::default(), Block::default());
        Self { archive: archive.clone(), position: 0, tail, current, read: 0, error }
    }

    /// Reads the block at the position.
    fn fetch(&mut self) -> Result<(), SourceError> {
        let (size, at) = (self.archive.size, self.position);
        let tail = size.saturating_sub(TAIL);
        let span = if at >= tail { tail..size } else { at..tail.min(at + BLOCK) };
        self.read += 1;
        if self.read > MOST {
            let reason = "its directory is larger than 64 MiB, or points to itself";
            return Err(super::damaged(&self.archive.key, reason));
        }
        let length = span.end - span.start;
        let (start, mut bytes) = (span.start, Vec::new());
        let mut raw = Raw::open_span(&self.archive, span)?;
        let read = raw.by_ref().take(length).read_to_end(&mut bytes);
        read.map_err(|error| super::super::content::failed(&self.archive, error))?;
        // A file is compared with its listing: a block of another version must not be parsed.
        if bytes.len() as u64 != length || !raw.is_as_listed(&self.archive)? {
            return Err(SourceError::Changed { path: self.archive.key.to_string() });
        }
        let block = if at >= tail { &mut self.tail } else { &mut self.current };
        *block = Block { start, bytes };
        Ok(())
    }
}

impl Read for Blocks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.archive.size {
            return Ok(0);
        }
        if self.tail.from(self.position).is_empty()
            && self.current.from(self.position).is_empty()
            && let Err(error) = self.fetch()
        {
            let text = error.to_string();
            if let Ok(mut first) = self.error.lock() {
                first.get_or_insert(error);
            }
            return Err(io::Error::other(text));
        }
        let found = match self.tail.from(self.position) {
            [] => self.current.from(self.position),
            bytes => bytes,
        };
        let read = found.len().min(buffer.len());
        buffer[..read].copy_from_slice(&found[..read]);
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for Blocks {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(by) => self.archive.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
