//! Content of an object: decompresses its bytes, computes their fingerprint before decompression,
//! and compares the object with its listing at the end.
//!
//! The first bytes decide the compression. Gzip may consist of several members, padded with zero
//! bytes after the last one, as `gzip -t` accepts it. Zstandard may consist of several frames, and
//! may begin with a skippable frame, as `pzstd` writes it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use flate2::bufread::GzDecoder;

use super::archive::MemberReader;
use super::fingerprint::Hasher;
use super::local::{is_as_listed, unreadable};
#[cfg(feature = "s3")]
use super::s3::Body;
use super::{Fingerprint, Object, Place, SourceError, format};

/// Largest read, in bytes. A smaller object gets a buffer of its size.
const MOST: u64 = 1 << 15;
/// Smallest buffer, in bytes.
const LEAST: u64 = 1 << 9;

/// Compression of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compression {
    None,
    Gzip,
    Zstandard,
}

impl Compression {
    /// Detects the compression by the magic number at the start of the content.
    fn detect(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, ..] => Self::Gzip,
            // A frame, or a skippable frame (RFC 8878, section 3.1.2).
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstandard,
            _ => Self::None,
        }
    }
}

/// Stream of the decompressed bytes of an object.
pub struct Content {
    object: Object,
    decoder: Decoder,
    /// Decompressed bytes that were read.
    decompressed: u64,
}

enum Decoder {
    Plain(BufReader<Fingerprinted>),
    Gzip(Box<GzipMembers<BufReader<Fingerprinted>>>),
    Zstandard(Box<zstd::Decoder<'static, BufReader<Fingerprinted>>>),
}

/// Stream of the bytes of an object as stored; of a member of an archive, of its content.
pub(super) enum Raw {
    File(File),
    Member(Box<MemberReader>),
    #[cfg(feature = "s3")]
    Body(Body),
}

impl Read for Raw {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            Self::Member(member) => member.read(buffer),
            #[cfg(feature = "s3")]
            Self::Body(body) => body.read(buffer),
        }
    }
}

impl Raw {
    /// Opens `object` at its byte `start`.
    fn open(object: &Object, start: u64) -> Result<Self, SourceError> {
        let Place::Member(member) = &object.place else {
            return Self::open_span(object, start..object.size);
        };
        let mut reader = MemberReader::open(object, member)?;
        reader.skip(start)?;
        Ok(Self::Member(Box::new(reader)))
    }

    /// Opens a stored object for its bytes `span`. A file can be read beyond them.
    pub(super) fn open_span(object: &Object, span: Range<u64>) -> Result<Self, SourceError> {
        match &object.place {
            Place::File => Self::file(File::open(&*object.key), object, span.start),
            Place::Below(root) => Self::file(root.file(&object.key), object, span.start),
            Place::Member(_) | Place::Unread => {
                Err(SourceError::Changed { path: object.key.to_string() })
            }
            #[cfg(feature = "s3")]
            Place::S3(bucket) => Ok(Self::Body(bucket.open(object, span))),
        }
    }

