//! `sparkify query`: a question with a name, or any SQL, read only.

use std::io::{self, IsTerminal, Read};
use std::path::Path;

use clap::ValueEnum;

use super::args::Query;
use super::failure::Failure;
use super::printer::{Output, Printer};
use crate::config::{Settings, suggest};
use crate::report::{self, QUESTIONS};
use crate::warehouse::{self, Access, Warehouse};

/// The form of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Table,
    /// RFC 4180; null is an empty field, an empty text is "".
    Csv,
    /// An array of objects.
    Json,
}

pub(super) fn run(args: &Query, settings: &Settings, printer: &Printer) -> Result<(), Failure> {
    if args.list {
        return list(printer);
    }
    let written = match (&args.file, args.sql.as_deref()) {
        (Some(file), _) => read_file(file)?,
        (None, None | Some("-")) => read_stdin()?,
        (None, Some(sql)) => sql.to_owned(),
    };
    let mut warehouse = warehouse::open(settings, Access::Read)?;
    let statement = meant(&written, warehouse.as_ref())?;
    let format = match (args.format, printer.output) {
        (Some(Format::Csv), _) => report::Format::Csv,
        (Some(Format::Json), _) | (None, Output::Json) => report::Format::Json,
        _ => report::Format::Table,
    };
    let mut out = printer.data();
    let mut writer = report::writer(format, &mut out);
    warehouse.query_each(&statement, &[], writer.as_mut())?;
    writer.finish().map_err(Failure::from)
}

/// One word is a question's name; anything else is SQL.
fn meant(written: &str, warehouse: &dyn Warehouse) -> Result<String, Failure> {
    let word = written.trim();
    if word.is_empty() {
        return Err(Failure::new(
            "there is no SQL to run",
            "`sparkify query --list` names questions",
        ));
    }
    if word.contains(|c: char| !c.is_alphanumeric() && c != '_') {
        return Ok(written.to_owned());
    }
    if let Some(question) = QUESTIONS.iter().find(|question| question.name == word) {
        return Ok(question.statement(warehouse.opening(false)));
    }
    let names = QUESTIONS.iter().map(|question| question.name);
    Err(Failure::new(
        format!("no question is called `{word}`"),
        suggest::hint(word, names, "`sparkify query --list` names them all; SQL goes in quotes"),
    ))
}

fn list(printer: &Printer) -> Result<(), Failure> {
    let rows: Vec<Vec<String>> = QUESTIONS
        .iter()
        .map(|question| vec![question.name.into(), question.headline().into()])
        .collect();
    printer.answer(&rows, || report::plain_table(&["name", "question"], &rows, &[]))
}

fn read_file(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| {
        let message = format!("cannot read the SQL in `{}`: {error}", path.display());
        Failure::new(message, "name a file that is there and is text")
    })
}

fn read_stdin() -> Result<String, Failure> {
    if io::stdin().is_terminal() {
        return Err(Failure::new(
            "there is no SQL to run",
            "give it as an argument, with `--file`, or through a pipe; `--list` names questions",
        ));
    }
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).map_err(|error| {
        Failure::new(format!("cannot read SQL from standard input: {error}"), "send text")
    })?;
    Ok(text)
}
