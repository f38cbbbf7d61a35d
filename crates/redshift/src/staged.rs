//! Staged files in S3: written by this program, read by the cluster with COPY, removed afterwards.
//!
//! Each load into a table has its own folder below the staging prefix. The folder's name contains
//! its creation time. Its files are removed after success and failure. The leftovers of a killed
//! process are removed by a later load, once they are older than the configured retention.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::json_lines::JsonLines;
use super::part_writer::PartWriter;
use super::service::aws_failed;
use sparkify_aws::{AwsError, Landing};
use sparkify_warehouse::{Batch, RowSource, UploadedFiles, WarehouseError, WrittenRows};

/// Prefix of folder names. Only objects below such a folder are ever removed.
const FOLDER_PREFIX: &str = "sparkify-load-";
/// Bytes of JSON lines that are appended to a file at a time.
const CHUNK_BYTES: usize = 256 << 10;

/// Staging settings.
#[derive(Debug, Clone)]
pub(super) struct Staging {
    pub place: Landing,
    /// IAM role that the cluster assumes to read the files.
    pub role: String,
    /// Region of the bucket.
    pub region: String,
    /// Age after which a leftover folder may be removed; a younger one may be in use.
    pub retention: Duration,
    /// Number of threads that write files.
    pub threads: usize,
}

/// Removes the files. A later load removes files that could not be removed.
pub(super) fn clear(folder: &Landing) {
    match folder.clear() {
        Ok(files) => tracing::debug!("removed {files} files from `{}`", folder.location()),
        Err(error) => tracing::warn!("{error}; a later load removes the remaining files"),
    }
}

impl Staging {
    /// Writes all rows of `source` to files, and then their manifest.
    pub(super) fn write(
        &self,
        table: &str,
        columns: &[String],
        slices: usize,
        source: &Arc<dyn RowSource>,
    ) -> Result<WrittenRows, WarehouseError> {
        let folder = self.place.below(&folder_name());
        // Created before the first file, so that its drop removes the files after an error too.
        let files = self.files_of(&folder);
        let writer = PartWriter::new(folder.clone(), table, slices);
        let encoder = JsonLines::new(columns, &source.types());
        let written = match self.write_rows(&writer, &encoder, source) {
            Ok(rows) => writer.finish().map_err(|error| failed(&error)).map(|files| (rows, files)),
            Err(error) => {
                writer.abort();
                Err(error)
            }
        };
        let (rows, parts) = written?;
        let manifest = "manifest.json";
        let entries = parts.iter().map(|part| (part.url.as_str(), part.size));
        folder.put(manifest, manifest_of(entries)).map_err(|error| failed(&error))?;
        let manifest = folder.url_of(manifest);
        let (table, parts) = (table.to_owned(), parts.len() as u64);
        Ok(WrittenRows { table, rows, files: parts, manifest, folder: files })
    }

    /// Returns the owner of a folder: dropping it removes all files there, including later ones.
    pub(super) fn files_of(&self, folder: &Landing) -> UploadedFiles {
        let to_clear = folder.clone();
        let (role, region) = (self.role.clone(), self.region.clone());
        UploadedFiles::new(folder.location(), role, region, move || clear(&to_clear))
    }

    /// Writes rows on all threads. The first failure stops the other threads.
    fn write_rows(
        &self,
        writer: &PartWriter,
        encoder: &JsonLines,
        source: &Arc<dyn RowSource>,
    ) -> Result<u64, WarehouseError> {
        let stopped = AtomicBool::new(false);
        let work = || {
            let written = write_rows_of_thread(writer, encoder, source.as_ref(), &stopped);
            if written.is_err() {
                stopped.store(true, Ordering::Relaxed);
            }
            written
        };
        std::thread::scope(|scope| {
            let others: Vec<_> = (1..self.threads).map(|_| scope.spawn(work)).collect();
            let mut all = work();
            for other in others {
                let more = other.join().unwrap_or_else(|_| {
                    Err(internal("a thread that writes staged files panicked"))
                });
                all = all.and_then(|rows| more.map(|more| rows + more));
            }
            all
        })
    }

    /// Removes the leftovers of killed loads.
    pub(super) fn remove_leftovers(&self) {
        remove_leftovers(&self.place, self.retention);
    }
}

/// Removes the objects of killed loads below `place` that are older than `retention`.
///
/// The age is taken from the folder's name, so objects in folders with other names are kept.
pub(super) fn remove_leftovers(place: &Landing, retention: Duration) {
    let Ok(objects) = place.list().inspect_err(|error| tracing::debug!("{error}")) else {
        return;
    };
    let now = seconds();
    let is_old = |key: &str| {
        let created = key.split('/').find_map(|part| {
            part.strip_prefix(FOLDER_PREFIX)?.split('-').next()?.parse::<u64>().ok()
        });
        created.is_some_and(|created| created.saturating_add(retention.as_secs()) <= now)
    };
    let old: Vec<_> = objects.iter().filter(|object| is_old(&object.key)).collect();
    for object in &old {
        if let Err(error) = place.remove(&object.key) {
            return tracing::warn!("{error}; a later load removes it");
        }
    }
    if !old.is_empty() {
        tracing::info!("removed {} leftover files of interrupted loads", old.len());
    }
}

fn write_rows_of_thread(
    writer: &PartWriter,
    encoder: &JsonLines,
    source: &dyn RowSource,
    stopped: &AtomicBool,
) -> Result<u64, WarehouseError> {
    let (mut batch, mut text, mut rows) = (Batch::new(&source.types()), Vec::new(), 0);
    while !stopped.load(Ordering::Relaxed) {
        batch.clear();
        source
            .next(&mut batch)
            .map_err(|message| WarehouseError::Statement { message, hint: None })?;
        rows += batch.len() as u64;
        encoder.write(&batch, &mut text);
        if text.len() >= CHUNK_BYTES || (batch.is_empty() && !text.is_empty()) {
            writer.write(&text).map_err(|error| failed(&error))?;
            text.clear();
        }
        if batch.is_empty() {
            break;
        }
    }
    Ok(rows)
}

/// Returns a new folder name: creation time and a random suffix.
pub(super) fn folder_name() -> String {
    format!(
        "{FOLDER_PREFIX}{}-{}",
        seconds(),
        &uuid::Uuid::from_u128(random()).simple().to_string()[..16]
    )
}

pub(super) fn random() -> u128 {
    use std::hash::{BuildHasher, Hasher};
    // Each `RandomState` has its own random keys.
    let half =
        || u128::from(std::collections::hash_map::RandomState::new().build_hasher().finish());
    half() << 64 | half()
}

fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Returns the manifest of COPY. All files are mandatory, so COPY fails if one is missing.
pub(super) fn manifest_of<'a>(files: impl Iterator<Item = (&'a str, u64)>) -> Vec<u8> {
    let entry = |(url, size)| serde_json::json!({ "url": url, "mandatory": true, "meta": { "content_length": size } });
    let entries: Vec<_> = files.map(entry).collect();
    serde_json::json!({ "entries": entries }).to_string().into_bytes()
}

fn internal(message: &str) -> WarehouseError {
    WarehouseError::Statement { message: message.into(), hint: None }
}

/// Converts a failure of S3.
pub(super) fn failed(error: &AwsError) -> WarehouseError {
    aws_failed(error)
}
