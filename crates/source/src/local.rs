//! A folder, walked by several threads.
//!
//! Folders wait on one list, and each thread takes one after the other. What is in a folder is asked for by its name there, and read by its name below
//! the root: the system looks up one or a few names a file, and not the whole path each time.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;

use rustix::fs::{
    AtFlags, Dir, DirEntry, FileType, Mode, OFlags, Stat, fstat, openat, stat, statat,
};
use rustix::io::retry_on_intr;

use super::{Facts, Listing, Object, Place, SourceError};
use sparkify_config::suggest;

/// More than there are processors: a file system that lies behind a network answers late, and many at a time.
const THREADS: usize = 8;

/// A folder that was listed, held open while any of its objects is.
#[derive(Debug)]
pub(super) struct Root {
    folder: OwnedFd,
    /// How many bytes of a key lead to it.
    length: usize,
}

impl Root {
    fn open(path: &Path) -> io::Result<Self> {
        let length = path.as_os_str().len() + usize::from(path.parent().is_some());
        Ok(Self { folder: File::open(path)?.into(), length })
    }

    /// Opens the file of this key.
    pub(super) fn file(&self, key: &str) -> io::Result<File> {
        self.below(key.as_bytes(), OFlags::empty()).map(File::from)
    }

    /// Opens the folder at `path`, which is the root or lies below it.
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
    let top = Arc::new(Folder { path, above: None });
    let found = Listing { root: key, ..Listing::default() };
    let state = State { waiting: vec![top], walked: 0, idle: 0, found, error: None };
    let walk = Walk { root: Arc::new(root), state: Mutex::new(state), more: Condvar::new() };
    std::thread::scope(|threads| {
        for _ in 1..THREADS {
            // One that the system does not grant is not missed.
            let _ = Builder::new().spawn_scoped(threads, || walk.work());
        }
        walk.work();
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

/// A folder to walk, and those that led to it.
struct Folder {
    path: PathBuf,
    above: Option<Arc<Folder>>,
}

/// What the threads share.
struct Walk {
    root: Arc<Root>,
    state: Mutex<State>,
    /// Folders came, or the last one is walked.
    more: Condvar,
}

struct State {
    waiting: Vec<Arc<Folder>>,
    /// How many are being walked.
    walked: usize,
    /// How many threads wait for one.
    idle: usize,
    found: Listing,
    error: Option<SourceError>,
}

/// What one folder holds.
#[derive(Default)]
struct Held {
    objects: Vec<Object>,
    ignored: Vec<String>,
    folders: Vec<Arc<Folder>>,
}

impl Walk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Walks folders until none is left.
    fn work(&self) {
        while let Some(folder) = self.next() {
            let held = self.read(&folder);
            let mut state = self.state();
            state.walked -= 1;
            match held {
                Ok(held) => {
                    state.found.objects.extend(held.objects);
                    state.found.ignored.extend(held.ignored);
                    state.waiting.extend(held.folders);
                }
                Err(error) => {
                    state.waiting.clear();
                    state.error.get_or_insert(error);
                }
            }
            let idle = state.idle;
            drop(state);
            if idle > 0 {
                self.more.notify_all();
            }
        }
    }

    fn next(&self) -> Option<Arc<Folder>> {
        let mut state = self.state();
        loop {
            if state.error.is_some() {
                return None;
            }
            if let Some(folder) = state.waiting.pop() {
                state.walked += 1;
                return Some(folder);
            }
            if state.walked == 0 {
                return None;
            }
            state.idle += 1;
            state = self.more.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    fn read(&self, folder: &Arc<Folder>) -> Result<Held, SourceError> {
        let unlisted = |source: io::Error| unreadable("list", &folder.path, source);
        let mut entries = self.root.folder(&folder.path).map_err(unlisted)?;
        let mut held = Held::default();
        while let Some(entry) = entries.read() {
            let entry = entry.map_err(|error| unlisted(error.into()))?;
            if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
                self.visit(folder, &entries, &entry, &mut held)?;
            }
        }
        Ok(held)
    }

    fn visit(
        &self,
        folder: &Arc<Folder>,
        entries: &Dir,
        entry: &DirEntry,
        held: &mut Held,
    ) -> Result<(), SourceError> {
        let name = entry.file_name();
        let path = || folder.path.join(OsStr::from_bytes(name.to_bytes()));
        if name.to_bytes().starts_with(b".") || name.to_bytes().starts_with(b"_") {
            held.ignored.push(path().display().to_string());
            return Ok(());
        }
        if entry.file_type() == FileType::Directory {
            held.folders.push(folder.below(path()));
            return Ok(());
        }
        let found = entries
            .fd()
            .and_then(|folder| statat(folder, name, AtFlags::empty()))
            .map_err(|error| unreadable("list", &path(), error.into()))?;
        match FileType::from_raw_mode(found.st_mode) {
            FileType::RegularFile => {
                let place = Place::Below(Arc::clone(&self.root));
                held.objects.push(object(key_of(&path())?, &found, place));
            }
            FileType::Directory => match folder.met(&found) {
                // A link that leads back above itself: what is there is listed where it lies.
                Some(above) => held.ignored.push(leads_back(&path(), above)),
                None => held.folders.push(folder.below(path())),
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
    fn below(self: &Arc<Self>, path: PathBuf) -> Arc<Self> {
        Arc::new(Self { path, above: Some(Arc::clone(self)) })
    }

    /// The folder itself, or the one of those above it, that this is.
    fn met(&self, other: &Stat) -> Option<&Path> {
        let same = |one: Stat| (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino);
        let mut folders = std::iter::successors(Some(self), |folder| folder.above.as_deref());
        let met = folders.find(|folder| stat(&folder.path).is_ok_and(same));
        met.map(|folder| &*folder.path)
    }
}

fn leads_back(link: &Path, above: &Path) -> String {
    format!("{} (a link back to {})", link.display(), above.display())
}

fn object(key: String, found: &Stat, place: Place) -> Object {
    let (size, modified_ns) = version(found);
    Facts { key: key.into(), size, modified_ns, etag: None, place }.into()
}

/// What tells versions of a file apart: its size, and its modification time in ns since 1970, which is 0 where the system keeps none.
fn version(found: &Stat) -> (u64, i64) {
    let modified = i128::from(found.st_mtime) * 1_000_000_000 + i128::from(found.st_mtime_nsec);
    (
        u64::try_from(found.st_size).unwrap_or_default(),
        i64::try_from(modified.max(0)).unwrap_or_default(),
    )
}

/// Whether an open file is the version that was listed.
pub(super) fn is_as_listed(file: &File, object: &Object) -> io::Result<bool> {
    Ok(version(&fstat(file)?) == (object.size, object.modified_ns))
}

fn key_of(path: &Path) -> Result<String, SourceError> {
    let key = path.to_str().map(str::to_owned);
    key.ok_or_else(|| SourceError::NotUtf8 { path: path.display().to_string() })
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
        None => "name a folder that is there; `sparkify generate OUT` makes one to try".into(),
    };
    SourceError::Missing { location: location.into(), hint }
}
