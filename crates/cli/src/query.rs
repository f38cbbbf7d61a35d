//! `sparkify query`: a question with a name and its bounds, or any SQL, read only.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;

use clap::ValueEnum;
use serde::Serialize;

use super::args::{Bounds, Query};
use super::failure::Failure;
use super::out_file;
use super::printer::{Output, Printer};
use crate::connect;
use sparkify_analytics::report::{self, Answered, Arguments, Question, grouped};
use sparkify_config::{Settings, suggest};
use sparkify_load::ledger;
use sparkify_warehouse::{Access, Opening, Value, Warehouse};

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
    /// A file of typed columns.
    Parquet,
}

const DOCUMENT_HEAD: &str = "\
# The questions that have a name

`sparkify query NAME` answers one of them; `--format table|csv|json|ndjson|markdown|parquet` gives the form, `--out FILE` the place. This page is what
`sparkify query --list --format markdown` prints, and a test holds it.

Bounds are bound as values, never pasted into SQL. `--since` and `--until` are days in UTC, both part of what is asked for; `--level` is the level at
the time of the play; `--limit` is a number of rows or `all`, with its default in brackets; `--by` ranks or groups by one of the words in
brackets, by the first when it is not given. Equal rows stand in the order of their text's bytes or of their ids, so that an answer is the same each time.

Hours, minutes and percentages are rounded to two places. A session is a session number and its user; guests have no user id and are no
listeners. Songs and artists are told apart by the names that the log has, since the catalogue seldom knows them: each question about songs says what
it covers, and `match_coverage` how many plays the catalogue knows.
";

/// What is to be run, and with which values.
struct Asked {
    statement: String,
    values: Vec<Value>,
    question: Option<Question>,
}

pub(super) fn run(args: &Query, settings: &Settings, printer: &Printer) -> Result<(), Failure> {
    if args.list {
        return list(args, printer);
    }
    let written = match (&args.file, args.sql.as_deref()) {
        (Some(file), _) => read_file(file)?,
        (None, None | Some("-")) => read_stdin()?,
        (None, Some(sql)) => sql.to_owned(),
    };
    let arguments = args.bounds.arguments()?;
    let mut warehouse = connect::open(settings, Access::Read)?;
    let asked = meant(&written, &arguments, warehouse.as_ref())?;
    answer(args, &asked, warehouse.as_mut(), printer)?;
    match asked.question {
        Some(question) => say_coverage(question, &arguments, warehouse.as_mut(), printer),
        None => Ok(()),
    }
}

/// Runs it, to the file or to standard output.
fn answer(
    args: &Query,
    asked: &Asked,
    warehouse: &mut dyn Warehouse,
    printer: &Printer,
) -> Result<(), Failure> {
    let format = format(args, printer);
    let mut write = |out: &mut (dyn Write + Send)| {
        let mut writer = report::writer(format, out);
        warehouse.query_each(&asked.statement, &asked.values, writer.as_mut())?;
        writer.finish()
    };
    match &args.out {
        Some(file) if file != Path::new("-") => {
            out_file::write(file, true, |out| write(out))?;
            printer.note(&format!("wrote the answer to `{}`", file.display()));
            Ok(())
        }
        _ if format == report::Format::Parquet && io::stdout().is_terminal() => Err(Failure::new(
            "a Parquet file is nothing for a terminal",
            "name a file with `--out`, or send it through a pipe",
        )),
        _ => write(&mut printer.data()).map_err(Failure::from),
    }
}

fn format(args: &Query, printer: &Printer) -> report::Format {
    let ending = args.out.as_ref().and_then(|file| file.extension()?.to_str());
    match (args.format.or_else(|| ending.and_then(Format::of_ending)), printer.output) {
        (Some(Format::Csv), _) => report::Format::Csv,
        (Some(Format::Json), _) | (None, Output::Json) => report::Format::Json,
        (Some(Format::Ndjson), _) => report::Format::Lines,
        (Some(Format::Markdown), _) => report::Format::Markdown,
        (Some(Format::Parquet), _) => report::Format::Parquet,
        (Some(Format::Table), _) | (None, Output::Text) => report::Format::Table,
    }
}

impl Format {
    /// The form that a file's ending promises.
    fn of_ending(ending: &str) -> Option<Self> {
        Some(match ending.to_lowercase().as_str() {
            "csv" => Self::Csv,
            "json" => Self::Json,
            "ndjson" | "jsonl" => Self::Ndjson,
            "md" | "markdown" => Self::Markdown,
            "parquet" => Self::Parquet,
            _ => return None,
        })
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
    let statement = question.statement(Opening::full(warehouse.engine()));
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

fn list(args: &Query, printer: &Printer) -> Result<(), Failure> {
    if args.format == Some(Format::Markdown) {
        return printer.text(&document());
    }
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

/// The list as a document: `docs/questions.md` is this.
fn document() -> String {
    let mut text = DOCUMENT_HEAD.to_owned();
    for question in Question::all() {
        let _ = write!(text, "\n## {}\n\n{}\n\n", question.name(), sentence(question.asks()));
        let takes: Vec<String> =
            question.parameters().iter().map(|parameter| format!("`--{parameter}`")).collect();
        if !takes.is_empty() {
            let _ = writeln!(text, "Takes {}.\n", takes.join(", "));
        }
        if let Some(covers) = question.covers_songs() {
            let _ = writeln!(text, "Covers {covers}.\n");
        }
        text.push_str("| column | what it holds |\n|---|---|\n");
        for column in question.columns() {
            let _ = writeln!(text, "| `{}` | {} |", column.name, column.description);
        }
    }
    text
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

fn read_file(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))
}

/// A file of SQL that cannot be read.
pub(super) fn unreadable(path: &Path, error: &io::Error) -> Failure {
    let message = format!("cannot read the SQL in `{}`: {error}", path.display());
    Failure::new(message, "name a file that is there and is text")
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
