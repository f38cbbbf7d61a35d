//! Data of the page: runs each saved query and collects its description, columns, SQL, parameter
//! values and result.

use serde::Serialize;
use time::Date;

use super::answer::{LimitedSink, PageResult};
use crate::report::{self, Arguments, Parameter, ResultColumn, SavedQuery, SavedQueryError};
use sparkify_warehouse::{Opening, Value, Warehouse, WarehouseError};

/// Most rows of one result in the page.
const ROWS: usize = 5000;
/// Most bytes of text of one result in the page.
const BYTES: usize = 4 << 20;

/// Saved queries of the page, each with its `by` argument if not the default.
const QUERIES: &[(&str, Option<&str>)] = &[
    ("overview", None),
    ("listening_time", None),
    ("plays_by_level", None),
    ("plays_by_day", None),
    ("plays_by_week", None),
    ("free_and_paid", None),
    ("free_and_paid", Some("week")),
    ("hour_by_weekday", None),
    ("plays_by_hour", None),
    ("plays_by_weekday", None),
    ("top_songs", None),
    ("top_songs", Some("listeners")),
    ("top_songs", Some("hours")),
    ("top_artists", None),
    ("top_artists", Some("listeners")),
    ("top_artists", Some("hours")),
    ("songs_by_decade", None),
    ("match_coverage", None),
    ("top_users", None),
    ("top_users", Some("hours")),
    ("top_users", Some("sessions")),
    ("new_and_returning", None),
    ("new_and_returning", Some("week")),
    ("retention", None),
    ("gender", None),
    ("level_changes", None),
    ("level_changes", Some("week")),
    ("conversion", None),
    ("sessions", None),
    ("session_lengths", None),
    ("states", None),
    ("locations", None),
    ("browsers", None),
    ("operating_systems", None),
];

/// Data of the page.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Version of sparkify.
    version: &'static str,
    #[serde(rename = "bounds")]
    filters: Filters,
    /// Valid values of the filters.
    choices: Choices,
    /// Last published load.
    load: Option<Load>,
    /// Catalogue match coverage of the filtered plays.
    coverage: Coverage,
    /// Results in the order of [`QUERIES`].
    answers: Vec<ChartQuery>,
}

#[derive(Debug, Serialize)]
struct Filters {
    since: Option<String>,
    until: Option<String>,
    level: Option<String>,
}

