//! Listing of a local folder on several threads, and access to its files.
//!
//! The threads share a stack of folders and list one at a time. Entries are examined relative to
//! their folder, and files are opened relative to the root (`openat`), so that the system does not
//! resolve the whole path for each file.
//!
//! A folder that a symbolic link leads to is listed after all folders below the root, one at a time
//! and in order. So it has the same keys in every listing: those of its own path, or else those of
//! the first link.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;

use rustix::fs::{
    AtFlags, Dir, DirEntry, FileType, Mode, OFlags, Stat, fstat, openat, stat, statat,
};
use rustix::io::{Errno, retry_on_intr};

use super::{FileVersion, ListOptions, Listing, Object, ObjectMetadata, Place, SourceError};
use sparkify_config::suggest;

/// Number of threads. A network file system has high latency, so there are more than processors.
const THREADS: usize = 8;

/// Listed folder. It stays open as long as one of its objects exists.
#[derive(Debug)]
pub(super) struct Root {
    folder: OwnedFd,
    path: PathBuf,
    options: ListOptions,
    /// Length of its path in a key, with the separator.
    length: usize,
}

impl Root {
    fn open(path: &Path, options: ListOptions) -> io::Result<Self> {
        let length = path.as_os_str().len() + usize::from(path.parent().is_some());
        Ok(Self { folder: File::open(path)?.into(), path: path.to_owned(), options, length })
    }

    /// Opens the file with this key.
    pub(super) fn file(&self, key: &str) -> io::Result<File> {
        self.below(key.as_bytes(), OFlags::empty()).map(File::from)
    }

    /// Opens the folder at `path`, which is the root or below it.
    fn folder(&self, path: &Path) -> io::Result<Dir> {
        Ok(Dir::new(self.below(path.as_os_str().as_bytes(), OFlags::DIRECTORY)?)?)
    }

    fn below(&self, path: &[u8], flags: OFlags) -> io::Result<OwnedFd> {
        let name = path.get(self.length..).filter(|name| !name.is_empty()).unwrap_or(b".");
        // Without NONBLOCK, a named pipe that replaced a file would block until it has a writer.
        let flags = flags | OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        Ok(retry_on_intr(|| openat(&self.folder, name, flags, Mode::empty()))?)
    }

    /// Returns the current version of the file with this key; none if it no longer exists, or is a
    /// link that may not be followed.
    pub(super) fn find(self: &Arc<Self>, key: &str) -> Result<Option<Object>, SourceError> {
        let target = match fs::canonicalize(key) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            resolved => resolved.map_err(|error| unreadable("read", Path::new(key), error))?,
        };
        if !self.options.follow_links && !target.starts_with(&self.path) {
            return Ok(None);
        }
        file_at(&target, key, Place::Below(Arc::clone(self)))
    }
}

/// Returns the file with this key, whose links are followed; none if there is none.
pub(super) fn find(key: &str) -> Result<Option<Object>, SourceError> {
    file_at(Path::new(key), key, Place::File)
}

fn file_at(path: &Path, key: &str, place: Place) -> Result<Option<Object>, SourceError> {
    match stat(path) {
        Ok(found) if kind_of(&found) == FileType::RegularFile => {
            Ok(Some(object(key.to_owned(), &found, place)))
        }
        Ok(_) | Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        Err(error) => Err(unreadable("read", path, error.into())),
    }
}

/// Lists the folder or file at `location`.
pub(super) fn list(location: &str, options: ListOptions) -> Result<Listing, SourceError> {
    let path = fs::canonicalize(location).map_err(|source| absent(location, source))?;
    let key = key_of(&path)?;
    let found = stat(&path).map_err(|error| unreadable("list", &path, error.into()))?;
    match kind_of(&found) {
        FileType::RegularFile => {
            let object = object(key.clone(), &found, Place::File);
            return Ok(Listing { root: key, objects: vec![object], ..Listing::default() });
        }
        FileType::Directory => {}
        other => return Err(not_a_file(&path, other)),
    }
    let root = Root::open(&path, options).map_err(|source| unreadable("list", &path, source))?;
    let walk = Walk::new(root, Listing { root: key, ..Listing::default() });
    walk.list(Folder { path, through_link: false })?;
    while let Some(path) = walk.next_link() {
        walk.list(Folder { path, through_link: true })?;
    }
    let mut listing = walk.state.into_inner().unwrap_or_else(PoisonError::into_inner).found;
    listing.objects.sort_unstable_by(|one, other| one.key.cmp(&other.key));
    listing.ignored.sort_unstable();
    listing.links_out.sort_unstable();
    Ok(listing)
}