    /// Returns the stream of an object whose download has begun.
    #[cfg(feature = "s3")]
    fn of_body(object: &Object, body: Body) -> Result<Self, SourceError> {
        match &object.place {
            Place::Member(member) => {
                let reader = MemberReader::of(object, member, Self::Body(body))?;
                Ok(Self::Member(Box::new(reader)))
            }
            _ => Ok(Self::Body(body)),
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

    /// Returns true if the object, read to its end, is still the version that was listed. A
    /// download checks that itself and fails before its end.
    pub(super) fn is_as_listed(&self, object: &Object) -> Result<bool, SourceError> {
        match self {
            Self::File(file) => is_as_listed(file, object).map_err(|error| failed(object, error)),
            Self::Member(member) => member.is_as_listed(),
            #[cfg(feature = "s3")]
            Self::Body(_) => Ok(true),
        }
    }
}

/// Stream that hashes and counts the bytes read through it.
struct Fingerprinted {
    raw: Raw,
    hash: Hasher,
    bytes: u64,
    /// Number of bytes according to the listing.
    size: u64,
}

impl Fingerprinted {
    /// Creates a buffered stream of `object` from its byte `start` on.
    fn reader(raw: Raw, object: &Object, start: u64) -> BufReader<Self> {
        let size = object.size.saturating_sub(start);
        let capacity = usize::try_from(size.clamp(LEAST, MOST)).unwrap_or(1 << 15);
        let raw = Self { raw, hash: Hasher::Empty, bytes: 0, size };
        BufReader::with_capacity(capacity, raw)
    }
}

impl Read for Fingerprinted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Saves the read that would return 0. Bytes beyond the listed size are found by the check
        // after the end.
        if self.bytes >= self.size {
            return Ok(0);
        }
        let read = self.raw.read(buffer)?;
        self.bytes += read as u64;
        self.hash.update(&buffer[..read], self.bytes == read as u64 && self.bytes == self.size);
        Ok(read)
    }
}

impl Content {
    /// Opens `object` and detects its compression.
    pub fn open(object: &Object) -> Result<Self, SourceError> {
        Self::of(object, Raw::open(object, 0)?)
    }

    /// Opens an uncompressed `object` at its byte `start`. The stream has no valid fingerprint.
    pub fn open_at(object: &Object, start: u64) -> Result<Self, SourceError> {
        let decoder =
            Decoder::Plain(Fingerprinted::reader(Raw::open(object, start)?, object, start));
        Ok(Self { object: object.clone(), decoder, decompressed: 0 })
    }

    /// Opens an object whose download has begun.
    #[cfg(feature = "s3")]
    pub(super) fn of_body(object: &Object, body: Body) -> Result<Self, SourceError> {
        Self::of(object, Raw::of_body(object, body)?)
    }

    fn of(object: &Object, raw: Raw) -> Result<Self, SourceError> {
        let mut raw = Fingerprinted::reader(raw, object, 0);
        let start = raw.fill_buf().map_err(|error| failed(object, error))?;
        let (compression, empty) = (Compression::detect(start), start.is_empty());
        for (extension, expected) in [(".gz", Compression::Gzip), (".zst", Compression::Zstandard)]
        {
            if object.key.ends_with(extension) && compression != expected && !empty {
                let what = format::recognized(start)
                    .map_or(String::new(), |what| format!(": it is {what}"));
                let reason = format!("the content is not in the format of `{extension}`{what}");
                return Err(SourceError::Damaged { path: object.key.to_string(), reason });
            }
        }
        let decoder = match compression {
            Compression::None => Decoder::Plain(raw),
            Compression::Gzip => Decoder::Gzip(Box::new(GzipMembers::new(raw))),
            Compression::Zstandard => {
                let decoder = zstd::Decoder::with_buffer(raw);
                Decoder::Zstandard(Box::new(decoder.map_err(|error| damaged(object, error))?))
            }
        };
        Ok(Self { object: object.clone(), decoder, decompressed: 0 })
    }

    /// Returns true if the object is compressed, or a member of an archive: it can be read from its
    /// start only.
    pub fn is_compressed(&self) -> bool {
        !matches!(self.decoder, Decoder::Plain(_)) || self.object.is_member()
    }

