//! Is the warehouse what somebody says that it should be? Each expectation of a profile is compared with what is there, and a difference is
//! explained by its causes: the rows responsible, and numbers that add up.
//!
//! `quality` asks whether the tables agree with each other; this room asks whether they agree with numbers from elsewhere, and why not. It
//! reads, and changes nothing.

mod profile;

pub use profile::{BUILT_IN, Cause, Expectation, Expected, Profile, ProfileError, read, text};

use std::collections::BTreeMap;

use serde::Serialize;
use thiserror::Error;

use sparkify_load::data_tests;
use sparkify_warehouse::{RowSink, Rows, Value, Warehouse, WarehouseError};

/// Of the rows that explain something, this many are kept.
const SAMPLES: usize = 5;

/// How an expectation came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is as expected.
    Met,
    /// It is not, and its causes account for all of the difference.
    Explained,
    /// It is not, and nobody knows all of why.
    Unexplained,
    /// The data is not what the expectation is about.
    Skipped,
}

/// What came of one expectation.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// The expectation's name.
    pub name: String,
    /// What is counted.
    pub says: String,
    /// How it came out.
    pub status: Status,
    /// What should be there; null where it was skipped.
    pub expected: Value,
    /// What is there.
    pub found: Value,
    /// Why it was skipped: what the data is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needs: Option<String>,
    /// What explains the difference, from the value found to the value expected.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<Explanation>,
    /// What of the difference nothing explains, where it is a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unexplained: Option<f64>,
}

/// One cause at work.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// A sentence, to be read behind the number of rows.
    pub says: String,
    /// What it adds to the value that was found.
    pub adds: f64,
    /// The rows responsible; none for what is left over.
    pub rows: Option<u64>,
    /// The names of the columns of `samples`.
    pub columns: Vec<String>,
    /// The first few of them.
    pub samples: Vec<Vec<Value>>,
}

impl Finding {
    /// Whether the warehouse is not as expected.
    pub fn differs(&self) -> bool {
        matches!(self.status, Status::Explained | Status::Unexplained)
    }
}

/// Why a profile could not be compared.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// A query of the profile failed.
    #[error("cannot answer {whose} of the profile")]
    Query {
        /// Which one.
        whose: String,
        /// What the warehouse said.
        source: WarehouseError,
    },
    /// A query of the profile answers something else than one value.
    #[error("{whose} of the profile answers {answer}")]
    Answer {
        /// Which one.
        whose: String,
        /// What came.
        answer: String,
    },
}

impl VerifyError {
    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Query { source, .. } => Some(
                source
                    .hint()
                    .unwrap_or_else(|| "correct the query; it may only read the warehouse".into()),
            ),
            Self::Answer { .. } => Some("such a query answers one row of one column".into()),
        }
    }
}

/// Compares every expectation of `profile` with the warehouse.
pub fn run(warehouse: &mut dyn Warehouse, profile: &Profile) -> Result<Vec<Finding>, VerifyError> {
    let mut conditions = BTreeMap::new();
    for (name, condition) in &profile.conditions {
        let whose = || format!("the condition `{name}`");
        let holds = scalar(warehouse, &condition.query, whose)? == Value::Bool(true);
        conditions.insert(name.as_str(), (holds, condition.says.as_str()));
    }
    let compare = |expectation| compare(warehouse, &conditions, expectation);
    profile.expectations.iter().map(compare).collect()
}

