//! Monitor of the data that `DuckDB` spills to disk when memory is exhausted.
//!
//! `DuckDB` does not report the maximum and deletes the files as soon as possible, so a thread
//! polls their folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Monitor of one folder. Dropping it ends the thread.
pub(super) struct SpillMonitor {
    max_bytes: Arc<AtomicU64>,
    /// Never sent to: dropping it closes the channel, which ends the thread.
    _stop: Sender<()>,
}

impl SpillMonitor {
    /// Starts to monitor the folder that `DuckDB` creates next to the file at `warehouse`.
    pub(super) fn watch(warehouse: &Path) -> Self {
        let mut folder = warehouse.as_os_str().to_owned();
        folder.push(".tmp");
        let (max_bytes, folder) = (Arc::new(AtomicU64::new(0)), PathBuf::from(folder));
        let (stop, stopped) = channel::<()>();
        let shared = Arc::clone(&max_bytes);
        std::thread::spawn(move || {
            while stopped.recv_timeout(POLL_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                let size = folder_size(&folder);
                let before = shared.fetch_max(size, Ordering::Relaxed);
                if before == 0 && size > 0 {
                    tracing::info!("memory is exhausted: spilling to `{}`", folder.display());
                }
            }
        });
        Self { max_bytes, _stop: stop }
    }

    /// Returns the maximum number of bytes seen at a time.
    pub(super) fn max_bytes(&self) -> u64 {
        self.max_bytes.load(Ordering::Relaxed)
    }
}

/// Returns the size of all files in a folder. A missing folder, and files deleted during the scan,
/// count as empty.
fn folder_size(folder: &Path) -> u64 {
    let Ok(files) = std::fs::read_dir(folder) else { return 0 };
    files.filter_map(|file| file.ok()?.metadata().ok()).map(|file| file.len()).sum()
}
