//! `sparkify history`: lists the loads, newest first, with their outcome.

use super::args::History;
use super::failure::Failure;
use super::printer::{Output, Printer};
use super::terminal;
use sparkify_analytics::report::{self, WriterOptions};
use sparkify_config::Settings;

pub(super) fn run(args: &History, settings: &Settings, printer: &Printer) -> Result<(), Failure> {
    let mut warehouse = super::open_loaded(settings, printer)?;
    let loads = warehouse.query_file(&sparkify_analytics::sql::report::HISTORY, &[], args.limit)?;
    let format = match printer.output {
        Output::Json => report::Format::Json,
        Output::Text => report::Format::Table,
    };
    let shown = loads.rows.len() as u64;
    let options = WriterOptions { width: terminal::width(), ..WriterOptions::default() };
    let mut out = printer.data();
    let mut writer = report::writer(format, options, &mut out);
    writer.start(loads.columns)?;
    for load in loads.rows {
        writer.row(load)?;
    }
    writer.finish()?;
    if shown < loads.total {
        let hidden = loads.total - shown;
        let loads = if hidden == 1 { "load" } else { "loads" };
        let hidden = report::grouped(hidden);
        printer.note(&format!("{hidden} older {loads} hidden; raise `--limit`"));
    }
    Ok(())
}
