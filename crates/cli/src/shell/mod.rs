//! `sparkify shell`: interactive SQL and saved queries, read-only.
//!
//! Each statement opens and closes the warehouse, so an idle shell does not block loads. Settings
//! and temporary tables of a statement do not outlive it. Without a terminal, statements are read
//! from standard input, and the first error ends the shell.

mod highlight;
mod input;
mod pager;
mod statements;

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anstream::{AutoStream, ColorChoice};
use clap::Parser;
use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::{CompletionType, Config, Editor};

use super::args::Filters;
use super::describe;
use super::failure::Failure;
use super::printer::{Output, Printer};
use super::query;
use super::signals;
use super::terminal;
use crate::connect;
use sparkify_analytics::report::{self, Arguments, Parameter, SavedQuery, WriterOptions, grouped};
use sparkify_config::{self, Settings, suggest};
use sparkify_warehouse::{Access, Interrupter, Opening, Value, Warehouse, WarehouseError};

/// Default limit of rows per result.
const ROWS: u64 = 1000;
/// Maximum nesting of `\i`: a deeper nesting is taken for a cycle.
const DEPTH: usize = 16;
const PROMPT: &str = "sparkify> ";
/// Prompt of the second and further lines of a statement.
const CONTINUATION: &str = "       -> ";

/// Name, arguments and description of each command.
const COMMANDS: &[(&str, &str, &str)] = &[
    ("\\d", "[TABLE]", "list the tables, or the columns of one table"),
    ("\\questions", "", "list the saved queries; run one by its name, with filters if needed"),
    ("\\limit", "N|all", "limit the rows of a result"),
    ("\\x", "[on|off]", "show one line per value"),
    ("\\timing", "[on|off]", "print the time that each statement took"),
    ("\\i", "FILE", "run the statements of a file"),
    ("\\?", "", "show this help"),
    ("\\q", "", "quit (as Ctrl-D)"),
];

/// Interrupter of the running statement, if one runs.
type Running = Arc<Mutex<Option<Interrupter>>>;

/// Options that follow the name of a saved query.
#[derive(Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
struct SavedQueryOptions {
    #[command(flatten)]
    filters: Filters,
}

/// Source of a statement.
#[derive(Debug, Clone, Copy)]
enum Source {
    /// Typed by the user, or read from a file.
    User,
    /// A saved query.
    Saved,
}

/// Next action of the shell after an input.
#[derive(PartialEq, Eq)]
enum Next {
    Continue,
    Quit,
}

struct Shell<'a> {
    settings: &'a Settings,
    printer: &'a Printer,
    limit: u64,
    timing: bool,
    vertical: bool,
    /// Columns and rows of the screen; none without a terminal.
    screen: Option<(u16, u16)>,
    running: Running,
}

pub(super) fn run(settings: &Settings, printer: &Printer) -> Result<(), Failure> {
    // Reports a missing warehouse before the first prompt.
    let opening = Opening::full(super::open_loaded(settings, printer)?.engine());
    let running = Running::default();
    let mut shell = Shell {
        settings,
        printer,
        limit: ROWS,
        timing: false,
        vertical: false,
        screen: None,
        running,
    };
    if io::stdin().is_terminal() && io::stdout().is_terminal() {
        shell.run_interactive(opening)
    } else {
        shell.run_lines(io::stdin().lock(), 0).map(drop)
    }
}

