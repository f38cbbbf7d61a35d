//! Saved queries with their parameters and result columns.
//!
//! Both are declared in the header of each SQL file under `sql/report`; `sql/README.md` documents
//! the format. Arguments are bound to `$1`, `$2` … in the order of the header, never interpolated
//! into the SQL. An omitted filter is bound as null and filters nothing.

use std::fmt;

use serde::Serialize;
use thiserror::Error;
use time::Date;

use sparkify_warehouse::{Opening, Rows, SqlFile, Value, Warehouse, WarehouseError};

/// Saved query, identified by the name of its SQL file.
#[derive(Debug, Clone, Copy)]
pub struct SavedQuery {
    /// SQL file with the statement; its header declares parameters and columns.
    pub file: &'static SqlFile,
}

/// Parameter that a saved query declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parameter {
    /// Filter: plays (or level changes) on or after this day.
    Since,
    /// Filter: plays (or level changes) on or before this day.
    Until,
    /// Filter: plays at this subscription level.
    Level,
    /// Maximum number of rows, with its default.
    Limit(u64),
    /// Ranking or grouping; the choices separated by `, `, the default first.
    By(&'static str),
}

/// Column of a saved query's result, as declared in the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ResultColumn {
    /// Column name in the result.
    pub name: &'static str,
    /// Description for documentation and tooltips.
    pub description: &'static str,
}

/// Arguments of a saved query; `None` is no filter, or the query's default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arguments {
    /// First day, UTC.
    pub since: Option<Date>,
    /// Last day, UTC, inclusive.
    pub until: Option<Date>,
    /// Subscription level as logged, usually `free` or `paid`.
    pub level: Option<String>,
    /// Maximum number of rows; `u64::MAX` for all.
    pub limit: Option<u64>,
    /// Ranking or grouping, one of the query's choices.
    pub by: Option<String>,
}

/// Errors of arguments that a saved query does not accept.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SavedQueryError {
    /// The query declares no such parameter.
    #[error("saved query `{query}` has no option `--{parameter}`")]
    UnknownParameter {
        /// Name of the query.
        query: &'static str,
        /// Parameter that was given.
        parameter: &'static str,
        /// Parameters that the query declares.
        available: Vec<&'static str>,
    },
    /// The value of `--by` is none of the choices.
    #[error("invalid value `{value}` for `--by` of saved query `{query}`")]
    InvalidBy {
        /// Name of the query.
        query: &'static str,
        /// Value that was given.
        value: String,
        /// Valid values, separated by commas.
        choices: &'static str,
    },
}

impl SavedQueryError {
    /// Returns the next action for the user.
    pub fn hint(&self) -> String {
        match self {
            Self::UnknownParameter { available, .. } => parameters_hint(available),
            Self::InvalidBy { choices, .. } => format!("choose from: {choices}"),
        }
    }
}

/// Returns a hint that lists the options of a saved query.
pub fn parameters_hint(names: &[&str]) -> String {
    if names.is_empty() {
        return "this saved query has no options".into();
    }
    let names: Vec<String> = names.iter().map(|name| format!("`--{name}`")).collect();
    format!("available options: {}", names.join(", "))
}

impl SavedQuery {
    /// Returns all saved queries in the order in which they are listed.
    pub fn all() -> impl Iterator<Item = Self> {
        super::SAVED_QUERIES.iter().map(|file| Self { file })
    }

    /// Returns the saved query `name`.
    pub fn find(name: &str) -> Option<Self> {
        Self::all().find(|query| query.name() == name)
    }

