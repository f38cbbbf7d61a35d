//! Where an export comes to lie, and how it gets there in one step.
//!
//! The files are written to a folder beside the one that is meant, on the same disk. When it is whole, the two are exchanged by the one call that
//! the system has for that, and the old one is removed: whoever opens the folder by its name sees the old export or the new one. A process that is killed leaves
//! its folder behind, whose name starts with `.`; the next export beside it removes that. A lock on the parent folder says that nobody is at work there.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use tempfile::TempDir;

use super::{ExportError, MANIFEST, Manifest};

/// What the names of unfinished and of replaced exports start with.
const BESIDE: &str = ".sparkify-export-";

/// A folder to fill, and the place that is meant for it.
pub(super) struct Place {
    /// The folder that was named.
    named: PathBuf,
    /// Where that is.
    target: PathBuf,
    parent: PathBuf,
    beside: TempDir,
    /// Held until the end.
    _lock: File,
}

impl Place {
    /// Looks at what is there, and makes a folder beside it.
    pub(super) fn prepare(
        named: &Path,
        force: bool,
        keep: Option<&Path>,
    ) -> Result<Self, ExportError> {
        let failed = |source| ExportError::Io { folder: named.into(), source };
        let (parent, target) = resolved(named)?;
        if target.symlink_metadata().is_ok() {
            check_replaceable(named, &target, force, keep)?;
        }
        let lock = File::open(&parent).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => remove_leftovers(&parent),
            Err(TryLockError::WouldBlock) => {
                return Err(ExportError::Busy { folder: named.into() });
            }
            // A disk that knows no locks: then leftovers stay, since they may be somebody's work.
            Err(TryLockError::Error(_)) => {}
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix(BESIDE);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
        let beside = builder.tempdir_in(&parent).map_err(failed)?;
        Ok(Self { named: named.into(), target, parent, beside, _lock: lock })
    }

    /// The folder to fill.
    pub(super) fn folder(&self) -> &Path {
        self.beside.path()
    }

    /// Puts it in its place.
    pub(super) fn publish(self) -> Result<(), ExportError> {
        let failed = |source| ExportError::Io { folder: self.named.clone(), source };
        sync(self.beside.path()).map_err(failed)?;
        if self.target.symlink_metadata().is_ok() {
            exchange(self.beside.path(), &self.target).map_err(failed)?;
            sync(&self.parent).map_err(failed)?;
            // What is beside now is the old export; if it cannot be removed, the next one tries again.
            drop(self.beside);
        } else {
            renameat_with(CWD, self.beside.path(), CWD, &self.target, RenameFlags::NOREPLACE)
                .or_else(|_| rustix::fs::rename(self.beside.path(), &self.target))
                .map_err(|error| failed(error.into()))?;
            // Nothing is left at that name: there is nothing to remove.
            let _ = self.beside.keep();
            sync(&self.parent).map_err(failed)?;
        }
        Ok(())
    }
}

/// The folder's parent and the folder in it, without links and dots.
fn resolved(named: &Path) -> Result<(PathBuf, PathBuf), ExportError> {
    let unfit = |reason, hint| ExportError::Unfit { folder: named.into(), reason, hint };
    if named.symlink_metadata().is_ok_and(|found| !found.is_dir()) {
        return Err(unfit("it is there and is no folder", "name another"));
    }
    let Some(name) = named.file_name() else {
        return Err(unfit("it has no name of its own", "name a folder in it"));
    };
    let parent = named.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new(".")).canonicalize();
    let parent = parent.map_err(|_| unfit("its parent is not there", "create that first"))?;
    let target = parent.join(name);
    Ok((parent, target))
}

fn check_replaceable(
    named: &Path,
    target: &Path,
    force: bool,
    keep: Option<&Path>,
) -> Result<(), ExportError> {
    let unfit = |reason, hint| ExportError::Unfit { folder: named.into(), reason, hint };
    let holds = |path: io::Result<PathBuf>| path.is_ok_and(|path| path.starts_with(target));
    if keep.is_some_and(|keep| holds(keep.canonicalize())) {
        return Err(unfit("the warehouse lies in it", "name another folder"));
    }
    if holds(std::env::current_dir().and_then(|here| here.canonicalize())) {
        return Err(unfit("this command was started in it", "name another folder"));
    }
    match (force, foreign(target)) {
        (false, Some(found)) => Err(ExportError::Foreign { folder: named.into(), found }),
        _ => Ok(()),
    }
}

/// Something in the folder that no export put there, if there is any. An empty folder is fine.
fn foreign(folder: &Path) -> Option<String> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return Some(format!("it cannot be read: {error}")),
    };
    let names: BTreeSet<String> = entries
        .map(|entry| {
            entry.map_or_else(|_| String::new(), |e| e.file_name().to_string_lossy().into())
        })
        .collect();
    if names.is_empty() {
        return None;
    }
    let text = fs::read(folder.join(MANIFEST)).ok();
    let manifest = text.and_then(|text| serde_json::from_slice::<Manifest>(&text).ok());
    let Some(manifest) = manifest else {
        return names.first().map(|name| format!("it holds `{name}`, and no `{MANIFEST}`"));
    };
    let known =
        |name: &str| name == MANIFEST || manifest.files.iter().any(|file| file.file == name);
    names.iter().find(|name| !known(name)).map(|name| format!("it holds `{name}` as well"))
}

/// What killed processes left: with the lock held, nobody is at work on it.
fn remove_leftovers(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && entry.file_name().to_string_lossy().starts_with(BESIDE) {
            tracing::info!("removing {}, which a killed export left", entry.path().display());
            // One that cannot be removed is in nobody's way.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Exchanges two folders in one step; on a disk that cannot, in two, the old one set aside first.
fn exchange(new: &Path, old: &Path) -> io::Result<()> {
    match renameat_with(CWD, new, CWD, old, RenameFlags::EXCHANGE) {
        Ok(()) => return Ok(()),
        Err(error) if !unsupported(error) => return Err(error.into()),
        Err(_) => {}
    }
    let aside = new.with_extension("old");
    fs::rename(old, &aside)?;
    if let Err(error) = fs::rename(new, old) {
        fs::rename(&aside, old)?;
        return Err(error);
    }
    fs::rename(&aside, new)
}

fn unsupported(error: rustix::io::Errno) -> bool {
    use rustix::io::Errno;
    [Errno::INVAL, Errno::NOSYS, Errno::NOTSUP].contains(&error)
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
