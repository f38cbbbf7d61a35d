//! Where words go: answers to standard output, everything said about the work to standard error.

use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use serde::Serialize;

use super::failure::Failure;
use sparkify_reader::Meter;

/// When to colour what people read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The form of what a command answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// For people.
    Text,
    /// One JSON document.
    Json,
}

/// Handed to every command.
pub(super) struct Printer {
    /// The form of the answer.
    pub output: Output,
    quiet: bool,
}

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

impl Printer {
    pub(super) fn new(output: Output, quiet: bool, color: Color) -> Self {
        match color {
            Color::Auto => {}
            Color::Always => anstream::ColorChoice::Always.write_global(),
            Color::Never => anstream::ColorChoice::Never.write_global(),
        }
        Self { output, quiet }
    }

    /// Whether progress is worth drawing.
    pub(super) fn draws(&self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// A meter for a load, which says in words what no progress shows.
    pub(super) fn meter(&self) -> Meter {
        if self.quiet || self.draws() {
            return Meter::default();
        }
        Meter::telling(|text| drop(writeln!(anstream::stderr(), "{text}")))
    }

    /// Whether only answers and errors are wanted.
    #[cfg(feature = "cluster")]
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// The answer's stream: every byte goes out as it is, so that what looks like a colour in the data is not lost on the way to a file.
    #[expect(clippy::unused_self, reason = "all words go through the printer")]
    pub(super) fn data(&self) -> impl Write + Send {
        io::BufWriter::new(io::stdout())
    }

    /// The answer, in the form that was asked for.
    pub(super) fn answer(
        &self,
        document: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        match self.output {
            Output::Json => self.document(document),
            Output::Text => self.text(&text()),
        }
    }

    /// An answer that is a document in any case.
    pub(super) fn document(&self, document: &impl Serialize) -> Result<(), Failure> {
        self.text(&format!("{}\n", super::json::pretty(document)?))
    }

    /// An answer that is text in any case.
    pub(super) fn text(&self, text: &str) -> Result<(), Failure> {
        let mut out = self.data();
        out.write_all(text.as_bytes())?;
        out.flush().map_err(Failure::from)
    }

    /// A line about the work, unless it should be quiet.
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

    /// A line to standard error; one that cannot be written is lost, since there is nowhere to say so.
    #[expect(clippy::unused_self, reason = "all words go through the printer")]
    pub(super) fn line(&self, text: &str) {
        let _ = writeln!(anstream::stderr(), "{text}");
    }
}
