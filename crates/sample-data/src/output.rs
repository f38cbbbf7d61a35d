//! Where the bytes go: files, packed or plain, and the counts of what was written.
//!
//! One buffer is filled and emptied again and again, whatever the number of events. The packings
//! carry no time stamp, so that a packed file is the same in every run.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::{GenerateError, Generated};

/// How full the buffer may get before it is written out.
const FULL: usize = 1 << 19;

/// What has been written so far, and who is told.
pub(super) struct Progress<'a> {
    pub(super) done: Generated,
    tell: &'a mut dyn FnMut(&Generated),
}

impl<'a> Progress<'a> {
    pub(super) fn new(tell: &'a mut dyn FnMut(&Generated)) -> Self {
        Self { done: Generated::default(), tell }
    }

    pub(super) fn tell(&mut self) {
        (self.tell)(&self.done);
    }
}

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Plain,
    Gzip,
    Zstandard,
}

impl Packing {
    /// What the packing adds to a file's name.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Gzip => ".gz",
            Self::Zstandard => ".zst",
        }
    }
}

enum Sink {
    Plain(File),
    Gzip(flate2::write::GzEncoder<File>),
    Zstandard(zstd::Encoder<'static, File>),
}

/// A file being written.
pub(super) struct Target {
    path: PathBuf,
    sink: Sink,
}

impl Target {
    pub(super) fn create(path: PathBuf, packing: Packing) -> Result<Self, GenerateError> {
        let open = || {
            let file = File::create(&path)?;
            Ok(match packing {
                Packing::Plain => Sink::Plain(file),
                Packing::Gzip => {
                    Sink::Gzip(flate2::write::GzEncoder::new(file, flate2::Compression::new(3)))
                }
                Packing::Zstandard => Sink::Zstandard(zstd::Encoder::new(file, 3)?),
            })
        };
        match open() {
            Ok(sink) => Ok(Self { path, sink }),
            Err(source) => Err(GenerateError::Write { path, source }),
        }
    }

    /// Empties the buffer into the file once it is full.
    pub(super) fn drain_if_full(
        &mut self,
        buffer: &mut Vec<u8>,
        progress: &mut Progress,
    ) -> Result<(), GenerateError> {
        if buffer.len() < FULL { Ok(()) } else { self.drain(buffer, progress) }
    }

    fn drain(&mut self, buffer: &mut Vec<u8>, told: &mut Progress) -> Result<(), GenerateError> {
        let written = match &mut self.sink {
            Sink::Plain(file) => file.write_all(buffer),
            Sink::Gzip(encoder) => encoder.write_all(buffer),
            Sink::Zstandard(encoder) => encoder.write_all(buffer),
        };
        written.map_err(|source| GenerateError::Write { path: self.path.clone(), source })?;
        told.done.bytes += buffer.len() as u64;
        told.tell();
        buffer.clear();
        Ok(())
    }

    /// Writes what is left in the buffer and ends the file.
    pub(super) fn close(
        mut self,
        buffer: &mut Vec<u8>,
        progress: &mut Progress,
    ) -> Result<(), GenerateError> {
        self.drain(buffer, progress)?;
        let closed = match self.sink {
            Sink::Plain(_) => Ok(()),
            Sink::Gzip(encoder) => encoder.finish().map(drop),
            Sink::Zstandard(encoder) => encoder.finish().map(drop),
        };
        closed.map_err(|source| GenerateError::Write { path: self.path, source })
    }
}

/// Writes a small file at once.
pub(super) fn write_whole(
    path: PathBuf,
    packing: Packing,
    bytes: &[u8],
    progress: &mut Progress,
) -> Result<(), GenerateError> {
    progress.done.bytes += bytes.len() as u64;
    if packing == Packing::Plain {
        return std::fs::write(&path, bytes).map_err(|e| GenerateError::Write { path, source: e });
    }
    let target = Target::create(path, packing)?;
    progress.done.bytes -= bytes.len() as u64;
    target.close(&mut bytes.to_vec(), progress)
}

/// Makes a folder and those above it.
pub(super) fn make_folder(path: &Path) -> Result<(), GenerateError> {
    std::fs::create_dir_all(path)
        .map_err(|source| GenerateError::Write { path: path.to_owned(), source })
}