/// First and last day with a play, and the levels, of all plays.
#[derive(Debug, Serialize)]
struct Choices {
    first: Option<String>,
    last: Option<String>,
    levels: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Load {
    number: i64,
    started: String,
}

#[derive(Debug, Serialize)]
struct Coverage {
    plays: u64,
    matched: u64,
}

/// Saved query with its result.
#[derive(Debug, Serialize)]
struct ChartQuery {
    question: &'static str,
    by: Option<&'static str>,
    asks: &'static str,
    covers: Option<&'static str>,
    columns: Vec<ResultColumn>,
    sql: String,
    /// Parameter names and values of `$1`, `$2` ….
    values: Vec<(&'static str, Option<String>)>,
    /// Filters that the query does not support.
    ignores: Vec<&'static str>,
    answer: PageResult,
}

/// Runs all queries of the page with the filters of `arguments`; its `limit` and `by` are ignored.
pub fn gather(
    warehouse: &mut dyn Warehouse,
    arguments: &Arguments,
) -> Result<Report, WarehouseError> {
    let coverage = report::coverage(warehouse, arguments)?;
    let answers = QUERIES
        .iter()
        .filter_map(|(name, by)| Some((SavedQuery::find(name)?, *by)))
        .map(|(query, by)| run_query(warehouse, query, by, arguments))
        .collect::<Result<_, _>>()?;
    let day = |day: Option<Date>| day.map(|day| day.to_string());
    let (since, until) = (day(arguments.since), day(arguments.until));
    Ok(Report {
        version: env!("CARGO_PKG_VERSION"),
        filters: Filters { since, until, level: arguments.level.clone() },
        choices: choices(warehouse)?,
        load: load(warehouse)?,
        coverage: Coverage { plays: coverage.plays, matched: coverage.matched },
        answers,
    })
}

fn run_query(
    warehouse: &mut dyn Warehouse,
    query: SavedQuery,
    by: Option<&'static str>,
    arguments: &Arguments,
) -> Result<ChartQuery, WarehouseError> {
    let parameters = query.parameters();
    let (supported, ignores) = split_filters(&parameters, arguments, by);
    let values = query.values(&supported).map_err(|error| argument_error(&error))?;
    let sql = query.statement(Opening::full(warehouse.engine()));
    let mut sink = LimitedSink::new(ROWS, BYTES);
    let ended = warehouse.query_each(&sql, &values, &mut sink);
    let written = |value: &Value| (*value != Value::Null).then(|| value.to_string());
    let names = parameters.iter().map(|parameter| parameter.name());
    Ok(ChartQuery {
        question: query.name(),
        by,
        asks: query.description(),
        covers: query.covers_songs(),
        columns: query.columns(),
        sql,
        values: names.zip(values.iter().map(written)).collect(),
        ignores,
        answer: sink.finish(ended)?,
    })
}

/// Splits the filters into those that a query supports and the names of the others.
fn split_filters(
    parameters: &[Parameter],
    arguments: &Arguments,
    by: Option<&str>,
) -> (Arguments, Vec<&'static str>) {
    let wanted = Arguments { limit: None, by: None, ..arguments.clone() };
    let takes = |name: &str| parameters.iter().any(|parameter| parameter.name() == name);
    let ignores = wanted.given().filter(|name| !takes(name)).collect();
    let within = Arguments {
        since: wanted.since.filter(|_| takes("since")),
        until: wanted.until.filter(|_| takes("until")),
        level: wanted.level.filter(|_| takes("level")),
        limit: None,
        by: by.map(str::to_owned),
    };
    (within, ignores)
}

/// Converts an argument error. Unreachable in practice: unsupported filters were removed before.
fn argument_error(error: &SavedQueryError) -> WarehouseError {
    WarehouseError::Statement { message: error.to_string(), hint: Some(error.hint()) }
}

/// Runs the saved query `name` without filters.
fn run_unfiltered(
    warehouse: &mut dyn Warehouse,
    name: &str,
) -> Result<Vec<Vec<Value>>, WarehouseError> {
    let Some(query) = SavedQuery::find(name) else { return Ok(Vec::new()) };
    let values = query.values(&Arguments::default()).map_err(|error| argument_error(&error))?;
    query.run(warehouse, &values).map(|rows| rows.rows)
}

fn choices(warehouse: &mut dyn Warehouse) -> Result<Choices, WarehouseError> {
    let days: Vec<String> =
        run_unfiltered(warehouse, "plays_by_day")?.iter().map(|row| row[0].to_string()).collect();
    let levels = run_unfiltered(warehouse, "plays_by_level")?;
    Ok(Choices {
        first: days.first().cloned(),
        last: days.last().cloned(),
        levels: levels.iter().filter_map(|row| row[0].as_text().map(str::to_owned)).collect(),
    })
}

/// Returns the last published load; `history` lists the newest first.
fn load(warehouse: &mut dyn Warehouse) -> Result<Option<Load>, WarehouseError> {
    let Some(query) = SavedQuery::find("history") else { return Ok(None) };
    let loads = query.run(warehouse, &[])?;
    let at = |name: &str| loads.columns.iter().position(|column| column == name);
    let (Some(number), Some(started), Some(outcome)) =
        (at("load"), at("started_at"), at("outcome"))
    else {
        return Ok(None);
    };
    let published = loads.rows.iter().find(|row| row[outcome].as_text() == Some("published"));
    Ok(published.and_then(|row| {
        Some(Load { number: row[number].as_i64()?, started: row[started].to_string() })
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_query_of_the_page_exists_and_accepts_its_by_argument() {
        for (name, by) in QUERIES {
            let query = SavedQuery::find(name).unwrap_or_else(|| panic!("no saved query `{name}`"));
            let arguments = Arguments { by: by.map(str::to_owned), ..Arguments::default() };
            assert_eq!(query.values(&arguments).err(), None, "{name}");
        }
    }

    #[test]
    fn unsupported_filters_are_removed_and_reported() {
        let arguments = Arguments { level: Some("paid".into()), ..Arguments::default() };
        let parameters = SavedQuery::find("retention").unwrap().parameters();
        assert_eq!(
            split_filters(&parameters, &arguments, None),
            (Arguments::default(), vec!["level"])
        );
    }
}
