//! Query plans of an incremental load: which of its statements are expensive on this warehouse.
//!
//! The statements are those that a load sends ([`pipeline::rehearse`]). The server explains each of
//! them; those that fill temporary tables also run, since the plans of later ones depend on these
//! tables. All of it is in a transaction that is rolled back.

mod explainer;
mod text;

use serde::Serialize;

use super::{Finding, finding_of_error};
use crate::pipeline::{self, EtlError};
use crate::sql;
use crate::tables::Found;
use explainer::Explainer;
use sparkify_warehouse::{Value, Warehouse, WarehouseError};

/// Number of letters of a statement that a finding shows.
const SHOWN: usize = 200;

/// Plan of one statement. The JSON keys are part of the output of `sparkify doctor --plans`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatementPlan {
    /// Folder and name of the SQL file, or the first line of a statement from elsewhere.
    pub step: String,
    /// The statement.
    pub statement: String,
    /// Reasons why the plan is expensive.
    pub findings: Vec<String>,
    /// Lines of the plan.
    pub plan: Vec<String>,
}

/// Plans of a load.
#[derive(Debug, Default)]
pub struct Explained {
    /// Plans in the order of the statements.
    pub plans: Vec<StatementPlan>,
    /// Summary, and one finding for each statement whose plan is expensive.
    pub findings: Vec<Finding>,
}

/// Explains the statements of an incremental load.
pub fn run(warehouse: &mut dyn Warehouse) -> Explained {
    let mut plans = Vec::new();
    let findings = match try_run(warehouse, &mut plans) {
        Ok(Some(reason)) => vec![reason],
        Ok(None) => findings(&plans),
        Err(error) => vec![failed(&plans, &error)],
    };
    Explained { plans, findings }
}

/// Explains the statements into `plans`, or returns the reason why it cannot.
fn try_run(
    warehouse: &mut dyn Warehouse,
    plans: &mut Vec<StatementPlan>,
) -> Result<Option<Finding>, WarehouseError> {
    let not_possible = |message: &str, hint: &str| Ok(Some(Finding::hint("plans", message, hint)));
    if Explainer::new(warehouse).is_none() {
        return not_possible(
            "not analyzed on this engine",
            "plans matter on a server with large tables",
        );
    }
    let found = Found::read(warehouse)?;
    if found.is_outdated() {
        return not_possible("the warehouse has an older layout", "run `sparkify upgrade` first");
    }
    let objects = match found.missing() {
        None => recent_objects(warehouse)?,
        Some(_) => Vec::new(),
    };
    if objects.is_empty() {
        return not_possible(
            "nothing is loaded yet",
            "run `sparkify etl` first: plans depend on the tables",
        );
    }
    warehouse.run(&sql::doctor::PROBE_BEGIN)?;
    let explained = rehearse(warehouse, objects, plans);
    let rolled_back = warehouse.run(&sql::doctor::PROBE_UNDO);
    explained.and(rolled_back).map(|()| None)
}

fn recent_objects(warehouse: &mut dyn Warehouse) -> Result<Vec<i64>, WarehouseError> {
    let recent = warehouse.query_file(&sql::doctor::RECENT_OBJECTS, &[], usize::MAX)?.rows;
    Ok(recent.iter().filter_map(|row| row.first().and_then(Value::as_i64)).collect())
}

fn rehearse(
    warehouse: &mut dyn Warehouse,
    objects: Vec<i64>,
    plans: &mut Vec<StatementPlan>,
) -> Result<(), WarehouseError> {
    let Some(mut explainer) = Explainer::new(warehouse) else { return Ok(()) };
    let rehearsed = pipeline::rehearse(&mut explainer, objects);
    *plans = explainer.plans;
    rehearsed.map_err(|error| match error {
        EtlError::Warehouse(error) => error,
        other => WarehouseError::Statement { message: other.to_string(), hint: other.hint() },
    })
}

fn findings(plans: &[StatementPlan]) -> Vec<Finding> {
    let expensive: Vec<&StatementPlan> =
        plans.iter().filter(|plan| !plan.findings.is_empty()).collect();
    let message = format!(
        "{} statements of an incremental load explained; {} have findings",
        plans.len(),
        expensive.len()
    );
    let summary = Finding::ok("plans", message);
    let of_plan = |plan: &StatementPlan| {
        let message = format!("`{}`: {}", plan.step, plan.findings.join("; "));
        Finding::hint("plan", message, format!("statement: {}", shortened(&plan.statement)))
    };
    [summary].into_iter().chain(expensive.into_iter().map(of_plan)).collect()
}

/// Names the last statement that could be explained before an error.
fn failed(plans: &[StatementPlan], error: &WarehouseError) -> Finding {
    let finding = finding_of_error("plans", error);
    let Some(last) = plans.last() else { return finding };
    let message = format!("after `{}`: {}", last.step, finding.message);
    Finding { message, ..finding }
}

fn shortened(statement: &str) -> String {
    let line = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
