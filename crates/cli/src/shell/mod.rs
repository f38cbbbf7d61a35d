//! `sparkify shell`: statements and questions typed one after the other, read only.
//!
//! Each statement opens the warehouse for itself and closes it, so that a shell that waits for its person never keeps a load from the file. What
//! a statement sets or makes is gone with it. Without a terminal, statements are read from standard input, and the first error ends it.

mod line;
mod screen;
mod split;

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use clap::Parser;
use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::{CompletionType, Config, Editor};

use super::args::Bounds;
use super::describe;
use super::failure::Failure;
use super::printer::{Output, Printer};
use super::query;
use crate::connect;
use sparkify_analytics::report::{self, Arguments, Parameter, Question, grouped, plain_table};
use sparkify_config::{self, Settings, suggest};
use sparkify_warehouse::{Access, Interrupter, Opening, Value, Warehouse, WarehouseError};

/// Rows that are shown when nobody says how many.
const ROWS: u64 = 1000;
/// Files that may read one another: more is a circle.
const DEPTH: usize = 16;
const PROMPT: &str = "sparkify> ";

/// Name, what it takes, what it does.
const COMMANDS: &[(&str, &str, &str)] = &[
    ("\\d", "[TABLE]", "shows the tables, or the columns of one"),
    ("\\questions", "", "lists the questions; a name alone asks one, bounds may follow it"),
    ("\\limit", "N|all", "shows at most so many rows of an answer"),
    ("\\timing", "[on|off]", "says how long each statement took"),
    ("\\i", "FILE", "runs the statements in a file"),
    ("\\?", "", "shows this"),
    ("\\q", "", "ends the shell, as Ctrl-D does"),
];

/// What stops the statement that is running, while one is.
type Running = Arc<Mutex<Option<Interrupter>>>;

/// A question's bounds, as they follow its name.
#[derive(Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
struct Asked {
    #[command(flatten)]
    bounds: Bounds,
}

/// Whether the shell goes on.
#[derive(PartialEq, Eq)]
enum Next {
    Line,
    End,
}

struct Shell<'a> {
    settings: &'a Settings,
    printer: &'a Printer,
    limit: u64,
    timing: bool,
    /// Columns and rows of the screen; none where nobody looks.
    screen: Option<(u16, u16)>,
    running: Running,
}

pub(super) fn run(settings: &Settings, printer: &Printer) -> Result<(), Failure> {
    // A warehouse that is not there is said before anything is typed.
    let opening = Opening::full(super::open_as(settings, Access::Guarded)?.engine());
    let running = Running::default();
    let mut shell = Shell { settings, printer, limit: ROWS, timing: false, screen: None, running };
    if io::stdin().is_terminal() && io::stdout().is_terminal() {
        shell.converse(opening)
    } else {
        shell.run_lines(io::stdin().lock(), 0).map(drop)
    }
}

