//! What `DuckDB` laid on disk because its memory did not suffice.
//!
//! It keeps no account of that, and takes the files away as soon as it can: their folder is looked at ten times a second.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

const EVERY: Duration = Duration::from_millis(100);

/// A folder that is watched for as long as this lives.
pub(super) struct Spill {
    most: Arc<AtomicU64>,
    /// Hung up when this is dropped, which ends the watch.
    _until: Sender<()>,
}

impl Spill {
    /// Watches the folder that `DuckDB` makes beside the file at `warehouse`.
    pub(super) fn watch(warehouse: &Path) -> Self {
        let mut folder = warehouse.as_os_str().to_owned();
        folder.push(".tmp");
        let (most, folder) = (Arc::new(AtomicU64::new(0)), PathBuf::from(folder));
        let (until, ended) = channel::<()>();
        let seen = Arc::clone(&most);
        std::thread::spawn(move || {
            while ended.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                let now = size(&folder);
                let before = seen.fetch_max(now, Ordering::Relaxed);
                if before == 0 && now > 0 {
                    tracing::info!("memory does not suffice: spilling to `{}`", folder.display());
                }
            }
        });
        Self { most, _until: until }
    }

    /// The most bytes that lay there at a time.
    pub(super) fn most(&self) -> u64 {
        self.most.load(Ordering::Relaxed)
    }
}

/// Bytes of the files in a folder; none where there is no folder, or a file goes while it is looked at.
fn size(folder: &Path) -> u64 {
    let Ok(files) = std::fs::read_dir(folder) else { return 0 };
    files.filter_map(|file| file.ok()?.metadata().ok()).map(|file| file.len()).sum()
}