    /// Returns the name, which is that of the file.
    pub fn name(self) -> &'static str {
        self.file.name
    }

    /// Returns the description: the first sentence of the header.
    pub fn description(self) -> &'static str {
        self.file.headline()
    }

    /// Returns the declared parameters in the order of `$1`, `$2` ….
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

    /// Returns the columns of the result, in order.
    pub fn columns(self) -> Vec<ResultColumn> {
        let columns = self.file.listed("columns").into_iter();
        columns.map(|(name, description)| ResultColumn { name, description }).collect()
    }

    /// Returns, for a query about songs, a note on the plays that the catalogue match covers.
    pub fn covers_songs(self) -> Option<&'static str> {
        self.line("-- covers songs: ")
    }

    /// Returns the SQL statement for an engine.
    pub fn statement(self, opening: Opening) -> String {
        self.file.statement(opening)
    }

    /// Returns the values for `$1`, `$2` …; an argument without a parameter is an error.
    pub fn values(self, arguments: &Arguments) -> Result<Vec<Value>, SavedQueryError> {
        let parameters = self.parameters();
        let available: Vec<&str> = parameters.iter().map(|parameter| parameter.name()).collect();
        if let Some(parameter) = arguments.given().find(|given| !available.contains(given)) {
            let query = self.name();
            return Err(SavedQueryError::UnknownParameter { query, parameter, available });
        }
        parameters.into_iter().map(|parameter| self.value(parameter, arguments)).collect()
    }

    fn value(self, parameter: Parameter, arguments: &Arguments) -> Result<Value, SavedQueryError> {
        let [since, until, level] = arguments.filters();
        Ok(match parameter {
            Parameter::Since => since,
            Parameter::Until => until,
            Parameter::Level => level,
            Parameter::Limit(default) => Value::Int(
                i64::try_from(arguments.limit.unwrap_or(default)).unwrap_or(i64::MAX).into(),
            ),
            Parameter::By(choices) => match &arguments.by {
                Some(by) if !choices.split(", ").any(|choice| choice == by) => {
                    let (query, value) = (self.name(), by.clone());
                    return Err(SavedQueryError::InvalidBy { query, value, choices });
                }
                by => text(by.as_deref()),
            },
        })
    }

    /// Runs the query and returns all rows.
    pub fn run(
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

    /// Returns the name used on the command line and in the header.
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

/// Formats the parameter as the header declares it: `since`, `limit (10)`, `by (plays, hours)`.
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
    /// Returns the names of the arguments that are set.
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

    /// Returns the values of `$1`, `$2` and `$3`: first day, the moment after the last day, level.
    pub fn filters(&self) -> [Value; 3] {
        // The statement compares with `<`, so the next midnight includes the last day.
        let until = midnight(self.until.and_then(Date::next_day));
        [midnight(self.since), until, text(self.level.as_deref())]
    }
}

fn text(value: Option<&str>) -> Value {
    value.map_or(Value::Null, |value| Value::Text(value.to_owned()))
}

fn midnight(day: Option<Date>) -> Value {
    let moment = day.map(|day| day.midnight().assume_utc().unix_timestamp() * 1_000_000);
    moment.map_or(Value::Null, Value::Timestamp)
}

/// Catalogue match coverage of the filtered plays: the basis of every result about songs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coverage {
    /// Plays that pass the filters.
    pub plays: u64,
    /// Plays among them whose song is in the catalogue.
    pub matched: u64,
}

impl Coverage {
    /// Returns the matched share in percent; `None` without plays.
    pub fn percent(self) -> Option<f64> {
        (self.plays > 0).then(|| self.matched as f64 * 100.0 / self.plays as f64)
    }
}

/// Queries the catalogue match coverage of the plays that pass the filters of `arguments`.
pub fn coverage(
    warehouse: &mut dyn Warehouse,
    arguments: &Arguments,
) -> Result<Coverage, WarehouseError> {
    let coverage = &crate::sql::report::MATCH_COVERAGE;
    let rows = warehouse.query_file(coverage, &arguments.filters(), usize::MAX)?.rows;
    let count = |row: &Vec<Value>| row[1].as_i64().and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
    let unmatched = |row: &&Vec<Value>| row[0].as_text() != Some("not in the catalogue");
    Ok(Coverage {
        plays: rows.iter().map(count).sum(),
        matched: rows.iter().filter(unmatched).map(count).sum(),
    })
}

/// Returns the subscription levels of the warehouse.
///
/// # Errors
/// If the query fails.
pub fn levels(warehouse: &mut dyn Warehouse) -> Result<Vec<String>, WarehouseError> {
    let rows = warehouse.query_file(&crate::sql::filter::LEVELS, &[], usize::MAX)?.rows;
    Ok(rows.iter().filter_map(|row| row.first()?.as_text().map(str::to_owned)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(day: u8) -> Option<Date> {
        Date::from_calendar_date(2018, time::Month::November, day).ok()
    }

    #[test]
    fn parameters_are_read_from_the_header() {
        let query = SavedQuery::find("top_songs").unwrap();
        let names: Vec<String> = query.parameters().iter().map(ToString::to_string).collect();
        assert_eq!(
            names,
            ["since", "until", "level", "limit (10)", "by (plays, listeners, hours)"]
        );
        let day = Arguments { since: date(5), until: date(5), ..Arguments::default() };
        let values = query.values(&day).unwrap();
        assert_eq!(values[0], Value::Timestamp(1_541_376_000_000_000));
        assert_eq!(values[1], Value::Timestamp(1_541_462_400_000_000), "the last day is included");
        assert_eq!(values[2..], [Value::Null, Value::Int(10), Value::Null]);
    }

    #[test]
    fn an_undeclared_parameter_is_an_error() {
        let level = Arguments { level: Some("paid".into()), ..Arguments::default() };
        let error = SavedQuery::find("retention").unwrap().values(&level).unwrap_err();
        assert_eq!(error.hint(), "available options: `--since`, `--until`");
        let by = Arguments { by: Some("length".into()), ..Arguments::default() };
        let error = SavedQuery::find("top_songs").unwrap().values(&by).unwrap_err();
        assert_eq!(error.hint(), "choose from: plays, listeners, hours");
    }
}
