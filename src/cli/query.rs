//! `sparkify query`: a question with a name and its bounds, or any SQL, read only.

use std::io::{self, IsTerminal, Read};
use std::path::Path;

use clap::ValueEnum;
use serde::Serialize;

use super::args::{Bounds, Query};
use super::failure::Failure;
use super::printer::{Output, Printer};
use crate::config::{Settings, suggest};
use crate::ledger;
use crate::report::{self, Answered, Arguments, Question, grouped};
use crate::warehouse::{self, Access, Value, Warehouse};

/// The form of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Table,
    /// RFC 4180; null is an empty field, an empty text is "".
    Csv,
    /// An array of objects.
    Json,
    /// An object a line.
    Ndjson,
    /// A table in a text.
    Markdown,
}

/// What is to be run, and with which values.
struct Asked {
    statement: String,
    values: Vec<Value>,
    question: Option<Question>,
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
    let arguments = args.bounds.arguments()?;
    let mut warehouse = warehouse::open(settings, Access::Read)?;
    let asked = meant(&written, &arguments, warehouse.as_ref())?;
    let mut out = printer.data();
    let mut writer = report::writer(format(args, printer), &mut out);
    warehouse.query_each(&asked.statement, &asked.values, writer.as_mut())?;
    writer.finish()?;
    drop(writer);
    match asked.question {
        Some(question) => say_coverage(question, &arguments, warehouse.as_mut(), printer),
        None => Ok(()),
    }
}

fn format(args: &Query, printer: &Printer) -> report::Format {
    match (args.format, printer.output) {
        (Some(Format::Csv), _) => report::Format::Csv,
        (Some(Format::Json), _) | (None, Output::Json) => report::Format::Json,
        (Some(Format::Ndjson), _) => report::Format::Lines,
        (Some(Format::Markdown), _) => report::Format::Markdown,
        (Some(Format::Table), _) | (None, Output::Text) => report::Format::Table,
    }
}

impl Bounds {
    /// As a question takes them.
    pub(super) fn arguments(&self) -> Result<Arguments, Failure> {
        let day = |written: &Option<String>| {
            let Some(written) = written else { return Ok(None) };
            ledger::day(written).map(Some).ok_or_else(|| {
                Failure::new(format!("`{written}` is not a date"), "write it as `2018-11-05`")
            })
        };
        let (since, until) = (day(&self.since)?, day(&self.until)?);
        if let (Some(first), Some(last)) = (since, until)
            && last < first
        {
            let message = format!("`--until {last}` lies before `--since {first}`");
            return Err(Failure::new(message, "both days are part of what is asked for"));
        }
        let (level, limit, by) = (self.level.clone(), self.limit, self.by.clone());
        Ok(Arguments { since, until, level, limit, by })
    }
}

/// One word is a question's name; anything else is SQL.
fn meant(
    written: &str,
    arguments: &Arguments,
    warehouse: &dyn Warehouse,
) -> Result<Asked, Failure> {
    let word = written.trim();
    if word.is_empty() {
        return Err(Failure::new(
            "there is no SQL to run",
            "`sparkify query --list` names questions",
        ));
    }
    if word.contains(|c: char| !c.is_alphanumeric() && c != '_') {
        if let Some(bound) = arguments.given().next() {
            return Err(Failure::new(
                format!("SQL takes no `--{bound}`"),
                "write it into the SQL; `sparkify query --list` names questions that take bounds",
            ));
        }
        return Ok(Asked { statement: written.to_owned(), values: Vec::new(), question: None });
    }
    let question = Question::find(word).ok_or_else(|| unknown(word))?;
    let values = question.values(arguments)?;
    let statement = question.statement(warehouse.opening(false));
    Ok(Asked { statement, values, question: Some(question) })
}

fn unknown(word: &str) -> Failure {
    let names = Question::all().map(Question::name);
    Failure::new(
        format!("no question is called `{word}`"),
        suggest::hint(word, names, "`sparkify query --list` names them all; SQL goes in quotes"),
    )
}

/// An answer about songs says what it can rest on.
fn say_coverage(
    question: Question,
    arguments: &Arguments,
    warehouse: &mut dyn Warehouse,
    printer: &Printer,
) -> Result<(), Failure> {
    let Some(covers) = question.covers_songs() else { return Ok(()) };
    let coverage = report::coverage(warehouse, arguments)?;
    let (plays, matched) = (grouped(coverage.plays), grouped(coverage.matched));
    let share = match coverage.percent() {
        Some(percent) => format!(" ({percent:.1} %)"),
        None => String::new(),
    };
    printer.note(&format!(
        "covers {covers}; the catalogue knows the song of {matched} of {plays} plays{share}"
    ));
    Ok(())
}

/// A question as a program reads of it.
#[derive(Serialize)]
struct Listed {
    name: &'static str,
    question: &'static str,
    parameters: Vec<String>,
    covers_songs: Option<&'static str>,
    columns: Vec<Answered>,
}

fn list(printer: &Printer) -> Result<(), Failure> {
    let listed: Vec<Listed> = Question::all()
        .map(|question| Listed {
            name: question.name(),
            question: question.asks(),
            parameters: question.parameters().iter().map(ToString::to_string).collect(),
            covers_songs: question.covers_songs(),
            columns: question.columns(),
        })
        .collect();
    printer.answer(&listed, || {
        let row = |question: &Listed| {
            let takes: Vec<String> =
                question.parameters.iter().map(|parameter| format!("--{parameter}")).collect();
            vec![question.name.into(), question.question.into(), takes.join(", ")]
        };
        let rows: Vec<Vec<String>> = listed.iter().map(row).collect();
        report::plain_table(&["name", "question", "takes"], &rows, &[])
    })
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
