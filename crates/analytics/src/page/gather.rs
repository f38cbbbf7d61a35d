//! Data of the page: runs each saved query and collects its description, columns, SQL, parameter
//! values and result.

use serde::Serialize;
use time::Date;
use time::macros::format_description;

use super::answer::{LimitedSink, PageResult};
use crate::report::{self, Arguments, Parameter, ResultColumn, SavedQuery, SavedQueryError};
use crate::sql;
use sparkify_warehouse::{Opening, SqlFile, Value, Warehouse, WarehouseError};

/// Most rows of one result in the page.
const ROWS: usize = 5000;
/// Most bytes of text of one result in the page.
const BYTES: usize = 4 << 20;

/// Ranking or grouping of a saved query in the page.
#[derive(Debug, Clone, Copy)]
enum By {
    /// The query's default.
    Default,
    /// One of its choices.
    Choice(&'static str),
    /// The two grains that the span of the data suggests.
    Grains,
}

/// Saved queries of the page: those of the first charts first, and those that share a table together.
const QUERIES: &[(&str, By)] = &[
    ("match_coverage", By::Default),
    ("plays_by_period", By::Grains),
    ("plays_by_level", By::Default),
    ("free_and_paid", By::Grains),
    ("listening_time", By::Default),
    ("hour_by_weekday", By::Default),
    ("plays_by_hour", By::Default),
    ("plays_by_weekday", By::Default),
    ("new_and_returning", By::Grains),
    ("retention", By::Default),
    ("overview", By::Default),
    ("top_users", By::Default),
    ("top_users", By::Choice("hours")),
    ("top_users", By::Choice("sessions")),
    ("gender", By::Default),
    ("sessions", By::Default),
    ("session_lengths", By::Default),
    ("streaks", By::Default),
    ("songs_by_decade", By::Default),
    ("top_artists", By::Default),
    ("top_artists", By::Choice("listeners")),
    ("top_artists", By::Choice("hours")),
    ("top_songs", By::Default),
    ("top_songs", By::Choice("listeners")),
    ("top_songs", By::Choice("hours")),
    ("level_changes", By::Grains),
    ("conversion", By::Default),
    ("states", By::Default),
    ("locations", By::Default),
    ("browsers", By::Default),
    ("operating_systems", By::Default),
];

/// Part of the page's data, in the order in which it is known.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// First part: the state of the warehouse and the filters.
    Head(Box<Head>),
    /// Saved query with its result.
    Answer(Box<ChartQuery>),
}

/// Receiver of the parts; an error ends the queries.
pub type PartSink<'a> = &'a mut dyn FnMut(Part) -> Result<(), WarehouseError>;

