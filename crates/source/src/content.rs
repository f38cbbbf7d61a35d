//! An object's bytes: decompressed on the way, fingerprinted as they lie in the source, and checked against the listing at the end.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use super::fingerprint::Taking;
use super::local::{is_as_listed, unreadable};
#[cfg(feature = "s3")]
use super::s3::Body;
use super::{Fingerprint, Object, Place, SourceError};

/// Read at a time, in bytes, where an object holds so many.
const MOST: u64 = 1 << 15;
/// The least, in bytes.
const LEAST: u64 = 1 << 9;
const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTANDARD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// The stream of one object's decompressed bytes.
pub struct Content {
    object: Object,
    decoder: Decoder,
}

enum Decoder {
    Plain(BufReader<Fingerprinted>),
    Gzip(Box<MultiGzDecoder<BufReader<Fingerprinted>>>),
    Zstandard(Box<zstd::Decoder<'static, BufReader<Fingerprinted>>>),
}

/// Bytes as they lie in the source.
enum Raw {
    File(File),
    #[cfg(feature = "s3")]
    Body(Body),
}

impl Read for Raw {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            #[cfg(feature = "s3")]
            Self::Body(body) => body.read(buffer),
        }
    }
}

impl Raw {
    /// `object` from its byte `start` on.
    fn open(object: &Object, start: u64) -> Result<Self, SourceError> {
        match &object.place {
            Place::File => Self::file(File::open(&*object.key), object, start),
            Place::Below(root) => Self::file(root.file(&object.key), object, start),
            #[cfg(feature = "s3")]
            Place::S3(bucket) => Ok(Self::Body(bucket.open(object, start))),
        }
    }

    fn file(opened: io::Result<File>, object: &Object, start: u64) -> Result<Self, SourceError> {
        let unread = |source| unreadable("read", Path::new(&*object.key), source);
        let mut file = opened.map_err(unread)?;
        if start > 0 {
            file.seek(SeekFrom::Start(start)).map_err(unread)?;
        }
        Ok(Self::File(file))
    }

    /// After the end: whether what was read is still what was listed. A body that is not is an error before its end.
    fn is_as_listed(&self, object: &Object) -> Result<bool, SourceError> {
        match self {
            Self::File(file) => is_as_listed(file, object).map_err(|error| failed(object, error)),
            #[cfg(feature = "s3")]
            Self::Body(_) => Ok(true),
        }
    }
}

/// A source whose bytes are hashed and counted as they pass.
struct Fingerprinted {
    raw: Raw,
    hash: Taking,
    bytes: u64,
    /// How many there are, as they were listed.
    size: u64,
}

impl Fingerprinted {
    /// A reader of `object` from its byte `start` on.
    fn reader(raw: Raw, object: &Object, start: u64) -> BufReader<Self> {
        let size = object.size.saturating_sub(start);
        let at_once = usize::try_from(size.clamp(LEAST, MOST)).unwrap_or(1 << 15);
        let raw = Self { raw, hash: Taking::Nothing, bytes: 0, size };
        BufReader::with_capacity(at_once, raw)
    }
}

impl Read for Fingerprinted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // The end needs no question of its own: whether there is more than was listed is seen afterwards.
        if self.bytes >= self.size {
            return Ok(0);
        }
        let read = self.raw.read(buffer)?;
        self.bytes += read as u64;
        self.hash.take(&buffer[..read], self.bytes == read as u64 && self.bytes == self.size);
        Ok(read)
    }
}

impl Content {
    /// Opens `object`, and finds out from its first bytes how it is compressed.
    pub fn open(object: &Object) -> Result<Self, SourceError> {
        Self::of(object, Raw::open(object, 0)?)
    }

    /// Opens `object`, which is not compressed, at its byte `start`. Its fingerprint cannot be told then.
    pub fn open_at(object: &Object, start: u64) -> Result<Self, SourceError> {
        let decoder =
            Decoder::Plain(Fingerprinted::reader(Raw::open(object, start)?, object, start));
        Ok(Self { object: object.clone(), decoder })
    }