type Conditions<'a> = BTreeMap<&'a str, (bool, &'a str)>;

fn compare(
    warehouse: &mut dyn Warehouse,
    conditions: &Conditions<'_>,
    expectation: &Expectation,
) -> Result<Finding, VerifyError> {
    let (name, says) = (expectation.name.clone(), said(expectation));
    let mut finding = Finding {
        name,
        says,
        status: Status::Skipped,
        expected: Value::Null,
        found: Value::Null,
        needs: None,
        causes: Vec::new(),
        unexplained: None,
    };
    if let Some((false, says)) = condition(conditions, expectation.when.as_deref()) {
        finding.needs = Some(says.to_owned());
        return Ok(finding);
    }
    let whose = || format!("the expectation `{}`", expectation.name);
    finding.expected = match (&expectation.value, &expectation.equals) {
        (Some(value), _) => value.into(),
        (None, Some(query)) => scalar(warehouse, query, whose)?,
        (None, None) => Value::Int(0),
    };
    let (found, offending) = found(warehouse, expectation)?;
    finding.found = found;
    if same(&finding.found, &finding.expected, expectation.tolerance) {
        finding.status = Status::Met;
        return Ok(finding);
    }
    finding.causes.extend(offending);
    explain(warehouse, conditions, expectation, &mut finding)?;
    Ok(finding)
}

fn said(expectation: &Expectation) -> String {
    let check = expectation.check.as_deref();
    let check =
        check.and_then(|name| data_tests::DATA_TESTS.iter().find(|check| check.name == name));
    match check {
        Some(check) if expectation.says.is_empty() => {
            format!("rows against: {}", check.headline())
        }
        _ => expectation.says.clone(),
    }
}

fn condition<'a>(conditions: &Conditions<'a>, when: Option<&str>) -> Option<(bool, &'a str)> {
    when.and_then(|when| conditions.get(when).copied())
}

/// What is there; of a check that is broken, the rows as well.
fn found(
    warehouse: &mut dyn Warehouse,
    expectation: &Expectation,
) -> Result<(Value, Option<Explanation>), VerifyError> {
    let whose = || format!("the expectation `{}`", expectation.name);
    if let Some(query) = &expectation.query {
        return Ok((scalar(warehouse, query, whose)?, None));
    }
    let name = expectation.check.as_deref().unwrap_or_default();
    let check = data_tests::DATA_TESTS.iter().find(|check| check.name == name);
    let Some(check) = check else { return Ok((Value::Null, None)) };
    let asked = warehouse.query_file(check, &[], SAMPLES);
    let rows = asked.map_err(|source| VerifyError::Query { whose: whose(), source })?;
    let found = Value::Int(rows.total.into());
    let says = format!("break the check `{name}`");
    Ok((found, Some(explanation(says, -1, rows))))
}

fn explanation(says: String, each: i64, rows: Rows) -> Explanation {
    let adds = rows.total as f64 * each as f64;
    Explanation { says, adds, rows: Some(rows.total), columns: rows.columns, samples: rows.rows }
}

/// Looks for the causes of a difference, and says what they leave.
fn explain(
    warehouse: &mut dyn Warehouse,
    conditions: &Conditions<'_>,
    expectation: &Expectation,
    finding: &mut Finding,
) -> Result<(), VerifyError> {
    let applies = |when: Option<&str>| condition(conditions, when).is_none_or(|(holds, _)| holds);
    let causes = expectation.causes.iter().filter(|cause| applies(cause.when.as_deref()));
    let (rest, counted): (Vec<&Cause>, Vec<&Cause>) = causes.partition(|cause| cause.rest);
    for cause in counted {
        let query = cause.rows.as_deref().unwrap_or_default();
        let whose = || format!("a cause of `{}`", expectation.name);
        let rows = warehouse.query(query, &[], SAMPLES);
        let rows = rows.map_err(|source| VerifyError::Query { whose: whose(), source })?;
        if rows.total > 0 {
            finding.causes.push(explanation(cause.says.clone(), cause.each, rows));
        }
    }
    let numbers = (number(&finding.found), number(&finding.expected));
    let (Some(found), Some(expected)) = numbers else {
        // What is no number cannot add up: a cause that is at work is the explanation.
        let explained = !finding.causes.is_empty();
        finding.status = if explained { Status::Explained } else { Status::Unexplained };
        return Ok(());
    };
    let mut left = expected - found - finding.causes.iter().map(|cause| cause.adds).sum::<f64>();
    let way = |cause: &&Cause| left.abs() > expectation.tolerance && left * cause.each as f64 > 0.0;
    if let Some(cause) = rest.into_iter().find(way) {
        let (columns, samples) = (Vec::new(), Vec::new());
        let says = cause.says.clone();
        finding.causes.push(Explanation { says, adds: left, rows: None, columns, samples });
        left = 0.0;
    }
    let explained = left.abs() <= expectation.tolerance;
    finding.status = if explained { Status::Explained } else { Status::Unexplained };
    finding.unexplained = Some(left).filter(|_| !explained);
    Ok(())
}

