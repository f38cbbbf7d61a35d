//! Does the engine answer as its documentation says? Each probe of its list is asked, and where the answer is another one, that is told.
//!
//! All of it happens in a transaction that is rolled back. A failure ends a transaction, and not every engine can go back to a point within one, so behind a
//! probe that failed, or made something, it is rolled back and begun anew. What a probe needs in files is there meanwhile, and removed whatever happens.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Line, State, refused};
use crate::sql::doctor as sql;
use sparkify_warehouse::{ResultType, RowSink, UploadedFiles, Value, Warehouse, WarehouseError};

/// The list of one engine.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    #[serde(rename = "probe")]
    probes: Vec<Probe>,
}

/// One question whose answer is known; the list's header says what each part is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Probe {
    name: String,
    page: String,
    rests: Option<String>,
    assumed: Option<String>,
    #[serde(default)]
    ours: bool,
    #[serde(default)]
    files: BTreeMap<String, String>,
    #[serde(default)]
    first: Vec<String>,
    ask: String,
    types: Option<String>,
    #[serde(default)]
    answer: Vec<String>,
    fails: Option<String>,
    then: Option<String>,
}

/// What a probe came to.
enum Found {
    /// An answer: the types of its columns, its rows.
    Answer(String, Vec<String>),
    /// It failed where it was asked, and what was said; then the answer behind it.
    Failed(String, Option<Vec<String>>),
    /// It failed before it was asked.
    Broke(String),
}

/// Asks everything, and says how much of it agrees and what does not.
pub fn lines(warehouse: &mut dyn Warehouse) -> Vec<Line> {
    let Some(text) = warehouse.remote_copy().map(|remote| remote.probes()) else {
        return Vec::new();
    };
    match toml::from_str::<List>(text) {
        Ok(list) => ask(warehouse, &list.probes),
        Err(error) => vec![Line::failed("probes", format!("cannot be read: {error}"), None)],
    }
}

fn ask(warehouse: &mut dyn Warehouse, probes: &[Probe]) -> Vec<Line> {
    let (shown, mut lines) = match show(warehouse, probes) {
        Ok(shown) => (shown, Vec::new()),
        Err(error) => (None, vec![refused("staging", &error)]),
    };
    let mut transaction =
        Transaction { warehouse, is_open: false, is_spent: false, has_ours: false };
    let (mut asked, mut differences) = (0, Vec::new());
    for (number, probe) in probes.iter().enumerate() {
        if !probe.files.is_empty() && shown.is_none() {
            continue;
        }
        let parameters = shown.as_ref().map_or(Vec::new(), |shown| parameters(shown, number));
        asked += 1;
        match transaction.settle(probe, &parameters) {
            Ok(found) => differences.extend(difference(probe, &found, &parameters)),
            Err(error) => {
                lines.push(refused("probes", &error));
                return lines;
            }
        }
    }
    if let Err(error) = transaction.end() {
        lines.push(refused("probes", &error));
    }
    lines.push(sum(asked, probes.len() - asked, &differences));
    lines.extend(differences);
    lines
}

fn sum(asked: usize, left_out: usize, differences: &[Line]) -> Line {
    let agree = asked - differences.len();
    let said = format!("{agree} of {asked} answers are those of the documentation");
    let hint = (left_out > 0).then(|| {
        format!("{left_out} more need files that the warehouse reads: name a place for them, `[S3] STAGING`, and a role")
    });
    let state = match differences.iter().any(|line| line.state == State::Failed) {
        true => State::Failed,
        false if differences.is_empty() && left_out == 0 => State::Ok,
        false => State::Hint,
    };
    Line { what: "probes".into(), state, said, hint }
}

/// Puts the files of all probes, each probe's in a folder of its own.
fn show(
    warehouse: &mut dyn Warehouse,
    probes: &[Probe],
) -> Result<Option<UploadedFiles>, WarehouseError> {
    let numbered = probes.iter().enumerate();
    let files: Vec<(String, &str)> = numbered
        .flat_map(|(number, probe)| {
            let files = probe.files.iter();
            files.map(move |(name, text)| (format!("{number}/{name}"), text.as_str()))
        })
        .collect();
    match warehouse.remote_copy() {
        Some(remote) if !files.is_empty() => remote.upload(&files),
        _ => Ok(None),
    }
}

