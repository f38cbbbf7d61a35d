//! Requests that wait until a test releases them, or until enough of them are waiting.

use crate::state::{State, matches};

/// Rule for requests that match a pattern.
#[derive(Debug)]
struct Hold {
    pattern: String,
    /// Matching requests that still pass.
    skipped: usize,
    /// Number of waiting requests that ends the hold.
    limit: usize,
    waiting: usize,
    /// Held requests pass, as do later ones.
    released: bool,
}

impl Hold {
    fn release(&mut self) {
        (self.released, self.waiting) = (true, 0);
    }
}

/// All holds, in the order of their creation.
#[derive(Debug, Default)]
pub(crate) struct Holds(Vec<Hold>);

impl Holds {
    pub(crate) fn add(&mut self, pattern: &str, skipped: usize, limit: usize) {
        let pattern = pattern.to_owned();
        self.0.push(Hold { pattern, skipped, limit, waiting: 0, released: false });
    }

    pub(crate) fn waiting(&self) -> usize {
        self.0.iter().map(|hold| hold.waiting).sum()
    }

    /// Ends all holds. They stay in the list: held requests refer to them by their index.
    pub(crate) fn clear(&mut self) {
        self.0.iter_mut().for_each(Hold::release);
    }

    /// Registers a request. Returns the index of the hold for which it has to wait.
    fn enter(&mut self, line: &str) -> Option<usize> {
        let index =
            self.0.iter().position(|hold| !hold.released && matches(line, &hold.pattern))?;
        let hold = &mut self.0[index];
        if hold.skipped > 0 {
            hold.skipped -= 1;
            return None;
        }
        hold.waiting += 1;
        if hold.waiting >= hold.limit {
            hold.release();
        }
        Some(index)
    }
}

/// Waits for as long as the request with this line of the log is held.
pub(crate) async fn pass(state: &State, line: &str) {
    let Some(index) = state.holds.update(|holds| holds.enter(line)) else { return };
    let mut held = Held { state, index, active: true };
    let released = state.holds.when(|holds| holds.0[index].released.then_some(())).await;
    if released.is_none() {
        // Too long a wait: the assertions of the test will fail.
        state.holds.update(|holds| holds.0[index].release());
    }
    held.active = false;
}

/// Held request. If its client disconnects, it no longer waits.
struct Held<'a> {
    state: &'a State,
    index: usize,
    active: bool,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if self.active {
            self.state.holds.update(|holds| {
                let hold = &mut holds.0[self.index];
                hold.waiting = hold.waiting.saturating_sub(1);
            });
        }
    }
}
