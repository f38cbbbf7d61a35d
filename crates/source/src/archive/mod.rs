//! Zip archives in a location: each member is an object with the key `archive.zip!/member`.
//!
//! - `blocks` reads parts of an archive, `directory` its central directory, and `member` the content
//!   of one member.
//!
//! An archive is never extracted: a name is only a part of a key, and no path is made of it. The
//! directory is read from the end of the archive, and each member from its own range of bytes.

mod blocks;
mod directory;
mod member;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Listing, Object, ObjectMetadata, Place, SourceError, Sources};
pub(super) use directory::Directory;
use directory::{Entry, check_expansion};
pub(super) use member::MemberReader;

/// Archives that are opened at the same time.
const THREADS: usize = 16;
/// Attempts to read the directory of an archive that changes meanwhile.
const ATTEMPTS: usize = 3;

/// Next action if an archive is damaged.
const DAMAGED: &str = "fetch the archive again, or extract its intact members into a folder and load that; this load published nothing";

/// Member of an archive.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// Archive, in the version whose directory was read.
    pub archive: Object,
    /// Bytes of its local header and its data, up to the next member.
    pub span: Range<u64>,
    /// Name as stored; none if the key ends with it.
    stored_name: Option<Box<[u8]>>,
    /// Size of its data.
    compressed: u64,
    crc32: u32,
    compression: Compression,
    encrypted: bool,
}

/// Compression of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compression {
    Stored,
    Deflated,
    Other,
}

/// Directory that was read last, for look-ups of many members of one archive.
pub(super) type LastDirectory = Mutex<Option<Arc<Directory>>>;

/// Splits a key into those of an archive and of its member; none if it does not have this form.
pub(super) fn split(key: &str) -> Option<(&str, &str)> {
    let end = key.match_indices('!').map(|(at, _)| at).find(|at| {
        let rest = &key[at + 1..];
        has_extension(&key[..*at]) && (rest.is_empty() || rest.starts_with('/'))
    })?;
    Some((&key[..end], key[end + 1..].strip_prefix('/').unwrap_or_default()))
}

