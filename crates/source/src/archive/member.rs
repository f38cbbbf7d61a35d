//! Content of one member: decompresses its data, and compares size and CRC-32 with the directory.
//!
//! The last bytes are returned only after these checks.

use std::io::{self, BufReader, Read, Take};

use flate2::Crc;
use flate2::bufread::DeflateDecoder;
use zip::CompressionMethod;

use super::super::content::{Raw, failed};
use super::directory::check_expansion;
use super::{Compression, Member, damaged};
use crate::{Object, SourceError};

/// Size of the buffer of stored bytes.
const BUFFER: u64 = 1 << 15;
/// Next action if a member is encrypted, and if its compression is not supported.
const ENCRYPTED: &str = "extract the archive with its password into a folder, and load that";
const UNSUPPORTED: &str =
    "extract the archive into a folder and load that, or create it again with the method deflate";

/// Reader of a member.
pub(in super::super) struct MemberReader {
    object: Object,
    archive: Object,
    crc32: u32,
    decoder: Decoder,
    crc: Crc,
    /// Bytes that are not read yet.
    left: u64,
}

type Stored = Take<BufReader<Raw>>;

enum Decoder {
    Stored(Stored),
    Deflated(Box<DeflateDecoder<Stored>>),
}

impl Decoder {
    fn stored(&self) -> &Raw {
        match self {
            Self::Stored(stored) => stored.get_ref().get_ref(),
            Self::Deflated(decoder) => decoder.get_ref().get_ref().get_ref(),
        }
    }
}

impl Read for Decoder {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Stored(stored) => stored.read(buffer),
            Self::Deflated(decoder) => decoder.read(buffer),
        }
    }
}

/// Fields of a local header that are compared with the directory.
struct LocalHeader {
    encrypted: bool,
    method: u16,
    name: Vec<u8>,
    extra: Vec<u8>,
}

impl LocalHeader {
    /// Reads a header; none if there is none.
    fn read(raw: &mut impl Read) -> io::Result<Option<Self>> {
        let mut fixed = [0; 30];
        raw.read_exact(&mut fixed)?;
        let number = |at: usize| u16::from_le_bytes([fixed[at], fixed[at + 1]]);
        if !fixed.starts_with(b"PK\x03\x04") {
            return Ok(None);
        }
        let mut name = vec![0; number(26).into()];
        raw.read_exact(&mut name)?;
        let mut extra = vec![0; number(28).into()];
        raw.read_exact(&mut extra)?;
        let encrypted = number(6) & 1 != 0;
        Ok(Some(Self { encrypted, method: number(8), name, extra }))
    }

    fn length(&self) -> u64 {
        30 + (self.name.len() + self.extra.len()) as u64
    }

    /// Returns true if the header has this name, also in the extra field that replaces a name in
    /// another encoding.
    fn has_name(&self, name: &[u8]) -> bool {
        self.name == name || self.unicode_path() == Some(name)
    }

    /// Returns the name in the extra field `Info-ZIP Unicode Path`.
    fn unicode_path(&self) -> Option<&[u8]> {
        let mut rest = &self.extra[..];
        while let [id0, id1, size0, size1, fields @ ..] = rest {
            let size: usize = u16::from_le_bytes([*size0, *size1]).into();
            let (field, after) = fields.split_at_checked(size)?;
            if [*id0, *id1] == *b"up" {
                // A version and the CRC-32 of the replaced name come first.
                return field.get(5..);
            }
            rest = after;
        }
        None
    }
}

impl MemberReader {
    /// Opens a member of an archive.
    pub(in super::super) fn open(object: &Object, member: &Member) -> Result<Self, SourceError> {
        Self::of(object, member, Raw::open_span(&member.archive, member.span.clone())?)
    }

    /// Opens a member whose span of bytes is read from `raw`.
    pub(in super::super) fn of(
        object: &Object,
        member: &Member,
        raw: Raw,
    ) -> Result<Self, SourceError> {
        if member.encrypted {
            return Err(refused(object, "it is encrypted", ENCRYPTED));
        }
        check_expansion(&object.key, object.size, member.compressed)?;
        let capacity = (member.span.end - member.span.start).min(BUFFER);
        let mut raw = BufReader::with_capacity(usize::try_from(capacity).unwrap_or(1 << 15), raw);
        let header = match LocalHeader::read(&mut raw) {
            Ok(Some(header)) => header,
            Ok(None) => return Err(broken(object, member, &raw, "it has no local header")),
            Err(error) if is_of_source(&error) => return Err(failed(object, error)),
            Err(_) => return Err(broken(object, member, &raw, "its local header is truncated")),
        };
        if let Err(error) = check(object, member, &header) {
            return Err(match error {
                Mismatch::Refused(error) => error,
                Mismatch::Damaged(reason) => broken(object, member, &raw, &reason),
            });
        }
        let stored = raw.take(member.compressed);
        let decoder = match member.compression {
            Compression::Stored => Decoder::Stored(stored),
            _ => Decoder::Deflated(Box::new(DeflateDecoder::new(stored))),
        };
        let mut reader = Self {
            object: object.clone(),
            archive: member.archive.clone(),
            crc32: member.crc32,
            decoder,
            crc: Crc::new(),
            left: object.size,
        };
        if reader.left == 0 {
            reader.verify_end()?;
        }
        Ok(reader)
    }

