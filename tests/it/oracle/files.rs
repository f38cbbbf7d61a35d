//! Lists the files of a folder and decompresses them (rules, section Files).

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Returns the files to read, as (path below the folder with `/`, path on disk), sorted.
pub(super) fn objects(folder: &Path) -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    walk(folder, "", &mut Vec::new(), &mut found);
    found.sort();
    found
}

/// "Below the given folder, names that start with `.` or `_` are skipped." "Symbolic links are
/// followed, cycles are not": `above` holds the parent folders.
fn walk(folder: &Path, prefix: &str, above: &mut Vec<PathBuf>, found: &mut Vec<(String, PathBuf)>) {
    let real = folder.canonicalize().unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    if above.contains(&real) {
        return;
    }
    above.push(real);
    for entry in fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.expect("a folder's entry can be read").path();
        let name = path.file_name().expect("an entry has a name").to_string_lossy().into_owned();
        if name.starts_with(['.', '_']) {
            continue;
        }
        let object = format!("{prefix}{name}");
        if path.is_dir() {
            walk(&path, &format!("{object}/"), above, found);
        } else {
            found.push((object, path));
        }
    }
    above.pop();
}

/// Returns the decompressed bytes of a file. Panics where the load must fail.
pub(super) fn content(path: &Path) -> Vec<u8> {
    let stored = fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let name = path.to_string_lossy();
    let compressed = stored.starts_with(&GZIP) || stored.starts_with(&ZSTANDARD);
    assert!(
        compressed || !(name.ends_with(".gz") || name.ends_with(".zst")),
        "`{name}` is not in the format of its name, which fails the load"
    );
    inflated(&stored)
        .unwrap_or_else(|e| panic!("`{name}` has damaged compression, which fails the load: {e}"))
}

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTANDARD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// "The first bytes decide the compression. Concatenated gzip members and Zstandard frames are
/// supported."
pub(super) fn inflated(stored: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    if stored.starts_with(&GZIP) {
        flate2::read::MultiGzDecoder::new(stored).read_to_end(&mut plain)?;
    } else if stored.starts_with(&ZSTANDARD) {
        zstd::stream::read::Decoder::new(stored)?.read_to_end(&mut plain)?;
    } else {
        plain.extend_from_slice(stored);
    }
    Ok(plain)
}
