//! A folder, walked by several threads.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use ignore::{DirEntry, WalkBuilder, WalkState};

use super::{Listing, Object, Place, SourceError};
use crate::config::suggest;

/// Lists the folder or file at `location`.
pub(super) fn list(location: &str) -> Result<Listing, SourceError> {
    let root = fs::canonicalize(location).map_err(|source| absent(location, source))?;
    let key = key_of(&root)?;
    if root.is_file() {
        return Ok(Listing { root: key, objects: vec![object(&root)?], ignored: Vec::new() });
    }
    let found = Mutex::new(Ok(Listing { root: key, ..Listing::default() }));
    WalkBuilder::new(&root).standard_filters(false).follow_links(true).build_parallel().run(|| {
        Box::new(|entry| {
            let step = visit(entry);
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            note(&mut found, step)
        })
    });
    let mut listing = found.into_inner().unwrap_or_else(PoisonError::into_inner)?;
    listing.objects.sort_unstable_by(|one, other| one.key.cmp(&other.key));
    listing.ignored.sort_unstable();
    Ok(listing)
}

enum Step {
    Read(Object),
    Ignore(String),
    Descend,
}

fn visit(entry: Result<DirEntry, ignore::Error>) -> Result<Step, SourceError> {
    let entry = match entry {
        Ok(entry) => entry,
        // A link that leads back above itself: what is there is listed where it lies.
        Err(error) if is_loop(&error) => return Ok(Step::Ignore(error.to_string())),
        Err(error) => return Err(unlisted(error)),
    };
    if entry.depth() == 0 {
        return Ok(Step::Descend);
    }
    let name = entry.file_name().as_encoded_bytes();
    if name.starts_with(b".") || name.starts_with(b"_") {
        return Ok(Step::Ignore(entry.path().display().to_string()));
    }
    if entry.file_type().is_some_and(|kind| kind.is_dir()) {
        return Ok(Step::Descend);
    }
    Ok(Step::Read(object(entry.path())?))
}

fn note(found: &mut Result<Listing, SourceError>, step: Result<Step, SourceError>) -> WalkState {
    let Ok(listing) = found else { return WalkState::Quit };
    match step {
        Ok(Step::Read(object)) => listing.objects.push(object),
        Ok(Step::Ignore(name)) => {
            listing.ignored.push(name);
            return WalkState::Skip;
        }
        Ok(Step::Descend) => {}
        Err(error) => {
            *found = Err(error);
            return WalkState::Quit;
        }
    }
    WalkState::Continue
}

fn object(path: &Path) -> Result<Object, SourceError> {
    let key = key_of(path)?;
    let metadata = fs::metadata(path).map_err(|source| unreadable("list", path, source))?;
    if !metadata.is_file() {
        let source = std::io::Error::other("it is neither a file nor a folder");
        return Err(unreadable("read", path, source));
    }
    let modified_ns = modified_ns(&metadata);
    Ok(Object {
        key: key.into(),
        size: metadata.len(),
        modified_ns,
        etag: None,
        place: Place::File,
    })
}

/// The modification time; the epoch where the system keeps none.
pub(super) fn modified_ns(metadata: &fs::Metadata) -> i64 {
    let since = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.and_then(|duration| i64::try_from(duration.as_nanos()).ok()).unwrap_or(0)
}

fn key_of(path: &Path) -> Result<String, SourceError> {
    let key = path.to_str().map(str::to_owned);
    key.ok_or_else(|| SourceError::NotUtf8 { path: path.display().to_string() })
}

pub(super) fn unreadable(doing: &'static str, path: &Path, source: std::io::Error) -> SourceError {
    SourceError::Unreadable { doing, path: path.display().to_string(), source }
}

fn unlisted(error: ignore::Error) -> SourceError {
    let path = path_in(&error).unwrap_or_default();
    let source =
        error.into_io_error().unwrap_or_else(|| std::io::Error::other("it cannot be listed"));
    SourceError::Unreadable { doing: "list", path, source }
}

fn path_in(error: &ignore::Error) -> Option<String> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path.display().to_string()),
        ignore::Error::WithDepth { err, .. } => path_in(err),
        _ => None,
    }
}

fn is_loop(error: &ignore::Error) -> bool {
    match error {
        ignore::Error::Loop { .. } => true,
        ignore::Error::WithPath { err, .. } | ignore::Error::WithDepth { err, .. } => is_loop(err),
        _ => false,
    }
}

fn absent(location: &str, source: std::io::Error) -> SourceError {
    if source.kind() != std::io::ErrorKind::NotFound {
        return unreadable("list", Path::new(location), source);
    }
    let hint = match suggest::nearest_path(Path::new(location)) {
        Some(near) => format!("did you mean `{}`?", near.display()),
        None => "name a folder that is there; `sparkify generate OUT` makes one to try".into(),
    };
    SourceError::Missing { location: location.into(), hint }
}
