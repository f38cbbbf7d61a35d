//! Durations of the steps of a load.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use rustix::time::{ClockId, clock_gettime};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{EtlError, Step};
use sparkify_reader::Meter;

/// Measures the time of each step and shows the running one in the progress meter.
#[derive(Clone)]
pub(super) struct StepTimer {
    pub meter: Arc<Meter>,
    pub started: SystemTime,
    clock: Instant,
    pub steps: Vec<Step>,
}

impl StepTimer {
    pub(super) fn start(meter: &Arc<Meter>) -> Self {
        let (started, clock) = (SystemTime::now(), Instant::now());
        Self { meter: Arc::clone(meter), started, clock, steps: Vec::new() }
    }

    /// Returns the start time in UTC, as RFC 3339 defines it, in milliseconds.
    pub(super) fn started_at(&self) -> String {
        let started = OffsetDateTime::from(self.started);
        let rounded = started.replace_millisecond(started.millisecond()).unwrap_or(started);
        rounded.format(&Rfc3339).unwrap_or_default()
    }

    /// Returns the wall-clock time since the start, in seconds.
    pub(super) fn seconds(&self) -> f64 {
        self.clock.elapsed().as_secs_f64()
    }

    /// Runs a step, unless the load is cancelled.
    pub(super) fn time<T, E>(
        &mut self,
        name: &str,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, EtlError>
    where
        EtlError: From<E>,
    {
        if self.meter.is_cancelled() {
            return Err(EtlError::Cancelled);
        }
        self.meter.enter(name);
        let (started, cpu) = (Instant::now(), cpu_seconds());
        let result = work();
        self.steps.push(Step {
            name: name.into(),
            seconds: started.elapsed().as_secs_f64(),
            cpu_seconds: cpu_seconds() - cpu,
        });
        result.map_err(EtlError::from)
    }
}

/// Returns the CPU time of this process so far, in seconds.
fn cpu_seconds() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}
