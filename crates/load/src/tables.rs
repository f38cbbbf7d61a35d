//! List of all tables of sparkify, their comparison with the tables of a warehouse, and what
//! describes them to clients: comments, and keys where the engine does not enforce them.

use std::collections::BTreeMap;

use crate::sql;
use sparkify_warehouse::{DeclaredColumn, Opening, SqlFile, Value, Warehouse, WarehouseError};

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

/// Creates missing tables and describes them. Returns true if any was missing.
pub fn ensure(warehouse: &mut dyn Warehouse) -> Result<bool, WarehouseError> {
    let missing = create_missing(warehouse)?;
    describe(warehouse, &missing)?;
    Ok(!missing.is_empty())
}

fn create_missing(warehouse: &mut dyn Warehouse) -> Result<Vec<&'static SqlFile>, WarehouseError> {
    let existing = existing(warehouse)?;
    let opening = Opening::full(warehouse.engine());
    let missing: Vec<_> = all().filter(|table| !existing.contains(&table.name)).collect();
    warehouse.install(!missing.is_empty())?;
    let definitions: Vec<_> = missing.iter().flat_map(|table| table.definitions(opening)).collect();
    warehouse.execute_all(&definitions)?;
    Ok(missing)
}

/// Describes new tables to clients. Only their owner can, so tables of earlier versions keep what
/// they have.
fn describe(
    warehouse: &mut dyn Warehouse,
    tables: &[&'static SqlFile],
) -> Result<(), WarehouseError> {
    let opening = Opening::full(warehouse.engine());
    // One list per table is short enough for one request of every engine.
    tables.iter().try_for_each(|table| warehouse.execute_all(&comments(table, opening)))?;
    // A reference needs a declared key, which an older table lacks.
    let is_new = tables.len() == all().count();
    if is_new { warehouse.execute_all(&declared_keys(opening)) } else { Ok(()) }
}

/// Returns the statements that store the descriptions of a table and of its columns as comments.
pub fn comments(table: &SqlFile, opening: Opening) -> Vec<String> {
    let [on_table, on_column] = [sql::describe::COMMENT_ON_TABLE, sql::describe::COMMENT_ON_COLUMN]
        .map(|file| file.statement_on(table.name, opening));
    let quoted = |words: &str| format!("'{}'", words.replace('\'', "''"));
    let describe_column = |column: DeclaredColumn| {
        let statement = on_column.replace(":column", &column.name);
        statement.replace(":words", &quoted(&column.description))
    };
    [on_table.replace(":words", &quoted(table.headline()))]
        .into_iter()
        .chain(table.columns(opening).into_iter().map(describe_column))
        .collect()
}

/// Returns the statements that declare the keys of the model, if the engine does not enforce them.
/// Data tests keep them true. A key with a column that may be null is none to an engine.
pub fn declared_keys(opening: Opening) -> Vec<String> {
    if sql::describe::PRIMARY_KEY.statement(opening).is_empty() {
        return Vec::new();
    }
    let columns = |table: &SqlFile| table.columns(opening);
    let is_required = |table: &SqlFile, key: &str| {
        columns(table).iter().any(|column| column.name == key && column.required)
    };
    let model = || sql::model::ALL.iter();
    let keyed = model().filter(|table| table.key().iter().all(|key| is_required(table, key)));
    let primary = keyed.map(|table| {
        let statement = sql::describe::PRIMARY_KEY.statement_on(table.name, opening);
        statement.replace(":columns", &format!("\"{}\"", table.key().join("\", \"")))
    });
    let foreign = model().flat_map(|table| {
        columns(table).into_iter().filter_map(move |column| {
            let other = referenced(table.name, &column.name, &column.description)?;
            let statement = sql::describe::FOREIGN_KEY.statement_on(table.name, opening);
            Some(statement.replace(":column", &column.name).replace(":other", other))
        })
    });
    primary.chain(foreign).collect()
}

/// Returns the referenced table: one that the description names with `in TABLE` and whose key has
/// the name of the column.
pub fn referenced(table: &str, column: &str, description: &str) -> Option<&'static str> {
    let clauses = description.split([';', ',', ':']);
    let named = clauses.filter_map(|clause| clause.trim().strip_prefix("in "));
    let found = named.filter_map(find).find(|found| found.key() == [column]);
    found.map(|found| found.name).filter(|found| *found != table)
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
    create_missing(warehouse).map(drop)
}

/// Describes every table to clients, after [`recreate`].
pub fn describe_all(warehouse: &mut dyn Warehouse) -> Result<(), WarehouseError> {
    describe(warehouse, &all().collect::<Vec<_>>())
}