/// Folder to list.
struct Folder {
    path: PathBuf,
    /// True if a link leads to it or to a folder that it is in.
    through_link: bool,
}

/// Device and inode, which identify a folder.
type Identity = (i128, u64);

fn identity(found: &Stat) -> Identity {
    (found.st_dev.into(), found.st_ino)
}

/// Listing in progress.
struct Walk {
    root: Arc<Root>,
    state: Mutex<State>,
    /// Signalled when folders were added, and when listing has ended.
    changed: Condvar,
}

/// State that the threads share.
#[derive(Default)]
struct State {
    /// Folders to list.
    pending: Vec<Folder>,
    /// Number of folders that are being listed.
    active: usize,
    /// Number of threads that wait for a folder.
    idle: usize,
    /// Folders that were listed, with their paths.
    listed: HashMap<Identity, PathBuf>,
    /// Links to folders that are not listed yet.
    links: BTreeSet<PathBuf>,
    found: Listing,
    error: Option<SourceError>,
}

/// Entries of one folder.
#[derive(Default)]
struct Entries {
    objects: Vec<Object>,
    ignored: Vec<String>,
    folders: Vec<Folder>,
    /// Links to folders.
    links: Vec<PathBuf>,
    links_out: Vec<String>,
}

impl Walk {
    fn new(root: Root, found: Listing) -> Self {
        let state = Mutex::new(State { found, ..State::default() });
        Self { root: Arc::new(root), state, changed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lists a folder and all folders below it, without following links.
    fn list(&self, folder: Folder) -> Result<(), SourceError> {
        self.state().pending.push(folder);
        std::thread::scope(|threads| {
            for _ in 1..THREADS {
                // If the system refuses a thread, the others list its share.
                let _ = Builder::new().spawn_scoped(threads, || self.run());
            }
            self.run();
        });
        self.state().error.take().map_or(Ok(()), Err)
    }

    /// Lists folders until none is left.
    fn run(&self) {
        while let Some(folder) = self.next() {
            // A folder that stayed active after a panic would leave the other threads waiting.
            let entries = catch_unwind(AssertUnwindSafe(|| self.read(&folder)))
                .unwrap_or_else(|_| Err(panicked(&folder.path)));
            let mut state = self.state();
            state.active -= 1;
            match entries {
                Ok(entries) => {
                    state.found.objects.extend(entries.objects);
                    state.found.ignored.extend(entries.ignored);
                    state.found.links_out.extend(entries.links_out);
                    state.pending.extend(entries.folders);
                    state.links.extend(entries.links);
                }
                Err(error) => {
                    state.pending.clear();
                    state.error.get_or_insert(error);
                }
            }
            let idle = state.idle;
            drop(state);
            if idle > 0 {
                self.changed.notify_all();
            }
        }
    }

    /// Returns the next folder; waits while others are being listed, since they may add folders.
    fn next(&self) -> Option<Folder> {
        let mut state = self.state();
        loop {
            if state.error.is_some() {
                return None;
            }
            if let Some(folder) = state.pending.pop() {
                state.active += 1;
                return Some(folder);
            }
            if state.active == 0 {
                drop(state);
                self.changed.notify_all();
                return None;
            }
            state.idle += 1;
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    fn next_link(&self) -> Option<PathBuf> {
        self.state().links.pop_first()
    }

    fn read(&self, folder: &Folder) -> Result<Entries, SourceError> {
        #[cfg(test)]
        assert!(!folder.path.ends_with(tests::PANIC), "injected");
        let unlisted = |source: io::Error| unreadable("list", &folder.path, source);
        let mut entries = Entries::default();
        let mut open = match self.root.folder(&folder.path) {
            Err(error) if self.may_vanish(&error) => return Ok(entries),
            opened => opened.map_err(unlisted)?,
        };
        let found = open.fd().and_then(fstat).map_err(|error| unlisted(error.into()))?;
        if let Some(known) = self.enter(folder, &found) {
            entries.ignored.push(known);
            return Ok(entries);
        }
        while let Some(entry) = open.read() {
            let entry = entry.map_err(|error| unlisted(error.into()))?;
            if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
                self.visit(folder, &open, &entry, &mut entries)?;
            }
        }
        Ok(entries)
    }

    /// Notes that a folder is listed. Returns a note instead if a link led to it and it is listed
    /// already.
    fn enter(&self, folder: &Folder, found: &Stat) -> Option<String> {
        let mut state = self.state();
        match state.listed.get(&identity(found)) {
            Some(listed) if folder.through_link => Some(back(&folder.path, listed)),
            Some(_) => None,
            None => {
                state.listed.insert(identity(found), folder.path.clone());
                None
            }
        }
    }

    /// Returns true if `error` says that an entry was removed after it was found, and that is no
    /// error.
    fn may_vanish(&self, error: &io::Error) -> bool {
        error.kind() == io::ErrorKind::NotFound && !self.root.options.strict
    }

    fn visit(
        &self,
        folder: &Folder,
        open: &Dir,
        entry: &DirEntry,
        entries: &mut Entries,
    ) -> Result<(), SourceError> {
        let name = entry.file_name();
        let path = || folder.path.join(OsStr::from_bytes(name.to_bytes()));
        let subfolder = || Folder { path: path(), through_link: folder.through_link };
        if name.to_bytes().starts_with(b".") || name.to_bytes().starts_with(b"_") {
            entries.ignored.push(path().display().to_string());
            return Ok(());
        }
        match entry.file_type() {
            FileType::Directory => {
                entries.folders.push(subfolder());
                return Ok(());
            }
            FileType::Symlink => return self.resolve(path(), entries),
            _ => {}
        }
        let found = open.fd().and_then(|at| statat(at, name, AtFlags::SYMLINK_NOFOLLOW));
        let found = match found.map_err(io::Error::from) {
            Err(error) if self.may_vanish(&error) => return Ok(()),
            found => found.map_err(|error| unreadable("list", &path(), error))?,
        };
        match kind_of(&found) {
            FileType::RegularFile => {
                let place = Place::Below(Arc::clone(&self.root));
                entries.objects.push(object(key_of(&path())?, &found, place));
            }
            // Some file systems do not report the type with the name.
            FileType::Directory => entries.folders.push(subfolder()),
            FileType::Symlink => return self.resolve(path(), entries),
            other => return Err(not_a_file(&path(), other)),
        }
        Ok(())
    }

    /// Resolves a link, and adds the file or folder that it leads to.
    fn resolve(&self, link: PathBuf, entries: &mut Entries) -> Result<(), SourceError> {
        let root = &self.root;
        let (path, follow) = (link.display().to_string(), root.options.follow_links);
        let target = match fs::canonicalize(&link) {
            Ok(target) if follow || target.starts_with(&root.path) => target,
            Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
                return Err(SourceError::LinkLoop { path });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let target = match fs::read_link(&link) {
                    Err(error) if self.may_vanish(&error) => return Ok(()),
                    read => read.map_err(|error| unreadable("list", &link, error))?,
                };
                let target = target.display().to_string();
                return Err(SourceError::DanglingLink { path, target });
            }
            Err(error) if follow => return Err(unreadable("list", &link, error)),
            Ok(_) | Err(_) => {
                entries.links_out.push(path);
                return Ok(());
            }
        };
        let found = stat(&target).map_err(|error| unreadable("list", &link, error.into()))?;
        match kind_of(&found) {
            FileType::RegularFile => {
                let place = Place::Below(Arc::clone(root));
                entries.objects.push(object(key_of(&link)?, &found, place));
            }
            FileType::Directory => entries.links.push(link),
            other => return Err(not_a_file(&link, other)),
        }
        Ok(())
    }
}

fn back(folder: &Path, listed: &Path) -> String {
    format!("{} (a link back to {})", folder.display(), listed.display())
}

fn kind_of(found: &Stat) -> FileType {
    FileType::from_raw_mode(found.st_mode)
}

fn object(key: String, found: &Stat, place: Place) -> Object {
    let (size, modified_ns, file) = version(found);
    ObjectMetadata { key: key.into(), size, modified_ns, etag: None, file: Some(file), place }
        .into()
}

/// Returns size, modification time and version of a file. A time is 0 if the file system has none.
fn version(found: &Stat) -> (u64, i64, FileVersion) {
    let nanoseconds = |seconds: i128, fraction: i128| {
        i64::try_from((seconds * 1_000_000_000 + fraction).max(0)).unwrap_or_default()
    };
    let modified_ns = nanoseconds(found.st_mtime.into(), found.st_mtime_nsec.into());
    let changed_ns = nanoseconds(found.st_ctime.into(), found.st_ctime_nsec.into());
    let size = u64::try_from(found.st_size).unwrap_or_default();
    (size, modified_ns, FileVersion { changed_ns, inode: found.st_ino })
}

/// Returns true if an open file is the version that was listed.
pub(super) fn is_as_listed(file: &File, object: &Object) -> io::Result<bool> {
    Ok(version(&fstat(file)?) == (object.size, object.modified_ns, object.file.unwrap_or_default()))
}

fn key_of(path: &Path) -> Result<String, SourceError> {
    let key = path.to_str().map(str::to_owned);
    key.ok_or_else(|| SourceError::NotUtf8 { path: path.display().to_string() })
}

fn panicked(folder: &Path) -> SourceError {
    unreadable("list", folder, io::Error::other("internal error: a thread panicked"))
}

fn not_a_file(path: &Path, kind: FileType) -> SourceError {
    let what = match kind {
        FileType::Fifo => "a named pipe (FIFO)",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        _ => "a special file",
    };
    SourceError::NotAFile { path: path.display().to_string(), what }
}

/// Converts an error of a file or folder. One that does not exist was removed after it was listed.
pub(super) fn unreadable(doing: &'static str, path: &Path, source: io::Error) -> SourceError {
    let path = path.display().to_string();
    let is_stale = source.raw_os_error() == Some(Errno::STALE.raw_os_error());
    if source.kind() == io::ErrorKind::NotFound || is_stale {
        return SourceError::Gone { path };
    }
    SourceError::Unreadable { doing, path, source }
}

fn absent(location: &str, source: io::Error) -> SourceError {
    if source.kind() != io::ErrorKind::NotFound {
        return unreadable("list", Path::new(location), source);
    }
    let hint = match suggest::nearest_path(Path::new(location)) {
        Some(near) => format!("did you mean `{}`?", near.display()),
        None => "check the path; `sparkify generate OUT` creates sample data".into(),
    };
    SourceError::Missing { location: location.into(), hint }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    /// Name of a folder whose listing panics.
    pub(super) const PANIC: &str = "panics-when-listed";

    #[test]
    fn a_panic_ends_the_listing_with_an_error() {
        let root = tempfile::tempdir().expect("a folder");
        fs::create_dir(root.path().join(PANIC)).expect("a folder");
        let location = root.path().to_str().expect("UTF-8").to_owned();
        let (sender, listed) = mpsc::channel();
        std::thread::spawn(move || sender.send(list(&location, ListOptions::default())));
        let listed = listed.recv_timeout(Duration::from_mins(1)).expect("no thread waits");
        let error = listed.expect_err("a panic");
        assert!(matches!(error, SourceError::Unreadable { doing: "list", .. }), "{error}");
    }
}