impl Shell<'_> {
    /// Reads and runs input until the user quits.
    fn run_interactive(&mut self, opening: Opening) -> Result<(), Failure> {
        self.catch_interrupts()?;
        let mut editor = editor(opening).map_err(|error| no_terminal(&error))?;
        let history = load_history(&mut editor);
        self.printer.note(&format!(
            "connected to `{}`, read-only\nend statements with `;`; `\\?` for help, Ctrl-D to quit",
            self.settings.warehouse
        ));
        if self.settings.warehouse.file().is_some() {
            self.printer.note("loads can run while this is open");
        }
        loop {
            let typed = match read_statement(&mut editor) {
                Ok(typed) => typed,
                Err(ReadlineError::Interrupted) => continue,
                Err(ReadlineError::Eof) => return Ok(()),
                Err(error) => return Err(no_terminal(&error)),
            };
            if !typed.trim().is_empty() {
                let _ = editor.add_history_entry(typed.trim_end());
                // Appended after each input, so that a killed shell loses none. Errors are ignored:
                // the shell works without a history.
                let _ = history.as_ref().map(|history| editor.append_history(history));
            }
            self.screen = editor.dimensions();
            match self.run_text(&typed, 0) {
                Ok(Next::Continue) => {}
                Ok(Next::Quit) => return Ok(()),
                Err(failure) => drop(failure.report(self.printer)),
            }
        }
    }

    /// Makes Ctrl-C cancel the running statement. At the prompt, the editor handles the key.
    fn catch_interrupts(&self) -> Result<(), Failure> {
        let running = Arc::clone(&self.running);
        let stop = move || {
            if let Some(stop) = &*running.lock().unwrap_or_else(PoisonError::into_inner) {
                stop();
                // Ends the line on which the terminal printed `^C`, so that the error gets its own.
                let _ = writeln!(io::stderr());
            }
        };
        signals::on_ctrl_c(stop)
    }

    /// Runs each statement and command as soon as it is complete. The last needs no semicolon.
    fn run_lines(&mut self, lines: impl BufRead, depth: usize) -> Result<Next, Failure> {
        let mut text = String::new();
        for line in lines.lines() {
            let line = line.map_err(|error| {
                Failure::new(format!("cannot read the statements: {error}"), "send text in UTF-8")
            })?;
            text.push_str(&line);
            text.push('\n');
            if input::is_complete(&text)
                && self.run_text(&std::mem::take(&mut text), depth)? == Next::Quit
            {
                return Ok(Next::Quit);
            }
        }
        self.run_text(&text, depth)
    }

    /// Runs a command, a saved query, or statements.
    fn run_text(&mut self, text: &str, depth: usize) -> Result<Next, Failure> {
        let text = text.trim();
        if let Some(command) = input::command(text) {
            return self.command(&command, depth);
        }
        if let Some(query) = input::saved_query(text) {
            return self.run_saved(query, text).map(|()| Next::Continue);
        }
        if input::is_unknown_word(text) {
            return Err(unknown_word(text));
        }
        let (statements, rest) = statements::split(text);
        let last = Some(rest).filter(|rest| !statements::is_blank(rest));
        for statement in statements.into_iter().chain(last) {
            self.run_statement(Source::User, statement, &[])?;
        }
        Ok(Next::Continue)
    }

    fn command(&mut self, text: &str, depth: usize) -> Result<Next, Failure> {
        let text = text.trim_end_matches(';').trim_end();
        let (name, argument) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        match (name, argument.trim()) {
            ("\\q", "") => return Ok(Next::Quit),
            ("\\?", "") => self.show(help().as_bytes())?,
            ("\\questions", "") => self.show(saved_queries().as_bytes())?,
            ("\\d", table) => {
                let table = Some(table).filter(|table| !table.is_empty());
                let text = describe::text(self.settings, table, self.printer)?;
                self.show(text.as_bytes())?;
            }
            ("\\limit", rows) => self.limit = limit(rows)?,
            ("\\timing", to) => {
                self.timing = switched("\\timing", to, self.timing)?;
                let state = if self.timing { "on" } else { "off" };
                self.printer.note(&format!("timing is {state}"));
            }
            ("\\x", to) => {
                self.vertical = switched("\\x", to, self.vertical)?;
                let layout = if self.vertical { "one line per value" } else { "tables" };
                self.printer.note(&format!("results are shown as {layout}"));
            }
            ("\\i", file) if !file.is_empty() => return self.run_file(Path::new(file), depth + 1),
            _ => return Err(unknown(name)),
        }
        Ok(Next::Continue)
    }

    fn run_file(&mut self, path: &Path, depth: usize) -> Result<Next, Failure> {
        if depth > DEPTH {
            return Err(Failure::new(
                format!("cannot run `{}`: files are nested more than {DEPTH} deep", path.display()),
                "check whether a file runs itself with `\\i`",
            ));
        }
        let file = std::fs::File::open(path).map_err(|error| query::unreadable(path, &error))?;
        self.run_lines(io::BufReader::new(file), depth)
    }

    fn run_saved(&mut self, query: SavedQuery, text: &str) -> Result<(), Failure> {
        let words = text.trim_end_matches(';').split_whitespace().skip(1);
        let arguments: Arguments = match SavedQueryOptions::try_parse_from(words) {
            Ok(options) => options.filters.arguments()?,
            Err(error) => return Err(invalid_options(query, &error)),
        };
        let values = query.values(&arguments)?;
        let engine = connect::engine_of(&self.settings.warehouse)?;
        let statement = query.statement(Opening { engine, incremental: false });
        self.run_statement(Source::Saved, &statement, &values)
    }

    /// Runs one statement and shows its result.
    fn run_statement(
        &mut self,
        source: Source,
        statement: &str,
        values: &[Value],
    ) -> Result<(), Failure> {
        let started = Instant::now();
        let mut warehouse = super::wait_for_file(self.settings, self.printer, || match source {
            Source::User => connect::open_isolated(self.settings, 1),
            Source::Saved => connect::open(self.settings, Access::Read),
        })?;
        let mut text = Vec::new();
        self.set_running(warehouse.interrupter());
        let more =
            fill(&mut text, warehouse.as_mut(), (statement, values), self.limit, self.layout());
        self.set_running(None);
        // Closed before the result is shown: a pager may stay open for long.
        drop(warehouse);
        let (more, took) = (more?, started.elapsed());
        self.show(&text)?;
        if more {
            let rows = grouped(self.limit);
            self.printer.note(&format!(
                "first {rows} rows shown, there are more; raise the limit with `\\limit N` or `\\limit all`"
            ));
        }
        if self.timing {
            self.printer.note(&format!("{:.1} ms", took.as_secs_f64() * 1000.0));
        }
        Ok(())
    }

    fn set_running(&self, interrupter: Option<Interrupter>) {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = interrupter;
    }

    fn layout(&self) -> (report::Format, WriterOptions) {
        let format = match self.printer.output {
            Output::Text => report::Format::Table,
            Output::Json => report::Format::Json,
        };
        let (width, vertical) = (terminal::width(), self.vertical);
        (format, WriterOptions { width, vertical, ..WriterOptions::default() })
    }

    fn show(&self, text: &[u8]) -> Result<(), Failure> {
        if self.screen.is_some_and(|screen| pager::overflows(text, screen)) && pager::page(text) {
            return Ok(());
        }
        let mut out = self.printer.data();
        out.write_all(text)?;
        out.flush().map_err(Failure::from)
    }
}

