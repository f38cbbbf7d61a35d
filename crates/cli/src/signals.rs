//! Handling of Ctrl-C (SIGINT) and of termination (SIGTERM).

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use super::failure::Failure;
use super::printer::Printer;
use sparkify_reader::Meter;

/// Pause between two calls of [`Meter::cancel`].
const CANCEL_INTERVAL: Duration = Duration::from_millis(100);

/// The signal that requested a stop.
static RECEIVED: AtomicU8 = AtomicU8::new(0);

/// Returns the number of the signal that requested a stop; 0 without one.
pub(super) fn received() -> u8 {
    RECEIVED.load(Ordering::Relaxed)
}

/// Calls `handler` on a thread of its own at each Ctrl-C, which then does not end the process.
pub(super) fn on_ctrl_c(mut handler: impl FnMut() + Send + 'static) -> Result<(), Failure> {
    listen(&[SIGINT], move |_| handler())
}

/// Calls `handler` at the first Ctrl-C or termination. A second signal ends the process.
pub(super) fn on_stop(mut handler: impl FnMut() + Send + 'static) -> Result<(), Failure> {
    listen(&[SIGINT, SIGTERM], move |signal| {
        if received() != 0 {
            let _ = emulate_default_handler(signal);
        }
        RECEIVED.store(u8::try_from(signal).unwrap_or_default(), Ordering::Relaxed);
        handler();
    })
}

/// Cancels the load of `meter` at Ctrl-C or termination. A second signal ends the process.
pub(super) fn cancel_load(meter: &Arc<Meter>, printer: &Printer) -> Result<(), Failure> {
    let (meter, is_quiet) = (Arc::clone(meter), printer.is_quiet());
    on_stop(move || {
        if !is_quiet {
            Printer::interrupted("cancelling the load; repeat to end the program at once");
        }
        let meter = Arc::clone(&meter);
        thread::spawn(move || {
            // A statement may have begun just after a call.
            loop {
                meter.cancel();
                thread::sleep(CANCEL_INTERVAL);
            }
        });
    })
}

fn listen(signals: &[i32], mut handler: impl FnMut(i32) + Send + 'static) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        let hint = "retry; if it fails again, report a bug";
        Failure::new(format!("cannot handle signals: {error}"), hint)
    };
    let mut signals = Signals::new(signals).map_err(failed)?;
    thread::spawn(move || signals.forever().for_each(&mut handler));
    Ok(())
}
