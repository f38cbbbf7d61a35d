//! Tables of the star schema, in dependency order. Each SQL file declares a table and the
//! statements that fill it.
//!
//! This module reads staging tables and writes the model. It contains no SQL and depends on no
//! engine.

use sparkify_warehouse::{Opening, SqlFile, Warehouse, WarehouseError};

/// Tables of the model; each one follows the tables that it is built from.
pub const TABLES: &[SqlFile] = crate::sql::model::ALL;

/// Rebuilds one table from staging or, if `incremental`, only the rows with keys that the load
/// affects.
pub fn build(
    warehouse: &mut dyn Warehouse,
    table: &SqlFile,
    incremental: bool,
) -> Result<(), WarehouseError> {
    warehouse.execute_all(&table.transformation(Opening::new(warehouse.engine(), incremental)))
}
