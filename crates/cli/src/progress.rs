//! Progress line on a terminal: step, and for a load its progress, throughput and remaining time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{
    DecimalBytes, HumanCount, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle,
};

use super::printer::Printer;
use sparkify_reader::Meter;

const INTERVAL: Duration = Duration::from_millis(100);
/// A command that ends sooner draws nothing.
const DELAY: Duration = Duration::from_millis(200);
/// The message is cut at the width of the terminal.
const TEMPLATE: &str = "{spinner} {wide_msg}";

/// Thread that draws the progress line until [`Progress::end`]; none if nothing is drawn.
pub(super) struct Progress {
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    pub(super) fn watch(meter: &Arc<Meter>, printer: &Printer) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let (meter, stop) = (Arc::clone(meter), Arc::clone(&ended));
        let thread = printer.draws().then(|| std::thread::spawn(move || draw(&meter, &stop)));
        Self { ended, thread }
    }

    /// Shows `step` and the elapsed time.
    pub(super) fn of_step(step: &str, printer: &Printer) -> Self {
        let meter = Arc::new(Meter::default());
        meter.enter(step);
        Self::watch(&meter, printer)
    }

    /// Stops drawing and clears the line.
    pub(super) fn end(self) {
        drop(self);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

fn draw(meter: &Meter, ended: &AtomicBool) {
    let (started, mut step, mut step_started) = (Instant::now(), String::new(), Instant::now());
    std::thread::park_timeout(DELAY);
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.set_style(
        ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_spinner()),
    );
    while !ended.load(Ordering::Relaxed) {
        let now = meter.step();
        if now != step {
            (step, step_started) = (now, Instant::now());
        }
        bar.set_message(message(meter, &step, started.elapsed(), step_started.elapsed()));
        bar.tick();
        std::thread::park_timeout(INTERVAL);
    }
    bar.finish_and_clear();
}

/// Formats the line, the most important part first: a narrow terminal cuts the end off.
fn message(meter: &Meter, step: &str, elapsed: Duration, in_step: Duration) -> String {
    let [objects, objects_total, bytes, bytes_total, records] =
        [&meter.objects, &meter.objects_total, &meter.bytes, &meter.bytes_total, &meter.records]
            .map(|counter| counter.load(Ordering::Relaxed));
    let mut parts = vec![step.to_owned(), format!("{} s", elapsed.as_secs())];
    if step.starts_with("stage") && bytes_total > 0 {
        let percent = bytes.min(bytes_total) * 100 / bytes_total;
        let milliseconds = u64::try_from(in_step.as_millis()).unwrap_or(u64::MAX).max(1);
        let per_second = bytes.saturating_mul(1000) / milliseconds;
        let left = bytes_total.saturating_sub(bytes) / per_second.max(1);
        let (read, total) = (DecimalBytes(bytes), DecimalBytes(bytes_total));
        parts.push(format!("{percent} %"));
        parts.push(format!("{} left", HumanDuration(Duration::from_secs(left))));
        parts.push(format!("{read} of {total}"));
        parts.push(format!("{}/{} objects", HumanCount(objects), HumanCount(objects_total)));
        parts.push(format!("{} records", HumanCount(records)));
        parts.push(format!("{}/s", DecimalBytes(per_second)));
    }
    parts.join("  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_important_parts_come_first() {
        let meter = Meter::default();
        let second = Duration::from_secs(1);
        assert_eq!(message(&meter, "check", 3 * second, second), "check  3 s");
        for (counter, count) in [
            (&meter.objects, 12),
            (&meter.objects_total, 30),
            (&meter.bytes, 50_000_000),
            (&meter.bytes_total, 200_000_000),
            (&meter.records, 123_456),
        ] {
            counter.store(count, Ordering::Relaxed);
        }
        assert_eq!(
            message(&meter, "stage events", 2 * second, second),
            "stage events  2 s  25 %  3 seconds left  50.00 MB of 200.00 MB  12/30 objects  \
             123,456 records  50.00 MB/s"
        );
        assert_eq!(message(&meter, "time", 3 * second, second), "time  3 s");
    }
}