fn parameters(shown: &UploadedFiles, number: usize) -> Vec<Value> {
    let UploadedFiles { folder, role, region, .. } = shown;
    let [data, paths] = ["data/", "paths.json"].map(|name| format!("{folder}/{number}/{name}"));
    [data, role.clone(), region.clone(), paths].map(Value::Text).into()
}

/// The transaction in which everything is asked, as far as it goes on.
struct Transaction<'a> {
    warehouse: &'a mut dyn Warehouse,
    is_open: bool,
    /// Whether the next probe needs a new one.
    is_spent: bool,
    has_ours: bool,
}

impl Transaction<'_> {
    /// What others did meanwhile is none of the probe's: it is asked once more.
    fn settle(&mut self, probe: &Probe, parameters: &[Value]) -> Result<Found, WarehouseError> {
        match self.come_to(probe, parameters) {
            Err(WarehouseError::Conflict { .. }) => self.come_to(probe, parameters),
            other => other,
        }
    }

    /// What fails for reasons of the probe is found; what fails for others ends all.
    fn come_to(&mut self, probe: &Probe, parameters: &[Value]) -> Result<Found, WarehouseError> {
        self.ready()?;
        if let Err(words) = said(self.prepare(probe, parameters))? {
            return Ok(Found::Broke(words));
        }
        match said(self.answer(&probe.ask, parameters))? {
            Ok((types, rows)) => Ok(Found::Answer(types, rows)),
            Err(words) => {
                let Some(then) = &probe.then else { return Ok(Found::Failed(words, None)) };
                self.ready()?;
                Ok(match said(self.answer(then, parameters))? {
                    Ok((_, rows)) => Found::Failed(words, Some(rows)),
                    Err(words) => Found::Broke(words),
                })
            }
        }
    }

    fn ready(&mut self) -> Result<(), WarehouseError> {
        if self.is_spent {
            self.end()?;
        }
        if !self.is_open {
            self.warehouse.run(&sql::PROBE_BEGIN)?;
            (self.is_open, self.has_ours) = (true, false);
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), WarehouseError> {
        (self.is_open, self.is_spent) = (false, false);
        self.warehouse.run(&sql::PROBE_UNDO)
    }

    fn prepare(&mut self, probe: &Probe, parameters: &[Value]) -> Result<(), WarehouseError> {
        if probe.ours && !self.has_ours {
            // Until it is done, it may have failed.
            self.is_spent = true;
            self.warehouse.install(false)?;
            (self.is_spent, self.has_ours) = (false, true);
        }
        for statement in &probe.first {
            self.answer(statement, parameters)?;
            self.is_spent = true;
        }
        Ok(())
    }

    fn answer(
        &mut self,
        statement: &str,
        parameters: &[Value],
    ) -> Result<(String, Vec<String>), WarehouseError> {
        let mut taken = Taken::default();
        let answered = self.warehouse.query_each(statement, parameters, &mut taken);
        self.is_spent |= answered.is_err();
        answered.map(|()| (taken.types, taken.rows))
    }
}

/// What the engine said of a statement that it would not do; any other failure is none of the probe's.
fn said<T>(outcome: Result<T, WarehouseError>) -> Result<Result<T, String>, WarehouseError> {
    match outcome {
        Ok(done) => Ok(Ok(done)),
        Err(error @ (WarehouseError::Statement { .. } | WarehouseError::Full { .. })) => {
            Ok(Err(error.to_string()))
        }
        Err(error) => Err(error),
    }
}

/// An answer in the list's own words.
#[derive(Default)]
struct Taken {
    types: String,
    rows: Vec<String>,
}

impl RowSink for Taken {
    fn types(&mut self, types: &[ResultType]) -> Result<(), WarehouseError> {
        self.types = types.iter().map(|kind| word(*kind)).collect::<Vec<_>>().join(" ");
        Ok(())
    }

