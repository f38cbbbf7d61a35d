//! Progress of a load: counters that the readers advance and the terminal displays.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sparkify_warehouse::Interrupter;

/// Progress counters of one load, and its cancellation.
#[derive(Default)]
pub struct Meter {
    step: Mutex<String>,
    cancelled: AtomicBool,
    /// Interrupter of the statement that a cancellation may end.
    interrupter: Mutex<Option<Interrupter>>,
    /// Receives messages where no progress line is drawn.
    tell: Option<fn(&str)>,
    /// Number of objects to read.
    pub objects_total: AtomicU64,
    /// Size of these objects, in bytes of the source (compressed).
    pub bytes_total: AtomicU64,
    /// Number of objects read to their end.
    pub objects: AtomicU64,
    /// Bytes of the source that were read.
    pub bytes: AtomicU64,
    /// Number of records, accepted or rejected.
    pub records: AtomicU64,
}

impl Meter {
    /// Creates a meter that passes messages to `tell`, for output without a progress line.
    pub fn telling(tell: fn(&str)) -> Self {
        Self { tell: Some(tell), ..Self::default() }
    }

    /// Reports that the load waits for `other`.
    pub fn wait_for(&self, other: &str) {
        self.enter(&format!("wait for {other}"));
        if let Some(tell) = self.tell {
            tell(&format!("waiting for {other}"));
        }
    }

    /// Cancels the load: ends its running statement, and stops the readers and the next step.
    ///
    /// A statement that begins at the same time may go unnoticed, so this is called repeatedly.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
        if let Some(interrupt) = &*self.interrupter() {
            interrupt();
        }
    }

    /// Returns true if the load is cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Sets the interrupter of the statements that a cancellation may end; none for those of a
    /// commit or a rollback.
    pub fn set_interrupter(&self, interrupter: Option<Interrupter>) {
        *self.interrupter() = interrupter;
    }

    fn interrupter(&self) -> MutexGuard<'_, Option<Interrupter>> {
        self.interrupter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a step of the load.
    pub fn enter(&self, step: &str) {
        tracing::info!("{step}");
        step.clone_into(&mut self.step.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Resets the counters, since the load starts again.
    pub fn restart(&self) {
        for counter in [&self.objects, &self.bytes, &self.records] {
            counter.store(0, Ordering::Relaxed);
        }
    }

    /// Returns the current step.
    pub fn step(&self) -> String {
        self.step.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds to one of the counters.
    pub fn advance(counter: &AtomicU64, by: u64) {
        counter.fetch_add(by, Ordering::Relaxed);
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter").field("step", &self.step()).finish_non_exhaustive()
    }
}
