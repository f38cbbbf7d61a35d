//! `sparkify serve`: serves the report on 127.0.0.1 until Ctrl-C.

use std::sync::Arc;

use super::args::Serve;
use super::failure::Failure;
use super::printer::Printer;
use crate::connect::Engines;
use sparkify_analytics::page::serve::{Options, Server, Stopper};
use sparkify_config::Settings;
use sparkify_warehouse::Access;

pub(super) fn run(args: &Serve, settings: &Settings, printer: &Printer) -> Result<(), Failure> {
    // Reports a missing warehouse before the first request.
    drop(super::open_as(settings, Access::Guarded)?);
    let stopper = Stopper::default();
    let stop = stopper.clone();
    ctrlc::set_handler(move || stop.stop()).map_err(|error| {
        Failure::new(
            format!("cannot handle Ctrl-C: {error}"),
            "retry; if it fails again, report a bug",
        )
    })?;
    let warehouse = settings.warehouse.to_string();
    let options = Options { port: args.port, seconds: args.time_limit, rows: args.rows };
    let server = Server::bind(Arc::new(Engines::new(settings)), options)?;
    printer.text(&format!("http://{}/\n", server.address()))?;
    printer.note(&format!(
        "serving `{warehouse}`, read-only, on this machine only; stop with Ctrl-C\n\
         loads can run while this is open"
    ));
    server.run(&stopper)?;
    Ok(())
}
