//! Keep-alive of a Data API session while no statement is sent, for example during the upload of
//! staged files.
//!
//! The service ends a session soon after its last statement. This releases the locks of a killed
//! program early. While the program runs, a thread sends a trivial statement whenever the session
//! has been idle for a while. A lock keeps it and real statements from overlapping.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Lock for sending a statement. Contains the time when the last statement ended.
#[derive(Default)]
pub(super) struct SessionLock(Mutex<Option<Instant>>);

impl SessionLock {
    pub(super) fn lock(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Acquires the lock if it is free and the session has been idle for at least `idle`.
    fn try_lock_idle(&self, idle: Duration) -> Option<MutexGuard<'_, Option<Instant>>> {
        let last = match self.0.try_lock() {
            Ok(last) => last,
            Err(TryLockError::Poisoned(last)) => last.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        last.is_none_or(|last| last.elapsed() >= idle).then_some(last)
    }
}

/// Handle of the keep-alive thread. Dropping it stops the thread.
pub(super) struct KeepAlive {
    /// Dropping the sender stops the thread.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl KeepAlive {
    /// Starts a thread that calls `ping` whenever the session has been idle for `every`.
    pub(super) fn begin(
        lock: Arc<SessionLock>,
        every: Duration,
        ping: impl Fn() + Send + 'static,
    ) -> Self {
        let (stop, stopped) = channel::<()>();
        let thread = std::thread::spawn(move || {
            while stopped.recv_timeout(every / 2) == Err(RecvTimeoutError::Timeout) {
                if let Some(mut last) = lock.try_lock_idle(every) {
                    ping();
                    *last = Some(Instant::now());
                }
            }
        });
        Self { stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for KeepAlive {
    fn drop(&mut self) {
        drop(self.stop.take());
        // Wait for a running ping: the statement that ends the session must be the last one.
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
