//! Output files, plain or compressed, and progress counts.
//!
//! One buffer is reused for all events. Compressed files carry no timestamp, so they are equal in
//! every run.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::{GenerateError, Generated};

/// Buffer size at which it is written to the file.
const FULL: usize = 1 << 19;

/// Counts so far, and the progress callback.
pub(super) struct Progress<'a> {
    pub(super) done: Generated,
    callback: &'a mut dyn FnMut(&Generated),
}

impl<'a> Progress<'a> {
    pub(super) fn new(callback: &'a mut dyn FnMut(&Generated)) -> Self {
        Self { done: Generated::default(), callback }
    }

    pub(super) fn report(&mut self) {
        (self.callback)(&self.done);
    }
}

/// Compression of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    Plain,
    Gzip,
    Zstandard,
}

impl Compression {
    /// Returns the suffix of the file name.
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

/// Open output file.
pub(super) struct Target {
    path: PathBuf,
    sink: Sink,
}

impl Target {
    pub(super) fn create(path: PathBuf, compression: Compression) -> Result<Self, GenerateError> {
        let open = || {
            let file = File::create(&path)?;
            Ok(match compression {
                Compression::Plain => Sink::Plain(file),
                Compression::Gzip => {
                    Sink::Gzip(flate2::write::GzEncoder::new(file, flate2::Compression::new(3)))
                }
                Compression::Zstandard => Sink::Zstandard(zstd::Encoder::new(file, 3)?),
            })
        };
        match open() {
            Ok(sink) => Ok(Self { path, sink }),
            Err(source) => Err(GenerateError::Write { path, source }),
        }
    }

    /// Writes the buffer to the file and clears it if it is full.
    pub(super) fn drain_if_full(
        &mut self,
        buffer: &mut Vec<u8>,
        progress: &mut Progress,
    ) -> Result<(), GenerateError> {
        if buffer.len() < FULL { Ok(()) } else { self.drain(buffer, progress) }
    }

    fn drain(
        &mut self,
        buffer: &mut Vec<u8>,
        progress: &mut Progress,
    ) -> Result<(), GenerateError> {
        let written = match &mut self.sink {
            Sink::Plain(file) => file.write_all(buffer),
            Sink::Gzip(encoder) => encoder.write_all(buffer),
            Sink::Zstandard(encoder) => encoder.write_all(buffer),
        };
        written.map_err(|source| GenerateError::Write { path: self.path.clone(), source })?;
        progress.done.bytes += buffer.len() as u64;
        progress.report();
        buffer.clear();
        Ok(())
    }

    /// Writes the rest of the buffer and closes the file.
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

/// Writes a complete small file.
pub(super) fn write_whole(
    path: PathBuf,
    compression: Compression,
    bytes: &[u8],
    progress: &mut Progress,
) -> Result<(), GenerateError> {
    progress.done.bytes += bytes.len() as u64;
    if compression == Compression::Plain {
        return std::fs::write(&path, bytes).map_err(|e| GenerateError::Write { path, source: e });
    }
    let target = Target::create(path, compression)?;
    progress.done.bytes -= bytes.len() as u64;
    target.close(&mut bytes.to_vec(), progress)
}

/// Creates a folder and its parents.
pub(super) fn make_folder(path: &Path) -> Result<(), GenerateError> {
    std::fs::create_dir_all(path)
        .map_err(|source| GenerateError::Write { path: path.to_owned(), source })
}
