//! Input of the interactive shell: completeness of a statement, completion and colors.

use std::borrow::Cow;

use anstyle::Style;
use rustyline::completion::Completer;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use rustyline::{Context, Helper};

use super::statements::{is_blank, split};
use super::{COMMANDS, highlight};
use sparkify_analytics::report::SavedQuery;
use sparkify_load::tables;
use sparkify_warehouse::Opening;

const KEYWORDS: &[&str] = &[
    "all",
    "and",
    "asc",
    "avg",
    "between",
    "by",
    "case",
    "cast",
    "count",
    "date",
    "date_trunc",
    "desc",
    "describe",
    "distinct",
    "else",
    "end",
    "except",
    "exists",
    "explain",
    "extract",
    "false",
    "filter",
    "from",
    "full",
    "group",
    "having",
    "ilike",
    "in",
    "inner",
    "intersect",
    "interval",
    "is",
    "join",
    "left",
    "like",
    "limit",
    "max",
    "min",
    "not",
    "null",
    "nulls",
    "offset",
    "on",
    "or",
    "order",
    "outer",
    "over",
    "partition",
    "qualify",
    "right",
    "row_number",
    "select",
    "sum",
    "summarize",
    "then",
    "timestamp",
    "true",
    "union",
    "using",
    "values",
    "when",
    "where",
    "window",
    "with",
];

/// Words and dot commands of other shells, with the equivalent command.
pub(super) const WORDS: &[(&str, &str)] = &[
    ("help", "\\?"),
    (".help", "\\?"),
    ("exit", "\\q"),
    (".exit", "\\q"),
    ("quit", "\\q"),
    (".quit", "\\q"),
    (".tables", "\\d"),
    (".schema", "\\d"),
    (".read", "\\i"),
    (".timer", "\\timing"),
];
/// Keywords that can begin a statement on a line of their own.
const OPENERS: &[&str] = &[
    "select",
    "from",
    "with",
    "values",
    "table",
    "explain",
    "show",
    "describe",
    "summarize",
    "pivot",
    "unpivot",
];

/// Returns the command of an input, also if it is written as in other shells.
pub(super) fn command(text: &str) -> Option<String> {
    let text = text.trim();
    if text.starts_with('\\') {
        return Some(text.to_owned());
    }
    let line = text.trim_end_matches(';').trim_end();
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let (_, command) = WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word))?;
    // In SQL, `help` as a name has other words on its line; a dot command takes arguments.
    (rest.is_empty() || word.starts_with('.')).then(|| format!("{command} {rest}"))
}

/// True for a line with one word that begins no statement.
pub(super) fn is_unknown_word(text: &str) -> bool {
    let word = text.trim().trim_end_matches(';').trim_end();
    let is_word = word.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
    let begins_statement = OPENERS.iter().any(|opener| opener.eq_ignore_ascii_case(word));
    is_word && !word.is_empty() && !begins_statement && !word.starts_with(|c: char| c.is_numeric())
}

/// Returns true if the input can run as it is; otherwise it continues on the next line.
pub(super) fn is_complete(text: &str) -> bool {
    let text = text.trim();
    if command(text).is_some() || saved_query(text).is_some() || is_unknown_word(text) {
        return true;
    }
    let (_, rest) = split(text);
    is_blank(rest)
}

/// Returns the saved query of an input that is its name, or its name followed by options.
pub(super) fn saved_query(text: &str) -> Option<SavedQuery> {
    let text = text.trim().trim_end_matches(';').trim_end();
    let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, "--"));
    SavedQuery::find(name).filter(|_| rest.trim_start().starts_with("--"))
}

/// Completion of keywords, table and column names, and saved queries; colors of SQL.
pub(super) struct Completion {
    words: Vec<String>,
    is_colored: bool,
}

impl Completion {
    /// Collects the words that can be completed.
    pub(super) fn new(opening: Opening, is_colored: bool) -> Self {
        let columns = tables::all().flat_map(|table| table.columns(opening));
        let mut words: Vec<String> = KEYWORDS.iter().map(|word| (*word).to_owned()).collect();
        words.extend(tables::all().map(|table| table.name.to_owned()));
        words.extend(columns.map(|column| column.name));
        words.extend(SavedQuery::all().map(|query| query.name().to_owned()));
        words.sort_unstable();
        words.dedup();
        Self { words, is_colored }
    }
}

impl Completer for Completion {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let typed = &line[..position];
        let part = |c: char| c.is_alphanumeric() || c == '_';
        let start = typed.trim_end_matches(part).len();
        if let Some(command) = typed.strip_prefix('\\')
            && start == 1
        {
            let names = COMMANDS.iter().filter_map(|(name, ..)| name.strip_prefix('\\'));
            return Ok((
                1,
                names.filter(|name| name.starts_with(command)).map(Into::into).collect(),
            ));
        }
        let prefix = typed[start..].to_lowercase();
        if prefix.is_empty() {
            return Ok((start, Vec::new()));
        }
        Ok((start, self.words.iter().filter(|word| word.starts_with(&prefix)).cloned().collect()))
    }
}

impl Validator for Completion {}

impl Hinter for Completion {
    type Hint = String;
}

impl Highlighter for Completion {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        if !self.is_colored || line.starts_with('\\') {
            return Cow::Borrowed(line);
        }
        let is_keyword = |word: &str| KEYWORDS.contains(&word.to_ascii_lowercase().as_str());
        highlight::sql(line, is_keyword)
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        const BOLD: Style = Style::new().bold();
        if self.is_colored {
            Cow::Owned(format!("{BOLD}{prompt}{BOLD:#}"))
        } else {
            Cow::Borrowed(prompt)
        }
    }

    fn highlight_char(&self, _: &str, _: usize, kind: CmdKind) -> bool {
        self.is_colored && kind != CmdKind::MoveCursor
    }
}

impl Helper for Completion {}
