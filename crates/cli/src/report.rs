//! `sparkify report`: writes the self-contained HTML report.

use std::io::Write;
use std::path::Path;

use super::args::{Filters, Report};
use super::atomic_file;
use super::failure::Failure;
use super::printer::Printer;
use super::progress::Progress;
use super::query;
use sparkify_analytics::page::{self, PageKind};
use sparkify_config::Settings;
use sparkify_warehouse::WarehouseError;

pub(super) fn run(args: &Report, settings: &Settings, printer: &Printer) -> Result<(), Failure> {
    let arguments = Filters::from(&args.filters).arguments()?;
    let mut warehouse = super::open_loaded(settings, printer)?;
    query::warn_of_unknown_level(&arguments, warehouse.as_mut(), printer)?;
    let progress = Progress::of_step("report", printer);
    let report = page::gather(warehouse.as_mut(), &arguments)?;
    // Closed early, so that a load can run while the page is written.
    drop(warehouse);
    progress.end();
    let data = serde_json::to_string(&report).map_err(std::io::Error::from)?;
    if args.out == Path::new("-") {
        let mut out = printer.data();
        page::write(&mut out, PageKind::File, &data)?;
        return out.flush().map_err(Failure::from);
    }
    atomic_file::write(&args.out, true, |out| {
        page::write(out, PageKind::File, &data).map_err(WarehouseError::Sink)
    })?;
    printer.note(&format!("wrote `{}`; open it in a browser", args.out.display()));
    Ok(())
}
