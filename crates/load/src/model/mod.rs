//! Which tables, in which order? The star schema, one file a table; each file says what its table holds and how it is made.
//!
//! This room reads staging tables and writes the model. It holds no SQL of its own and knows no engine.

use sparkify_warehouse::{Opening, SqlFile, Warehouse, WarehouseError};

/// The model, each table after those that it is made from.
pub const TABLES: &[SqlFile] = crate::sql::model::ALL;

/// Makes one table anew from staging or, when `incremental`, its rows whose keys the load touched.
pub fn build(
    warehouse: &mut dyn Warehouse,
    table: &SqlFile,
    incremental: bool,
) -> Result<(), WarehouseError> {
    warehouse.execute_all(&table.transformation(Opening::new(warehouse.engine(), incremental)))
}
