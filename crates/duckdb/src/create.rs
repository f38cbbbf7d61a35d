//! Atomic creation of a warehouse file, so that a process killed during creation leaves no file
//! that cannot be opened.
//!
//! The file is created in a folder of its own and then linked to its name. The folder has a name
//! that follows from that of the file, and its creator holds a lock on it. So the next process that
//! opens the warehouse recognizes a folder that a killed process left, and removes it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use duckdb::{Config, Connection};
use sparkify_warehouse::WarehouseError;

/// Creates the file at `path` if it does not exist, and removes what a killed process left. On an
/// error it does nothing: the following open creates the file or reports the cause.
pub(super) fn prepare(path: &Path, configuration: impl FnOnce() -> duckdb::Result<Config>) {
    let Some(folder) = creation_folder(path) else { return };
    if path.exists() {
        if folder.is_dir() {
            drop(CreationFolder::lock(folder));
        }
    } else if fs::create_dir(&folder).is_ok() || folder.is_dir() {
        let Some(folder) = CreationFolder::lock(folder) else { return };
        if let Ok(configuration) = configuration() {
            folder.create(path, configuration);
        }
    }
}

/// Replaces the file at `path` by one that `fill` creates. The caller has `path` open for writing,
/// so no other process has.
pub(super) fn replace(
    path: &Path,
    fill: impl FnOnce(&Path) -> Result<(), WarehouseError>,
) -> Result<(), WarehouseError> {
    if path == Path::new(":memory:") {
        return Ok(());
    }
    let failed = |error: std::io::Error| WarehouseError::Service {
        message: format!("cannot replace `{}`: {error}", path.display()),
        hint: "check the free space and the permissions of its folder, then retry".into(),
    };
    let folder =
        creation_folder(path).filter(|folder| fs::create_dir(folder).is_ok() || folder.is_dir());
    let Some(folder) = folder.and_then(CreationFolder::lock) else {
        return Err(failed(std::io::ErrorKind::ResourceBusy.into()));
    };
    let made = folder.empty();
    fill(&made)?;
    let log = PathBuf::from(format!("{}.wal", path.display()));
    // The log would be replayed into the new file.
    if fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        return Err(failed(std::io::Error::other("its log is not empty")));
    }
    let rename = || {
        fs::set_permissions(&made, fs::metadata(path)?.permissions())?;
        File::open(&made)?.sync_all()?;
        fs::rename(&made, path)?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
    };
    rename().map_err(failed)
}

/// Returns the folder in which the file at `path` is created. Its name starts with a dot, so that
/// no load takes it for input.
fn creation_folder(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    Some(path.with_file_name(format!(".{name}.creating")))
}

/// Locked folder; it is removed when it is dropped.
struct CreationFolder {
    path: PathBuf,
    /// The lock ends when it is closed.
    _lock: File,
}

impl CreationFolder {
    /// Locks the folder; none if another process has locked it.
    fn lock(path: PathBuf) -> Option<Self> {
        let lock = File::open(&path).ok()?;
        lock.try_lock().ok()?;
        Some(Self { path, _lock: lock })
    }

    /// Returns the path of the new file, after removing what a killed process left there.
    fn empty(&self) -> PathBuf {
        let made = self.path.join("made");
        let _ = fs::remove_file(&made);
        let _ = fs::remove_file(self.path.join("made.wal"));
        made
    }

    fn create(&self, path: &Path, configuration: Config) -> Option<()> {
        let made = self.empty();
        Connection::open_with_flags(&made, configuration).ok()?.close().ok()?;
        // Unlike a rename, a hard link never replaces a file that another process created in the
        // meantime.
        fs::hard_link(&made, path).ok()
    }
}

impl Drop for CreationFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}
