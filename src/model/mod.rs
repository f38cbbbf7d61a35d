//! Which tables, in which order? The star schema, one file a table; each file says what its table holds and how it is made.
//!
//! This room reads staging tables and writes the model. It holds no SQL of its own and knows no engine.

use crate::sql_files;
use crate::warehouse::{SqlFile, Warehouse, WarehouseError};

/// The model, each table after those that it is made from.
pub const TABLES: &[SqlFile] = sql_files![
    "model": "songs", "artists", "users", "user_levels", "songplays", "time",
];

/// Makes one table anew from staging or, when `incremental`, its rows whose keys the load touched.
pub fn build(
    warehouse: &mut dyn Warehouse,
    table: &SqlFile,
    incremental: bool,
) -> Result<(), WarehouseError> {
    warehouse.run_all(&table.transformation(warehouse.opening(incremental)))
}