    /// Returns true if the archive is still the version that was listed.
    pub(in super::super) fn is_as_listed(&self) -> Result<bool, SourceError> {
        self.decoder.stored().is_as_listed(&self.archive)
    }

    /// Skips bytes from the current position on.
    pub(in super::super) fn skip(&mut self, bytes: u64) -> Result<(), SourceError> {
        let skipped = io::copy(&mut self.by_ref().take(bytes), &mut io::sink());
        skipped.map(drop).map_err(|error| failed(&self.object, error))
    }

    fn read_checked(&mut self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let read = match self.decoder.read(&mut buffer[..most]) {
            Ok(0) => {
                let at = self.object.size - self.left;
                let size = self.object.size;
                return Err(self.broken(&format!("it ends after {at} of {size} bytes")));
            }
            Ok(read) => read,
            Err(error) => return Err(self.failure(error)),
        };
        self.crc.update(&buffer[..read]);
        self.left -= read as u64;
        if self.left == 0 {
            self.verify_end()?;
        }
        Ok(read)
    }

    /// Verifies that the data ends here, and has the CRC-32 of the directory.
    fn verify_end(&mut self) -> Result<(), SourceError> {
        match self.decoder.read(&mut [0]) {
            Ok(0) => {}
            Ok(_) => {
                let size = self.object.size;
                return Err(self.broken(&format!("it is longer than the {size} bytes listed")));
            }
            Err(error) => return Err(self.failure(error)),
        }
        let (found, listed) = (self.crc.sum(), self.crc32);
        if found == listed {
            return Ok(());
        }
        Err(self.broken(&format!("its CRC-32 is {found:08x}, and {listed:08x} is listed")))
    }

    fn failure(&self, error: io::Error) -> SourceError {
        if is_of_source(&error) {
            return failed(&self.object, error);
        }
        self.broken(&format!("its data is damaged ({error})"))
    }

    fn broken(&self, reason: &str) -> SourceError {
        changed_or(self.is_as_listed(), &self.archive, damaged(&self.object.key, reason))
    }
}

impl Read for MemberReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read_checked(buffer).map_err(io::Error::other)
    }
}

/// Difference between a local header and the directory.
enum Mismatch {
    Refused(SourceError),
    Damaged(String),
}

fn check(object: &Object, member: &Member, header: &LocalHeader) -> Result<(), Mismatch> {
    let name = object.key.get(member.archive.key.len() + "!/".len()..).unwrap_or_default();
    if header.encrypted {
        return Err(Mismatch::Refused(refused(object, "it is encrypted", ENCRYPTED)));
    }
    let name = member.stored_name.as_deref().unwrap_or(name.as_bytes());
    if !header.has_name(name) {
        let local = String::from_utf8_lossy(&header.name);
        return Err(Mismatch::Damaged(format!("its local header has another name: `{local}`")));
    }
    let is_method = match member.compression {
        Compression::Stored => header.method == 0,
        Compression::Deflated => header.method == 8,
        Compression::Other => {
            let method = CompressionMethod::name_from_u16(header.method);
            let reason =
                format!("its compression method {} ({method}) is not supported", header.method);
            return Err(Mismatch::Refused(refused(object, &reason, UNSUPPORTED)));
        }
    };
    if !is_method {
        return Err(Mismatch::Damaged("its local header has another compression method".into()));
    }
    if header.length() + member.compressed > member.span.end - member.span.start {
        return Err(Mismatch::Damaged("it overlaps the next member".into()));
    }
    if member.compression == Compression::Stored && member.compressed != object.size {
        return Err(Mismatch::Damaged("its two sizes differ, and it is not compressed".into()));
    }
    Ok(())
}

fn refused(object: &Object, reason: &str, hint: &'static str) -> SourceError {
    SourceError::Archive { path: object.key.to_string(), reason: reason.into(), hint }
}

/// Returns the error of damage, unless the archive changed after it was listed.
fn broken(object: &Object, member: &Member, raw: &BufReader<Raw>, reason: &str) -> SourceError {
    let is_as_listed = raw.get_ref().is_as_listed(&member.archive);
    changed_or(is_as_listed, &member.archive, damaged(&object.key, reason))
}

fn changed_or(
    is_as_listed: Result<bool, SourceError>,
    archive: &Object,
    damage: SourceError,
) -> SourceError {
    match is_as_listed {
        Ok(true) => damage,
        Ok(false) => SourceError::Changed { path: archive.key.to_string() },
        Err(error) => error,
    }
}

/// Returns true for an error of the source or of the system, which is not one of a decoder.
fn is_of_source(error: &io::Error) -> bool {
    error.raw_os_error().is_some()
        || error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<SourceError>)
}