    /// Reads decompressed bytes into `buffer`; returns 0 at the end.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        let read = match &mut self.decoder {
            Decoder::Plain(reader) => {
                reader.read(buffer).map_err(|error| failed(&self.object, error))
            }
            Decoder::Gzip(reader) => {
                reader.read(buffer).map_err(|error| damaged(&self.object, error))
            }
            Decoder::Zstandard(reader) => {
                reader.read(buffer).map_err(|error| damaged(&self.object, error))
            }
        };
        match read {
            Ok(read) => {
                self.decompressed += read as u64;
                Ok(read)
            }
            // A compressed file that is being written looks damaged at its end.
            Err(SourceError::Damaged { .. }) if !self.is_as_listed()? => {
                Err(SourceError::Changed { path: self.object.key.to_string() })
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the number of decompressed bytes read so far.
    pub fn decompressed(&self) -> u64 {
        self.decompressed
    }

    /// Returns the stream of stored bytes.
    fn stored(&self) -> Option<&Fingerprinted> {
        match &self.decoder {
            Decoder::Plain(reader) => Some(reader.get_ref()),
            Decoder::Gzip(reader) => reader.get_ref().map(BufReader::get_ref),
            Decoder::Zstandard(reader) => Some(reader.get_ref().get_ref()),
        }
    }

    fn is_as_listed(&self) -> Result<bool, SourceError> {
        self.stored().map_or(Ok(true), |stored| stored.raw.is_as_listed(&self.object))
    }

    /// Returns the number of bytes read so far, before decompression.
    pub fn consumed(&self) -> u64 {
        self.stored().map_or(0, |stored| stored.bytes)
    }

    /// Returns the fingerprint of an object that was read to its end. Fails if the object is not
    /// the version that was listed.
    pub fn fingerprint(self) -> Result<Fingerprint, SourceError> {
        let raw = match self.decoder {
            Decoder::Plain(reader) => Some(reader.into_inner()),
            Decoder::Gzip(reader) => reader.into_inner().map(BufReader::into_inner),
            Decoder::Zstandard(reader) => Some(reader.finish().into_inner()),
        };
        if let Some(raw) = raw
            && raw.bytes == self.object.size
            && raw.raw.is_as_listed(&self.object)?
        {
            return Ok(raw.hash.fingerprint());
        }
        Err(SourceError::Changed { path: self.object.key.to_string() })
    }
}

/// Decoder of gzip with any number of members, and zero bytes after the last one.
///
/// `flate2` has a decoder of several members, but it takes padding for a damaged header. The `gzip`
/// program ignores zero bytes up to the end of the file, which tapes and block devices add.
struct GzipMembers<R> {
    /// The current member; never none between two calls.
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> GzipMembers<R> {
    fn new(raw: R) -> Self {
        Self { member: Some(GzDecoder::new(raw)) }
    }

    /// Moves from a finished member to the next one; returns false if there is none.
    fn next_member(&mut self) -> io::Result<bool> {
        let Some(raw) = self.member.as_mut().map(GzDecoder::get_mut) else { return Ok(false) };
        if raw.fill_buf()?.first() == Some(&0) {
            skip_padding(raw)?;
        }
        if raw.fill_buf()?.is_empty() {
            return Ok(false);
        }
        self.member = self.member.take().map(|done| GzDecoder::new(done.into_inner()));
        Ok(true)
    }
}

/// Skips zero bytes up to the end; any other byte is an error.
fn skip_padding(raw: &mut impl BufRead) -> io::Result<()> {
    loop {
        let bytes = raw.fill_buf()?;
        if bytes.iter().any(|byte| *byte != 0) {
            let reason = "data follows the zero bytes after the last gzip member";
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        }
        match bytes.len() {
            0 => return Ok(()),
            padding => raw.consume(padding),
        }
    }
}

impl<R> GzipMembers<R> {
    fn get_ref(&self) -> Option<&R> {
        self.member.as_ref().map(GzDecoder::get_ref)
    }

    fn into_inner(self) -> Option<R> {
        self.member.map(GzDecoder::into_inner)
    }
}

impl<R: BufRead> Read for GzipMembers<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let read = member.read(buffer)?;
            if read > 0 || buffer.is_empty() || !self.next_member()? {
                return Ok(read);
            }
        }
        Ok(0)
    }
}

