//! Who has the warehouse open in this process, and when it is closed.
//!
//! A file's locks belong to a process: whoever closes the file gives away the lock of everybody else in it, and a load could begin under a statement
//! that still reads. So what was opened at the same time is closed at the same time, when the last statement has ended. That a load gets its turn
//! under endless requests, nobody joins a round that has lasted long.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long others may join those who have the file open.
const ROUND: Duration = Duration::from_mins(1);

/// Lets requests in together and out together.
#[derive(Debug, Default)]
pub(super) struct Gate {
    round: Mutex<Round>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Round {
    /// Who uses what they hold.
    active: usize,
    /// Who has done, and holds it still.
    done: usize,
    /// Nobody is active any more: those who have done let go.
    closing: bool,
    began: Option<Instant>,
}

/// Something held within the gate; it is let go with all the others'.
pub(super) struct Held<T> {
    /// What is held.
    pub(super) thing: Option<T>,
    gate: Arc<Gate>,
}

impl Gate {
    /// Waits for a round that can be joined.
    pub(super) fn enter<T>(self: &Arc<Self>) -> Held<T> {
        let full = |round: &mut Round| {
            round.closing || round.began.is_some_and(|began| began.elapsed() > ROUND)
        };
        let mut round = self.wait_while(self.lock(), full);
        round.active += 1;
        round.began.get_or_insert_with(Instant::now);
        Held { thing: None, gate: Arc::clone(self) }
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

impl<T> Drop for Held<T> {
    fn drop(&mut self) {
        let mut round = self.gate.lock();
        round.active -= 1;
        round.done += 1;
        if round.active == 0 {
            round.closing = true;
            self.gate.changed.notify_all();
        }
        drop(self.gate.wait_while(round, |round| !round.closing));
        self.thing = None;
        let mut round = self.gate.lock();
        round.done -= 1;
        if round.done == 0 {
            *round = Round::default();
            self.gate.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says when it is let go.
    struct Thing(Arc<Mutex<Vec<u32>>>, u32);

    impl Drop for Thing {
        fn drop(&mut self) {
            self.0.lock().unwrap().push(self.1);
        }
    }

    #[test]
    fn what_was_opened_together_is_closed_together() {
        let (gate, gone) = (Arc::new(Gate::default()), Arc::new(Mutex::new(Vec::new())));
        let mut long = gate.enter();
        long.thing = Some(Thing(Arc::clone(&gone), 1));
        let short = {
            let (gate, gone) = (Arc::clone(&gate), Arc::clone(&gone));
            std::thread::spawn(move || {
                let mut held = gate.enter();
                held.thing = Some(Thing(gone, 2));
            })
        };
        while gate.lock().done == 0 {
            std::thread::yield_now();
        }
        assert!(gone.lock().unwrap().is_empty(), "the first still reads");
        drop(long);
        short.join().unwrap();
        let mut order = gone.lock().unwrap().clone();
        order.sort_unstable();
        assert_eq!(order, [1, 2]);
        let next: Held<Thing> = gate.enter();
        assert_eq!(gate.lock().active, 1, "the next round begins");
        drop(next);
    }
}
