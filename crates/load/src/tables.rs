//! List of all tables of sparkify, and their comparison with the tables of a warehouse.

use std::collections::BTreeMap;

use crate::sql;
use sparkify_warehouse::{Opening, SqlFile, Value, Warehouse, WarehouseError};

/// Returns every table: load metadata, staging, model.
pub fn all() -> impl Iterator<Item = &'static SqlFile> {
    sql::ledger::ALL.iter().chain(sparkify_reader::stage::ALL).chain(sql::model::ALL)
}

/// Returns the table of this name, if sparkify has one.
pub fn find(name: &str) -> Option<&'static SqlFile> {
    all().find(|table| table.name == name)
}

/// Returns the names of the tables that exist. A table of the same name with other columns is an
/// error.
pub fn existing(warehouse: &mut dyn Warehouse) -> Result<Vec<&'static str>, WarehouseError> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for column in warehouse.found_columns()? {
        found.entry(column.table).or_default().push(column.name);
    }
    let opening = Opening::full(warehouse.engine());
    let mut existing = Vec::new();
    for table in all() {
        let Some(columns) = found.get(table.name) else { continue };
        let declared: Vec<String> =
            table.columns(opening).into_iter().map(|column| column.name).collect();
        if let Some(difference) = difference(&declared, columns) {
            return Err(WarehouseError::Foreign { table: table.name.into(), difference });
        }
        existing.push(table.name);
    }
    Ok(existing)
}

fn difference(declared: &[String], found: &[String]) -> Option<String> {
    if let Some(missing) = declared.iter().find(|name| !found.contains(name)) {
        return Some(format!("it has no column `{missing}`"));
    }
    let more = found.iter().find(|name| !declared.contains(name));
    more.map(|name| format!("it has a column `{name}`"))
        .or_else(|| (declared != found).then(|| "its columns are in another order".to_owned()))
}

/// Returns true if all tables exist.
pub fn all_exist(warehouse: &mut dyn Warehouse) -> Result<bool, WarehouseError> {
    Ok(existing(warehouse)?.len() == all().count())
}

/// Creates missing tables. Returns true if any was missing.
pub fn ensure(warehouse: &mut dyn Warehouse) -> Result<bool, WarehouseError> {
    let existing = existing(warehouse)?;
    let opening = Opening::full(warehouse.engine());
    let missing: Vec<_> = all().filter(|table| !existing.contains(&table.name)).collect();
    warehouse.install(!missing.is_empty())?;
    let definitions: Vec<_> = missing.iter().flat_map(|table| table.definitions(opening)).collect();
    warehouse.execute_all(&definitions)?;
    Ok(!missing.is_empty())
}

/// Returns the number of rows that dropping the tables would delete. Tables of another sparkify
/// version count as one row; tables of another program are an error.
pub fn stored_rows(warehouse: &mut dyn Warehouse) -> Result<u64, WarehouseError> {
    let existing = match existing(warehouse) {
        Ok(existing) => existing,
        // A ledger exists, so another version of sparkify created these tables.
        Err(WarehouseError::Foreign { .. }) if has_ledger(warehouse)? => return Ok(1),
        Err(error) => return Err(error),
    };
    if existing.len() < all().count() {
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

/// Drops every table of sparkify and creates it empty.
pub fn recreate(warehouse: &mut dyn Warehouse) -> Result<(), WarehouseError> {
    warehouse.run(&sql::load::DROP)?;
    ensure(warehouse).map(drop)
}
