//! Atomic replacement of a folder.
//!
//! Files are written to a temporary folder in the same parent, hence on the same file system. When
//! it is complete, `renameat2(RENAME_EXCHANGE)` swaps the two folders in one step, and the old one
//! is removed: a reader sees either the old or the new export. A killed process leaves a temporary
//! folder (its name starts with `.`), which the next export to the same parent removes. A lock on
//! the parent folder ensures that no running export uses it.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use tempfile::TempDir;

use super::{ExportError, MANIFEST, Manifest};

/// Name prefix of temporary folders: unfinished and replaced exports.
const TEMP_PREFIX: &str = ".sparkify-export-";

/// Temporary folder that replaces its target when it is published.
pub(super) struct AtomicFolder {
    /// Target folder as the user wrote it, for messages.
    given: PathBuf,
    /// Target folder with its parent resolved.
    target: PathBuf,
    parent: PathBuf,
    temporary: TempDir,
    /// Lock on the parent folder, held until drop.
    _lock: File,
}

impl AtomicFolder {
    /// Checks that the target may be replaced, locks its parent and creates the temporary folder.
    pub(super) fn prepare(
        named: &Path,
        force: bool,
        keep: Option<&Path>,
    ) -> Result<Self, ExportError> {
        let failed = |source| ExportError::Io { folder: named.into(), source };
        let (parent, target) = resolve(named)?;
        if target.symlink_metadata().is_ok() {
            check_replaceable(named, &target, force, keep)?;
        }
        let lock = File::open(&parent).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => remove_leftovers(&parent),
            Err(TryLockError::WouldBlock) => {
                return Err(ExportError::Busy { folder: named.into() });
            }
            // File system without locks: keep leftovers, since another export may be using them.
            Err(TryLockError::Error(_)) => {}
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix(TEMP_PREFIX);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
        let temporary = builder.tempdir_in(&parent).map_err(failed)?;
        Ok(Self { given: named.into(), target, parent, temporary, _lock: lock })
    }

    /// Returns the temporary folder.
    pub(super) fn folder(&self) -> &Path {
        self.temporary.path()
    }

    /// Syncs the temporary folder and replaces the target with it.
    pub(super) fn publish(self) -> Result<(), ExportError> {
        let failed = |source| ExportError::Io { folder: self.given.clone(), source };
        sync(self.temporary.path()).map_err(failed)?;
        if self.target.symlink_metadata().is_ok() {
            exchange(self.temporary.path(), &self.target).map_err(failed)?;
            sync(&self.parent).map_err(failed)?;
            // The temporary folder now holds the old export. If removal fails, the next export
            // tries again.
            drop(self.temporary);
        } else {
            renameat_with(CWD, self.temporary.path(), CWD, &self.target, RenameFlags::NOREPLACE)
                .or_else(|_| rustix::fs::rename(self.temporary.path(), &self.target))
                .map_err(|error| failed(error.into()))?;
            // The folder was renamed: there is nothing to remove on drop.
            let _ = self.temporary.keep();
            sync(&self.parent).map_err(failed)?;
        }
        Ok(())
    }
}

/// Returns the parent, without links and dots, and the folder in it.
fn resolve(named: &Path) -> Result<(PathBuf, PathBuf), ExportError> {
    let invalid = |reason, hint| ExportError::InvalidTarget { folder: named.into(), reason, hint };
    if named.symlink_metadata().is_ok_and(|found| !found.is_dir()) {
        return Err(invalid("not a folder", "give the path of a folder"));
    }
    let Some(name) = named.file_name() else {
        return Err(invalid("the path has no folder name", "give a folder inside it"));
    };
    let parent = named.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new(".")).canonicalize();
    let parent =
        parent.map_err(|_| invalid("the parent folder does not exist", "create it first"))?;
    let target = parent.join(name);
    Ok((parent, target))
}

fn check_replaceable(
    named: &Path,
    target: &Path,
    force: bool,
    keep: Option<&Path>,
) -> Result<(), ExportError> {
    let invalid = |reason, hint| ExportError::InvalidTarget { folder: named.into(), reason, hint };
    let holds = |path: io::Result<PathBuf>| path.is_ok_and(|path| path.starts_with(target));
    if keep.is_some_and(|keep| holds(keep.canonicalize())) {
        return Err(invalid("it contains the warehouse", "give another folder"));
    }
    if holds(std::env::current_dir().and_then(|here| here.canonicalize())) {
        return Err(invalid("it contains the current directory", "give another folder"));
    }
    match (force, foreign(target)) {
        (false, Some(found)) => Err(ExportError::Foreign { folder: named.into(), found }),
        _ => Ok(()),
    }
}

/// Describes content of the folder that no export wrote; `None` if there is none.
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
        return names.first().map(|name| format!("it contains `{name}` and no `{MANIFEST}`"));
    };
    let known =
        |name: &str| name == MANIFEST || manifest.files.iter().any(|file| file.file == name);
    names.iter().find(|name| !known(name)).map(|name| format!("it also contains `{name}`"))
}

/// Removes temporary folders of killed processes. The caller holds the lock, so none is in use.
fn remove_leftovers(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && entry.file_name().to_string_lossy().starts_with(TEMP_PREFIX) {
            tracing::info!("removing {}, left by a killed export", entry.path().display());
            // Best effort: a leftover does no harm.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Swaps two folders atomically (`RENAME_EXCHANGE` on Linux, `RENAME_SWAP` on macOS), or by renames
/// on a file system that cannot.
fn exchange(new: &Path, old: &Path) -> io::Result<()> {
    match renameat_with(CWD, new, CWD, old, RenameFlags::EXCHANGE) {
        Err(error) if unsupported(error) => exchange_by_renames(new, old),
        exchanged => Ok(exchanged?),
    }
}

/// Swaps two folders: renames the old folder aside first, and back if the second rename fails.
fn exchange_by_renames(new: &Path, old: &Path) -> io::Result<()> {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// File systems without an atomic exchange are rare on Linux, so their path is called directly.
    #[test]
    fn renames_swap_two_folders_or_restore_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let [new, old] = ["new", "old"].map(|name| folder.path().join(name));
        for path in [&new, &old] {
            fs::create_dir(path).unwrap();
            fs::write(path.join("name"), path.file_name().unwrap().as_encoded_bytes()).unwrap();
        }
        let name_in = |path: &Path| fs::read_to_string(path.join("name")).unwrap();
        exchange_by_renames(&new, &old).unwrap();
        assert_eq!([name_in(&new), name_in(&old)], ["old", "new"]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);

        fs::remove_dir_all(&new).unwrap();
        assert!(exchange_by_renames(&new, &old).is_err());
        assert_eq!(name_in(&old), "new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
