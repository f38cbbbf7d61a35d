//! Central directory of an archive, parsed by the `zip` crate and checked for what that crate
//! accepts: a number of members that is too small, members that overlap, and zip bombs.

use std::io::Read;
use std::sync::PoisonError;

use zip::CompressionMethod;
use zip::read::{ArchiveOffset, Config, ZipArchive, ZipFileEntry};
use zip::result::ZipError;

use super::blocks::{Blocks, FirstError};
use super::{Compression, Member, damaged};
use crate::{Object, SourceError};

/// Most members of an archive.
const MAX_MEMBERS: usize = 500_000;
/// Size of a local header without name and extra fields, and most bytes of these and of the data
/// descriptor.
const HEADER: u64 = 30;
const VARIABLE: u64 = 2 * 65_535 + 24;
/// Most bytes that one byte of a member or archive may expand to. Play logs reach 10 to 30, and
/// deflate at most 1032.
const MAX_EXPANSION: u64 = 250;
/// Size below which the expansion is not limited.
const SMALL: u64 = 64 << 20;
/// Next action if a member or an archive expands too much.
const BOMB: &str = "if the archive is trustworthy, extract it into a folder and load that";

/// Records that may follow the last member of a directory: end record, the one of zip64, and a
/// signature.
const AFTER_DIRECTORY: [&[u8; 4]; 3] = [b"PK\x05\x06", b"PK\x06\x06", b"PK\x05\x05"];

/// Directory of an archive.
#[derive(Debug)]
pub(in super::super) struct Directory {
    pub(super) archive: Object,
    /// Entries, sorted by name.
    entries: Vec<Entry>,
}

/// Entry of a directory.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: Box<str>,
    /// Size after decompression.
    pub(super) size: u64,
    /// True for a symbolic link.
    pub(super) is_link: bool,
    pub(super) member: Member,
}

impl Entry {
    /// Returns true for a folder, which has no content.
    pub(super) fn is_folder(&self) -> bool {
        self.size == 0 && (self.name.is_empty() || self.name.ends_with('/'))
    }
}

impl Directory {
    /// Reads the directory of an archive.
    pub(super) fn read(archive: &Object) -> Result<Self, SourceError> {
        let first_error = FirstError::default();
        let read = read(archive, &first_error);
        let first = first_error.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (first, read) {
            (Some(error), _) => Err(error),
            (None, Ok(mut entries)) => {
                entries.sort_unstable_by(|one, other| one.name.cmp(&other.name));
                Ok(Self { archive: archive.clone(), entries })
            }
            (None, Err(reason)) => Err(damaged(&archive.key, reason)),
        }
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn find(&self, name: &str) -> Option<&Entry> {
        let at = self.entries.binary_search_by(|entry| (*entry.name).cmp(name)).ok()?;
        self.entries.get(at)
    }

    /// Returns true if the directory is that of this version of the archive.
    pub(super) fn is_of(&self, archive: &Object) -> bool {
        let known = &self.archive;
        known.key == archive.key
            && known.size == archive.size
            && known.modified_ns == archive.modified_ns
            && known.version() == archive.version()
    }
}

/// Fails if `size` is more than an honest content of `compressed` bytes has.
pub(super) fn check_expansion(path: &str, size: u64, compressed: u64) -> Result<(), SourceError> {
    if size <= SMALL.max(compressed.saturating_mul(MAX_EXPANSION)) {
        return Ok(());
    }
    let reason = format!(
        "it expands from {compressed} to {size} bytes, more than {MAX_EXPANSION} times as much"
    );
    Err(SourceError::Archive { path: path.into(), reason, hint: BOMB })
}

fn read(archive: &Object, first_error: &FirstError) -> Result<Vec<Entry>, String> {
    let blocks = Blocks::new(archive, FirstError::clone(first_error));
    // Bytes before the archive, as in a self-extracting program, are not searched for.
    let zip = ZipArchive::with_config(Config { archive_offset: ArchiveOffset::Known(0) }, blocks);
    let zip = zip.map_err(|error| reason(&error))?;
    if zip.has_duplicate_names() {
        return Err("two of its members have the same name".into());
    }
    let (start, metadata) = (zip.central_directory_start(), zip.metadata());
    if metadata.len() > MAX_MEMBERS {
        return Err(format!("it has {} members, more than {MAX_MEMBERS}", metadata.len()));
    }
    check_end(zip.into_inner())?;
    let mut entries = (0..metadata.len())
        .map(|index| {
            let entry = metadata.entry(index).map_err(|error| reason(&error))?;
            entry_of(archive, &entry)
        })
        .collect::<Result<Vec<_>, String>>()?;
    set_spans(&mut entries, start)?;
    Ok(entries)
}

/// Fails if the directory has more members than its end record says.
fn check_end(mut blocks: Blocks) -> Result<(), String> {
    let mut record = [0; 4];
    blocks.read_exact(&mut record).map_err(|error| error.to_string())?;
    if AFTER_DIRECTORY.contains(&&record) {
        return Ok(());
    }
    Err("its directory has another number of members than its end record".into())
}

fn entry_of(archive: &Object, entry: &ZipFileEntry<'_>) -> Result<Entry, String> {
    const FILE_TYPE: u32 = 0o170_000;
    const LINK: u32 = 0o120_000;
    let name = entry.name().map_err(|error| reason(&error))?;
    let compression = match entry.compression() {
        CompressionMethod::STORE => Compression::Stored,
        CompressionMethod::DEFLATE => Compression::Deflated,
        _ => Compression::Other,
    };
    let member = Member {
        archive: archive.clone(),
        span: entry.header_start()..0,
        stored_name: (entry.name_raw() != name.as_bytes()).then(|| entry.name_raw().into()),
        compressed: entry.compressed_size(),
        crc32: entry.crc32(),
        compression,
        encrypted: entry.encrypted(),
    };
    let is_link = entry.unix_mode().is_some_and(|mode| mode & FILE_TYPE == LINK);
    Ok(Entry { name: name.into(), size: entry.size(), is_link, member })
}

/// Sets the end of each member: at most the start of the next one, or of the directory.
fn set_spans(entries: &mut [Entry], directory_start: u64) -> Result<(), String> {
    entries.sort_unstable_by_key(|entry| entry.member.span.start);
    let mut next = directory_start;
    for entry in entries.iter_mut().rev() {
        let Member { span, compressed, .. } = &mut entry.member;
        let least = HEADER.saturating_add(*compressed);
        if span.start.checked_add(least).is_none_or(|end| end > next) {
            return Err(format!("its member `{}` overlaps the next one", entry.name));
        }
        span.end = next.min(span.start + least + VARIABLE);
        next = span.start;
    }
    Ok(())
}

fn reason(error: &ZipError) -> String {
    match error {
        ZipError::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            "it is truncated".into()
        }
        ZipError::InvalidArchive(reason) if reason.contains("find EOCD") => {
            "it is not a zip archive, or truncated: it has no end record".into()
        }
        ZipError::InvalidArchive(reason) => format!("it is damaged: {reason}"),
        ZipError::UnsupportedArchive(reason) => (*reason).into(),
        other => other.to_string(),
    }
}
