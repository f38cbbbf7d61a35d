//! `sparkify query`: runs a saved query with its filters, or SQL, read-only.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;

use clap::ValueEnum;
use serde::Serialize;

use super::args::{Filters, Query};
use super::atomic_file;
use super::failure::Failure;
use super::printer::{Output, Printer};
use super::terminal;
use crate::connect;
use sparkify_analytics::report::{
    self, Arguments, ResultColumn, SavedQuery, WriterOptions, grouped,
};
use sparkify_config::{Settings, suggest};
use sparkify_load::ledger;
use sparkify_warehouse::{Access, Opening, Value, Warehouse};

/// Format of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Aligned columns for the terminal.
    Table,
    /// RFC 4180 with a header; null is an empty field, empty text is "".
    Csv,
    /// One JSON array of objects.
    Json,
    /// One JSON object per line.
    Ndjson,
    /// Markdown table.
    Markdown,
    /// Typed columns, compressed with Zstandard.
    Parquet,
}

const DOCUMENT_HEAD: &str = "\
# Saved queries

`sparkify query NAME` runs a saved query. `--format table|csv|json|ndjson|markdown|parquet` sets the
format, `--out FILE` writes a file. `sparkify query --list --format markdown` prints this page.

Filters and parameters are bound as values, never inserted into the SQL text:

- `--since` and `--until`: days in UTC, both inclusive.
- `--level`: the user's subscription level at the time of the play.
- `--limit`: a number of rows, or `all`; the default is in brackets.
- `--by`: the measure to rank by or the period to group by; the first value in brackets is the
  default.

Ties are ordered by the bytes of their text or by ID, so a result is the same each time.

Hours, minutes and percentages are rounded to two decimal places. A session is a session number and
its user. Guests have no user ID and do not count as listeners. Songs and artists are distinguished
by the names in the log, since the catalogue contains few of them. Each query about songs states
what it covers; `match_coverage` counts the plays that match the catalogue.
";

/// A statement with its bound values, and the saved query that it comes from.
struct ResolvedQuery {
    statement: String,
    values: Vec<Value>,
    saved: Option<SavedQuery>,
}

pub(super) fn run(args: &Query, settings: &Settings, printer: &Printer) -> Result<(), Failure> {
    if args.list {
        return list(args, printer);
    }
    let text = match (&args.file, args.sql.as_deref()) {
        (Some(file), _) => read_file(file)?,
        (None, None | Some("-")) => read_stdin()?,
        (None, Some(sql)) => sql.to_owned(),
    };
    let arguments = args.filters.arguments()?;
    let query = resolve(&text, &arguments, connect::engine_of(&settings.warehouse)?)?;
    let access = match query.saved {
        Some(_) => Access::Read,
        None if args.allow_files => Access::GuardedWithFiles,
        None => Access::Guarded,
    };
    let mut warehouse = super::open_any(settings, access, printer)?;
    if query.saved.is_some() {
        warn_of_unknown_level(&arguments, warehouse.as_mut(), printer)?;
    }
    write_result(args, &query, warehouse.as_mut(), printer)?;
    match query.saved {
        Some(saved) => note_coverage(saved, &arguments, warehouse.as_mut(), printer),
        None => Ok(()),
    }
}

/// Runs the query and writes its result to the file or to standard output.
fn write_result(
    args: &Query,
    query: &ResolvedQuery,
    warehouse: &mut dyn Warehouse,
    printer: &Printer,
) -> Result<(), Failure> {
    let format = format(args, printer)?;
    let file = args.out.as_deref().filter(|file| *file != Path::new("-"));
    let options = WriterOptions {
        width: if file.is_some() { None } else { terminal::width() },
        escape_formulas: args.escape_formulas,
        ..WriterOptions::default()
    };
    let mut write = |out: &mut (dyn Write + Send)| {
        let mut writer = report::writer(format, options, out);
        warehouse.query_each(&query.statement, &query.values, writer.as_mut())?;
        writer.finish()
    };
    match file {
        Some(file) => {
            atomic_file::write(file, true, |out| write(out))?;
            printer.note(&format!("wrote the result to `{}`", file.display()));
            Ok(())
        }
        None if format == report::Format::Parquet && io::stdout().is_terminal() => {
            Err(Failure::new(
                "cannot print Parquet on a terminal",
                "name a file with `--out`, or redirect standard output",
            ))
        }
        None => write(&mut printer.data()).map_err(Failure::from),
    }
}