fn has_extension(key: &str) -> bool {
    let end = key.len().checked_sub(".zip".len()).and_then(|at| key.as_bytes().get(at..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(b".zip"))
}

/// Returns true if the object is an archive by its name. An empty one has no directory.
fn is_archive(object: &Object) -> bool {
    object.size > 0 && has_extension(&object.key)
}

impl Sources {
    /// Lists a location in an archive: `archive.zip!` or `archive.zip!/folder`; none if there is no
    /// such archive.
    pub(super) fn list_in_archive(&self, location: &str) -> Result<Option<Listing>, SourceError> {
        let Some((archive, folder)) = split(location) else { return Ok(None) };
        let listing = match self.list_stored(archive) {
            Err(SourceError::Missing { .. }) => return Ok(None),
            listed => listed?,
        };
        match &listing.objects[..] {
            [object] if *object.key == *listing.root && is_archive(object) => {}
            _ => return Ok(None),
        }
        let folder = folder.trim_end_matches('/');
        let root = listing.root.clone();
        let listing = self.with_members(listing, folder)?;
        if listing.objects.is_empty() && listing.ignored.is_empty() && !folder.is_empty() {
            let location = location.to_owned();
            let hint = format!("check the name of the folder in the archive `{root}`");
            return Err(SourceError::Missing { location, hint });
        }
        Ok(Some(listing))
    }

    /// Replaces each archive of a listing by its members, below `folder` if that is not empty.
    pub(super) fn with_members(
        &self,
        mut listing: Listing,
        folder: &str,
    ) -> Result<Listing, SourceError> {
        let (archives, objects): (Vec<Object>, Vec<Object>) =
            std::mem::take(&mut listing.objects).into_iter().partition(is_archive);
        listing.objects = objects;
        if archives.is_empty() {
            return Ok(listing);
        }
        if let [archive] = &archives[..]
            && *archive.key == *listing.root
        {
            key_of(archive, folder).trim_end_matches('/').clone_into(&mut listing.root);
        }
        for (archive, directory) in archives.iter().zip(self.directories(&archives)) {
            match directory? {
                State::Read(directory) => add_members(&mut listing, &directory, folder)?,
                State::Gone => {}
                State::Changing => {
                    listing.unread.push(archive.key.to_string());
                    listing.objects.push(unread(archive));
                }
            }
        }
        listing.objects.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        listing.ignored.sort_unstable();
        if let Some(same) = listing.objects.windows(2).find(|pair| pair[0].key == pair[1].key) {
            return Err(damaged(&same[0].key, "two members have this name"));
        }
        Ok(listing)
    }

    /// Reads the directories of archives, on several threads.
    fn directories(&self, archives: &[Object]) -> Vec<Result<State, SourceError>> {
        let next = AtomicUsize::new(0);
        let todo: Vec<_> = archives.iter().map(|archive| (archive, Mutex::new(None))).collect();
        let work = || {
            let index = || next.fetch_add(1, Ordering::Relaxed);
            while let Some((archive, slot)) = todo.get(index()) {
                let state = self.state_of(archive);
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(state);
            }
        };
        std::thread::scope(|threads| {
            for _ in 1..archives.len().min(THREADS) {
                threads.spawn(work);
            }
            work();
        });
        let done = todo.into_iter().map(|(_, slot)| slot.into_inner());
        done.map(|state| state.unwrap_or_else(PoisonError::into_inner).unwrap_or(Ok(State::Gone)))
            .collect()
    }

    fn state_of(&self, archive: &Object) -> Result<State, SourceError> {
        let mut current = archive.clone();
        for _ in 0..ATTEMPTS {
            match Directory::read(&current) {
                Ok(directory) => return Ok(State::Read(Arc::new(directory))),
                Err(error) if !error.is_unstable() || self.options.strict => return Err(error),
                Err(_) => {}
            }
            match self.refreshed(archive) {
                Ok(object) => current = object,
                Err(SourceError::Missing { .. } | SourceError::Gone { .. }) => {
                    return Ok(State::Gone);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(State::Changing)
    }

    /// Returns the member `name` of an archive; none if it has none.
    pub(super) fn member_of(
        &self,
        archive: &Object,
        name: &str,
    ) -> Result<Option<Object>, SourceError> {
        let mut last = self.last_directory.lock().unwrap_or_else(PoisonError::into_inner);
        let directory = match &*last {
            Some(directory) if directory.is_of(archive) => Arc::clone(directory),
            _ => Arc::clone(last.insert(Arc::new(Directory::read(archive)?))),
        };
        let entry = directory.find(name).filter(|entry| !entry.is_folder() && !entry.is_link);
        Ok(entry.map(|entry| object(&directory.archive, entry)))
    }

    /// Returns the member with this key; none if there is no such archive.
    pub(super) fn find_in_archive(&self, key: &str) -> Result<Option<Object>, SourceError> {
        let Some((archive, name)) = split(key) else { return Ok(None) };
        let found = match self.find_stored(archive) {
            Err(SourceError::Missing { .. }) => return Ok(None),
            found => found?,
        };
        if !is_archive(&found) {
            return Ok(None);
        }
        self.member_of(&found, name)?.ok_or_else(|| super::missing(key)).map(Some)
    }
}

/// Outcome of reading a directory.
enum State {
    Read(Arc<Directory>),
    /// The archive was removed after it was listed.
    Gone,
    /// The archive changed each time that it was read.
    Changing,
}

/// Adds the members of an archive to a listing, by the rules for the files of a folder.
fn add_members(
    listing: &mut Listing,
    directory: &Directory,
    folder: &str,
) -> Result<(), SourceError> {
    let archive = &directory.archive;
    let mut ignored = BTreeSet::new();
    let (before, mut total) = (listing.objects.len(), 0_u64);
    for entry in directory.entries() {
        let Some(rest) = below(&entry.name, folder) else { continue };
        let start = entry.name.len() - rest.len();
        if let Some(end) = hidden(rest) {
            ignored.insert(key_of(archive, &entry.name[..start + end]));
        } else if entry.is_link {
            ignored.insert(format!("{} (a symbolic link)", key_of(archive, &entry.name)));
        } else if !entry.is_folder() {
            let object = object(archive, entry);
            check_expansion(&object.key, entry.size, entry.member.compressed)?;
            total = total.saturating_add(entry.size);
            listing.objects.push(object);
        }
    }
    // The archive is part of the listing even if none of its members is.
    if listing.objects.len() == before && ignored.is_empty() && folder.is_empty() {
        ignored.insert(format!("{} (an archive without files)", archive.key));
    }
    listing.ignored.extend(ignored);
    check_expansion(&archive.key, total, archive.size)
}

/// Returns the part of a name after `folder`; none if it is not below it.
fn below<'a>(name: &'a str, folder: &str) -> Option<&'a str> {
    if folder.is_empty() || name == folder {
        return Some(name);
    }
    name.strip_prefix(folder)?.strip_prefix('/')
}

/// Returns the end of the first part of a path that begins with `.` or `_`.
fn hidden(path: &str) -> Option<usize> {
    let mut end = 0;
    path.split('/').find_map(|part| {
        end += part.len() + 1;
        (part.starts_with(['.', '_']) && part != ".").then_some(end - 1)
    })
}

fn key_of(archive: &Object, name: &str) -> String {
    format!("{}!/{name}", archive.key)
}

fn object(archive: &Object, entry: &Entry) -> Object {
    ObjectMetadata {
        key: key_of(archive, &entry.name).into(),
        size: entry.size,
        modified_ns: archive.modified_ns,
        etag: archive.etag.clone(),
        file: archive.file,
        place: Place::Member(Box::new(entry.member.clone())),
    }
    .into()
}

/// Returns an object that stands for an archive whose directory could not be read.
fn unread(archive: &Object) -> Object {
    ObjectMetadata {
        key: archive.key.clone(),
        size: archive.size,
        modified_ns: archive.modified_ns,
        etag: archive.etag.clone(),
        file: archive.file,
        place: Place::Unread,
    }
    .into()
}

fn damaged(path: &str, reason: impl Into<String>) -> SourceError {
    SourceError::Archive { path: path.into(), reason: reason.into(), hint: DAMAGED }
}

#[cfg(test)]
mod tests;
