//! `sparkify export`: the tables of the model as a folder of files.

use clap::ValueEnum;

use super::args::Export;
use super::failure::Failure;
use super::printer::Printer;
use sparkify_analytics::export::{self, Manifest, Request};
use sparkify_analytics::report::{self, grouped, plain_table};
use sparkify_config::{Settings, suggest};
use sparkify_warehouse::SqlFile;

/// The form of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Typed columns, compressed with Zstandard.
    Parquet,
    /// RFC 4180 with a line of names; null is an empty field, an empty text is "".
    Csv,
    /// An object a line.
    Json,
}

pub(super) fn run(args: &Export, settings: &Settings, printer: &Printer) -> Result<(), Failure> {
    let request = Request {
        folder: args.folder.clone(),
        format: match args.format {
            Format::Parquet => report::Format::Parquet,
            Format::Csv => report::Format::Csv,
            Format::Json => report::Format::Lines,
        },
        tables: tables(&args.tables)?,
        force: args.force,
        keep: settings.warehouse.file(),
    };
    let mut warehouse = super::open_loaded(settings)?;
    let manifest = export::run(warehouse.as_mut(), &request)?;
    printer.answer(&manifest, || text(&manifest))?;
    printer.note(&format!("wrote {} files to `{}`", manifest.files.len(), args.folder.display()));
    Ok(())
}

/// The tables that were named, each once, in our order; all when none was.
fn tables(names: &[String]) -> Result<Vec<&'static SqlFile>, Failure> {
    let known = || export::TABLES.iter().map(|table| table.name);
    if let Some(wrong) = names.iter().find(|name| !known().any(|known| known == name.as_str())) {
        let all = known().collect::<Vec<_>>().join(", ");
        return Err(Failure::new(
            format!("no table `{wrong}` is exported"),
            suggest::hint(wrong, known(), &format!("there are: {all}")),
        ));
    }
    let meant = |table: &&SqlFile| names.is_empty() || names.iter().any(|name| name == table.name);
    Ok(export::TABLES.iter().filter(meant).collect())
}

fn text(manifest: &Manifest) -> String {
    let row = |file: &export::Exported| {
        vec![file.table.clone(), file.file.clone(), grouped(file.rows), grouped(file.bytes)]
    };
    let rows: Vec<Vec<String>> = manifest.files.iter().map(row).collect();
    plain_table(&["table", "file", "rows", "bytes"], &rows, &[2, 3])
}
