//! `sparkify serve`: the page live, for the person at this machine, until Ctrl-C.

use std::sync::Arc;

use super::args::Serve;
use super::failure::Failure;
use super::printer::Printer;
use crate::connect::Engines;
use sparkify_analytics::page::serve::{Options, Server, Stopper};
use sparkify_config::Settings;
use sparkify_warehouse::Access;

pub(super) fn run(args: &Serve, settings: Settings, printer: &Printer) -> Result<(), Failure> {
    // A warehouse that is not there is said before anybody looks.
    drop(super::open_as(&settings, Access::Guarded)?);
    let stopper = Stopper::default();
    let stop = stopper.clone();
    ctrlc::set_handler(move || stop.stop()).map_err(|error| {
        Failure::new(format!("cannot listen to Ctrl-C: {error}"), "end it with `kill`")
    })?;
    let warehouse = settings.warehouse.to_string();
    let options = Options { port: args.port, seconds: args.time_limit, rows: args.rows };
    let server = Server::bind(Arc::new(Engines::new(&settings)), options)?;
    printer.text(&format!("http://{}/\n", server.address()))?;
    printer.note(&format!(
        "`{warehouse}`, read only, for this machine alone; Ctrl-C ends it\n\
         the file is free for a load whenever nothing is asked"
    ));
    server.run(&stopper)?;
    Ok(())
}
