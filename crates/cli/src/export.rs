//! `sparkify export`: exports the model tables to a folder.

use std::sync::Arc;

use clap::ValueEnum;

use super::args::Export;
use super::failure::Failure;
use super::printer::Printer;
use super::progress::Progress;
use super::terminal;
use sparkify_analytics::export::{self, ExportOptions, Manifest};
use sparkify_analytics::report::{self, grouped};
use sparkify_config::{Settings, suggest};
use sparkify_reader::Meter;
use sparkify_warehouse::SqlFile;

/// File format of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Typed columns, compressed with Zstandard.
    Parquet,
    /// RFC 4180 with a header; null is an empty field, empty text is "".
    Csv,
    /// One JSON object per line.
    Json,
}

pub(super) fn run(args: &Export, settings: &Settings, printer: &Printer) -> Result<(), Failure> {
    let options = ExportOptions {
        folder: args.folder.clone(),
        format: match args.format {
            Format::Parquet => report::Format::Parquet,
            Format::Csv => report::Format::Csv,
            Format::Json => report::Format::Lines,
        },
        escape_formulas: args.escape_formulas,
        tables: select_tables(&args.tables)?,
        force: args.force,
        keep: settings.warehouse.file(),
    };
    let mut warehouse = super::open_loaded(settings, printer)?;
    let meter = Arc::<Meter>::default();
    let progress = Progress::watch(&meter, printer);
    let mut started = |table: &str| meter.enter(&format!("export {table}"));
    let manifest = export::run(warehouse.as_mut(), &options, &mut started)?;
    progress.end();
    printer.result(&manifest, || text(&manifest))?;
    printer.note(&format!("wrote {} files to `{}`", manifest.files.len(), args.folder.display()));
    Ok(())
}

/// Returns the named tables, each once, in the order of the model; all if `names` is empty.
fn select_tables(names: &[String]) -> Result<Vec<&'static SqlFile>, Failure> {
    let known = || export::TABLES.iter().map(|table| table.name);
    if let Some(wrong) = names.iter().find(|name| !known().any(|known| known == name.as_str())) {
        let all = known().collect::<Vec<_>>().join(", ");
        return Err(Failure::new(
            format!("unknown table `{wrong}`"),
            suggest::hint(wrong, known(), &format!("choose from {all}")),
        ));
    }
    let selected =
        |table: &&SqlFile| names.is_empty() || names.iter().any(|name| name == table.name);
    Ok(export::TABLES.iter().filter(selected).collect())
}

fn text(manifest: &Manifest) -> String {
    let row = |file: &export::Exported| {
        vec![file.table.clone(), file.file.clone(), grouped(file.rows), grouped(file.bytes)]
    };
    let rows: Vec<Vec<String>> = manifest.files.iter().map(row).collect();
    terminal::table(&["table", "file", "rows", "bytes"], &rows, &[2, 3])
}