    /// An object whose bytes are on their way.
    #[cfg(feature = "s3")]
    pub(super) fn of_body(object: &Object, body: Body) -> Result<Self, SourceError> {
        Self::of(object, Raw::Body(body))
    }

    fn of(object: &Object, raw: Raw) -> Result<Self, SourceError> {
        let mut raw = Fingerprinted::reader(raw, object, 0);
        let start = raw.fill_buf().map_err(|error| failed(object, error))?;
        let (gzip, zstandard) = (start.starts_with(GZIP), start.starts_with(ZSTANDARD));
        let empty = start.is_empty();
        for (ending, found) in [(".gz", gzip), (".zst", zstandard)] {
            if object.key.ends_with(ending) && !found && !empty {
                let reason =
                    format!("its name ends in `{ending}`, and its content does not begin so");
                return Err(SourceError::Damaged { path: object.key.to_string(), reason });
            }
        }
        let decoder = if gzip {
            Decoder::Gzip(Box::new(MultiGzDecoder::new(raw)))
        } else if zstandard {
            let decoder = zstd::Decoder::with_buffer(raw);
            Decoder::Zstandard(Box::new(decoder.map_err(|error| damaged(object, error))?))
        } else {
            Decoder::Plain(raw)
        };
        Ok(Self { object: object.clone(), decoder })
    }

    /// Whether its bytes are not those of the source.
    pub fn is_compressed(&self) -> bool {
        !matches!(self.decoder, Decoder::Plain(_))
    }

    /// Fills the start of `buffer`; 0 is the end.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        let read = match &mut self.decoder {
            Decoder::Plain(reader) => {
                return reader.read(buffer).map_err(|error| failed(&self.object, error));
            }
            Decoder::Gzip(reader) => reader.read(buffer),
            Decoder::Zstandard(reader) => reader.read(buffer),
        };
        read.map_err(|error| damaged(&self.object, error))
    }

    /// How many bytes of the source were read so far.
    pub fn consumed(&self) -> u64 {
        match &self.decoder {
            Decoder::Plain(reader) => reader.get_ref().bytes,
            Decoder::Gzip(reader) => reader.get_ref().get_ref().bytes,
            Decoder::Zstandard(reader) => reader.get_ref().get_ref().bytes,
        }
    }

    /// After the end: what the source held, if it still is what was listed.
    pub fn fingerprint(self) -> Result<Fingerprint, SourceError> {
        let raw = match self.decoder {
            Decoder::Plain(reader) => reader.into_inner(),
            Decoder::Gzip(reader) => reader.into_inner().into_inner(),
            Decoder::Zstandard(reader) => reader.finish().into_inner(),
        };
        let same = raw.bytes == self.object.size && raw.raw.is_as_listed(&self.object)?;
        if same {
            Ok(raw.hash.fingerprint())
        } else {
            Err(SourceError::Changed { path: self.object.key.to_string() })
        }
    }
}

impl Object {
    /// The fingerprint of the content as it is now, without decompressing it.
    pub fn fingerprint(&self) -> Result<Fingerprint, SourceError> {
        let fail = |error| failed(self, error);
        let mut raw = Raw::open(self, 0)?;
        let mut hash = Taking::Nothing;
        let mut buffer = vec![0; 1 << 16];
        loop {
            match raw.read(&mut buffer).map_err(fail)? {
                0 => return Ok(hash.fingerprint()),
                read => hash.take(&buffer[..read], false),
            }
        }
    }
}

/// Why bytes did not come; a store's own words go through a reader unchanged.
fn failed(object: &Object, error: io::Error) -> SourceError {
    let path = object.key.to_string();
    error.downcast().unwrap_or_else(|source| SourceError::Unreadable {
        doing: "read",
        path,
        source,
    })
}

/// Why the compression came to no end: it is damaged, unless the bytes did not come at all.
fn damaged(object: &Object, error: io::Error) -> SourceError {
    let path = object.key.to_string();
    error
        .downcast()
        .unwrap_or_else(|error| SourceError::Damaged { path, reason: error.to_string() })
}
