//! How many requests at once: more while that makes the store give more, half as many when it says that it is too much.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many it begins with.
const FIRST: usize = 16;
/// A round must give so much more than the best before it to count as more.
const GROWTH: f64 = 1.05;
/// After so many rounds without growth a few more are tried: what was in the way may be gone.
const PATIENCE: u32 = 8;
/// A round is at least so long: shorter ones measure chance.
const SHORTEST: Duration = Duration::from_millis(10);

/// Hands out permits in the order in which they are asked for.
#[derive(Debug)]
pub(super) struct Limiter {
    permits: Arc<Semaphore>,
    state: Mutex<State>,
    most: usize,
}

#[derive(Debug)]
struct State {
    limit: usize,
    /// Permits that are out and will not come back, since the limit was cut.
    debt: usize,
    /// Whether it was never too much: then the limit doubles.
    doubling: bool,
    cut_at: Option<Instant>,
    round: Round,
    /// Requests and bytes a second of the best round at about this limit.
    best: (f64, f64),
    flat: u32,
}

/// What came since it began.
#[derive(Debug)]
struct Round {
    began: Instant,
    requests: usize,
    bytes: u64,
    /// Whether somebody waited: else the limit was not what held it back.
    full: bool,
}

impl Round {
    fn new() -> Self {
        Self { began: Instant::now(), requests: 0, bytes: 0, full: false }
    }
}

/// One request's place. Dropping it makes room for another.
#[derive(Debug)]
pub(super) struct Permit {
    limiter: Arc<Limiter>,
    place: Option<OwnedSemaphorePermit>,
    began: Instant,
}

impl Limiter {
    /// At most `most` at once, ever.
    pub(super) fn new(most: usize) -> Self {
        let limit = most.min(FIRST);
        let state = State {
            limit,
            debt: 0,
            doubling: true,
            cut_at: None,
            round: Round::new(),
            best: (0.0, 0.0),
            flat: 0,
        };
        Self { permits: Arc::new(Semaphore::new(limit)), state: Mutex::new(state), most }
    }

    /// Waits for a place.
    pub(super) async fn enter(self: &Arc<Self>) -> Permit {
        let place = if let Ok(place) = Arc::clone(&self.permits).try_acquire_owned() {
            Some(place)
        } else {
            self.state().round.full = true;
            // The semaphore is never closed: an error cannot come.
            Arc::clone(&self.permits).acquire_owned().await.ok()
        };
        Permit { limiter: Arc::clone(self), place, began: Instant::now() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn grow(&self, state: &mut State, to: usize) {
        let more = to.min(self.most).saturating_sub(state.limit);
        let paid = more.min(state.debt);
        state.debt -= paid;
        state.limit += more;
        self.permits.add_permits(more - paid);
        if more > 0 {
            tracing::debug!("{} requests at once", state.limit);
        }
    }

    /// Judges the round that has just ended.
    fn judge(&self, state: &mut State) {
        let round = std::mem::replace(&mut state.round, Round::new());
        if !round.full {
            return;
        }
        let seconds = round.began.elapsed().as_secs_f64();
        let rate = (round.requests as f64 / seconds, round.bytes as f64 / seconds);
        if rate.0 > state.best.0 * GROWTH || rate.1 > state.best.1 * GROWTH {
            state.best = rate;
            state.flat = 0;
            let more = if state.doubling { state.limit } else { (state.limit / 8).max(1) };
            self.grow(state, state.limit + more);
        } else {
            state.flat += 1;
            if state.flat >= PATIENCE {
                state.flat = 0;
                state.best = rate;
                self.grow(state, state.limit + (state.limit / 8).max(1));
            }
        }
    }
}

impl Permit {
    /// The request went well and gave so many bytes.
    pub(super) fn succeeded(self, bytes: u64) {
        let mut state = self.limiter.state();
        state.round.requests += 1;
        state.round.bytes += bytes;
        if state.round.requests >= state.limit && state.round.began.elapsed() >= SHORTEST {
            self.limiter.judge(&mut state);
        }
    }

    /// The store said that it is too much, or nothing. Requests that began before the last cut have been answered for by it.
    pub(super) fn overran(self) {
        let mut state = self.limiter.state();
        if state.cut_at.is_some_and(|cut| self.began < cut) {
            return;
        }
        let half = (state.limit / 2).max(1);
        let fewer = state.limit - half;
        state.debt += fewer - self.limiter.permits.forget_permits(fewer);
        state.limit = half;
        state.doubling = false;
        state.cut_at = Some(Instant::now());
        state.best = (0.0, 0.0);
        state.flat = 0;
        state.round = Round::new();
        tracing::debug!("too much: {half} requests at once");
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.limiter.state();
        if state.debt > 0 {
            state.debt -= 1;
            if let Some(place) = self.place.take() {
                place.forget();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(limiter: &Limiter) -> usize {
        limiter.state().limit
    }

    #[tokio::test]
    async fn it_grows_while_that_gives_more_and_halves_when_it_is_too_much() {
        let limiter = Arc::new(Limiter::new(64));
        let mut out = Vec::new();
        for _ in 0..FIRST {
            out.push(limiter.enter().await);
        }
        limiter.state().round.full = true;
        tokio::time::sleep(SHORTEST).await;
        for permit in out {
            permit.succeeded(1);
        }
        assert_eq!(limit(&limiter), 2 * FIRST);
        let (one, other) = (limiter.enter().await, limiter.enter().await);
        one.overran();
        assert_eq!(limit(&limiter), FIRST);
        other.overran();
        assert_eq!(limit(&limiter), FIRST, "both began before the cut");
        for _ in 0..10 {
            limiter.enter().await.overran();
        }
        assert_eq!((limit(&limiter), limiter.state().debt), (1, 0));
        assert_eq!(limiter.permits.available_permits(), 1);
    }

    #[tokio::test]
    async fn what_is_out_when_the_limit_is_cut_does_not_come_back() {
        let limiter = Arc::new(Limiter::new(4));
        let mut out = Vec::new();
        for _ in 0..4 {
            out.push(limiter.enter().await);
        }
        out.pop().into_iter().for_each(Permit::overran);
        assert_eq!((limit(&limiter), limiter.permits.available_permits()), (2, 0));
        drop(out);
        assert_eq!(limiter.permits.available_permits(), 2);
    }
}
