//! Progress line of a load on a terminal: step, progress, throughput and remaining time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::printer::Printer;
use sparkify_reader::Meter;

const EVERY: Duration = Duration::from_millis(100);
const READING: &str =
    "{spinner} {prefix:18} {bar:24} {bytes}/{total_bytes} {bytes_per_sec} eta {eta}  {msg}";
const WORKING: &str = "{spinner} {prefix:18} {elapsed}";

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

    /// Stops drawing and clears the line.
    pub(super) fn end(self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

fn draw(meter: &Meter, ended: &AtomicBool) {
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    let style = |template| {
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
    };
    let (reading, working) = (style(READING), style(WORKING));
    let mut last = String::new();
    while !ended.load(Ordering::Relaxed) {
        let step = meter.step();
        if step != last {
            let reads = step.starts_with("stage");
            bar.set_style(if reads { reading.clone() } else { working.clone() });
            bar.set_prefix(step.clone());
            last = step;
        }
        bar.set_length(meter.bytes_total.load(Ordering::Relaxed));
        bar.set_position(meter.bytes.load(Ordering::Relaxed));
        bar.set_message(format!(
            "{}/{} objects, {} records",
            HumanCount(meter.objects.load(Ordering::Relaxed)),
            HumanCount(meter.objects_total.load(Ordering::Relaxed)),
            HumanCount(meter.records.load(Ordering::Relaxed)),
        ));
        bar.tick();
        std::thread::park_timeout(EVERY);
    }
    bar.finish_and_clear();
}
