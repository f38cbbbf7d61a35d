//! Reconciliation of the warehouse with expected numbers.
//!
//! Each expectation of a profile is compared with the warehouse. A difference is explained by its
//! causes: queries that return the responsible rows, each with its effect on the number. A
//! difference is explained if the effects add up to it.
//!
//! Data tests compare the tables with each other; this module compares them with numbers from
//! outside the warehouse. It is read-only.

mod profile;

pub use profile::{
    BUILT_IN, Cause, Condition, Expectation, Expected, Profile, ProfileError, is_built_in, read,
    text,
};

use std::collections::BTreeMap;

use serde::Serialize;
use thiserror::Error;

use sparkify_load::data_tests;
use sparkify_warehouse::{RowSink, Rows, Value, Warehouse, WarehouseError};

/// Sample rows kept per cause.
const SAMPLES: usize = 5;

/// Outcome of an expectation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The value is as expected, within the tolerance.
    Met,
    /// The value differs, and the causes account for the whole difference.
    Explained,
    /// The value differs, and the causes do not account for the whole difference.
    Unexplained,
    /// The condition of the expectation does not hold for this data.
    Skipped,
}

/// Result of one expectation.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// Name of the expectation.
    pub name: String,
    /// Description of the value, for example what is counted.
    #[serde(rename = "says")]
    pub description: String,
    /// Outcome of the comparison.
    pub status: Status,
    /// Expected value; null if skipped.
    pub expected: Value,
    /// Value in the warehouse; null if skipped.
    pub found: Value,
    /// Description of the unmet condition, if skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needs: Option<String>,
    /// Causes of the difference: `expected` = `found` + their effects + `unexplained`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<Explanation>,
    /// Rest of a numeric difference that no cause explains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unexplained: Option<f64>,
}

/// Cause that contributes to a difference.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// Sentence that follows the number of rows.
    #[serde(rename = "says")]
    pub description: String,
    /// Effect: number to add to the found value.
    pub adds: f64,
    /// Number of responsible rows; `None` for a cause with `rest = true`.
    pub rows: Option<u64>,
    /// Column names of `samples`.
    pub columns: Vec<String>,
    /// First few of the responsible rows.
    pub samples: Vec<Vec<Value>>,
}

impl Finding {
    /// Returns true if the value differs from the expectation.
    pub fn differs(&self) -> bool {
        matches!(self.status, Status::Explained | Status::Unexplained)
    }
}

/// Errors of a reconciliation.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// The warehouse holds other data than the profile is about.
    #[error("these are not the data of the profile: {description}")]
    OtherData {
        /// Property that the data lack.
        description: String,
    },
    /// A query of the profile failed.
    #[error("cannot run the query of {item} in the profile")]
    Query {
        /// Condition, expectation or cause with the query.
        item: String,
        /// Error of the warehouse.
        source: WarehouseError,
    },
    /// A query of the profile returns more or less than one value.
    #[error("the query of {item} in the profile returns {returned}")]
    NotOneValue {
        /// Condition, expectation or cause with the query.
        item: String,
        /// Number of rows or columns that it returns.
        returned: String,
    },
}

impl VerifyError {
    /// Returns the next action for the user.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::OtherData { .. } => {
                Some("load them, or run `sparkify verify` for the rules of any data".into())
            }
            Self::Query { source, .. } => Some(
                source
                    .hint()
                    .unwrap_or_else(|| "correct the query; it may only read the warehouse".into()),
            ),
            Self::NotOneValue { .. } => {
                Some("change the query to return one row with one column".into())
            }
        }
    }
}

/// Compares every expectation of `profile` with the warehouse.
///
/// # Errors
/// If the warehouse holds other data than the profile is about, or a query fails.
pub fn run(warehouse: &mut dyn Warehouse, profile: &Profile) -> Result<Vec<Finding>, VerifyError> {
    if let Some(Condition { description, query }) = &profile.data
        && scalar(warehouse, query, || "`[data]`".into())? != Value::Bool(true)
    {
        return Err(VerifyError::OtherData { description: description.clone() });
    }
    let mut conditions = BTreeMap::new();
    for (name, condition) in &profile.conditions {
        let item = || format!("the condition `{name}`");
        let holds = scalar(warehouse, &condition.query, item)? == Value::Bool(true);
        conditions.insert(name.as_str(), (holds, condition.description.as_str()));
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
    let mut finding = Finding {
        name: expectation.name.clone(),
        description: description(expectation),
        status: Status::Skipped,
        expected: Value::Null,
        found: Value::Null,
        needs: None,
        causes: Vec::new(),
        unexplained: None,
    };
    if let Some((false, unmet)) = condition(conditions, expectation.when.as_deref()) {
        finding.needs = Some(unmet.to_owned());
        return Ok(finding);
    }
    let item = || format!("the expectation `{}`", expectation.name);
    finding.expected = match (&expectation.value, &expectation.equals) {
        (Some(value), _) => value.into(),
        (None, Some(query)) => scalar(warehouse, query, item)?,
        (None, None) => Value::Int(0),
    };
    let (found, failing_rows) = found(warehouse, expectation)?;
    finding.found = found;
    if same(&finding.found, &finding.expected, expectation.tolerance) {
        finding.status = Status::Met;
        return Ok(finding);
    }
    finding.causes.extend(failing_rows);
    explain(warehouse, conditions, expectation, &mut finding)?;
    Ok(finding)
}

fn description(expectation: &Expectation) -> String {
    let test = expectation.check.as_deref();
    let test = test.and_then(|name| data_tests::DATA_TESTS.iter().find(|test| test.name == name));
    match test {
        Some(test) if expectation.description.is_empty() => {
            format!("failing rows: {}", test.headline())
        }
        _ => expectation.description.clone(),
    }
}

fn condition<'a>(conditions: &Conditions<'a>, when: Option<&str>) -> Option<(bool, &'a str)> {
    when.and_then(|when| conditions.get(when).copied())
}

