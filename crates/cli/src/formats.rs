//! `sparkify formats`: the log formats that a load reads.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::failure::Failure;
use super::printer::Printer;
use super::terminal;
use sparkify_load::log_format;
use sparkify_reader::LogFormat;

#[derive(Debug, Args)]
pub(super) struct Formats {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the formats
    List,
    /// Print the file of a format, as a template of your own
    Show {
        /// Name of a format, or a file
        name: String,
    },
}

#[derive(Serialize)]
struct Row {
    name: &'static str,
    title: &'static str,
}

pub(super) fn run(args: &Formats, printer: &Printer) -> Result<(), Failure> {
    if let Some(Action::Show { name }) = &args.action {
        let format = log_format::named(name)?;
        return printer.result(
            &serde_json::json!({ "name": format.name, "title": format.title, "file": format.text }),
            || format.text.to_owned(),
        );
    }
    let rows: Vec<Row> =
        LogFormat::all().iter().map(|LogFormat { name, title, .. }| Row { name, title }).collect();
    printer.result(&rows, || {
        let cells = rows.iter().map(|row| vec![row.name.to_owned(), row.title.to_owned()]);
        terminal::table(&["format", "records"], &cells.collect::<Vec<_>>(), &[])
    })
}
