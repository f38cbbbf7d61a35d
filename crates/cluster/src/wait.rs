//! Polling and retries with a timeout, progress output and cancellation.

use std::future::Future;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::{ClusterError, Watch};
use sparkify_config::ClusterSettings;

/// Maximum pause of the exponential backoff.
const MAX_BACKOFF: Duration = Duration::from_secs(20);
/// Interval of progress lines while the state does not change.
const REPORT_INTERVAL: Duration = Duration::from_mins(1);

/// Result of one poll.
pub(super) enum Poll<T> {
    /// The expected state is reached.
    Ready(T),
    /// Not yet; contains the current state.
    Pending(String),
    /// The expected state cannot be reached any more; contains the current state.
    Failed(String),
}

/// Polls until `poll` returns `Ready`. Fails after the timeout of the settings.
pub(super) async fn wait<T, F: Future<Output = Result<Poll<T>, ClusterError>>>(
    what: &str,
    settings: &ClusterSettings,
    watch: &Watch,
    mut poll: impl FnMut() -> F,
) -> Result<T, ClusterError> {
    let begun = Instant::now();
    let mut reported = (String::new(), begun);
    loop {
        let state = match poll().await {
            Ok(Poll::Ready(found)) => return Ok(found),
            Ok(Poll::Failed(state)) => {
                return Err(ClusterError::Failed { what: what.into(), state });
            }
            Ok(Poll::Pending(state)) => state,
            // Throttling says nothing about the state of the resource.
            Err(error) if error.is_transient() => "temporarily unknown".into(),
            Err(error) => return Err(error),
        };
        if reported.0 != state || reported.1.elapsed() >= REPORT_INTERVAL {
            let seconds = begun.elapsed().as_secs();
            (watch.report)(&format!("waiting for {what}: {state} ({seconds} s)"));
            reported = (state.clone(), Instant::now());
        }
        if begun.elapsed() + settings.poll > settings.timeout {
            return Err(ClusterError::TimedOut {
                what: what.into(),
                state,
                after: settings.timeout,
            });
        }
        pause(settings.poll, watch).await?;
    }
}

/// Retries a call with exponential backoff while it fails with a transient error, up to the
/// timeout.
pub(super) async fn retry<T, F: Future<Output = Result<T, ClusterError>>>(
    settings: &ClusterSettings,
    watch: &Watch,
    mut call: impl FnMut() -> F,
) -> Result<T, ClusterError> {
    let begun = Instant::now();
    let mut next = settings.poll.min(Duration::from_secs(2));
    loop {
        match call().await {
            Err(error) if error.is_transient() && begun.elapsed() + next <= settings.timeout => {
                (watch.report)(&format!("{error}: retrying"));
                pause(next, watch).await?;
                next = (next * 2).min(MAX_BACKOFF);
            }
            ended => return ended,
        }
    }
}

/// Sleeps in short intervals and checks for cancellation between them.
async fn pause(time: Duration, watch: &Watch) -> Result<(), ClusterError> {
    let end = Instant::now() + time;
    loop {
        check(watch)?;
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        tokio::time::sleep(left.min(Duration::from_millis(100))).await;
    }
}

/// Fails if the operation was cancelled.
pub(super) fn check(watch: &Watch) -> Result<(), ClusterError> {
    if watch.stop.load(Ordering::Relaxed) {
        return Err(ClusterError::Interrupted { progress: Vec::new() });
    }
    Ok(())
}
