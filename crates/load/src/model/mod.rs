//! Tables of the star schema, in dependency order. Each SQL file declares a table and the
//! statements that fill it.
//!
//! This module reads staging tables and writes the model. It contains no SQL and depends on no
//! engine.

use crate::scope::Scope;
use sparkify_warehouse::{Opening, SqlFile, Warehouse, WarehouseError};

/// Tables of the model; each one follows the tables that it is built from.
pub const TABLES: &[SqlFile] = crate::sql::model::ALL;

/// Rebuilds one table from staging or, within a scope, only the rows with keys that the load affects.
pub(crate) fn build(
    warehouse: &mut dyn Warehouse,
    table: &SqlFile,
    scope: Option<&Scope>,
) -> Result<(), WarehouseError> {
    let opening = Opening::new(warehouse.engine(), scope.is_some());
    let statements = table.transformation(opening);
    match scope {
        Some(scope) if scope.is_without(table) => Ok(()),
        Some(scope) => warehouse.execute_all(&scope.bounds.fill_all(&statements)),
        None => warehouse.execute_all(&statements),
    }
}
