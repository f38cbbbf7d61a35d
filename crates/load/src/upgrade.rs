//! Upgrade of a warehouse in place: the steps from an older layout to the current one.
//!
//! The steps run within the transaction of the caller, so an error leaves the older layout. They
//! read tables only, never the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use serde::Serialize;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::layout::{self, CURRENT, Migration};
use crate::tables::{self, Found};
use crate::{model, sql};
use sparkify_warehouse::{Opening, SqlFile, Warehouse, WarehouseError};

/// Upgrade from an older layout to the current one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Upgrade {
    /// Layout before.
    pub from: i64,
    /// Layout after.
    pub to: i64,
    /// Steps in order.
    pub steps: Vec<Step>,
}

/// Step of an upgrade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Subject of the step.
    pub name: String,
    /// Statements in order.
    pub statements: Vec<String>,
}

impl Upgrade {
    /// Plans the upgrade of a warehouse; none if its layout is current, or if it has no tables.
    /// Changes nothing.
    pub fn plan(
        warehouse: &mut dyn Warehouse,
        found: &Found,
    ) -> Result<Option<Self>, WarehouseError> {
        let Some(from) = found.layout.filter(|layout| *layout < CURRENT.layout) else {
            return Ok(None);
        };
        let opening = Opening::full(warehouse.engine());
        let mut steps = vec![Step::new("functions", warehouse.functions())];
        let mut existing = found.tables.iter().map(|table| (*table).to_owned()).collect();
        for migration in layout::migrations_after(from) {
            let statements = statements_for(migration, opening, &mut existing);
            steps.push(Step::new(format!("layout {}", migration.layout), statements));
        }
        let missing = tables::all().filter(|table| !existing.contains(table.name));
        let definitions = missing.flat_map(|table| table.definitions(opening)).collect();
        steps.push(Step::new("missing tables", definitions));
        let describe = |table: &SqlFile| {
            Step::new(format!("comments of {}", table.name), tables::comments(table, opening))
        };
        steps.extend(tables::all().map(describe));
        steps.push(Step::new("declared keys", undeclared_keys(warehouse)?));
        steps.extend(layout::migrations_after(from).map(|migration| {
            let name = format!("record of layout {}", migration.layout);
            Step::new(name, vec![record(migration, SystemTime::now(), opening)])
        }));
        steps.retain(|step| !step.statements.is_empty());
        Ok(Some(Self { from, to: CURRENT.layout, steps }))
    }

    /// Runs the steps within the open transaction, and checks that the tables have the current
    /// layout then.
    pub fn run(&self, warehouse: &mut dyn Warehouse) -> Result<(), WarehouseError> {
        for step in &self.steps {
            warehouse.execute_all(&step.statements).map_err(|error| self.failed(step, error))?;
        }
        let found = Found::read(warehouse)?;
        match found.missing() {
            Some(table) => Err(WarehouseError::Foreign {
                table: table.name.into(),
                difference: format!("the upgrade to layout {} did not create it", self.to),
            }),
            None => Ok(()),
        }
    }

    /// Adds the step to the error of a statement. Other errors are those of the connection.
    fn failed(&self, step: &Step, error: WarehouseError) -> WarehouseError {
        match error {
            WarehouseError::Statement { message, hint } => WarehouseError::Upgrade {
                from: self.from,
                to: self.to,
                step: step.name.clone(),
                message,
                hint,
            },
            other => other,
        }
    }
}

impl Step {
    fn new(name: impl Into<String>, statements: Vec<String>) -> Self {
        Self { name: name.into(), statements }
    }
}

/// Returns the statements of a migration for a warehouse with these tables, and adds those that it
/// creates. A missing table is not changed, but created in its current form later.
fn statements_for(
    migration: &Migration,
    opening: Opening,
    existing: &mut BTreeSet<String>,
) -> Vec<String> {
    let mut statements = migration.file.statements(opening);
    statements.retain(|statement| match layout::target(statement) {
        Some(table) if layout::is_definition(statement) => existing.insert(table.to_owned()),
        target => target.is_none_or(|table| existing.contains(table)),
    });
    statements
}

/// Returns the statement that records a layout which was applied at this time.
pub(crate) fn record(migration: &Migration, applied: SystemTime, opening: Opening) -> String {
    let format =
        format_description!("[year]-[month]-[day] [hour]:[minute]:[second].[subsecond digits:3]");
    let applied_at = OffsetDateTime::from(applied).format(format).unwrap_or_default();
    let statement = sql::load::RECORD_LAYOUT.statement(opening);
    let statement = statement.replace("$1", &migration.layout.to_string());
    let quoted = |text: &str| format!("'{text}'");
    statement.replace("$2", &quoted(migration.version)).replace("$3", &quoted(&applied_at))
}

/// Returns the statements that declare the keys which the model lacks, where keys are declared.
/// Warehouses of sparkify 0.1 declare none, those of versions before 0.2.0 may declare all.
fn undeclared_keys(warehouse: &mut dyn Warehouse) -> Result<Vec<String>, WarehouseError> {
    let opening = Opening::full(warehouse.engine());
    let query = sql::describe::DECLARED_KEYS.statement(opening);
    if query.is_empty() {
        return Ok(Vec::new());
    }
    let rows = warehouse.query(&query, &[], usize::MAX)?.rows;
    let mut declared: BTreeMap<(String, bool), usize> = BTreeMap::new();
    for row in &rows {
        if let [table, kind, keys] = row.as_slice() {
            let keys = keys.as_i64().and_then(|keys| usize::try_from(keys).ok());
            let is_primary = kind.to_string().starts_with("PRIMARY");
            declared.insert((table.to_string(), is_primary), keys.unwrap_or_default());
        }
    }
    let mut statements = Vec::new();
    for (is_primary, keys) in
        [(true, tables::primary_keys(opening)), (false, tables::foreign_keys(opening))]
    {
        for table in model::TABLES {
            let of_table = keys.iter().filter(|key| key.table == table.name);
            let of_table: Vec<_> = of_table.map(|key| key.statement.clone()).collect();
            let found = declared.get(&(table.name.to_owned(), is_primary)).copied();
            // Declaring a foreign key twice is harmless; a table has at most one primary key.
            if found.unwrap_or_default() < of_table.len() {
                statements.extend(of_table);
            }
        }
    }
    Ok(statements)
}
