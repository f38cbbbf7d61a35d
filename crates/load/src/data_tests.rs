//! Data tests: one SQL file per test, which returns the failing rows. They only read.

use std::collections::BTreeSet;

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
    /// Column names of `samples`; none if a screen proved the test.
    pub columns: Vec<String>,
    /// First failing rows.
    pub samples: Vec<Vec<String>>,
}

impl TestResult {
    /// Result of a test without failing rows, which are not searched.
    fn proven(test: &SqlFile) -> Self {
        let (test, description) = (test.name, test.headline());
        Self { test, description, failing_rows: 0, columns: Vec::new(), samples: Vec::new() }
    }

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
    // A load that affects a part of the rows reads no whole table.
    let proven = match scope {
        Some(scope) => scope.collect_facts(warehouse).map(|()| BTreeSet::new())?,
        None => screen(warehouse)?,
    };
    let run = |test: &SqlFile| {
        let is_proven = proven.contains(test.name);
        if is_proven { Ok(TestResult::proven(test)) } else { run_one(warehouse, test, scope) }
    };
    DATA_TESTS.iter().map(run).collect()
}

/// Runs the screens, each of which reads a table once for several data tests. Returns the names of the
/// tests that they prove; the statements of the others find the failing rows.
fn screen(warehouse: &mut dyn Warehouse) -> Result<BTreeSet<String>, WarehouseError> {
    let mut proven = BTreeSet::new();
    for screen in crate::sql::screen::ALL {
        let Rows { columns, rows, .. } = warehouse.query_file(screen, &[], 1)?;
        let passed = columns.into_iter().zip(rows.concat());
        let passed = passed.filter(|(_, failing)| *failing == Value::Int(0));
        proven.extend(passed.map(|(test, _)| test));
    }
    Ok(proven)
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

#[cfg(test)]
mod tests {
    use super::DATA_TESTS;
    use crate::sql::screen;

    #[test]
    fn each_column_of_a_screen_is_a_data_test() {
        for file in screen::ALL {
            let tests: Vec<&str> = file.header_line("screen").unwrap().split(", ").collect();
            for test in &tests {
                assert!(DATA_TESTS.iter().any(|it| it.name == *test), "{}: {test}", file.name);
                assert!(file.text.contains(&format!(" as {test}")), "{}: {test}", file.name);
            }
        }
    }
}