/// State of the warehouse and the filters.
#[derive(Debug, Serialize)]
pub struct Head {
    /// Version of sparkify.
    version: &'static str,
    #[serde(rename = "bounds")]
    filters: Filters,
    /// Valid values of the filters.
    choices: Choices,
    /// Finer and coarser period of the charts over time.
    grains: [&'static str; 2],
    /// Last published load.
    load: Option<Load>,
}

/// Data of the page.
#[derive(Debug, Serialize)]
pub struct Report {
    #[serde(flatten)]
    head: Head,
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

/// Saved query with its result.
#[derive(Debug, Serialize)]
pub struct ChartQuery {
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
    let (mut first, mut answers) = (None, Vec::new());
    stream(warehouse, arguments, &mut |part| {
        match part {
            Part::Head(head) => first = Some(*head),
            Part::Answer(answer) => answers.push(*answer),
        }
        Ok(())
    })?;
    let head = first.ok_or_else(|| WarehouseError::Sink(std::io::Error::other("no data")))?;
    Ok(Report { head, answers })
}

/// Runs all queries of the page like [`gather`], and passes on each part as soon as it is known.
pub fn stream(
    warehouse: &mut dyn Warehouse,
    arguments: &Arguments,
    sink: PartSink<'_>,
) -> Result<(), WarehouseError> {
    let mut shared = SharedTables::new(warehouse, arguments)?;
    let head = head(shared.warehouse, arguments)?;
    let grains = head.grains;
    sink(Part::Head(Box::new(head)))?;
    let queries = QUERIES.iter().filter_map(|(name, by)| Some((SavedQuery::find(name)?, *by)));
    let mut queries = queries.peekable();
    while let Some((query, by)) = queries.next() {
        let choices = match by {
            By::Default => vec![None],
            By::Choice(by) => vec![Some(by)],
            By::Grains => grains.map(Some).to_vec(),
        };
        for by in choices {
            let answer = run_query(&mut shared, query, by, arguments)?;
            sink(Part::Answer(Box::new(answer)))?;
        }
        shared.keep_for(&queries.clone().map(|(query, _)| query.file).collect::<Vec<_>>())?;
    }
    Ok(())
}

fn head(warehouse: &mut dyn Warehouse, arguments: &Arguments) -> Result<Head, WarehouseError> {
    let text = |day: Option<Date>| day.map(|day| day.to_string());
    let days = warehouse.query_file(&sql::filter::DAYS, &[], 1)?;
    let day = |at: usize| days.rows.first().and_then(|row| parsed(row.get(at)?.as_text()?));
    let (first, last) = (day(0), day(1));
    let levels = report::levels(warehouse)?;
    let (since, until) = (arguments.since.max(first), arguments.until.or(last).min(last));
    Ok(Head {
        version: env!("CARGO_PKG_VERSION"),
        filters: Filters {
            since: text(arguments.since),
            until: text(arguments.until),
            level: arguments.level.clone(),
        },
        choices: Choices { first: text(first), last: text(last), levels },
        grains: grains_of(since, until),
        load: load(warehouse)?,
    })
}

fn parsed(day: &str) -> Option<Date> {
    Date::parse(day, format_description!("[year]-[month]-[day]")).ok()
}

/// Chooses the grain of charts over time, and the next coarser one, so that a chart has at most
/// some 180 bars.
fn grains_of(first: Option<Date>, last: Option<Date>) -> [&'static str; 2] {
    let days = first.zip(last).map_or(0, |(first, last)| (last - first).whole_days());
    match days {
        ..=100 => ["day", "week"],
        101..=800 => ["week", "month"],
        801..=5400 => ["month", "quarter"],
        _ => ["quarter", "month"],
    }
}

/// Temporary tables with aggregates that several charts share, created when a query first needs
/// them. Where readers cannot create any, each query computes them.
struct SharedTables<'a> {
    warehouse: &'a mut dyn Warehouse,
    filters: [Value; 3],
    /// True if the connection can create them.
    is_allowed: bool,
    /// Names of the tables that exist.
    created: Vec<&'static str>,
}

/// Files of the shared tables; `page_NAME` is the table.
const SHARED: &[SqlFile] = &[
    sql::page::PLAY_HOURS,
    sql::page::SESSION_DAYS,
    sql::page::SESSION_INTERVALS,
    sql::page::LISTENER_INTERVALS,
    sql::page::SESSION_TOTALS,
    sql::page::USER_TOTALS,
    sql::page::LOGGED_SONGS,
    sql::page::NUMBERED_SONGS,
    sql::page::SONG_TOTALS,
    sql::page::ARTIST_TOTALS,
    sql::page::NUMBERED_LOCATIONS,
    sql::page::NUMBERED_AGENTS,
    sql::page::USER_PLACES,
];

impl<'a> SharedTables<'a> {
    fn new(
        warehouse: &'a mut dyn Warehouse,
        arguments: &Arguments,
    ) -> Result<Self, WarehouseError> {
        let is_allowed = warehouse.allow_temporary_tables()?;
        Ok(Self { warehouse, filters: arguments.filters(), is_allowed, created: Vec::new() })
    }

