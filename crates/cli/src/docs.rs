//! `sparkify docs`: writes the data dictionary as HTML and Markdown, or as sources of dbt.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use super::args::Docs;
use super::atomic_file;
use super::failure::Failure;
use super::printer::{Output, Printer};
use super::progress::Progress;
use crate::connect;
use sparkify_analytics::dictionary::{Dictionary, MARKER_TEXT};
use sparkify_config::{Settings, WarehouseUrl};
use sparkify_load::tables;
use sparkify_warehouse::{Access, Opening, Warehouse, WarehouseError};

/// Default output folder.
const FOLDER: &str = "sparkify-docs";
/// Number of leading bytes of a generated file that contain its marker.
const MARKER_WITHIN: u64 = 256;

pub(super) fn run(args: &Docs, settings: &Settings, printer: &Printer) -> Result<(), Failure> {
    let opening = Opening { engine: connect::engine_of(&settings.warehouse)?, incremental: false };
    let mut dictionary = Dictionary::declared(opening);
    let folder = folder(args, printer.output);
    if let (true, Some(folder)) = (args.dbt, &folder) {
        return write_dbt_sources(&dictionary, folder, settings, printer);
    }
    let files = |folder: &PathBuf| [folder.join("index.html"), folder.join("README.md")];
    let files = folder.as_ref().map(files);
    // Checked before the data tests run, which can take long.
    files.iter().flatten().try_for_each(|file| check_overwrite(file))?;
    if let Some(mut warehouse) = open_if_loaded(settings, printer)? {
        let _progress = Progress::of_step("row counts and data tests", printer);
        dictionary.fill(warehouse.as_mut())?;
    }
    if let (Some(folder), Some([page, document])) = (&folder, &files) {
        create_folder(folder)?;
        write(page, &dictionary.html().to_string())?;
        write(document, &dictionary.markdown().to_string())?;
        printer.note(&format!("wrote `{}` and `{}`", page.display(), document.display()));
    }
    if printer.output == Output::Json {
        printer.json(&dictionary)?;
    }
    let (failed, all) = (dictionary.failed(), dictionary.tests.len());
    if failed > 0 {
        // The dictionary itself is complete, so this is no failure. `check` reports one with its
        // exit code.
        printer.warn(&format!(
            "{failed} of {all} data tests failed; run `sparkify check` to see the failing rows"
        ));
    }
    Ok(())
}

/// Writes `sources.yml`, which depends on the engine and the schema, not on data.
fn write_dbt_sources(
    dictionary: &Dictionary,
    folder: &Path,
    settings: &Settings,
    printer: &Printer,
) -> Result<(), Failure> {
    let file = folder.join("sources.yml");
    check_overwrite(&file)?;
    let (database, schema) = match &settings.warehouse {
        // dbt attaches a file under the name of the file.
        WarehouseUrl::DuckDb(path) => (path.file_stem(), "main"),
        WarehouseUrl::Postgres(server) | WarehouseUrl::Redshift(server) => {
            (None, server.schema.as_str())
        }
        WarehouseUrl::Unsupported(_) => (None, sparkify_config::DEFAULT_SCHEMA),
    };
    let database = database.map(|name| name.to_string_lossy());
    create_folder(folder)?;
    write(&file, &dictionary.dbt(database.as_deref(), schema).to_string())?;
    printer.note(&format!("wrote `{}`", file.display()));
    Ok(())
}

/// Returns the output folder; none for JSON output without `--out`.
fn folder(args: &Docs, output: Output) -> Option<PathBuf> {
    match (&args.out, output) {
        (Some(folder), _) => Some(folder.clone()),
        (None, Output::Text) => Some(FOLDER.into()),
        (None, Output::Json) => None,
    }
}

/// Opens the warehouse if it exists and has all tables; otherwise prints a warning.
fn open_if_loaded(
    settings: &Settings,
    printer: &Printer,
) -> Result<Option<Box<dyn Warehouse>>, Failure> {
    let without = "the dictionary will have no row counts and no test results";
    let mut warehouse = match super::open(settings, Access::Read, printer) {
        Err(error @ WarehouseError::Missing { .. }) => {
            printer.warn(&format!("{error}: {without}"));
            error.hint().iter().for_each(|hint| printer.hint(hint));
            return Ok(None);
        }
        other => other?,
    };
    if tables::all_exist(warehouse.as_mut())? {
        return Ok(Some(warehouse));
    }
    let url = &settings.warehouse;
    printer.warn(&format!("the warehouse `{url}` lacks tables of sparkify: {without}"));
    Ok(None)
}

/// Returns an error if `file` exists and was not written by this command.
fn check_overwrite(file: &Path) -> Result<(), Failure> {
    if file.symlink_metadata().is_err() {
        return Ok(());
    }
    let mut head = Vec::new();
    let read = File::open(file).and_then(|it| it.take(MARKER_WITHIN).read_to_end(&mut head));
    let is_generated = read.is_ok() && String::from_utf8_lossy(&head).contains(MARKER_TEXT);
    if is_generated {
        return Ok(());
    }
    Err(Failure::new(
        format!("`{}` exists and was not written by `sparkify docs`", file.display()),
        "name another folder with `--out`, or move the file",
    ))
}

fn create_folder(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| {
        let message = format!("cannot create the folder `{}`: {error}", folder.display());
        Failure::new(message, "name another folder with `--out`")
    })
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    let bytes = text.as_bytes();
    atomic_file::write(file, true, |out| out.write_all(bytes).map_err(WarehouseError::Sink))
}