/// The one value that a query answers.
fn scalar(
    warehouse: &mut dyn Warehouse,
    query: &str,
    whose: impl Fn() -> String,
) -> Result<Value, VerifyError> {
    let mut one = One::default();
    let asked = warehouse.query_each(query, &[], &mut one);
    let answer = match (one.columns, one.rows) {
        (1, 1) => {
            asked.map_err(|source| VerifyError::Query { whose: whose(), source })?;
            return Ok(one.value.unwrap_or(Value::Null));
        }
        (1, 0) => "no row".into(),
        (1, _) => "more than one row".into(),
        (columns, _) => format!("{columns} columns"),
    };
    match asked {
        Err(source) if !one.ended => Err(VerifyError::Query { whose: whose(), source }),
        _ => Err(VerifyError::Answer { whose: whose(), answer }),
    }
}

/// Takes one value, and ends an answer that has more.
#[derive(Default)]
struct One {
    columns: usize,
    rows: u64,
    value: Option<Value>,
    ended: bool,
}

impl One {
    fn end(&mut self) -> WarehouseError {
        self.ended = true;
        WarehouseError::Sink(std::io::Error::other("more than one value"))
    }
}

impl RowSink for One {
    fn start(&mut self, columns: Vec<String>) -> Result<(), WarehouseError> {
        self.columns = columns.len();
        if self.columns == 1 { Ok(()) } else { Err(self.end()) }
    }

    fn row(&mut self, row: Vec<Value>) -> Result<(), WarehouseError> {
        self.rows += 1;
        if self.rows > 1 {
            return Err(self.end());
        }
        self.value = row.into_iter().next();
        Ok(())
    }
}

impl From<&Expected> for Value {
    fn from(expected: &Expected) -> Self {
        match expected {
            Expected::Int(value) => Self::Int((*value).into()),
            Expected::Double(value) => Self::Double(*value),
            Expected::Bool(value) => Self::Bool(*value),
            Expected::Text(value) => Self::Text(value.clone()),
        }
    }
}

/// Whether they are the same: numbers within the tolerance, everything else as it is written.
fn same(found: &Value, expected: &Value, tolerance: f64) -> bool {
    match (found, expected, number(found), number(expected)) {
        (Value::Int(found), Value::Int(expected), ..) if tolerance == 0.0 => found == expected,
        (Value::Text(found), Value::Text(expected), ..) if tolerance == 0.0 => found == expected,
        (_, _, Some(found), Some(expected)) => (found - expected).abs() <= tolerance,
        (Value::Null, Value::Null, ..) => true,
        (Value::Null, ..) | (_, Value::Null, ..) => false,
        _ => found.to_string() == expected.to_string(),
    }
}

/// A number, also one that came as text since it has decimals.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(value) => Some(*value as f64),
        Value::Double(value) => Some(*value),
        Value::Text(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_as_numbers_and_the_rest_as_written() {
        let text = |text: &str| Value::Text(text.into());
        assert!(same(&Value::Double(467.989), &Value::Double(467.99), 0.005));
        assert!(!same(&Value::Double(467.98), &Value::Double(467.99), 0.005));
        assert!(!same(
            &Value::Int(i128::from(i64::MAX)),
            &Value::Int(i128::from(i64::MAX) - 1),
            0.0
        ));
        assert!(same(&text("1.50"), &Value::Double(1.5), 0.0));
        assert!(same(&text("Björk"), &text("Björk"), 0.0));
        assert!(!same(&text("007"), &text("7"), 0.0));
        assert!(!same(&Value::Null, &text(""), 0.0));
        assert!(!same(&Value::Double(f64::NAN), &Value::Double(1.0), 9.0));
    }
}