    /// Runs a file with `parameters`, after the tables that it reads were created.
    fn query(
        &mut self,
        file: &SqlFile,
        parameters: &[Value],
        sink: &mut LimitedSink,
    ) -> Result<(), WarehouseError> {
        let opening = Opening::full(self.warehouse.engine());
        if !self.is_allowed {
            return self.warehouse.query_each(&file.statement(opening), parameters, sink);
        }
        let (statement, used) = file.statement_from_shared_tables(opening);
        for table in self.read_by(file) {
            if !self.created.contains(&table.name) {
                self.created.push(table.name);
                let filters = self.filters.clone();
                self.query(table, &filters, &mut LimitedSink::new(1, BYTES))?;
            }
        }
        let used = used.iter().filter_map(|number| parameters.get(number - 1).cloned());
        self.warehouse.query_each(&statement, &used.collect::<Vec<_>>(), sink)
    }

    /// Returns the shared tables that a file reads.
    fn read_by(&self, file: &SqlFile) -> Vec<&'static SqlFile> {
        let opening = Opening::full(self.warehouse.engine());
        let (statement, _) = file.statement_from_shared_tables(opening);
        let is_read = |table: &&SqlFile| statement.contains(&format!("from page_{}", table.name));
        SHARED.iter().filter(is_read).collect()
    }

    /// Drops the tables that none of `files` reads, nor a table that they still need.
    fn keep_for(&mut self, files: &[&SqlFile]) -> Result<(), WarehouseError> {
        let mut needed: Vec<&SqlFile> = files.iter().flat_map(|file| self.read_by(file)).collect();
        let mut at = 0;
        while let Some(table) = needed.get(at) {
            needed.extend(self.read_by(table));
            at += 1;
        }
        let is_needed = |name: &&str| needed.iter().any(|table| table.name == *name);
        let (kept, done): (Vec<_>, Vec<_>) = self.created.iter().copied().partition(is_needed);
        for name in done {
            let opening = Opening::full(self.warehouse.engine());
            let drop = sql::page::DROP_TABLE.statement_on(&format!("page_{name}"), opening);
            self.warehouse.execute(&drop)?;
        }
        self.created = kept;
        Ok(())
    }
}

fn run_query(
    shared: &mut SharedTables<'_>,
    query: SavedQuery,
    by: Option<&'static str>,
    arguments: &Arguments,
) -> Result<ChartQuery, WarehouseError> {
    let parameters = query.parameters();
    let (supported, ignores) = split_filters(&parameters, arguments, by);
    let values = query.values(&supported).map_err(|error| argument_error(&error))?;
    let mut sink = LimitedSink::new(ROWS, BYTES);
    let ended = shared.query(query.file, &values, &mut sink);
    let written = |value: &Value| (*value != Value::Null).then(|| value.to_string());
    let names = parameters.iter().map(|parameter| parameter.name());
    Ok(ChartQuery {
        question: query.name(),
        by,
        asks: query.description(),
        covers: query.covers_songs(),
        columns: query.columns(),
        sql: query.statement(Opening::full(shared.warehouse.engine())),
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
            let choices = match by {
                By::Default => vec![None],
                By::Choice(by) => vec![Some(*by)],
                By::Grains => ["day", "week", "month", "quarter"].map(Some).to_vec(),
            };
            for by in choices {
                let arguments = Arguments { by: by.map(str::to_owned), ..Arguments::default() };
                assert_eq!(query.values(&arguments).err(), None, "{name}");
            }
        }
    }

    #[test]
    fn the_span_of_the_data_chooses_the_grain() {
        let first = parsed("2018-11-01");
        for (last, finer) in [
            ("2018-11-01", "day"),
            ("2019-01-31", "day"),
            ("2019-03-01", "week"),
            ("2020-11-01", "week"),
            ("2028-11-01", "month"),
            ("2058-11-01", "quarter"),
        ] {
            assert_eq!(grains_of(first, parsed(last))[0], finer, "to {last}");
        }
        assert_eq!(grains_of(None, None)[0], "day");
    }

    #[test]
    fn a_shared_table_uses_no_parameter_but_the_filters() {
        for file in SHARED {
            let statement = file.statement(Opening::full("duckdb"));
            let start = format!("create temp table page_{} as", file.name);
            assert!(statement.starts_with(&start), "{}", file.name);
            assert!((4..10).all(|n| !statement.contains(&format!("${n}"))), "{}", file.name);
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