impl Shell<'_> {
    /// A line, an answer, until the person has enough.
    fn converse(&mut self, opening: Opening) -> Result<(), Failure> {
        self.catch_interrupts()?;
        let mut editor = editor(opening).map_err(|error| no_terminal(&error))?;
        let history = history(&mut editor);
        self.printer.note(&format!(
            "`{}`, read only; a statement ends with `;`, `\\?` helps, Ctrl-D ends",
            self.settings.warehouse
        ));
        if self.settings.warehouse.file().is_some() {
            self.printer.note("the file is free for a load whenever no statement runs");
        }
        loop {
            let typed = match editor.readline(PROMPT) {
                Ok(typed) => typed,
                Err(ReadlineError::Interrupted) => continue,
                Err(ReadlineError::Eof) => return Ok(()),
                Err(error) => return Err(no_terminal(&error)),
            };
            if !typed.trim().is_empty() {
                let _ = editor.add_history_entry(typed.trim_end());
                // Each line at once: a shell that is killed has lost none. One that cannot be kept is no reason to stop.
                let _ = history.as_ref().map(|history| editor.append_history(history));
            }
            self.screen = editor.dimensions();
            match self.run_text(&typed, 0) {
                Ok(Next::Line) => {}
                Ok(Next::End) => return Ok(()),
                Err(failure) => drop(failure.tell(self.printer)),
            }
        }
    }

    /// Ctrl-C stops the statement that runs. At the prompt it is a key like others.
    fn catch_interrupts(&self) -> Result<(), Failure> {
        let running = Arc::clone(&self.running);
        let stop = move || {
            if let Some(stop) = &*running.lock().unwrap_or_else(PoisonError::into_inner) {
                stop();
                // The terminal has written `^C` where an error is to stand.
                let _ = writeln!(io::stderr());
            }
        };
        ctrlc::set_handler(stop).map_err(|error| {
            Failure::new(format!("cannot listen to Ctrl-C: {error}"), "send the SQL through a pipe")
        })
    }

    /// Statements and commands as they come, each run as soon as it is whole; the last needs no semicolon.
    fn run_lines(&mut self, lines: impl BufRead, depth: usize) -> Result<Next, Failure> {
        let mut text = String::new();
        for line in lines.lines() {
            let line = line.map_err(|error| {
                Failure::new(format!("cannot read the statements: {error}"), "send text in UTF-8")
            })?;
            text.push_str(&line);
            text.push('\n');
            if line::is_whole(&text)
                && self.run_text(&std::mem::take(&mut text), depth)? == Next::End
            {
                return Ok(Next::End);
            }
        }
        self.run_text(&text, depth)
    }

    /// A command, a question, or statements.
    fn run_text(&mut self, text: &str, depth: usize) -> Result<Next, Failure> {
        let text = text.trim();
        if text.starts_with('\\') {
            return self.command(text, depth);
        }
        if let Some(question) = line::question(text) {
            return self.ask(question, text).map(|()| Next::Line);
        }
        let (statements, rest) = split::statements(text);
        let last = Some(rest).filter(|rest| split::says_something(rest));
        for statement in statements.into_iter().chain(last) {
            self.answer(statement, &[])?;
        }
        Ok(Next::Line)
    }

    fn command(&mut self, text: &str, depth: usize) -> Result<Next, Failure> {
        let text = text.trim_end_matches(';').trim_end();
        let (name, argument) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        match (name, argument.trim()) {
            ("\\q", "") => return Ok(Next::End),
            ("\\?", "") => self.show(help().as_bytes())?,
            ("\\questions", "") => self.show(questions().as_bytes())?,
            ("\\d", table) => {
                let table = Some(table).filter(|table| !table.is_empty());
                let text = describe::text(self.settings, table)?;
                self.show(text.as_bytes())?;
            }
            ("\\limit", rows) => self.limit = limit(rows)?,
            ("\\timing", to) => {
                self.timing = switched(to, self.timing)?;
                let now = if self.timing { "on" } else { "off" };
                self.printer.note(&format!("timing is {now}"));
            }
            ("\\i", file) if !file.is_empty() => return self.run_file(Path::new(file), depth + 1),
            _ => return Err(unknown(name)),
        }
        Ok(Next::Line)
    }

    fn run_file(&mut self, path: &Path, depth: usize) -> Result<Next, Failure> {
        if depth > DEPTH {
            return Err(Failure::new(
                format!("cannot run `{}`: files name one another {DEPTH} deep", path.display()),
                "look for a file that runs itself",
            ));
        }
        let file = std::fs::File::open(path).map_err(|error| query::unreadable(path, &error))?;
        self.run_lines(io::BufReader::new(file), depth)
    }

    fn ask(&mut self, question: Question, text: &str) -> Result<(), Failure> {
        let words = text.trim_end_matches(';').split_whitespace().skip(1);
        let arguments: Arguments = match Asked::try_parse_from(words) {
            Ok(asked) => asked.bounds.arguments()?,
            Err(error) => return Err(misunderstood(question, &error)),
        };
        let values = question.values(&arguments)?;
        let engine = connect::engine_of(&self.settings.warehouse)?;
        self.answer(&question.statement(Opening { engine, incremental: false }), &values)
    }

    /// Runs one statement and shows what it answers.
    fn answer(&mut self, statement: &str, values: &[Value]) -> Result<(), Failure> {
        let started = Instant::now();
        let mut warehouse = connect::open(self.settings, Access::Guarded)?;
        let mut text = Vec::new();
        self.run_as(warehouse.interrupter());
        let more =
            fill(&mut text, warehouse.as_mut(), (statement, values), self.limit, self.format());
        self.run_as(None);
        // Closed before anybody reads: a pager may stay open for long.
        drop(warehouse);
        let (more, took) = (more?, started.elapsed());
        self.show(&text)?;
        if more {
            let rows = grouped(self.limit);
            self.printer.note(&format!(
                "more rows exist than the {rows} shown: `\\limit N` or `\\limit all` shows them"
            ));
        }
        if self.timing {
            self.printer.note(&format!("{:.1} ms", took.as_secs_f64() * 1000.0));
        }
        Ok(())
    }

    fn run_as(&self, stop: Option<Interrupter>) {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = stop;
    }

    fn format(&self) -> report::Format {
        match self.printer.output {
            Output::Text => report::Format::Table,
            Output::Json => report::Format::Json,
        }
    }

    fn show(&self, text: &[u8]) -> Result<(), Failure> {
        if self.screen.is_some_and(|screen| screen::overflows(text, screen)) && screen::page(text) {
            return Ok(());
        }
        let mut out = self.printer.data();
        out.write_all(text)?;
        out.flush().map_err(Failure::from)
    }
}

