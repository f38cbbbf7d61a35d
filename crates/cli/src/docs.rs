//! `sparkify docs`: the data dictionary, as a page and as Markdown.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use super::args::Docs;
use super::failure::Failure;
use super::out_file;
use super::printer::{Output, Printer};
use crate::connect;
use sparkify_analytics::dictionary::{Dictionary, MARKER};
use sparkify_config::Settings;
use sparkify_load::tables;
use sparkify_warehouse::{Access, Opening, Warehouse, WarehouseError};

/// Where the files come to lie when nobody says.
const FOLDER: &str = "sparkify-docs";
/// So near to its beginning does a file of ours say that it is one, in bytes.
const MARKED_WITHIN: u64 = 256;

pub(super) fn run(args: &Docs, settings: &Settings, printer: &Printer) -> Result<(), Failure> {
    let opening = Opening { engine: connect::engine_of(&settings.warehouse)?, incremental: false };
    let mut dictionary = Dictionary::declared(opening);
    let folder = folder(args, printer.output);
    let files = |folder: &PathBuf| [folder.join("index.html"), folder.join("README.md")];
    let files = folder.as_ref().map(files);
    // Refused before the checks are run, which may take their time.
    files.iter().flatten().try_for_each(|file| refuse_foreign(file))?;
    if let Some(mut warehouse) = loaded(settings, printer)? {
        dictionary.fill(warehouse.as_mut())?;
    }
    if let (Some(folder), Some([page, document])) = (&folder, &files) {
        make(folder)?;
        write(page, &dictionary.html().to_string())?;
        write(document, &dictionary.markdown().to_string())?;
        printer.note(&format!("wrote `{}` and `{}`", page.display(), document.display()));
    }
    if printer.output == Output::Json {
        printer.document(&dictionary)?;
    }
    let (failed, all) = (dictionary.failed(), dictionary.checks.len());
    if failed > 0 {
        // The dictionary is what was asked for, and it is whole: a judgement, with its exit code, is what `check` is for.
        printer.warn(&format!("{failed} of {all} checks failed: `sparkify check` shows the rows"));
    }
    Ok(())
}

/// The folder that was named, or ours; none when the answer is data and no folder was named.
fn folder(args: &Docs, output: Output) -> Option<PathBuf> {
    match (&args.out, output) {
        (Some(folder), _) => Some(folder.clone()),
        (None, Output::Text) => Some(FOLDER.into()),
        (None, Output::Json) => None,
    }
}

/// The warehouse, if it is there with all of our tables; what is missing is said.
fn loaded(settings: &Settings, printer: &Printer) -> Result<Option<Box<dyn Warehouse>>, Failure> {
    let without = "the dictionary has no row counts and no results of checks";
    let mut warehouse = match connect::open(settings, Access::Read) {
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
    let named = &settings.warehouse;
    printer.warn(&format!("the warehouse `{named}` lacks tables of ours: {without}"));
    Ok(None)
}

/// A file that this command did not write stays as it is.
fn refuse_foreign(file: &Path) -> Result<(), Failure> {
    if file.symlink_metadata().is_err() {
        return Ok(());
    }
    let mut head = Vec::new();
    let read = File::open(file).and_then(|it| it.take(MARKED_WITHIN).read_to_end(&mut head));
    let is_ours = read.is_ok() && String::from_utf8_lossy(&head).contains(MARKER);
    if is_ours {
        return Ok(());
    }
    Err(Failure::new(
        format!("`{}` is there, and `sparkify docs` did not write it", file.display()),
        "name another folder with `--out`, or move the file away",
    ))
}

fn make(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| {
        let message = format!("cannot create the folder `{}`: {error}", folder.display());
        Failure::new(message, "name another with `--out`")
    })
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    out_file::write(file, true, |out| out.write_all(text.as_bytes()).map_err(WarehouseError::Sink))
}
