//! Rows into a table by files in S3: written here, read by the cluster with COPY, gone afterwards.
//!
//! Each load into a table has a folder of its own below the place that was named, whose name tells when it was made. Whatever happens, the folder is
//! emptied; what a process that was killed left there, the next load removes once it is old enough to belong to nobody.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::lanes::{Done, Lanes};
use super::lines::Shape;
use super::service::aws_failed;
use sparkify_aws::{AwsError, Landing};
use sparkify_warehouse::{Batch, RowSource, WarehouseError};

/// What the name of each folder begins with: nothing else is ever removed.
const MARK: &str = "sparkify-load-";
/// Bytes of lines that are handed to a file at a time.
const PIECE: usize = 256 << 10;

/// Where files go, and who reads them.
#[derive(Debug, Clone)]
pub(super) struct Staging {
    pub place: Landing,
    /// The role that the cluster takes on to read them.
    pub role: String,
    /// Of the bucket.
    pub region: String,
    /// How long a folder is left alone that somebody may still be using.
    pub keep: Duration,
    /// How many threads write.
    pub threads: usize,
}

/// Files that are there, whole.
pub(super) struct Landed {
    pub folder: Landing,
    /// The URL of the list of them.
    pub manifest: String,
    pub files: Vec<Done>,
    pub rows: u64,
}

impl Landed {
    /// Removes the files. What stays for whatever reason is removed by a later load.
    pub(super) fn clear(&self) {
        clear(&self.folder);
    }
}

pub(super) fn clear(folder: &Landing) {
    match folder.clear() {
        Ok(files) => tracing::debug!("{files} files removed from `{}`", folder.location()),
        Err(error) => tracing::warn!("{error}; a later load removes what is left"),
    }
}

impl Staging {
    /// Writes every row of `source` into files, and the list of them.
    pub(super) fn write(
        &self,
        table: &str,
        columns: &[String],
        slices: usize,
        source: &Arc<dyn RowSource>,
    ) -> Result<Landed, WarehouseError> {
        let folder = self.place.below(&folder_name());
        let lanes = Lanes::new(folder.clone(), table, slices);
        let shape = Shape::new(columns, &source.types());
        let written = match self.drain(&lanes, &shape, source) {
            Ok(rows) => lanes.finish().map_err(failed).map(|files| (rows, files)),
            Err(error) => {
                lanes.give_up();
                Err(error)
            }
        };
        let listed = written.and_then(|(rows, files)| {
            let manifest = "manifest.json";
            let entries = files.iter().map(|file| (file.url.as_str(), file.size));
            folder.put(manifest, manifest_of(entries)).map_err(failed)?;
            let manifest = folder.url_of(manifest);
            Ok(Landed { folder: folder.clone(), manifest, files, rows })
        });
        if listed.is_err() {
            clear(&folder);
        }
        listed
    }

    /// Every thread takes rows and writes them; the first failure ends all.
    fn drain(
        &self,
        lanes: &Lanes,
        shape: &Shape,
        source: &Arc<dyn RowSource>,
    ) -> Result<u64, WarehouseError> {
        let ended = AtomicBool::new(false);
        let work = || {
            let written = drain_one(lanes, shape, source.as_ref(), &ended);
            if written.is_err() {
                ended.store(true, Ordering::Relaxed);
            }
            written
        };
        std::thread::scope(|scope| {
            let others: Vec<_> = (1..self.threads).map(|_| scope.spawn(work)).collect();
            let mut all = work();
            for other in others {
                let more =
                    other.join().unwrap_or_else(|_| Err(vague("a thread that wrote rows ended")));
                all = all.and_then(|rows| more.map(|more| rows + more));
            }
            all
        })
    }

    /// Removes folders that belong to nobody any more.
    pub(super) fn sweep(&self) {
        sweep(&self.place, self.keep);
    }
}

/// Removes what loads left in `place` that were cut off, once it is as old as `keep`.
pub(super) fn sweep(place: &Landing, keep: Duration) {
    let Ok(landed) = place.list().inspect_err(|error| tracing::debug!("{error}")) else {
        return;
    };
    let now = seconds();
    let is_old = |key: &str| {
        let made = key
            .split('/')
            .find_map(|part| part.strip_prefix(MARK)?.split('-').next()?.parse::<u64>().ok());
        made.is_some_and(|made| made.saturating_add(keep.as_secs()) <= now)
    };
    let old: Vec<_> = landed.iter().filter(|landed| is_old(&landed.key)).collect();
    for landed in &old {
        if let Err(error) = place.remove(&landed.key) {
            return tracing::warn!("{error}; a later load removes it");
        }
    }
    if !old.is_empty() {
        tracing::info!("{} files removed that a load which was cut off had left", old.len());
    }
}

fn drain_one(
    lanes: &Lanes,
    shape: &Shape,
    source: &dyn RowSource,
    ended: &AtomicBool,
) -> Result<u64, WarehouseError> {
    let (mut batch, mut text, mut rows) = (Batch::new(&source.types()), Vec::new(), 0);
    while !ended.load(Ordering::Relaxed) {
        batch.clear();
        source
            .next(&mut batch)
            .map_err(|message| WarehouseError::Statement { message, hint: None })?;
        rows += batch.len() as u64;
        shape.write(&batch, &mut text);
        if text.len() >= PIECE || (batch.is_empty() && !text.is_empty()) {
            lanes.write(&text).map_err(failed)?;
            text.clear();
        }
        if batch.is_empty() {
            break;
        }
    }
    Ok(rows)
}

/// A folder's name: when it was made, and what no other has.
pub(super) fn folder_name() -> String {
    format!("{MARK}{}-{}", seconds(), &uuid::Uuid::from_u128(random()).simple().to_string()[..16])
}

pub(super) fn random() -> u128 {
    use std::hash::{BuildHasher, Hasher};
    // Each `RandomState` has keys of its own.
    let half =
        || u128::from(std::collections::hash_map::RandomState::new().build_hasher().finish());
    half() << 64 | half()
}

fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Every file, none of which may be missing.
pub(super) fn manifest_of<'a>(files: impl Iterator<Item = (&'a str, u64)>) -> Vec<u8> {
    let entry = |(url, size)| serde_json::json!({ "url": url, "mandatory": true, "meta": { "content_length": size } });
    let entries: Vec<_> = files.map(entry).collect();
    serde_json::json!({ "entries": entries }).to_string().into_bytes()
}

fn vague(message: &str) -> WarehouseError {
    WarehouseError::Statement { message: message.into(), hint: None }
}

/// What went wrong with S3.
pub(super) fn failed(error: AwsError) -> WarehouseError {
    aws_failed(&error)
}
