//! Comparison of a listed object with its ledger entry.
//!
//! In S3, the etag identifies the version, so it decides. Of a file, size and modification time are
//! not enough: `cp -p`, `rsync -t` and a restore preserve the time of the original. The ledger
//! therefore records the time of the last change of the inode (ctime) and its number as well, which
//! no program can set. If any of them differs, the fingerprint of the content decides. So a
//! `chmod`, a hard link or a copy of the folder costs one reading of the content, and no load: the
//! new version is then recorded ([`ObjectUpdate`]).
//!
//! A member of a zip archive has the version of its archive. If the archive is another one, the
//! fingerprint decides for each member of equal size.
//!
//! Entries of sparkify before 0.2 have no file version. Their file is unchanged if its inode has
//! not changed since the load that read it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::LoadedObject;
use sparkify_source::{FileVersion, Object, SourceError};

/// Minimum age of a time that is recorded. A younger file may change again within the resolution of
/// its file system's clock, so that the time would not show the change.
const MIN_AGE: Duration = Duration::from_secs(2);

/// Result of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Unchanged,
    Changed,
}

/// New key or version of an object whose content is unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectUpdate {
    /// Number of the object in the ledger.
    pub object_id: i64,
    /// Key to record.
    pub key: Box<str>,
    /// Modification time to record.
    pub modified_ns: Option<i64>,
    /// Version to record.
    pub version: Option<Box<str>>,
}

impl ObjectUpdate {
    /// Returns the update that records the listed version of `loaded`, if that differs from its
    /// entry.
    pub(super) fn of(loaded: &LoadedObject, object: &Object, started: SystemTime) -> Option<Self> {
        if !loaded.relocated && is_recorded(loaded, object) {
            return None;
        }
        let (modified_ns, version) = recorded(object, started);
        // A version that is too recent to be recorded is compared again by the next run.
        (loaded.relocated || modified_ns.is_some()).then(|| Self {
            object_id: loaded.object_id,
            key: object.key.clone(),
            modified_ns,
            version: version.map(String::into_boxed_str),
        })
    }
}

/// Returns true if the entry holds the version of the object.
fn is_recorded(loaded: &LoadedObject, object: &Object) -> bool {
    let version = loaded.version.as_deref();
    match &object.file {
        Some(file) => {
            loaded.modified_ns == Some(object.modified_ns)
                && version.and_then(FileVersion::parse) == Some(*file)
        }
        None if object.etag.is_some() => version == object.etag.as_deref(),
        None => loaded.modified_ns == Some(object.modified_ns),
    }
}

/// Compares an object with its entry; with `verify_content` always by its content, if the
/// fingerprint is known.
pub(super) fn compare(
    loaded: &LoadedObject,
    object: &Object,
    verify_content: bool,
) -> Result<Comparison, SourceError> {
    let same = |same: bool| if same { Comparison::Unchanged } else { Comparison::Changed };
    if loaded.size != object.size {
        return Ok(Comparison::Changed);
    }
    if !verify_content || loaded.fingerprint.is_none() {
        if let (Some(loaded), Some(etag)) = (&loaded.version, &object.etag)
            && !object.is_member()
        {
            return Ok(same(loaded == etag));
        }
        if is_recorded(loaded, object) || is_older_than_its_load(loaded, object) {
            return Ok(Comparison::Unchanged);
        }
    }
    Ok(same(Some(object.fingerprint()?) == loaded.fingerprint))
}

/// Returns true if the file is the version of an entry that has none.
fn is_older_than_its_load(loaded: &LoadedObject, object: &Object) -> bool {
    let loaded_at = UNIX_EPOCH + Duration::from_millis(loaded.loaded_ms.max(0).unsigned_abs());
    loaded.version.is_none()
        && loaded.modified_ns == Some(object.modified_ns)
        && object.file.is_some_and(|file| trusted(file.changed_ns, loaded_at).is_some())
}

/// Returns the modification time and the version that the ledger records of an object that was
/// listed at `listed`: none if a later change might not alter them.
pub(super) fn recorded(object: &Object, listed: SystemTime) -> (Option<i64>, Option<String>) {
    let modified_ns = trusted(object.modified_ns, listed);
    match &object.file {
        None => (modified_ns, object.version()),
        Some(file) => match modified_ns.and(trusted(file.changed_ns, listed)) {
            Some(_) => (modified_ns, object.version()),
            None => (None, None),
        },
    }
}

/// Returns the time if any later change of the file would alter it, see [`MIN_AGE`].
fn trusted(time_ns: i64, listed: SystemTime) -> Option<i64> {
    let limit = listed.checked_sub(MIN_AGE)?.duration_since(UNIX_EPOCH).ok()?;
    (i128::from(time_ns) < i128::try_from(limit.as_nanos()).ok()?).then_some(time_ns)
}
