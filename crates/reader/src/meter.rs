//! How far a load is, for whoever watches: counters that the readers advance and a terminal reads.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// The counters of one load.
#[derive(Debug, Default)]
pub struct Meter {
    step: Mutex<String>,
    /// Tells whoever sees no step.
    tell: Option<fn(&str)>,
    /// Objects that will be read.
    pub objects_total: AtomicU64,
    /// Their bytes as they lie in the source.
    pub bytes_total: AtomicU64,
    /// Objects read to their end.
    pub objects: AtomicU64,
    /// Bytes of these.
    pub bytes: AtomicU64,
    /// Records met.
    pub records: AtomicU64,
}

impl Meter {
    /// One that tells in words what is worth telling beside the steps.
    pub fn telling(tell: fn(&str)) -> Self {
        Self { tell: Some(tell), ..Self::default() }
    }

    /// Says that nothing goes on until something else has ended.
    pub fn wait_for(&self, other: &str) {
        self.enter(&format!("wait for {other}"));
        if let Some(tell) = self.tell {
            tell(&format!("waiting for {other}"));
        }
    }

    /// Says what is being done from now on.
    pub fn enter(&self, step: &str) {
        tracing::info!("{step}");
        step.clone_into(&mut self.step.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Counts from nothing again: the load begins anew.
    pub fn restart(&self) {
        for counter in [&self.objects, &self.bytes, &self.records] {
            counter.store(0, Ordering::Relaxed);
        }
    }

    /// What is being done.
    pub fn step(&self) -> String {
        self.step.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds to a counter of this meter.
    pub fn advance(counter: &AtomicU64, by: u64) {
        counter.fetch_add(by, Ordering::Relaxed);
    }
}
