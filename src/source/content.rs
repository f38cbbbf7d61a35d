//! An object's bytes: decompressed on the way, fingerprinted as they lie in the source, and checked against the listing at the end.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use xxhash_rust::xxh3::Xxh3;

use super::local::{modified_ns, unreadable};
use super::{Object, SourceError};

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

/// A file whose bytes are hashed and counted as they pass.
struct Fingerprinted {
    file: File,
    hash: Box<Xxh3>,
    bytes: u64,
}

impl Read for Fingerprinted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.hash.update(&buffer[..read]);
        self.bytes += read as u64;
        Ok(read)
    }
}

impl Content {
    /// Opens `object`, and finds out from its first bytes how it is compressed.
    pub fn open(object: &Object) -> Result<Self, SourceError> {
        let file =
            File::open(&object.path).map_err(|source| unreadable("read", &object.path, source))?;
        let raw = Fingerprinted { file, hash: Box::default(), bytes: 0 };
        let mut raw = BufReader::with_capacity(1 << 15, raw);
        let start = raw.fill_buf().map_err(|source| unreadable("read", &object.path, source))?;
        let (gzip, zstandard) = (start.starts_with(GZIP), start.starts_with(ZSTANDARD));
        let empty = start.is_empty();
        for (ending, found) in [(".gz", gzip), (".zst", zstandard)] {
            if object.key.ends_with(ending) && !found && !empty {
                let reason =
                    format!("its name ends in `{ending}`, and its content does not begin so");
                return Err(SourceError::Damaged { path: object.key.clone(), reason });
            }
        }
        let decoder = if gzip {
            Decoder::Gzip(Box::new(MultiGzDecoder::new(raw)))
        } else if zstandard {
            let decoder = zstd::Decoder::with_buffer(raw);
            Decoder::Zstandard(Box::new(decoder.map_err(|error| damaged(object, &error))?))
        } else {
            Decoder::Plain(raw)
        };
        Ok(Self { object: object.clone(), decoder })
    }

    /// Fills the start of `buffer`; 0 is the end.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        let read = match &mut self.decoder {
            Decoder::Plain(reader) => {
                return reader
                    .read(buffer)
                    .map_err(|source| unreadable("read", &self.object.path, source));
            }
            Decoder::Gzip(reader) => reader.read(buffer),
            Decoder::Zstandard(reader) => reader.read(buffer),
        };
        read.map_err(|error| damaged(&self.object, &error))
    }

    /// How many bytes of the source were read so far.
    pub fn consumed(&self) -> u64 {
        match &self.decoder {
            Decoder::Plain(reader) => reader.get_ref().bytes,
            Decoder::Gzip(reader) => reader.get_ref().get_ref().bytes,
            Decoder::Zstandard(reader) => reader.get_ref().get_ref().bytes,
        }
    }

    /// After the end: what the source held (xxh3-128, hexadecimal), if it still is what was listed.
    pub fn fingerprint(self) -> Result<String, SourceError> {
        let raw = match self.decoder {
            Decoder::Plain(reader) => reader.into_inner(),
            Decoder::Gzip(reader) => reader.into_inner().into_inner(),
            Decoder::Zstandard(reader) => reader.finish().into_inner(),
        };
        let now = raw.file.metadata();
        let now = now.map_err(|source| unreadable("read", &self.object.path, source))?;
        let same = raw.bytes == self.object.size
            && now.len() == self.object.size
            && modified_ns(&now) == self.object.modified_ns;
        if same {
            Ok(format!("{:032x}", raw.hash.digest128()))
        } else {
            Err(SourceError::Changed { path: self.object.key })
        }
    }
}

impl Object {
    /// The fingerprint of the content as it is now, without decompressing it.
    pub fn fingerprint(&self) -> Result<String, SourceError> {
        let fail = |source| unreadable("read", &self.path, source);
        let mut file = File::open(&self.path).map_err(fail)?;
        let mut hash = Xxh3::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match file.read(&mut buffer).map_err(fail)? {
                0 => return Ok(format!("{:032x}", hash.digest128())),
                read => hash.update(&buffer[..read]),
            }
        }
    }
}

fn damaged(object: &Object, error: &io::Error) -> SourceError {
    SourceError::Damaged { path: object.key.clone(), reason: error.to_string() }
}
