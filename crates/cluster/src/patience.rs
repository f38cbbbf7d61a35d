//! How does one wait for AWS? With a look now and then, a word when the state changes, a limit, and an ear for whoever stops it.

use std::future::Future;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::{ClusterError, Watch};
use sparkify_config::ClusterSettings;

/// The longest pause between two tries of a call that is known to succeed later.
const LONGEST: Duration = Duration::from_secs(20);
/// A line at least so often, however little happens.
const SILENCE: Duration = Duration::from_mins(1);

/// What a look finds.
pub(super) enum Seen<T> {
    /// It is as wished.
    Ready(T),
    /// Not yet; this is its state.
    Not(String),
    /// It will never be.
    Never(String),
}

/// Waits until `look` finds what is wished.
pub(super) async fn wait<T, F: Future<Output = Result<Seen<T>, ClusterError>>>(
    what: &str,
    settings: &ClusterSettings,
    watch: &Watch,
    mut look: impl FnMut() -> F,
) -> Result<T, ClusterError> {
    let begun = Instant::now();
    let mut told = (String::new(), begun);
    loop {
        let state = match look().await {
            Ok(Seen::Ready(found)) => return Ok(found),
            Ok(Seen::Never(state)) => {
                return Err(ClusterError::Failed { what: what.into(), state });
            }
            Ok(Seen::Not(state)) => state,
            // A request too many says nothing about the cluster.
            Err(error) if error.passes() => "not to be seen for the moment".into(),
            Err(error) => return Err(error),
        };
        if told.0 != state || told.1.elapsed() >= SILENCE {
            let seconds = begun.elapsed().as_secs();
            (watch.say)(&format!("waiting for {what}: {state} ({seconds} s)"));
            told = (state.clone(), Instant::now());
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

/// Tries a call again while its failure is known to pass, a little later each time.
pub(super) async fn insist<T, F: Future<Output = Result<T, ClusterError>>>(
    settings: &ClusterSettings,
    watch: &Watch,
    mut call: impl FnMut() -> F,
) -> Result<T, ClusterError> {
    let begun = Instant::now();
    let mut next = settings.poll.min(Duration::from_secs(2));
    loop {
        match call().await {
            Err(error) if error.passes() && begun.elapsed() + next <= settings.timeout => {
                (watch.say)(&format!("{error}: trying again"));
                pause(next, watch).await?;
                next = (next * 2).min(LONGEST);
            }
            ended => return ended,
        }
    }
}

/// Sleeps in small pieces, so that whoever stops it is heard.
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

/// Ends it here if somebody wants it to stop.
pub(super) fn check(watch: &Watch) -> Result<(), ClusterError> {
    if watch.stop.load(Ordering::Relaxed) {
        return Err(ClusterError::Interrupted { there: Vec::new() });
    }
    Ok(())
}
