//! Terminal output: results on standard output; progress, warnings and errors on standard error.

use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use serde::Serialize;

use super::args::Global;
use super::failure::Failure;
use super::terminal::{self, Filtered};
use sparkify_reader::Meter;

/// When to use colors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Also into files and pipes.
    Always,
    /// No colors.
    Never,
}

/// Format of a command's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// Text and tables.
    Text,
    /// One JSON document.
    Json,
}

/// Printer that every command writes its output to.
pub(super) struct Printer {
    pub output: Output,
    quiet: bool,
    verbose: bool,
}

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

impl Printer {
    /// Asks a question on the terminal, and returns true if the answer is yes.
    pub(super) fn confirms(question: &str) -> io::Result<bool> {
        anstream::eprint!("{question} [y/N] ");
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
    }

    pub(super) fn new(options: &Global) -> Self {
        match options.color {
            Color::Auto => {}
            Color::Always => anstream::ColorChoice::Always.write_global(),
            Color::Never => anstream::ColorChoice::Never.write_global(),
        }
        Self { output: options.output, quiet: options.quiet, verbose: options.verbose > 0 }
    }

    /// Returns true if a progress line is drawn: on a terminal, without `--quiet`.
    pub(super) fn draws(&self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// Returns the meter of a load. Without a progress line, it prints each message as a line.
    pub(super) fn meter(&self) -> Meter {
        if self.quiet || self.draws() {
            return Meter::default();
        }
        Meter::telling(|text| drop(writeln!(anstream::stderr(), "{text}")))
    }

    /// Returns true if only results and errors are printed.
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Returns true if the complete account of a load is printed.
    pub(super) fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// Returns the stream for results. A file or a pipe gets every byte of the data; a terminal gets
    /// no control characters, since they would act on it.
    #[expect(clippy::unused_self, reason = "all output goes through the printer")]
    pub(super) fn data(&self) -> Box<dyn Write + Send> {
        let out = io::BufWriter::new(io::stdout());
        if io::stdout().is_terminal() { Box::new(Filtered::new(out)) } else { Box::new(out) }
    }

    /// Prints a result as text or JSON, as `--output` requests.
    pub(super) fn result(
        &self,
        document: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        match self.output {
            Output::Json => self.json(document),
            Output::Text => self.text(&text()),
        }
    }

    /// Prints a result whose lines begin with a state, such as `ok`, in color on a terminal.
    pub(super) fn result_with_states(
        &self,
        document: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        if self.output == Output::Json || !io::stdout().is_terminal() {
            return self.result(document, text);
        }
        let text = terminal::colored_states(&text());
        anstream::stdout().write_all(text.as_bytes()).map_err(Failure::from)
    }

    /// Prints a result as JSON.
    pub(super) fn json(&self, document: &impl Serialize) -> Result<(), Failure> {
        self.text(&format!("{}\n", super::json::pretty(document)?))
    }

    /// Prints a result as text.
    pub(super) fn text(&self, text: &str) -> Result<(), Failure> {
        let mut out = self.data();
        out.write_all(text.as_bytes())?;
        out.flush().map_err(Failure::from)
    }

    /// Prints an informational line to standard error, unless `--quiet`.
    pub(super) fn note(&self, text: &str) {
        if !self.quiet {
            self.line(text);
        }
    }

    pub(super) fn warn(&self, text: &str) {
        if !self.quiet {
            self.line(&format!("{WARNING}warning{WARNING:#}: {text}"));
        }
    }

    pub(super) fn error(&self, text: &str) {
        self.line(&format!("{ERROR}error{ERROR:#}: {text}"));
    }

    pub(super) fn hint(&self, text: &str) {
        self.line(&format!("{HINT}hint{HINT:#}: {text}"));
    }

    /// Prints a line after the `^C` that the terminal shows.
    pub(super) fn interrupted(text: &str) {
        let _ = writeln!(anstream::stderr(), "\n{text}");
    }

    /// Prints a line to standard error. A write error is ignored, since it cannot be reported.
    #[expect(clippy::unused_self, reason = "all output goes through the printer")]
    pub(super) fn line(&self, text: &str) {
        let _ = writeln!(anstream::stderr(), "{text}");
    }
}