/// Writes the answer to `text`; true when it has more rows than `limit`.
fn fill(
    text: &mut Vec<u8>,
    warehouse: &mut dyn Warehouse,
    (statement, values): (&str, &[Value]),
    limit: u64,
    format: report::Format,
) -> Result<bool, WarehouseError> {
    let mut writer = report::writer(format, text);
    let mut limited = screen::Limited { to: writer.as_mut(), left: limit, more: false };
    let ended = warehouse.query_each(statement, values, &mut limited);
    let more = limited.more;
    match ended {
        Err(WarehouseError::Sink(_)) if more => {}
        ended => ended?,
    }
    writer.finish()?;
    Ok(more)
}

fn editor(opening: Opening) -> rustyline::Result<Editor<line::Words, DefaultHistory>> {
    let builder = Config::builder().completion_type(CompletionType::List);
    let configuration = builder.history_ignore_space(true).build();
    let mut editor = Editor::with_config(configuration)?;
    editor.set_helper(Some(line::Words::new(opening)));
    Ok(editor)
}

/// Reads what was typed before; none when it cannot be kept.
fn history(editor: &mut Editor<line::Words, DefaultHistory>) -> Option<PathBuf> {
    let path = sparkify_config::shell::history()?;
    std::fs::create_dir_all(path.parent()?).ok()?;
    if path.exists() {
        editor.load_history(&path).ok()?;
    }
    Some(path)
}

fn help() -> String {
    let row = |(name, takes, does): &(&str, &str, &str)| {
        vec![format!("{name} {takes}").trim_end().to_owned(), (*does).to_owned()]
    };
    let mut rows: Vec<Vec<String>> = COMMANDS.iter().map(row).collect();
    rows.push(vec!["SQL;".into(), "runs a statement; it may take several lines".into()]);
    rows.push(vec!["top_songs --limit 5".into(), "asks a question, here with a bound".into()]);
    plain_table(&["typed", "what it does"], &rows, &[])
}

fn questions() -> String {
    let row = |question: Question| vec![question.name().to_owned(), question.asks().to_owned()];
    plain_table(&["name", "question"], &Question::all().map(row).collect::<Vec<_>>(), &[])
}

fn limit(written: &str) -> Result<u64, Failure> {
    let number = if written == "all" { Some(u64::MAX) } else { written.parse().ok() };
    number.filter(|rows| *rows > 0).ok_or_else(|| {
        let hint = "write a whole number from 1 on, or `all`";
        Failure::new(format!("cannot show `{written}` rows"), hint)
    })
}

fn switched(to: &str, now: bool) -> Result<bool, Failure> {
    match to {
        "" => Ok(!now),
        "on" => Ok(true),
        "off" => Ok(false),
        other => Err(Failure::new(
            format!("cannot turn the timing `{other}`"),
            "write `\\timing on` or `\\timing off`",
        )),
    }
}

fn unknown(name: &str) -> Failure {
    let known = COMMANDS.iter().find(|(known, ..)| *known == name);
    if let Some((name, takes, _)) = known {
        let takes = if takes.is_empty() { "nothing" } else { takes };
        return Failure::new(format!("`{name}` takes {takes}"), "`\\?` shows every command");
    }
    let names = COMMANDS.iter().map(|(name, ..)| *name);
    let hint = suggest::hint(name, names, "`\\?` shows every command");
    Failure::new(format!("no command is called `{name}`"), hint)
}

/// A bound that cannot be read, in one line.
fn misunderstood(question: Question, error: &clap::Error) -> Failure {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
    let takes: Vec<_> = question.parameters().into_iter().map(Parameter::name).collect();
    Failure::new(format!("cannot ask `{}`: {first}", question.name()), report::takes(&takes))
}

fn no_terminal(error: &ReadlineError) -> Failure {
    let hint = "send the statements through a pipe";
    Failure::new(format!("cannot read from the terminal: {error}"), hint)
}
