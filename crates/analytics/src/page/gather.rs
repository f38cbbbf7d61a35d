//! Which questions the page asks, and what it knows of each: the sentence, the columns, the SQL with its values, and the answer.

use serde::Serialize;
use time::Date;

use super::answer::{Answer, Taker};
use crate::report::{self, Answered, Arguments, Parameter, Question, QuestionError};
use sparkify_warehouse::{Opening, Value, Warehouse, WarehouseError};

/// Rows of one answer that travel with the page: more are nothing to look at.
const ROWS: usize = 5000;
/// And bytes of their text.
const BYTES: usize = 4 << 20;

/// A question, and what to rank or group by where it is not the first choice.
const ASKED: &[(&str, Option<&str>)] = &[
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

/// All that the page shows.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Of the program.
    version: &'static str,
    /// What was asked for.
    bounds: Bounds,
    /// What there is to be asked for.
    choices: Choices,
    /// The last load that was published.
    load: Option<Load>,
    /// How many of the plays the catalogue knows.
    coverage: Coverage,
    /// In the order in which they were asked.
    answers: Vec<Told>,
}

#[derive(Debug, Serialize)]
struct Bounds {
    since: Option<String>,
    until: Option<String>,
    level: Option<String>,
}

/// The first and the last day with a play, and the levels, of all plays.
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

/// A question and its answer.
#[derive(Debug, Serialize)]
struct Told {
    question: &'static str,
    by: Option<&'static str>,
    asks: &'static str,
    covers: Option<&'static str>,
    columns: Vec<Answered>,
    sql: String,
    /// The values of `$1`, `$2` …, with the names of the bounds.
    values: Vec<(&'static str, Option<String>)>,
    /// Bounds that were given and that the question does not take.
    ignores: Vec<&'static str>,
    answer: Answer,
}

/// Asks everything within the bounds; `limit` and `by` of the arguments are not used.
pub fn gather(
    warehouse: &mut dyn Warehouse,
    arguments: &Arguments,
) -> Result<Report, WarehouseError> {
    let coverage = report::coverage(warehouse, arguments)?;
    let answers = ASKED
        .iter()
        .filter_map(|(name, by)| Some((Question::find(name)?, *by)))
        .map(|(question, by)| told(warehouse, question, by, arguments))
        .collect::<Result<_, _>>()?;
    let day = |day: Option<Date>| day.map(|day| day.to_string());
    let (since, until) = (day(arguments.since), day(arguments.until));
    Ok(Report {
        version: env!("CARGO_PKG_VERSION"),
        bounds: Bounds { since, until, level: arguments.level.clone() },
        choices: choices(warehouse)?,
        load: load(warehouse)?,
        coverage: Coverage { plays: coverage.plays, matched: coverage.matched },
        answers,
    })
}

fn told(
    warehouse: &mut dyn Warehouse,
    question: Question,
    by: Option<&'static str>,
    arguments: &Arguments,
) -> Result<Told, WarehouseError> {
    let parameters = question.parameters();
    let (taken, ignores) = restricted(&parameters, arguments, by);
    let values = question.values(&taken).map_err(|error| unasked(&error))?;
    let sql = question.statement(Opening::full(warehouse.engine()));
    let mut sink = Taker::new(ROWS, BYTES);
    let ended = warehouse.query_each(&sql, &values, &mut sink);
    let written = |value: &Value| (*value != Value::Null).then(|| value.to_string());
    let names = parameters.iter().map(|parameter| parameter.name());
    Ok(Told {
        question: question.name(),
        by,
        asks: question.asks(),
        covers: question.covers_songs(),
        columns: question.columns(),
        sql,
        values: names.zip(values.iter().map(written)).collect(),
        ignores,
        answer: sink.taken(ended)?,
    })
}

/// Of the bounds those that a question takes, and the names of the others.
fn restricted(
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

/// It cannot come to this: what is not taken was left out before.
fn unasked(error: &QuestionError) -> WarehouseError {
    WarehouseError::Statement { message: error.to_string(), hint: Some(error.hint()) }
}

/// What `name` answers of all there is.
fn whole(warehouse: &mut dyn Warehouse, name: &str) -> Result<Vec<Vec<Value>>, WarehouseError> {
    let Some(question) = Question::find(name) else { return Ok(Vec::new()) };
    let values = question.values(&Arguments::default()).map_err(|error| unasked(&error))?;
    question.ask(warehouse, &values).map(|rows| rows.rows)
}

fn choices(warehouse: &mut dyn Warehouse) -> Result<Choices, WarehouseError> {
    let days: Vec<String> =
        whole(warehouse, "plays_by_day")?.iter().map(|row| row[0].to_string()).collect();
    let levels = whole(warehouse, "plays_by_level")?;
    Ok(Choices {
        first: days.first().cloned(),
        last: days.last().cloned(),
        levels: levels.iter().filter_map(|row| row[0].as_text().map(str::to_owned)).collect(),
    })
}

/// `history` has the newest first.
fn load(warehouse: &mut dyn Warehouse) -> Result<Option<Load>, WarehouseError> {
    let Some(question) = Question::find("history") else { return Ok(None) };
    let loads = question.ask(warehouse, &[])?;
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
    fn every_question_of_the_page_is_there_and_takes_what_it_is_ranked_by() {
        for (name, by) in ASKED {
            let question = Question::find(name).unwrap_or_else(|| panic!("no question `{name}`"));
            let asked = Arguments { by: by.map(str::to_owned), ..Arguments::default() };
            assert_eq!(question.values(&asked).err(), None, "{name}");
        }
    }

    #[test]
    fn a_bound_that_a_question_does_not_take_is_named_and_left_out() {
        let asked = Arguments { level: Some("paid".into()), ..Arguments::default() };
        let parameters = Question::find("retention").unwrap().parameters();
        assert_eq!(restricted(&parameters, &asked, None), (Arguments::default(), vec!["level"]));
    }
}
