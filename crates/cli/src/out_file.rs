//! A file that is there whole or not at all: filled beside its place, and named when it is done.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::failure::Failure;
use sparkify_warehouse::WarehouseError;

/// Makes the file at `path` of what `writes` writes to it. A file that is there already is replaced if `replace` says so.
pub(super) fn write<T>(
    path: &Path,
    replace: bool,
    writes: impl FnOnce(&mut BufWriter<&mut File>) -> Result<T, WarehouseError>,
) -> Result<T, Failure> {
    let path = place(path, replace)?;
    let failed = |error: &io::Error| {
        let message = format!("cannot write `{}`: {error}", path.display());
        Failure::new(message, "name a file in a folder that is there, may be written and has space")
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = new_file(folder.unwrap_or(Path::new("."))).map_err(|error| failed(&error))?;
    let filled = {
        let mut out = BufWriter::new(file.as_file_mut());
        writes(&mut out).and_then(|made| out.flush().map(|()| made).map_err(WarehouseError::Sink))
    };
    let made = match filled {
        Err(WarehouseError::Sink(error)) => return Err(failed(&error)),
        other => other?,
    };
    file.as_file().sync_all().map_err(|error| failed(&error))?;
    let named = if replace { file.persist(&path) } else { file.persist_noclobber(&path) };
    match named {
        Ok(_) => Ok(made),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            Err(there_already(&path))
        }
        Err(error) => Err(failed(&error.error)),
    }
}

/// Where the file comes to lie: a link's own target, so that the link stays one.
fn place(path: &Path, replace: bool) -> Result<PathBuf, Failure> {
    if !replace && path.symlink_metadata().is_ok() {
        return Err(there_already(path));
    }
    match path.metadata() {
        Ok(found) if !found.is_file() => {
            let message = format!("`{}` is no ordinary file", path.display());
            Err(Failure::new(message, "name a file, or `-` for standard output"))
        }
        Ok(_) => Ok(path.canonicalize().unwrap_or_else(|_| path.to_path_buf())),
        Err(_) => Ok(path.to_path_buf()),
    }
}

/// A file that goes away unless it is given a name, readable by whom any new file is.
fn new_file(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".sparkify-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

fn there_already(file: &Path) -> Failure {
    Failure::new(
        format!("`{}` is there already", file.display()),
        "name another file, or replace it with `--force`",
    )
}
