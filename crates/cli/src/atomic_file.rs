//! Atomic writes: fills a temporary file in the target's folder, syncs and renames it, and syncs
//! the folder.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::failure::Failure;
use sparkify_warehouse::WarehouseError;

/// Writes the file at `path` atomically with what `fill` writes. Replaces an existing file only if
/// `replace`.
pub(super) fn write<T>(
    path: &Path,
    replace: bool,
    fill: impl FnOnce(&mut BufWriter<&mut File>) -> Result<T, WarehouseError>,
) -> Result<T, Failure> {
    let path = target(path, replace)?;
    let failed = |error: &io::Error| {
        let message = format!("cannot write `{}`: {error}", path.display());
        Failure::new(message, "check that the folder exists, is writable and has free space")
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut temporary =
        temporary_file(folder.unwrap_or(Path::new("."))).map_err(|error| failed(&error))?;
    keep_permissions(&path, temporary.as_file()).map_err(|error| failed(&error))?;
    let filled = {
        let mut out = BufWriter::new(temporary.as_file_mut());
        fill(&mut out).and_then(|made| out.flush().map(|()| made).map_err(WarehouseError::Sink))
    };
    let made = match filled {
        Err(WarehouseError::Sink(error)) => return Err(failed(&error)),
        other => other?,
    };
    temporary.as_file().sync_all().map_err(|error| failed(&error))?;
    let renamed =
        if replace { temporary.persist(&path) } else { temporary.persist_noclobber(&path) };
    match renamed {
        Ok(_) => {
            // The new name is in the folder: it must reach the disk too.
            sync_folder(&path).map_err(|error| failed(&error))?;
            Ok(made)
        }
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            Err(already_exists(&path))
        }
        Err(error) => Err(failed(&error.error)),
    }
}

/// Gives the new file the permissions of the file that it replaces: a private file stays private.
fn keep_permissions(path: &Path, file: &File) -> io::Result<()> {
    match path.metadata() {
        Ok(found) => file.set_permissions(found.permissions()),
        Err(_) => Ok(()),
    }
}

/// Writes the folder of a file to disk. A file system without support for that writes it by itself.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all()) {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        // A folder may permit writing and not reading.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        synced => synced,
    }
}

/// Returns the path to rename to. A symbolic link is resolved, so that the link itself is kept.
fn target(path: &Path, replace: bool) -> Result<PathBuf, Failure> {
    if !replace && path.symlink_metadata().is_ok() {
        return Err(already_exists(path));
    }
    match path.metadata() {
        Ok(found) if !found.is_file() => {
            let message = format!("`{}` is not a regular file", path.display());
            Err(Failure::new(message, "name a file, or `-` for standard output"))
        }
        Ok(_) => Ok(path.canonicalize().unwrap_or_else(|_| path.to_path_buf())),
        Err(_) => Ok(path.to_path_buf()),
    }
}

/// Creates a file that is deleted unless it is renamed. Its mode follows the umask, as for any new
/// temporary.
fn temporary_file(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".sparkify-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

fn already_exists(file: &Path) -> Failure {
    Failure::new(
        format!("`{}` already exists", file.display()),
        "name another file, or replace it with `--force`",
    )
}
