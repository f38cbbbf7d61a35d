//! Can the tables be trusted? One file a check, which returns the rows that break it.
//!
//! This room judges and repairs nothing.

use serde::Serialize;

use sparkify_warehouse::{Opening, Rows, SqlFile, Value, Warehouse, WarehouseError};

/// Every check.
pub const CHECKS: &[SqlFile] = crate::sql::quality::ALL;

/// Of the rows that break a check, this many are kept.
const SAMPLES: usize = 5;

/// What came of one check.
#[derive(Debug, Clone, Serialize)]
pub struct Verdict {
    /// The check's name: its file's.
    pub check: &'static str,
    /// What it claims.
    pub claim: &'static str,
    /// How many rows break it.
    pub offending: u64,
    /// The names of the columns of `samples`.
    pub columns: Vec<String>,
    /// The first few of them.
    pub samples: Vec<Vec<String>>,
}

impl Verdict {
    /// Whether no row breaks it.
    pub fn passed(&self) -> bool {
        self.offending == 0
    }
}

/// Runs every check: on all rows or, when `incremental`, on those whose keys the load touched.
pub fn run(
    warehouse: &mut dyn Warehouse,
    incremental: bool,
) -> Result<Vec<Verdict>, WarehouseError> {
    CHECKS.iter().map(|check| judge(warehouse, check, incremental)).collect()
}

fn judge(
    warehouse: &mut dyn Warehouse,
    check: &SqlFile,
    incremental: bool,
) -> Result<Verdict, WarehouseError> {
    let statement = check.statement(Opening::new(warehouse.engine(), incremental));
    let Rows { columns, rows, total } = warehouse.query(&statement, &[], SAMPLES)?;
    let samples = rows.iter().map(|row| row.iter().map(Value::to_string).collect()).collect();
    Ok(Verdict { check: check.name, claim: check.headline(), offending: total, columns, samples })
}
