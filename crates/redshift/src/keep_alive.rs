//! What keeps a session of the Data API alive while nobody sends a statement: files are written meanwhile, for as long as that takes.
//!
//! A session ends soon after the last statement, so that what a killed program had open, locks above all, is free again soon. While the program lives, a thread
//! sends a statement of no consequence whenever there has been none for a while. A real statement and that one wait for one another.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// When the last statement ended; whoever holds it sends one.
#[derive(Default)]
pub(super) struct Turn(Mutex<Option<Instant>>);

impl Turn {
    pub(super) fn take(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Unless somebody has it, or had it less than `ago`.
    fn take_after(&self, ago: Duration) -> Option<MutexGuard<'_, Option<Instant>>> {
        let last = match self.0.try_lock() {
            Ok(last) => last,
            Err(TryLockError::Poisoned(last)) => last.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        last.is_none_or(|last| last.elapsed() >= ago).then_some(last)
    }
}

/// The thread; it ends with this.
pub(super) struct KeepAlive {
    /// Dropped to end it.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl KeepAlive {
    /// Has `beat` called whenever nobody took a turn for `every`.
    pub(super) fn begin(
        turn: Arc<Turn>,
        every: Duration,
        beat: impl Fn() + Send + 'static,
    ) -> Self {
        let (stop, stopped) = channel::<()>();
        let thread = std::thread::spawn(move || {
            while stopped.recv_timeout(every / 2) == Err(RecvTimeoutError::Timeout) {
                if let Some(mut last) = turn.take_after(every) {
                    beat();
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
        // What it was about to say is said: the session's last statement is not this one.
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
