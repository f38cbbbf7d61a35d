//! Standard output as a terminal: its width, tables that fit, and data that cannot act on it.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};

use sparkify_analytics::report::{Layout, clean, plain_table};

/// Returns the number of columns of the terminal on standard output; none for a file or a pipe.
/// `COLUMNS` overrides what the terminal reports.
pub(super) fn width() -> Option<u16> {
    if !io::stdout().is_terminal() {
        return None;
    }
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let columns = columns.filter(|columns| *columns > 0);
    columns.or_else(|| terminal_size::terminal_size().map(|(width, _)| width.0))
}

/// Formats a table that fits the terminal; text is wrapped. Columns with an index in `right` are right-aligned.
pub(super) fn table(header: &[&str], rows: &[Vec<String>], right: &[usize]) -> String {
    plain_table(header, rows, right, width().map_or(Layout::Full, Layout::Wrap))
}

/// Formats a table after `indent` blanks that fits the terminal; text is wrapped.
pub(super) fn indented_table(indent: u16, header: &[&str], rows: &[Vec<String>]) -> String {
    let layout = width().map(|width| width.saturating_sub(indent));
    let table = plain_table(header, rows, &[], layout.map_or(Layout::Full, Layout::Wrap));
    let margin = " ".repeat(indent.into());
    table.lines().flat_map(|line| [margin.as_str(), line, "\n"]).collect()
}

/// Colors the state with which a line begins: `ok`, `FAILED` and others. Every other part of the text
/// loses its control characters.
pub(super) fn colored_states(text: &str) -> String {
    let mut colored = String::new();
    for line in text.lines() {
        let line = clean(line);
        let state = line.split(' ').next().unwrap_or_default();
        let style = match state {
            "ok" => AnsiColor::Green.on_default(),
            "FAILED" => AnsiColor::Red.on_default().bold(),
            "explained" | "warning" => AnsiColor::Yellow.on_default(),
            "skipped" => Style::new().dimmed(),
            _ => Style::new(),
        };
        let _ = writeln!(colored, "{style}{state}{style:#}{}", &line[state.len()..]);
    }
    colored
}

/// Writer to a terminal that replaces control characters, except line feeds and tabs: a result may
/// contain escape sequences that rename windows or hide text.
pub(super) struct Filtered<W: Write> {
    to: W,
    /// Incomplete UTF-8 character at the end of the last piece.
    rest: Vec<u8>,
}

impl<W: Write> Filtered<W> {
    pub(super) fn new(to: W) -> Self {
        Self { to, rest: Vec::new() }
    }
}

impl<W: Write> Write for Filtered<W> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let bytes = [std::mem::take(&mut self.rest).as_slice(), piece].concat();
        let mut safe = String::with_capacity(bytes.len());
        let mut chunks = bytes.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            for line in chunk.valid().split_inclusive(['\n', '\t']) {
                let text = line.trim_end_matches(['\n', '\t']);
                safe.push_str(&clean(text));
                safe.push_str(&line[text.len()..]);
            }
            let invalid = chunk.invalid();
            let is_incomplete = chunks.peek().is_none()
                && std::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
            if is_incomplete {
                self.rest = invalid.to_vec();
            } else if !invalid.is_empty() {
                safe.push(char::REPLACEMENT_CHARACTER);
            }
        }
        self.to.write_all(safe.as_bytes())?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_colored_and_data_is_not() {
        let colored = colored_states("ok      a\u{1b}[31m\nFAILED  b\nokay\n");
        assert_eq!(
            colored,
            "\u{1b}[32mok\u{1b}[0m      a\u{fffd}[31m\n\u{1b}[1m\u{1b}[31mFAILED\u{1b}[0m  b\nokay\n"
        );
    }

    #[test]
    fn escape_sequences_are_replaced_across_pieces() {
        let text = "a\u{1b}[2Jb\tc\n\u{9b}é€\r\u{202e}".as_bytes();
        for size in 1..text.len() {
            let mut out = Vec::new();
            let mut filtered = Filtered::new(&mut out);
            text.chunks(size).for_each(|piece| filtered.write_all(piece).unwrap());
            let safe = "a\u{fffd}[2Jb\tc\n\u{fffd}é€\u{fffd}\u{fffd}";
            assert_eq!(String::from_utf8(out).unwrap(), safe, "{size}");
        }
    }
}