impl Object {
    /// Returns the fingerprint of the content, without decompressing it. Fails if the object is not
    /// the version that was listed.
    pub fn fingerprint(&self) -> Result<Fingerprint, SourceError> {
        let fail = |error| failed(self, error);
        let mut raw = Raw::open(self, 0)?;
        let mut hash = Hasher::Empty;
        let mut buffer = vec![0; 1 << 16];
        loop {
            match raw.read(&mut buffer).map_err(fail)? {
                0 if raw.is_as_listed(self)? => return Ok(hash.fingerprint()),
                0 => return Err(SourceError::Changed { path: self.key.to_string() }),
                read => hash.update(&buffer[..read], false),
            }
        }
    }
}

/// Converts a read error. An error of a download is a `SourceError` inside the I/O error.
pub(super) fn failed(object: &Object, error: io::Error) -> SourceError {
    let path = object.key.to_string();
    error.downcast().unwrap_or_else(|source| SourceError::Unreadable {
        doing: "read",
        path,
        source,
    })
}

/// Converts an error of a decoder: the compression is damaged, unless the bytes could not be read.
fn damaged(object: &Object, error: io::Error) -> SourceError {
    let path = object.key.to_string();
    error
        .downcast()
        .unwrap_or_else(|error| SourceError::Damaged { path, reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::Sources;

    /// Reads a file of this name and content.
    fn read(name: &str, content: &[u8]) -> Result<Vec<u8>, SourceError> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("a file");
        let object = Sources::default().find(path.to_str().expect("UTF-8")).expect("an object");
        let mut stream = Content::open(&object)?;
        let (mut text, mut buffer) = (Vec::new(), [0; 5]);
        loop {
            match stream.read(&mut buffer)? {
                0 => break,
                read => text.extend_from_slice(&buffer[..read]),
            }
        }
        assert_eq!(stream.read(&mut buffer)?, 0, "the end stays the end");
        assert_eq!(stream.consumed(), content.len() as u64);
        assert_eq!(stream.fingerprint()?, object.fingerprint()?);
        Ok(text)
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).expect("compressed");
        encoder.finish().expect("compressed")
    }

    #[test]
    fn gzip_members_may_be_padded_with_zero_bytes() {
        let [one, two] = [gzip("{\"a\":1}\n"), gzip("{\"a\":2}\n")];
        let text = b"{\"a\":1}\n{\"a\":2}\n";
        for padding in [0, 1, 511, 100_000] {
            let padded = [&one[..], &two, &vec![0; padding]].concat();
            assert_eq!(read("a.gz", &padded).expect("readable"), text, "{padding} zeros");
        }
        for damaged in [
            [&one[..], &[0; 3], &two].concat(),
            [&one[..], b"garbage"].concat(),
            [&one[..], &two[..two.len() - 1]].concat(),
        ] {
            assert!(matches!(read("a.gz", &damaged), Err(SourceError::Damaged { .. })));
        }
    }

    #[test]
    fn zstandard_may_begin_with_a_skippable_frame() {
        let frame = zstd::encode_all(&b"{\"a\":1}\n"[..], 1).expect("compressed");
        // As `pzstd` writes it: magic number, length of the data, compressed size of the next
        // frame.
        let size = u32::try_from(frame.len()).expect("a small frame").to_le_bytes();
        for magic in [0x50, 0x5f] {
            let skippable = [&[magic, 0x2a, 0x4d, 0x18][..], &4_u32.to_le_bytes(), &size].concat();
            let file = [&skippable[..], &frame, &skippable, &frame].concat();
            let text = b"{\"a\":1}\n{\"a\":1}\n";
            assert_eq!(read("a.zst", &file).expect("readable"), text);
            assert_eq!(read("a.json", &file).expect("readable"), text);
            assert_eq!(read("a.zst", &skippable).expect("readable"), b"");
        }
    }

    #[test]
    fn the_content_must_match_the_extension() {
        assert!(matches!(read("a.gz", b"{}"), Err(SourceError::Damaged { .. })));
        assert!(matches!(read("a.zst", &gzip("{}")), Err(SourceError::Damaged { .. })));
        assert_eq!(read("a.json", &gzip("{}")).expect("readable"), b"{}");
        assert_eq!(read("a.gz", b"").expect("readable"), b"");
    }
}
