//! Data tests: one SQL file per test, which returns the failing rows. They only read.

use serde::Serialize;

use crate::scope::Scope;
use sparkify_warehouse::{Opening, Rows, SqlFile, Value, Warehouse, WarehouseError};

/// All data tests.
pub const DATA_TESTS: &[SqlFile] = crate::sql::quality::ALL;

/// Number of failing rows that a result keeps.
const SAMPLES: usize = 5;

/// Result of one data test. The JSON keys are part of the output of `sparkify check`.
#[derive(Debug, Clone, Serialize)]
pub struct TestResult {
    /// Name of the test: the stem of its file.
    #[serde(rename = "check")]
    pub test: &'static str,
    /// Statement that holds if the test passes.
    #[serde(rename = "claim")]
    pub description: &'static str,
    /// Number of failing rows.
    #[serde(rename = "offending")]
    pub failing_rows: u64,
    /// Column names of `samples`.
    pub columns: Vec<String>,
    /// First failing rows.
    pub samples: Vec<Vec<String>>,
}

impl TestResult {
    /// True if there are no failing rows.
    pub fn passed(&self) -> bool {
        self.failing_rows == 0
    }
}

/// Runs every data test on all rows.
pub fn run(warehouse: &mut dyn Warehouse) -> Result<Vec<TestResult>, WarehouseError> {
    run_within(warehouse, None)
}

fn run_within(
    warehouse: &mut dyn Warehouse,
    scope: Option<&Scope>,
) -> Result<Vec<TestResult>, WarehouseError> {
    DATA_TESTS.iter().map(|test| run_one(warehouse, test, scope)).collect()
}

/// Runs every data test, on all rows or on those with keys that the load affects, and returns the
/// results of those that failed.
pub(crate) fn failed(
    warehouse: &mut dyn Warehouse,
    scope: Option<&Scope>,
) -> Result<Vec<TestResult>, WarehouseError> {
    let results = run_within(warehouse, scope)?;
    Ok(results.into_iter().filter(|result| !result.passed()).collect())
}

fn run_one(
    warehouse: &mut dyn Warehouse,
    test: &SqlFile,
    scope: Option<&Scope>,
) -> Result<TestResult, WarehouseError> {
    let statement = test.statement(Opening::new(warehouse.engine(), scope.is_some()));
    let statement = match scope {
        Some(scope) => scope.bounds.fill(&statement),
        None => statement,
    };
    let Rows { columns, rows, total } = warehouse.query(&statement, &[], SAMPLES)?;
    let samples = rows.iter().map(|row| row.iter().map(Value::to_string).collect()).collect();
    let (test, description) = (test.name, test.headline());
    Ok(TestResult { test, description, failing_rows: total, columns, samples })
}