    fn start(&mut self, _columns: Vec<String>) -> Result<(), WarehouseError> {
        Ok(())
    }

    fn row(&mut self, row: Vec<Value>) -> Result<(), WarehouseError> {
        let cells = row.iter().map(|value| match value {
            Value::Null => "∅".into(),
            value => value.to_string(),
        });
        self.rows.push(cells.collect::<Vec<String>>().join("|"));
        Ok(())
    }
}

fn word(kind: ResultType) -> &'static str {
    match kind {
        ResultType::Boolean => "boolean",
        ResultType::Integer => "integer",
        ResultType::BigInt => "bigint",
        ResultType::Decimal(..) => "decimal",
        ResultType::Double => "double",
        ResultType::Date => "date",
        ResultType::Timestamp => "timestamp",
        ResultType::Bytes => "bytes",
        ResultType::Text => "text",
    }
}

/// A line about a probe that came to something else than its page says.
fn difference(probe: &Probe, found: &Found, parameters: &[Value]) -> Option<Line> {
    let state = if probe.rests.is_some() { State::Failed } else { State::Hint };
    let (expected, got) = (expected(probe), got(probe, found));
    let said = format!("{}: expected {expected}, got {got}", probe.name);
    let hint = Some(notes(probe, parameters));
    (!agrees(probe, found)).then(|| Line { what: "probe".into(), state, said, hint })
}

fn agrees(probe: &Probe, found: &Found) -> bool {
    match (found, &probe.fails) {
        (Found::Answer(types, rows), None) => {
            *rows == probe.answer && probe.types.as_ref().is_none_or(|wanted| wanted == types)
        }
        (Found::Failed(words, then), Some(part)) => {
            holds(words, part) && then.as_ref().is_none_or(|rows| *rows == probe.answer)
        }
        _ => false,
    }
}

fn expected(probe: &Probe) -> String {
    let Some(words) = &probe.fails else {
        return answered(&probe.answer, probe.types.as_deref());
    };
    let words = if words.is_empty() { String::new() } else { format!(" with “{words}”") };
    let then = probe.then.as_ref().map(|_| probe.answer.as_slice());
    format!("a failure{words}{}", behind(then))
}

fn got(probe: &Probe, found: &Found) -> String {
    match found {
        // Types are told where they are asked for.
        Found::Answer(types, rows) => answered(rows, probe.types.as_ref().map(|_| types.as_str())),
        Found::Failed(words, then) => {
            format!("the failure “{}”{}", one_line(words), behind(then.as_deref()))
        }
        Found::Broke(words) => format!("the failure “{}”", one_line(words)),
    }
}

fn answered(rows: &[String], types: Option<&str>) -> String {
    let rows = if rows.is_empty() { "no row".into() } else { format!("`{}`", rows.join("`, `")) };
    match types {
        Some(types) => format!("{rows} ({types})"),
        None => rows,
    }
}

fn behind(rows: Option<&[String]>) -> String {
    rows.map_or(String::new(), |rows| format!(", and then {}", answered(rows, None)))
}

fn holds(words: &str, part: &str) -> bool {
    words.to_lowercase().contains(&part.to_lowercase())
}

/// What was sent, what rests on it, and who says so.
fn notes(probe: &Probe, parameters: &[Value]) -> String {
    let all = probe.first.iter().chain([&probe.ask]).chain(&probe.then);
    let mut sent = all.map(String::as_str).collect::<Vec<_>>().join("; ");
    for (place, value) in (1..).zip(parameters) {
        sent = sent.replace(&format!("${place}"), &format!("'{value}'"));
    }
    let mut notes = vec![format!("sent: {sent}")];
    notes.extend(probe.rests.iter().map(|rests| format!("on it rests: {rests}")));
    notes.extend(probe.assumed.iter().map(|assumed| format!("assumed: {assumed}")));
    notes.push(probe.page.clone());
    notes.join("; ")
}

fn one_line(words: &str) -> String {
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}