/// Writes the result to `text`; returns true if it has more rows than `limit`.
fn fill(
    text: &mut Vec<u8>,
    warehouse: &mut dyn Warehouse,
    (statement, values): (&str, &[Value]),
    limit: u64,
    (format, options): (report::Format, WriterOptions),
) -> Result<bool, WarehouseError> {
    let mut writer = report::writer(format, options, text);
    let mut limited = pager::LimitedSink { to: writer.as_mut(), left: limit, more: false };
    let ended = warehouse.query_each(statement, values, &mut limited);
    let more = limited.more;
    match ended {
        Err(WarehouseError::Sink(_)) if more => {}
        ended => ended?,
    }
    writer.finish()?;
    Ok(more)
}

type LineEditor = Editor<input::Completion, DefaultHistory>;

/// Reads lines up to the end of a statement.
///
/// # Errors
/// [`ReadlineError::Interrupted`] if Ctrl-C discards the statement, [`ReadlineError::Eof`] at the
/// end of the input.
fn read_statement(editor: &mut LineEditor) -> rustyline::Result<String> {
    let mut text = editor.readline(PROMPT)?;
    while !input::is_complete(&text) {
        text.push('\n');
        text.push_str(&editor.readline(CONTINUATION)?);
    }
    Ok(text)
}

