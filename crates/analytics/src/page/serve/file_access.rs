//! Coordination of requests that open the same `DuckDB` file in this process.
//!
//! POSIX file locks belong to the process: closing any handle of a file releases the locks of all
//! other handles. A load could then start while another request still reads. Requests that overlap
//! therefore form a round: all keep the file open until the last statement of the round has ended,
//! then all close it. A round accepts new requests only for [`MAX_JOIN`], so that a waiting load
//! gets the file even under continuous requests.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Time during which requests may join a round.
const MAX_JOIN: Duration = Duration::from_mins(1);

/// Groups overlapping requests into rounds.
#[derive(Debug, Default)]
pub(super) struct FileAccess {
    round: Mutex<Round>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Round {
    /// Sessions that run a statement.
    active: usize,
    /// Sessions that have ended their statement and keep the file open.
    done: usize,
    /// True once no session is active: sessions close the file, and no request may join.
    closing: bool,
    began: Option<Instant>,
}

/// Membership in a round. Dropping it waits for the end of the round, then drops the resource.
pub(super) struct FileSession<T> {
    /// Warehouse connection, once opened.
    pub(super) resource: Option<T>,
    access: Arc<FileAccess>,
}

impl FileAccess {
    /// Joins the current round, or waits for the next if it is closing or full.
    pub(super) fn enter<T>(self: &Arc<Self>) -> FileSession<T> {
        let full = |round: &mut Round| {
            round.closing || round.began.is_some_and(|began| began.elapsed() > MAX_JOIN)
        };
        let mut round = self.wait_while(self.lock(), full);
        round.active += 1;
        round.began.get_or_insert_with(Instant::now);
        FileSession { resource: None, access: Arc::clone(self) }
    }

    fn lock(&self) -> MutexGuard<'_, Round> {
        self.round.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while<'a>(
        &self,
        round: MutexGuard<'a, Round>,
        condition: impl FnMut(&mut Round) -> bool,
    ) -> MutexGuard<'a, Round> {
        self.changed.wait_while(round, condition).unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Drop for FileSession<T> {
    fn drop(&mut self) {
        let mut round = self.access.lock();
        round.active -= 1;
        round.done += 1;
        if round.active == 0 {
            round.closing = true;
            self.access.changed.notify_all();
        }
        // The lock is released before closing the file, so that all sessions can close it.
        drop(self.access.wait_while(round, |round| !round.closing));
        self.resource = None;
        let mut round = self.access.lock();
        round.done -= 1;
        // The last session to close starts a new round.
        if round.done == 0 {
            *round = Round::default();
            self.access.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records when it is dropped.
    struct Resource(Arc<Mutex<Vec<u32>>>, u32);

    impl Drop for Resource {
        fn drop(&mut self) {
            self.0.lock().unwrap().push(self.1);
        }
    }

    #[test]
    fn overlapping_sessions_close_together() {
        let (access, gone) = (Arc::new(FileAccess::default()), Arc::new(Mutex::new(Vec::new())));
        let mut long = access.enter();
        long.resource = Some(Resource(Arc::clone(&gone), 1));
        let short = {
            let (access, gone) = (Arc::clone(&access), Arc::clone(&gone));
            std::thread::spawn(move || {
                let mut session = access.enter();
                session.resource = Some(Resource(gone, 2));
            })
        };
        while access.lock().done == 0 {
            std::thread::yield_now();
        }
        assert!(gone.lock().unwrap().is_empty(), "the first still reads");
        drop(long);
        short.join().unwrap();
        let mut order = gone.lock().unwrap().clone();
        order.sort_unstable();
        assert_eq!(order, [1, 2]);
        let next: FileSession<Resource> = access.enter();
        assert_eq!(access.lock().active, 1, "the next round begins");
        drop(next);
    }
}
