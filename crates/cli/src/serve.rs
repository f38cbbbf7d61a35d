//! `sparkify serve`: serves the report on 127.0.0.1 until Ctrl-C.

use std::io::{self, Write as _};
use std::process::{Command, Stdio};
use std::sync::Arc;

use tempfile::NamedTempFile;

use super::args::Serve;
use super::failure::Failure;
use super::printer::Printer;
use super::signals;
use crate::connect::Engines;
use sparkify_analytics::page::serve::{Options, Server, Stopper};
use sparkify_config::Settings;

/// Program that opens a file in the application that the user chose for its type.
const OPENER: &str = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };

pub(super) fn run(args: &Serve, settings: &Settings, printer: &Printer) -> Result<(), Failure> {
    // Reports a missing warehouse before the first request.
    drop(super::open_loaded(settings, printer)?);
    let stopper = Stopper::default();
    let stop = stopper.clone();
    signals::on_ctrl_c(move || stop.stop())?;
    let warehouse = settings.warehouse.to_string();
    let options = Options { port: args.port, seconds: args.time_limit, rows: args.rows };
    let server = Server::bind(Arc::new(Engines::new(settings)), &options)?;
    let url = server.url();
    printer.text(&format!("{url}\n"))?;
    printer.note(&format!(
        "serving `{warehouse}`, read-only, on this machine, for holders of this address; stop with Ctrl-C\n\
         loads can run while this is open"
    ));
    let opened = args.open.then(|| open_in_browser(&url));
    if let Some(Err(error)) = &opened {
        printer.warn(&format!("cannot open a browser with `{OPENER}`: {error}"));
        printer.hint("open the printed address");
    }
    server.run(&stopper)?;
    Ok(())
}

/// Opens `url` in the default browser. Command lines are visible to other users, and the URL
/// contains a key: so the browser opens a private file that redirects to it.
fn open_in_browser(url: &str) -> io::Result<NamedTempFile> {
    let folder = std::env::var_os("XDG_RUNTIME_DIR").map_or_else(std::env::temp_dir, Into::into);
    let mut file =
        tempfile::Builder::new().prefix("sparkify-").suffix(".html").tempfile_in(folder)?;
    writeln!(file, "<!doctype html><meta http-equiv=\"refresh\" content=\"0; url={url}\">")?;
    let mut opener = Command::new(OPENER);
    opener.arg(file.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    opener.spawn()?;
    Ok(file)
}
