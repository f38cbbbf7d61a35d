//! Durations of the steps of a load.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use rustix::time::{ClockId, clock_gettime};

use super::Step;
use sparkify_reader::Meter;

/// Measures the time of each step and shows the running one in the progress meter.
#[derive(Clone)]
pub(super) struct StepTimer {
    pub meter: Arc<Meter>,
    pub started: SystemTime,
    pub steps: Vec<Step>,
}

impl StepTimer {
    pub(super) fn start(meter: &Arc<Meter>) -> Self {
        Self { meter: Arc::clone(meter), started: SystemTime::now(), steps: Vec::new() }
    }

    pub(super) fn time<T>(&mut self, name: &str, work: impl FnOnce() -> T) -> T {
        self.meter.enter(name);
        let (started, cpu) = (Instant::now(), cpu_seconds());
        let result = work();
        self.steps.push(Step {
            name: name.into(),
            seconds: started.elapsed().as_secs_f64(),
            cpu_seconds: cpu_seconds() - cpu,
        });
        result
    }
}

/// Returns the CPU time of this process so far, in seconds.
fn cpu_seconds() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}
