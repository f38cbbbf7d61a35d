//! A line as it is typed: when it is whole, and how a word goes on.

use rustyline::completion::Completer;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};

use super::COMMANDS;
use super::split::statements;
use sparkify_analytics::report::Question;
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

/// Whether what was typed can be run as it is; else the line goes on.
pub(super) fn is_whole(text: &str) -> bool {
    let text = text.trim();
    if text.starts_with('\\') || question(text).is_some() {
        return true;
    }
    let (_, rest) = statements(text);
    rest.trim().is_empty() || !super::split::says_something(rest)
}

/// The question that a line begins with the name of, if the name stands alone or bounds follow it.
pub(super) fn question(text: &str) -> Option<Question> {
    let text = text.trim().trim_end_matches(';').trim_end();
    let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, "--"));
    Question::find(name).filter(|_| rest.trim_start().starts_with("--"))
}

/// Knows the words that may be meant.
pub(super) struct Words {
    words: Vec<String>,
}

impl Words {
    /// Keywords, our tables with their columns, and the questions.
    pub(super) fn new(opening: Opening) -> Self {
        let columns = tables::all().flat_map(|table| table.columns(opening));
        let mut words: Vec<String> = KEYWORDS.iter().map(|word| (*word).to_owned()).collect();
        words.extend(tables::all().map(|table| table.name.to_owned()));
        words.extend(columns.map(|column| column.name));
        words.extend(Question::all().map(|question| question.name().to_owned()));
        words.sort_unstable();
        words.dedup();
        Self { words }
    }
}

impl Completer for Words {
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
            let fitting = COMMANDS.iter().filter_map(|(name, ..)| name.strip_prefix('\\'));
            return Ok((1, fitting.filter(|n| n.starts_with(command)).map(Into::into).collect()));
        }
        let begun = typed[start..].to_lowercase();
        if begun.is_empty() {
            return Ok((start, Vec::new()));
        }
        Ok((start, self.words.iter().filter(|word| word.starts_with(&begun)).cloned().collect()))
    }
}

impl Validator for Words {
    fn validate(&self, context: &mut ValidationContext) -> rustyline::Result<ValidationResult> {
        if is_whole(context.input()) {
            return Ok(ValidationResult::Valid(None));
        }
        Ok(ValidationResult::Incomplete)
    }
}

impl Hinter for Words {
    type Hint = String;
}

impl Highlighter for Words {}

impl Helper for Words {}