/// Returns the value in the warehouse; for a data test also its failing rows.
fn found(
    warehouse: &mut dyn Warehouse,
    expectation: &Expectation,
) -> Result<(Value, Option<Explanation>), VerifyError> {
    let item = || format!("the expectation `{}`", expectation.name);
    if let Some(query) = &expectation.query {
        return Ok((scalar(warehouse, query, item)?, None));
    }
    let name = expectation.check.as_deref().unwrap_or_default();
    let test = data_tests::DATA_TESTS.iter().find(|test| test.name == name);
    let Some(test) = test else { return Ok((Value::Null, None)) };
    let rows = warehouse.query_file(test, &[], SAMPLES);
    let rows = rows.map_err(|source| VerifyError::Query { item: item(), source })?;
    let found = Value::Int(rows.total.into());
    let description = format!("fail the test `{name}`");
    Ok((found, Some(explanation(description, -1, rows))))
}

fn explanation(description: String, each: i64, rows: Rows) -> Explanation {
    let adds = rows.total as f64 * each as f64;
    let (total, columns, samples) = (Some(rows.total), rows.columns, rows.rows);
    Explanation { description, adds, rows: total, columns, samples }
}

/// Collects the causes of a difference, and sets the status and the unexplained rest.
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
        let item = || format!("a cause of `{}`", expectation.name);
        let rows = warehouse.query(query, &[], SAMPLES);
        let rows = rows.map_err(|source| VerifyError::Query { item: item(), source })?;
        if rows.total > 0 {
            finding.causes.push(explanation(cause.description.clone(), cause.each, rows));
        }
    }
    let numbers = (number(&finding.found), number(&finding.expected));
    let (Some(found), Some(expected)) = numbers else {
        // Values that are not numbers cannot add up: any cause with rows is the explanation.
        let explained = !finding.causes.is_empty();
        finding.status = if explained { Status::Explained } else { Status::Unexplained };
        return Ok(());
    };
    let mut left = expected - found - finding.causes.iter().map(|cause| cause.adds).sum::<f64>();
    // A cause with `rest = true` takes the remaining difference, but only in its own direction.
    let applies =
        |cause: &&Cause| left.abs() > expectation.tolerance && left * cause.each as f64 > 0.0;
    if let Some(cause) = rest.into_iter().find(applies) {
        let (columns, samples) = (Vec::new(), Vec::new());
        let description = cause.description.clone();
        finding.causes.push(Explanation { description, adds: left, rows: None, columns, samples });
        left = 0.0;
    }
    let explained = left.abs() <= expectation.tolerance;
    finding.status = if explained { Status::Explained } else { Status::Unexplained };
    finding.unexplained = Some(left).filter(|_| !explained);
    Ok(())
}

/// Runs a query that must return exactly one value, and returns it.
fn scalar(
    warehouse: &mut dyn Warehouse,
    query: &str,
    item: impl Fn() -> String,
) -> Result<Value, VerifyError> {
    let mut one = OneValue::default();
    let outcome = warehouse.query_each(query, &[], &mut one);
    let returned = match (one.columns, one.rows) {
        (1, 1) => {
            outcome.map_err(|source| VerifyError::Query { item: item(), source })?;
            return Ok(one.value.unwrap_or(Value::Null));
        }
        (1, 0) => "no row".into(),
        (1, _) => "more than one row".into(),
        (columns, _) => format!("{columns} columns"),
    };
    match outcome {
        Err(source) if !one.stopped => Err(VerifyError::Query { item: item(), source }),
        _ => Err(VerifyError::NotOneValue { item: item(), returned }),
    }
}

/// Row sink for one value. Stops the query when a second column or row arrives.
#[derive(Default)]
struct OneValue {
    columns: usize,
    rows: u64,
    value: Option<Value>,
    /// True if this sink stopped the query, so the query's error is not the warehouse's.
    stopped: bool,
}

impl OneValue {
    fn stop(&mut self) -> WarehouseError {
        self.stopped = true;
        WarehouseError::Sink(std::io::Error::other("more than one value"))
    }
}

impl RowSink for OneValue {
    fn start(&mut self, columns: Vec<String>) -> Result<(), WarehouseError> {
        self.columns = columns.len();
        if self.columns == 1 { Ok(()) } else { Err(self.stop()) }
    }

    fn row(&mut self, row: Vec<Value>) -> Result<(), WarehouseError> {
        self.rows += 1;
        if self.rows > 1 {
            return Err(self.stop());
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

/// Compares numbers within the tolerance, other values by their text. Integers and text without a
/// tolerance are compared exactly, since `f64` cannot hold every 64-bit integer.
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

/// Returns the number of a value. Decimals arrive as text.
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
    fn numbers_are_compared_within_the_tolerance_and_other_values_as_text() {
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