/// Returns the requested format, or that of the file's extension.
fn format(args: &Query, printer: &Printer) -> Result<report::Format, Failure> {
    let extension = args.out.as_ref().and_then(|file| file.extension()?.to_str());
    let by_extension = match extension.filter(|_| args.format.is_none()) {
        None => None,
        Some(extension) => Some(Format::of_extension(extension).ok_or_else(|| {
            Failure::new(
                format!("unknown format: a file that ends in `.{extension}`"),
                "use .csv, .json, .ndjson, .md, .parquet or .txt, or name the format with `--format`",
            )
        })?),
    };
    Ok(match (args.format.or(by_extension), printer.output) {
        (Some(Format::Csv), _) => report::Format::Csv,
        (Some(Format::Json), _) | (None, Output::Json) => report::Format::Json,
        (Some(Format::Ndjson), _) => report::Format::Lines,
        (Some(Format::Markdown), _) => report::Format::Markdown,
        (Some(Format::Parquet), _) => report::Format::Parquet,
        (Some(Format::Table), _) | (None, Output::Text) => report::Format::Table,
    })
}

impl Format {
    /// Returns the format of a file extension.
    fn of_extension(extension: &str) -> Option<Self> {
        Some(match extension.to_lowercase().as_str() {
            "csv" => Self::Csv,
            "json" => Self::Json,
            "ndjson" | "jsonl" => Self::Ndjson,
            "md" | "markdown" => Self::Markdown,
            "parquet" => Self::Parquet,
            "txt" => Self::Table,
            _ => return None,
        })
    }
}

impl Filters {
    /// Converts the options into the arguments of a saved query.
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
            let message = format!("`--until {last}` is before `--since {first}`");
            return Err(Failure::new(message, "give an `--until` on or after `--since`"));
        }
        let (level, limit, by) = (self.level.clone(), self.limit, self.by.clone());
        Ok(Arguments { since, until, level, limit, by })
    }
}

/// Resolves a text: a single word is the name of a saved query, anything else is SQL.
fn resolve(
    text: &str,
    arguments: &Arguments,
    engine: &'static str,
) -> Result<ResolvedQuery, Failure> {
    let word = text.trim();
    if word.is_empty() {
        return Err(Failure::new(
            "no query to run",
            "give SQL or the name of a saved query; run `sparkify query --list` to list them",
        ));
    }
    if word.contains(|c: char| !c.is_alphanumeric() && c != '_') {
        if let Some(filter) = arguments.given().next() {
            return Err(Failure::new(
                format!("`--{filter}` does not apply to SQL"),
                "filter in the SQL itself, or run a saved query (`sparkify query --list`)",
            ));
        }
        return Ok(ResolvedQuery { statement: text.to_owned(), values: Vec::new(), saved: None });
    }
    let saved = SavedQuery::find(word).ok_or_else(|| unknown(word))?;
    let values = saved.values(arguments)?;
    let statement = saved.statement(Opening::full(engine));
    Ok(ResolvedQuery { statement, values, saved: Some(saved) })
}

fn unknown(word: &str) -> Failure {
    let names = SavedQuery::all().map(SavedQuery::name);
    let hint = "run `sparkify query --list` to list all saved queries; put SQL in quotes";
    Failure::new(format!("unknown saved query `{word}`"), suggest::hint(word, names, hint))
}