fn editor(opening: Opening) -> rustyline::Result<LineEditor> {
    let builder = Config::builder().completion_type(CompletionType::List);
    let configuration = builder.history_ignore_space(true).build();
    let mut editor = Editor::with_config(configuration)?;
    let is_colored = AutoStream::choice(&io::stdout()) != ColorChoice::Never;
    editor.set_helper(Some(input::Completion::new(opening, is_colored)));
    Ok(editor)
}

/// Loads the history and returns its file; none if no history is kept.
fn load_history(editor: &mut LineEditor) -> Option<PathBuf> {
    let path = sparkify_config::shell::history()?;
    std::fs::create_dir_all(path.parent()?).ok()?;
    if path.exists() {
        editor.load_history(&path).ok()?;
    }
    Some(path)
}

fn help() -> String {
    let row = |(name, arguments, description): &(&str, &str, &str)| {
        vec![format!("{name} {arguments}").trim_end().to_owned(), (*description).to_owned()]
    };
    let mut rows: Vec<Vec<String>> = COMMANDS.iter().map(row).collect();
    rows.push(vec!["SQL;".into(), "run a statement; it can span several lines".into()]);
    rows.push(vec!["top_songs --limit 5".into(), "run a saved query, here with a limit".into()]);
    terminal::table(&["input", "description"], &rows, &[])
}

fn saved_queries() -> String {
    let row = |query: SavedQuery| vec![query.name().to_owned(), query.description().to_owned()];
    terminal::table(&["name", "description"], &SavedQuery::all().map(row).collect::<Vec<_>>(), &[])
}

fn limit(written: &str) -> Result<u64, Failure> {
    let number = if written == "all" { Some(u64::MAX) } else { written.parse().ok() };
    number.filter(|rows| *rows > 0).ok_or_else(|| {
        let hint = "give a whole number of at least 1, or `all`";
        Failure::new(format!("invalid row limit `{written}`"), hint)
    })
}

fn switched(command: &str, to: &str, now: bool) -> Result<bool, Failure> {
    match to {
        "" => Ok(!now),
        "on" => Ok(true),
        "off" => Ok(false),
        other => Err(Failure::new(
            format!("invalid value `{other}` for `{command}`"),
            format!("use `{command} on` or `{command} off`"),
        )),
    }
}

/// Returns the failure for a word that is neither a command, a saved query nor SQL.
fn unknown_word(text: &str) -> Failure {
    let word = text.trim_end_matches(';').trim_end();
    let names = SavedQuery::all().map(SavedQuery::name).chain(input::WORDS.iter().map(|it| it.0));
    let hint = "run `help` to list the commands, `\\questions` to list the saved queries";
    Failure::new(
        format!("unknown command or saved query `{word}`"),
        suggest::hint(word, names, hint),
    )
}

fn unknown(name: &str) -> Failure {
    let known = COMMANDS.iter().find(|(known, ..)| *known == name);
    let help = "run `\\?` to list the commands";
    if let Some((name, arguments, _)) = known {
        let usage = format!("{name} {arguments}");
        let usage = usage.trim_end();
        return Failure::new(format!("wrong arguments for `{name}`: usage is `{usage}`"), help);
    }
    let names = COMMANDS.iter().map(|(name, ..)| *name);
    Failure::new(format!("unknown command `{name}`"), suggest::hint(name, names, help))
}

/// Returns the failure for options that do not parse; only the first line of clap's error is kept.
fn invalid_options(query: SavedQuery, error: &clap::Error) -> Failure {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
    let takes: Vec<_> = query.parameters().into_iter().map(Parameter::name).collect();
    Failure::new(format!("cannot run `{}`: {first}", query.name()), report::parameters_hint(&takes))
}

fn no_terminal(error: &ReadlineError) -> Failure {
    let hint = "pipe the statements to the shell";
    Failure::new(format!("cannot read from the terminal: {error}"), hint)
}
