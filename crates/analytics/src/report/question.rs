//! A question with a name: what it asks, what it answers with, and which bounds it takes.
//!
//! All of that stands in the header of its file under `sql/report`; `sql/README.md` has the form. Arguments are bound to the statement's `$1`,
//! `$2` … in the order in which the header names them, never pasted; one that is not given is bound as null and bounds nothing.

use std::fmt;

use serde::Serialize;
use thiserror::Error;
use time::Date;

use sparkify_warehouse::{Opening, Rows, SqlFile, Value, Warehouse, WarehouseError};

/// A question that has a name.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    /// Its file.
    pub file: &'static SqlFile,
}

/// A bound that a question may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parameter {
    /// Only plays (or changes) of this day or a later one.
    Since,
    /// Only plays (or changes) of this day or an earlier one.
    Until,
    /// Only plays at this level.
    Level,
    /// At most so many rows; this many when nobody says.
    Limit(u64),
    /// One of these; the first when nobody says.
    By(&'static str),
}

/// A column of a question's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Answered {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub description: &'static str,
}

/// What is asked for; `None` is no bound, or the question's own default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arguments {
    /// First day, UTC.
    pub since: Option<Date>,
    /// Last day, UTC; the whole of it.
    pub until: Option<Date>,
    /// `free`, `paid` or whatever else the logs say.
    pub level: Option<String>,
    /// Most rows; `u64::MAX` for all.
    pub limit: Option<u64>,
    /// What to rank or group by.
    pub by: Option<String>,
}

/// Why a question cannot be asked like that.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum QuestionError {
    /// It has no such bound.
    #[error("the question `{question}` takes no `--{parameter}`")]
    NotTaken {
        /// The question.
        question: &'static str,
        /// The bound.
        parameter: &'static str,
        /// Those that it has.
        takes: Vec<&'static str>,
    },
    /// It cannot be ranked or grouped by that.
    #[error("the question `{question}` has no `--by {written}`")]
    By {
        /// The question.
        question: &'static str,
        /// What was given.
        written: String,
        /// What may be, with commas.
        choices: &'static str,
    },
}

impl QuestionError {
    /// What a person can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::NotTaken { takes: names, .. } => takes(names),
            Self::By { choices, .. } => format!("it may be one of: {choices}"),
        }
    }
}

/// Which bounds a question takes, as a hint.
pub fn takes(names: &[&str]) -> String {
    if names.is_empty() {
        return "it takes no bounds at all".into();
    }
    let names: Vec<String> = names.iter().map(|name| format!("`--{name}`")).collect();
    format!("it takes {}", names.join(", "))
}

impl Question {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        super::QUESTIONS.iter().map(|file| Self { file })
    }

    /// The one of this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::all().find(|question| question.name() == name)
    }

    /// Its name: its file's.
    pub fn name(self) -> &'static str {
        self.file.name
    }

    /// What it asks, as a sentence.
    pub fn asks(self) -> &'static str {
        self.file.headline()
    }

    /// What it takes, in the order of `$1`, `$2` ….
    pub fn parameters(self) -> Vec<Parameter> {
        let Some(mut rest) = self.line("-- parameters: ") else { return Vec::new() };
        let mut parameters = Vec::new();
        while !rest.is_empty() {
            let end = rest.find([',', '(']).unwrap_or(rest.len());
            let name = rest[..end].trim();
            rest = &rest[end..];
            let mut detail = "";
            if let Some((inner, after)) = rest.strip_prefix('(').and_then(|it| it.split_once(')')) {
                (detail, rest) = (inner, after);
            }
            rest = rest.trim_start_matches([',', ' ']);
            parameters.extend(Parameter::declared(name, detail));
        }
        parameters
    }

    /// The columns of its answer, in order.
    pub fn columns(self) -> Vec<Answered> {
        let columns = self.file.listed("columns").into_iter();
        columns.map(|(name, description)| Answered { name, description }).collect()
    }

    /// Of a question about songs: which plays it can speak for.
    pub fn covers_songs(self) -> Option<&'static str> {
        self.line("-- covers songs: ")
    }

    /// The SQL as an engine gets it.
    pub fn statement(self, opening: Opening) -> String {
        self.file.statement(opening)
    }

    /// The values for `$1`, `$2` …; an argument that the question does not take is an error.
    pub fn values(self, arguments: &Arguments) -> Result<Vec<Value>, QuestionError> {
        let parameters = self.parameters();
        let takes: Vec<&str> = parameters.iter().map(|parameter| parameter.name()).collect();
        if let Some(parameter) = arguments.given().find(|given| !takes.contains(given)) {
            return Err(QuestionError::NotTaken { question: self.name(), parameter, takes });
        }
        parameters.into_iter().map(|parameter| self.value(parameter, arguments)).collect()
    }

    fn value(self, parameter: Parameter, arguments: &Arguments) -> Result<Value, QuestionError> {
        Ok(match parameter {
            Parameter::Since => midnight(arguments.since),
            // The statement leaves out what starts at this moment: the day itself is in.
            Parameter::Until => midnight(arguments.until.and_then(Date::next_day)),
            Parameter::Level => text(arguments.level.as_deref()),
            Parameter::Limit(default) => Value::Int(
                i64::try_from(arguments.limit.unwrap_or(default)).unwrap_or(i64::MAX).into(),
            ),
            Parameter::By(choices) => match &arguments.by {
                Some(by) if !choices.split(", ").any(|choice| choice == by) => {
                    let (question, written) = (self.name(), by.clone());
                    return Err(QuestionError::By { question, written, choices });
                }
                by => text(by.as_deref()),
            },
        })
    }

    /// Asks it and keeps the whole answer.
    pub fn ask(
        self,
        warehouse: &mut dyn Warehouse,
        values: &[Value],
    ) -> Result<Rows, WarehouseError> {
        warehouse.query_file(self.file, values, usize::MAX)
    }

    fn line(self, start: &str) -> Option<&'static str> {
        self.file.text.lines().find_map(|line| line.strip_prefix(start))
    }
}