/// Warns if no play can have the level that is filtered by, since the result is then empty.
pub(super) fn warn_of_unknown_level(
    arguments: &Arguments,
    warehouse: &mut dyn Warehouse,
    printer: &Printer,
) -> Result<(), Failure> {
    let Some(level) = &arguments.level else { return Ok(()) };
    let levels = report::levels(warehouse)?;
    if !levels.contains(level) {
        let known = levels.iter().map(|level| format!("`{level}`")).collect::<Vec<_>>().join(", ");
        printer.warn(&format!("no user has the level `{level}`; the levels are {known}"));
    }
    Ok(())
}

/// Prints the catalogue match coverage of a saved query about songs.
fn note_coverage(
    saved: SavedQuery,
    arguments: &Arguments,
    warehouse: &mut dyn Warehouse,
    printer: &Printer,
) -> Result<(), Failure> {
    let Some(covers) = saved.covers_songs() else { return Ok(()) };
    let coverage = report::coverage(warehouse, arguments)?;
    let (plays, matched) = (grouped(coverage.plays), grouped(coverage.matched));
    let share = match coverage.percent() {
        Some(percent) => format!(" ({percent:.1} %)"),
        None => String::new(),
    };
    printer.note(&format!(
        "covers {covers}; catalogue match coverage: {matched} of {plays} plays{share}"
    ));
    Ok(())
}

/// A saved query as `--list --output json` prints it; the field names are JSON keys.
#[derive(Serialize)]
struct SavedQueryInfo {
    name: &'static str,
    question: &'static str,
    parameters: Vec<String>,
    covers_songs: Option<&'static str>,
    columns: Vec<ResultColumn>,
}

fn list(args: &Query, printer: &Printer) -> Result<(), Failure> {
    if args.format == Some(Format::Markdown) {
        return printer.text(&document());
    }
    let queries: Vec<SavedQueryInfo> = SavedQuery::all()
        .map(|query| SavedQueryInfo {
            name: query.name(),
            question: query.description(),
            parameters: query.parameters().iter().map(ToString::to_string).collect(),
            covers_songs: query.covers_songs(),
            columns: query.columns(),
        })
        .collect();
    printer.result(&queries, || {
        let row = |query: &SavedQueryInfo| {
            let filters: Vec<String> =
                query.parameters.iter().map(|parameter| format!("--{parameter}")).collect();
            vec![query.name.into(), query.question.into(), filters.join(", ")]
        };
        let rows: Vec<Vec<String>> = queries.iter().map(row).collect();
        terminal::table(&["name", "description", "filters"], &rows, &[])
    })
}

/// Returns the list as Markdown, which is the content of `docs/reference/saved-queries.md`.
fn document() -> String {
    let mut text = DOCUMENT_HEAD.to_owned();
    for query in SavedQuery::all() {
        let _ = write!(text, "\n## {}\n\n{}\n\n", query.name(), sentence(query.description()));
        let filters: Vec<String> =
            query.parameters().iter().map(|parameter| format!("`--{parameter}`")).collect();
        if !filters.is_empty() {
            let _ = writeln!(text, "Filters: {}.\n", filters.join(", "));
        }
        if let Some(covers) = query.covers_songs() {
            let _ = writeln!(text, "Covers {covers}.\n");
        }
        text.push_str("| column | description |\n|---|---|\n");
        for column in query.columns() {
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

/// Returns the failure for a SQL file that cannot be read.
pub(super) fn unreadable(path: &Path, error: &io::Error) -> Failure {
    let message = format!("cannot read SQL from `{}`: {error}", path.display());
    Failure::new(message, "name an existing text file in UTF-8")
}

fn read_stdin() -> Result<String, Failure> {
    if io::stdin().is_terminal() {
        return Err(Failure::new(
            "no query to run",
            "give it as an argument, with `--file`, or on standard input; `--list` lists saved queries",
        ));
    }
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).map_err(|error| {
        Failure::new(format!("cannot read SQL from standard input: {error}"), "send text in UTF-8")
    })?;
    Ok(text)
}
