//! Shared state whose changes wake up waiting test threads and server tasks.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

/// Limit of all waits, so that a failing test ends. No passing test depends on it.
const PATIENCE: Duration = Duration::from_mins(2);

/// Value behind a lock.
#[derive(Debug, Default)]
pub(crate) struct Watched<T> {
    value: Mutex<T>,
    /// Wakes test threads.
    threads: Condvar,
    /// Wakes server tasks.
    tasks: Notify,
}

impl<T> Watched<T> {
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the value, and wakes everything that waits for a change.
    pub(crate) fn update<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let result = change(&mut self.lock());
        self.threads.notify_all();
        self.tasks.notify_waiters();
        result
    }

    /// Blocks the thread until the condition is true. Panics with a description after [`PATIENCE`].
    pub(crate) fn wait_until(
        &self,
        condition: impl Fn(&T) -> bool,
        describe: impl FnOnce(&T) -> String,
    ) {
        let waited =
            self.threads.wait_timeout_while(self.lock(), PATIENCE, |value| !condition(value));
        let (value, _) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(condition(&value), "still {} after {PATIENCE:?}", describe(&value));
    }

    /// Waits in a task until `check` returns a value. Returns `None` after [`PATIENCE`].
    pub(crate) async fn when<R>(&self, mut check: impl FnMut(&mut T) -> Option<R>) -> Option<R> {
        let result = timeout(PATIENCE, async {
            loop {
                let change = self.tasks.notified();
                tokio::pin!(change);
                // Registered before the check: a change between the two is not missed.
                change.as_mut().enable();
                if let Some(result) = check(&mut self.lock()) {
                    return result;
                }
                change.await;
            }
        });
        result.await.ok()
    }
}
