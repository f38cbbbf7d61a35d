//! Every table of ours in one list, and whether what is in a warehouse is that.

use std::collections::BTreeMap;

use crate::sql;
use sparkify_warehouse::{Opening, SqlFile, Value, Warehouse, WarehouseError};

/// Every table: bookkeeping, staging, model.
pub fn all() -> impl Iterator<Item = &'static SqlFile> {
    sql::ledger::ALL.iter().chain(sparkify_reader::stage::ALL).chain(sql::model::ALL)
}

/// The table of this name, if it is one of ours.
pub fn find(name: &str) -> Option<&'static SqlFile> {
    all().find(|table| table.name == name)
}

/// Which of our tables are there; an error when one of that name has other columns than ours.
pub fn present(warehouse: &mut dyn Warehouse) -> Result<Vec<&'static str>, WarehouseError> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for column in warehouse.found_columns()? {
        found.entry(column.table).or_default().push(column.name);
    }
    let opening = Opening::full(warehouse.engine());
    let mut present = Vec::new();
    for table in all() {
        let Some(columns) = found.get(table.name) else { continue };
        let declared: Vec<String> =
            table.columns(opening).into_iter().map(|column| column.name).collect();
        if let Some(difference) = difference(&declared, columns) {
            return Err(WarehouseError::Foreign { table: table.name.into(), difference });
        }
        present.push(table.name);
    }
    Ok(present)
}

fn difference(declared: &[String], found: &[String]) -> Option<String> {
    if let Some(missing) = declared.iter().find(|name| !found.contains(name)) {
        return Some(format!("it has no column `{missing}`"));
    }
    let more = found.iter().find(|name| !declared.contains(name));
    more.map(|name| format!("it has a column `{name}`"))
        .or_else(|| (declared != found).then(|| "its columns stand in another order".to_owned()))
}

/// Whether all of our tables are there.
pub fn are_there(warehouse: &mut dyn Warehouse) -> Result<bool, WarehouseError> {
    Ok(present(warehouse)?.len() == all().count())
}

/// Creates the tables that are not there; true when any was missing.
pub fn ensure(warehouse: &mut dyn Warehouse) -> Result<bool, WarehouseError> {
    let present = present(warehouse)?;
    let opening = Opening::full(warehouse.engine());
    let missing: Vec<_> = all().filter(|table| !present.contains(&table.name)).collect();
    warehouse.install(!missing.is_empty())?;
    let definitions: Vec<_> = missing.iter().flat_map(|table| table.definitions(opening)).collect();
    warehouse.execute_all(&definitions)?;
    Ok(!missing.is_empty())
}

/// How many rows of data would be lost with our tables. Tables of another version of ours count too; tables that are not ours are an error.
pub fn held(warehouse: &mut dyn Warehouse) -> Result<u64, WarehouseError> {
    let present = match present(warehouse) {
        Ok(present) => present,
        // A ledger is there: these are ours, of another version.
        Err(WarehouseError::Foreign { .. }) if has_ledger(warehouse)? => return Ok(1),
        Err(error) => return Err(error),
    };
    if present.len() < all().count() {
        return Ok(0);
    }
    let counts = warehouse.query_file(&sql::counts::ROW_COUNTS, &[], usize::MAX)?;
    let rows = counts.rows.iter().filter_map(|row| row.get(1).and_then(Value::as_i64));
    Ok(rows.filter_map(|rows| u64::try_from(rows).ok()).sum())
}

fn has_ledger(warehouse: &mut dyn Warehouse) -> Result<bool, WarehouseError> {
    let ledger = sql::ledger::ETL_LOADS.name;
    Ok(warehouse.found_columns()?.iter().any(|column| column.table == ledger))
}

/// Drops every table of ours and creates it empty.
pub fn recreate(warehouse: &mut dyn Warehouse) -> Result<(), WarehouseError> {
    warehouse.run(&sql::load::DROP)?;
    ensure(warehouse).map(drop)
}
