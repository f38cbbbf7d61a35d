//! Listing of a local folder on several threads, and access to its files.
//!
//! The threads share a stack of folders and list one at a time. Entries are examined relative to
//! their folder, and files are opened relative to the root (`openat`), so that the system does not
//! resolve the whole path for each file.

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
use rustix::io::retry_on_intr;

use super::{Listing, Object, ObjectMetadata, Place, SourceError};
use sparkify_config::suggest;

/// Number of threads. A network file system has high latency, so there are more than processors.
const THREADS: usize = 8;

/// Listed folder. It stays open as long as one of its objects exists.
#[derive(Debug)]
pub(super) struct Root {
    folder: OwnedFd,
    /// Length of its path in a key, with the separator.
    length: usize,
}

impl Root {
    fn open(path: &Path) -> io::Result<Self> {
        let length = path.as_os_str().len() + usize::from(path.parent().is_some());
        Ok(Self { folder: File::open(path)?.into(), length })
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
        let flags = flags | OFlags::RDONLY | OFlags::CLOEXEC;
        Ok(retry_on_intr(|| openat(&self.folder, name, flags, Mode::empty()))?)
    }
}

/// Lists the folder or file at `location`.
pub(super) fn list(location: &str) -> Result<Listing, SourceError> {
    let path = fs::canonicalize(location).map_err(|source| absent(location, source))?;
    let key = key_of(&path)?;
    let found = stat(&path).map_err(|error| unreadable("list", &path, error.into()))?;
    if FileType::from_raw_mode(found.st_mode) == FileType::RegularFile {
        let object = object(key.clone(), &found, Place::File);
        return Ok(Listing { root: key, objects: vec![object], ignored: Vec::new() });
    }
    let root = Root::open(&path).map_err(|source| unreadable("list", &path, source))?;
    let top = Arc::new(Folder { path, parent: None });
    let found = Listing { root: key, ..Listing::default() };
    let state = State { pending: vec![top], active: 0, idle: 0, found, error: None };
    let walk = Walk { root: Arc::new(root), state: Mutex::new(state), changed: Condvar::new() };
    std::thread::scope(|threads| {
        for _ in 1..THREADS {
            // If the system refuses a thread, the others list its share.
            let _ = Builder::new().spawn_scoped(threads, || walk.run());
        }
        walk.run();
    });
    let State { found: mut listing, error, .. } =
        walk.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(error) = error {
        return Err(error);
    }
    listing.objects.sort_unstable_by(|one, other| one.key.cmp(&other.key));
    listing.ignored.sort_unstable();
    Ok(listing)
}

/// Folder to list, with its parents, to detect cycles.
struct Folder {
    path: PathBuf,
    parent: Option<Arc<Folder>>,
}

/// Listing in progress.
struct Walk {
    root: Arc<Root>,
    state: Mutex<State>,
    /// Signalled when folders were added, and when listing has ended.
    changed: Condvar,
}

/// State that the threads share.
struct State {
    /// Folders to list.
    pending: Vec<Arc<Folder>>,
    /// Number of folders that are being listed.
    active: usize,
    /// Number of threads that wait for a folder.
    idle: usize,
    found: Listing,
    error: Option<SourceError>,
}

/// Entries of one folder.
#[derive(Default)]
struct Entries {
    objects: Vec<Object>,
    ignored: Vec<String>,
    folders: Vec<Arc<Folder>>,
}

