//! Adaptive concurrency limit of requests: increases while throughput grows, and halves on
//! throttling.
//!
//! The algorithm resembles congestion control of TCP:
//! - *Round*: as many successful requests as the limit, and at least [`SHORTEST`]. Its throughput,
//!   in requests and in bytes per second, is compared with the best round so far. A round in which
//!   no request waited for a permit says nothing, since the limit did not bind.
//! - *Slow start*: until the first throttling, a round with more throughput doubles the limit.
//! - *Increase*: afterwards, it adds an eighth. Without growth for [`PATIENCE`] rounds an eighth is
//!   added as well, as a probe: the bottleneck may have disappeared.
//! - *Decrease*: throttling (503 `SlowDown`, 429) or a stall timeout halves the limit, once for all
//!   requests that were in flight at that time.
//!
//! Permits are handed out in the order of the requests. After a decrease, permits in flight exceed
//! the limit; that debt is paid by discarding permits when they are returned.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Initial limit.
const FIRST: usize = 16;
/// Least growth of throughput over the best round that counts as growth.
const GROWTH: f64 = 1.05;
/// Rounds without growth before a probe.
const PATIENCE: u32 = 8;
/// Shortest round. Shorter measurements are noise.
const SHORTEST: Duration = Duration::from_millis(10);

/// Concurrency limit that all buckets share.
#[derive(Debug)]
pub(super) struct Limiter {
    permits: Arc<Semaphore>,
    state: Mutex<State>,
    most: usize,
}

#[derive(Debug)]
struct State {
    limit: usize,
    /// Permits in flight to be discarded on return, since the limit decreased.
    debt: usize,
    /// True until the first throttling: the limit doubles.
    slow_start: bool,
    decreased_at: Option<Instant>,
    round: Round,
    /// Requests and bytes per second of the best round since the last decrease.
    best: (f64, f64),
    /// Rounds without growth.
    flat: u32,
}

/// Measurement of throughput.
#[derive(Debug)]
struct Round {
    started: Instant,
    requests: usize,
    bytes: u64,
    /// True if a request waited for a permit.
    limited: bool,
}

impl Round {
    fn new() -> Self {
        Self { started: Instant::now(), requests: 0, bytes: 0, limited: false }
    }
}

/// Permit of one request. Dropping it releases the permit.
#[derive(Debug)]
pub(super) struct Permit {
    limiter: Arc<Limiter>,
    slot: Option<OwnedSemaphorePermit>,
    started: Instant,
}

impl Limiter {
    /// Creates a limiter whose limit never exceeds `most`.
    pub(super) fn new(most: usize) -> Self {
        let limit = most.min(FIRST);
        let state = State {
            limit,
            debt: 0,
            slow_start: true,
            decreased_at: None,
            round: Round::new(),
            best: (0.0, 0.0),
            flat: 0,
        };
        Self { permits: Arc::new(Semaphore::new(limit)), state: Mutex::new(state), most }
    }

    /// Waits for a permit.
    pub(super) async fn acquire(self: &Arc<Self>) -> Permit {
        let permit = if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            Some(permit)
        } else {
            self.state().round.limited = true;
            // The semaphore is never closed, so this cannot fail.
            Arc::clone(&self.permits).acquire_owned().await.ok()
        };
        Permit { limiter: Arc::clone(self), slot: permit, started: Instant::now() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Increases the limit to `to`. Debt is paid first, since those permits exist already.
    fn grow(&self, state: &mut State, to: usize) {
        let more = to.min(self.most).saturating_sub(state.limit);
        let paid = more.min(state.debt);
        state.debt -= paid;
        state.limit += more;
        self.permits.add_permits(more - paid);
        if more > 0 {
            tracing::debug!("concurrency limit increased to {}", state.limit);
        }
    }

    /// Ends a round, and increases the limit if its throughput grew.
    fn end_round(&self, state: &mut State) {
        let round = std::mem::replace(&mut state.round, Round::new());
        if !round.limited {
            return;
        }
        let seconds = round.started.elapsed().as_secs_f64();
        let rate = (round.requests as f64 / seconds, round.bytes as f64 / seconds);
        if rate.0 > state.best.0 * GROWTH || rate.1 > state.best.1 * GROWTH {
            state.best = rate;
            state.flat = 0;
            let more = if state.slow_start { state.limit } else { (state.limit / 8).max(1) };
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
    /// Reports a successful request that transferred `bytes`.
    pub(super) fn succeeded(self, bytes: u64) {
        let mut state = self.limiter.state();
        state.round.requests += 1;
        state.round.bytes += bytes;
        if state.round.requests >= state.limit && state.round.started.elapsed() >= SHORTEST {
            self.limiter.end_round(&mut state);
        }
    }

    /// Reports throttling or a stall timeout. Requests that started before the last decrease do not
    /// decrease the limit again.
    pub(super) fn throttled(self) {
        let mut state = self.limiter.state();
        if state.decreased_at.is_some_and(|decreased| self.started < decreased) {
            return;
        }
        let half = (state.limit / 2).max(1);
        let fewer = state.limit - half;
        // Permits that are not in flight are discarded now, the others on return.
        state.debt += fewer - self.limiter.permits.forget_permits(fewer);
        state.limit = half;
        state.slow_start = false;
        state.decreased_at = Some(Instant::now());
        state.best = (0.0, 0.0);
        state.flat = 0;
        state.round = Round::new();
        tracing::debug!("throttled: concurrency limit decreased to {half}");
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.limiter.state();
        if state.debt > 0 {
            state.debt -= 1;
            if let Some(permit) = self.slot.take() {
                permit.forget();
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
    async fn the_limit_grows_with_throughput_and_halves_on_throttling() {
        let limiter = Arc::new(Limiter::new(64));
        let mut out = Vec::new();
        for _ in 0..FIRST {
            out.push(limiter.acquire().await);
        }
        limiter.state().round.limited = true;
        tokio::time::sleep(SHORTEST).await;
        for permit in out {
            permit.succeeded(1);
        }
        assert_eq!(limit(&limiter), 2 * FIRST);
        let (one, other) = (limiter.acquire().await, limiter.acquire().await);
        one.throttled();
        assert_eq!(limit(&limiter), FIRST);
        other.throttled();
        assert_eq!(limit(&limiter), FIRST, "both started before the decrease");
        for _ in 0..10 {
            limiter.acquire().await.throttled();
        }
        assert_eq!((limit(&limiter), limiter.state().debt), (1, 0));
        assert_eq!(limiter.permits.available_permits(), 1);
    }

    #[tokio::test]
    async fn permits_in_flight_beyond_a_decreased_limit_are_discarded() {
        let limiter = Arc::new(Limiter::new(4));
        let mut out = Vec::new();
        for _ in 0..4 {
            out.push(limiter.acquire().await);
        }
        out.pop().into_iter().for_each(Permit::throttled);
        assert_eq!((limit(&limiter), limiter.permits.available_permits()), (2, 0));
        drop(out);
        assert_eq!(limiter.permits.available_permits(), 2);
    }
}