impl Parameter {
    fn declared(name: &str, detail: &'static str) -> Option<Self> {
        Some(match name {
            "since" => Self::Since,
            "until" => Self::Until,
            "level" => Self::Level,
            "limit" => Self::Limit(detail.parse().ok()?),
            "by" => Self::By(detail),
            _ => return None,
        })
    }

    /// Its name, on the command line and in the header.
    pub fn name(self) -> &'static str {
        match self {
            Self::Since => "since",
            Self::Until => "until",
            Self::Level => "level",
            Self::Limit(_) => "limit",
            Self::By(_) => "by",
        }
    }
}

/// As the header has it: `since`, `limit (10)`, `by (plays, hours)`.
impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit(default) => write!(f, "limit ({default})"),
            Self::By(choices) => write!(f, "by ({choices})"),
            other => f.write_str(other.name()),
        }
    }
}

impl Arguments {
    /// The names of those that were given.
    pub fn given(&self) -> impl Iterator<Item = &'static str> {
        let given = [
            (self.since.is_some(), "since"),
            (self.until.is_some(), "until"),
            (self.level.is_some(), "level"),
            (self.limit.is_some(), "limit"),
            (self.by.is_some(), "by"),
        ];
        given.into_iter().filter(|(is, _)| *is).map(|(_, name)| name)
    }
}

fn text(written: Option<&str>) -> Value {
    written.map_or(Value::Null, |written| Value::Text(written.to_owned()))
}

fn midnight(day: Option<Date>) -> Value {
    let moment = day.map(|day| day.midnight().assume_utc().unix_timestamp() * 1_000_000);
    moment.map_or(Value::Null, Value::Timestamp)
}

/// Of the plays within some bounds, how many the catalogue knows: what an answer about songs can rest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coverage {
    /// Plays within the bounds.
    pub plays: u64,
    /// Of these, plays whose song the catalogue knows.
    pub matched: u64,
}

impl Coverage {
    /// The share of plays that the catalogue knows, in percent; none of nothing.
    pub fn percent(self) -> Option<f64> {
        (self.plays > 0).then(|| self.matched as f64 * 100.0 / self.plays as f64)
    }
}

/// The catalogue's coverage of the plays that `arguments` mean.
pub fn coverage(
    warehouse: &mut dyn Warehouse,
    arguments: &Arguments,
) -> Result<Coverage, WarehouseError> {
    let until = midnight(arguments.until.and_then(Date::next_day));
    let values = [midnight(arguments.since), until, text(arguments.level.as_deref())];
    let rows = warehouse.query_file(&crate::sql::report::MATCH_COVERAGE, &values, usize::MAX)?.rows;
    let count = |row: &Vec<Value>| row[1].as_i64().and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
    let unmatched = |row: &&Vec<Value>| row[0].as_text() != Some("not in the catalogue");
    Ok(Coverage {
        plays: rows.iter().map(count).sum(),
        matched: rows.iter().filter(unmatched).map(count).sum(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(day: u8) -> Option<Date> {
        Date::from_calendar_date(2018, time::Month::November, day).ok()
    }

    #[test]
    fn a_header_says_what_is_bound() {
        let question = Question::find("top_songs").unwrap();
        let names: Vec<String> = question.parameters().iter().map(ToString::to_string).collect();
        assert_eq!(
            names,
            ["since", "until", "level", "limit (10)", "by (plays, listeners, hours)"]
        );
        let day = Arguments { since: date(5), until: date(5), ..Arguments::default() };
        let values = question.values(&day).unwrap();
        assert_eq!(values[0], Value::Timestamp(1_541_376_000_000_000));
        assert_eq!(values[1], Value::Timestamp(1_541_462_400_000_000), "the day itself is in");
        assert_eq!(values[2..], [Value::Null, Value::Int(10), Value::Null]);
    }

    #[test]
    fn what_a_question_does_not_take_is_an_error() {
        let level = Arguments { level: Some("paid".into()), ..Arguments::default() };
        let error = Question::find("retention").unwrap().values(&level).unwrap_err();
        assert_eq!(error.hint(), "it takes `--since`, `--until`");
        let by = Arguments { by: Some("length".into()), ..Arguments::default() };
        let error = Question::find("top_songs").unwrap().values(&by).unwrap_err();
        assert_eq!(error.hint(), "it may be one of: plays, listeners, hours");
    }
}