impl Walk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
                    state.pending.extend(entries.folders);
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
    fn next(&self) -> Option<Arc<Folder>> {
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
                return None;
            }
            state.idle += 1;
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    fn read(&self, folder: &Arc<Folder>) -> Result<Entries, SourceError> {
        #[cfg(test)]
        assert!(!folder.path.ends_with(tests::PANIC), "injected");
        let unlisted = |source: io::Error| unreadable("list", &folder.path, source);
        let mut open = self.root.folder(&folder.path).map_err(unlisted)?;
        let mut entries = Entries::default();
        while let Some(entry) = open.read() {
            let entry = entry.map_err(|error| unlisted(error.into()))?;
            if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
                self.visit(folder, &open, &entry, &mut entries)?;
            }
        }
        Ok(entries)
    }

    fn visit(
        &self,
        folder: &Arc<Folder>,
        open: &Dir,
        entry: &DirEntry,
        entries: &mut Entries,
    ) -> Result<(), SourceError> {
        let name = entry.file_name();
        let path = || folder.path.join(OsStr::from_bytes(name.to_bytes()));
        if name.to_bytes().starts_with(b".") || name.to_bytes().starts_with(b"_") {
            entries.ignored.push(path().display().to_string());
            return Ok(());
        }
        if entry.file_type() == FileType::Directory {
            entries.folders.push(folder.child(path()));
            return Ok(());
        }
        // Follows symbolic links.
        let found = open
            .fd()
            .and_then(|folder| statat(folder, name, AtFlags::empty()))
            .map_err(|error| unreadable("list", &path(), error.into()))?;
        match FileType::from_raw_mode(found.st_mode) {
            FileType::RegularFile => {
                let place = Place::Below(Arc::clone(&self.root));
                entries.objects.push(object(key_of(&path())?, &found, place));
            }
            FileType::Directory => match folder.ancestor(&found) {
                // A cycle: the entries of the ancestor are listed at its own path.
                Some(ancestor) => entries.ignored.push(cycle(&path(), ancestor)),
                None => entries.folders.push(folder.child(path())),
            },
            _ => {
                let source = io::Error::other("it is neither a file nor a folder");
                return Err(unreadable("read", &path(), source));
            }
        }
        Ok(())
    }
}

impl Folder {
    fn child(self: &Arc<Self>, path: PathBuf) -> Arc<Self> {
        Arc::new(Self { path, parent: Some(Arc::clone(self)) })
    }

    /// Returns the path of the folder itself or of the parent that has this device and inode.
    fn ancestor(&self, other: &Stat) -> Option<&Path> {
        let same = |one: Stat| (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino);
        let mut folders = std::iter::successors(Some(self), |folder| folder.parent.as_deref());
        let found = folders.find(|folder| stat(&folder.path).is_ok_and(same));
        found.map(|folder| &*folder.path)
    }
}

fn cycle(link: &Path, ancestor: &Path) -> String {
    format!("{} (a link back to {})", link.display(), ancestor.display())
}

fn object(key: String, found: &Stat, place: Place) -> Object {
    let (size, modified_ns) = version(found);
    ObjectMetadata { key: key.into(), size, modified_ns, etag: None, place }.into()
}

/// Returns size and modification time in ns since 1970, which identify a version of a file. The
/// time is 0 if the file system has none.
fn version(found: &Stat) -> (u64, i64) {
    let modified = i128::from(found.st_mtime) * 1_000_000_000 + i128::from(found.st_mtime_nsec);
    (
        u64::try_from(found.st_size).unwrap_or_default(),
        i64::try_from(modified.max(0)).unwrap_or_default(),
    )
}

/// Returns true if an open file is the version that was listed.
pub(super) fn is_as_listed(file: &File, object: &Object) -> io::Result<bool> {
    Ok(version(&fstat(file)?) == (object.size, object.modified_ns))
}

fn key_of(path: &Path) -> Result<String, SourceError> {
    let key = path.to_str().map(str::to_owned);
    key.ok_or_else(|| SourceError::NotUtf8 { path: path.display().to_string() })
}

fn panicked(folder: &Path) -> SourceError {
    unreadable("list", folder, io::Error::other("internal error: a thread panicked"))
}

pub(super) fn unreadable(doing: &'static str, path: &Path, source: io::Error) -> SourceError {
    SourceError::Unreadable { doing, path: path.display().to_string(), source }
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
        std::thread::spawn(move || sender.send(list(&location)));
        let listed = listed.recv_timeout(Duration::from_mins(1)).expect("no thread waits");
        let error = listed.expect_err("a panic");
        assert!(matches!(error, SourceError::Unreadable { doing: "list", .. }), "{error}");
    }
}
