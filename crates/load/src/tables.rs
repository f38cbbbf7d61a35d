//! List of all tables of sparkify, their comparison with the tables of a warehouse, and what
//! describes them to clients: comments, and keys where the engine does not enforce them.

use std::time::SystemTime;

use crate::layout::{self, Lacking};
use crate::sql;
use crate::upgrade::{self, Upgrade};
use sparkify_warehouse::{DeclaredColumn, Opening, SqlFile, Value, Warehouse, WarehouseError};

/// Returns every table: load metadata, staging, model.
pub fn all() -> impl Iterator<Item = &'static SqlFile> {
    sql::ledger::ALL.iter().chain(sparkify_reader::stage::ALL).chain(sql::model::ALL)
}

/// Returns the table of this name, if sparkify has one.
pub fn find(name: &str) -> Option<&'static SqlFile> {
    all().find(|table| table.name == name)
}

/// Tables of sparkify in a warehouse.
#[derive(Debug)]
pub struct Found {
    /// Layout of the warehouse; none if it has no load metadata.
    pub layout: Option<i64>,
    /// Names of the tables that exist.
    pub tables: Vec<&'static str>,
    lacking: Lacking,
}

impl Found {
    /// Finds the tables. A table of the same name with other columns than the layout has is an
    /// error, and so is a newer layout.
    pub fn read(warehouse: &mut dyn Warehouse) -> Result<Self, WarehouseError> {
        let columns = layout::columns(warehouse)?;
        let layout = layout::of(warehouse, &columns)?;
        let opening = Opening::full(warehouse.engine());
        let lacking = Lacking::in_layout(layout.unwrap_or(layout::CURRENT.layout), opening.engine);
        let mut tables = Vec::new();
        for table in all() {
            let Some(columns) = columns.get(table.name) else { continue };
            let names = table.columns(opening).into_iter().map(|column| column.name);
            let declared: Vec<String> =
                names.filter(|name| lacking.has_column(table.name, name)).collect();
            if let Some(difference) = difference(&declared, columns) {
                return Err(WarehouseError::Foreign { table: table.name.into(), difference });
            }
            tables.push(table.name);
        }
        Ok(Self { layout, tables, lacking })
    }

    /// Returns true if an upgrade leads to the current layout.
    pub fn is_outdated(&self) -> bool {
        self.layout.is_some_and(|layout| layout < layout::CURRENT.layout)
    }

    /// Returns the first table of the layout that does not exist.
    pub fn missing(&self) -> Option<&'static SqlFile> {
        all().find(|table| self.lacking.has_table(table.name) && !self.has(table))
    }

    /// Returns true if the table exists with the columns of the current layout.
    pub(crate) fn is_current(&self, table: &SqlFile, engine: &'static str) -> bool {
        let columns = table.columns(Opening::full(engine));
        self.has(table)
            && columns.iter().all(|column| self.lacking.has_column(table.name, &column.name))
    }

    fn has(&self, table: &SqlFile) -> bool {
        self.tables.contains(&table.name)
    }
}

fn difference(declared: &[String], found: &[String]) -> Option<String> {
    if let Some(missing) = declared.iter().find(|name| !found.contains(name)) {
        return Some(format!("it has no column `{missing}`"));
    }
    let more = found.iter().find(|name| !declared.contains(name));
    more.map(|name| format!("it has a column `{name}`"))
        .or_else(|| (declared != found).then(|| "its columns are in another order".to_owned()))
}

/// Returns true if all tables of the warehouse's layout exist.
pub fn all_exist(warehouse: &mut dyn Warehouse) -> Result<bool, WarehouseError> {
    Ok(Found::read(warehouse)?.missing().is_none())
}

/// Creates missing tables and describes them, or upgrades the tables of an older layout. Returns
/// the upgrade.
pub fn ensure(warehouse: &mut dyn Warehouse) -> Result<Option<Upgrade>, WarehouseError> {
    let found = Found::read(warehouse)?;
    let upgrade = Upgrade::plan(warehouse, &found)?;
    match &upgrade {
        Some(upgrade) => upgrade.run(warehouse)?,
        None => create_and_describe(warehouse, &found)?,
    }
    Ok(upgrade)
}

/// Table that a load locks, on an engine without a load lock.
const LOCK_TABLE: &str = "etl_lock";

/// Creates the table that a load locks, before its transaction begins, and the tables of a new
/// warehouse. Changes of existing tables are left for the transaction.
pub fn ensure_lockable(warehouse: &mut dyn Warehouse) -> Result<(), WarehouseError> {
    let columns = layout::columns(warehouse)?;
    if !columns.contains_key(sql::ledger::ETL_LOADS.name) {
        let found = Found::read(warehouse)?;
        create_and_describe(warehouse, &found)?;
    }
    if columns.contains_key(LOCK_TABLE) { Ok(()) } else { warehouse.run(&sql::load::LOCK_TABLE) }
}

fn create_and_describe(warehouse: &mut dyn Warehouse, found: &Found) -> Result<(), WarehouseError> {
    let missing = create_missing(warehouse, found)?;
    describe(warehouse, &missing)
}

fn create_missing(
    warehouse: &mut dyn Warehouse,
    found: &Found,
) -> Result<Vec<&'static SqlFile>, WarehouseError> {
    let opening = Opening::full(warehouse.engine());
    let missing: Vec<_> = all().filter(|table| !found.has(table)).collect();
    warehouse.install(!missing.is_empty())?;
    let definitions = missing.iter().flat_map(|table| table.definitions(opening));
    let is_new = found.layout.is_none();
    let record = is_new.then(|| upgrade::record(layout::CURRENT, SystemTime::now(), opening));
    // A server runs them as one transaction, so a layout is recorded with the first table.
    warehouse.execute_all(&definitions.chain(record).collect::<Vec<_>>())?;
    Ok(missing)
}

/// Describes new tables to clients. Only their owner can, so existing tables keep what they have
/// until an upgrade.
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

/// Key of a table that is declared, but not enforced.
pub(crate) struct DeclaredKey {
    /// Name of the table.
    pub table: &'static str,
    /// The statement.
    pub statement: String,
}

/// Returns the statements that declare the keys of the model, if the engine does not enforce them.
/// Data tests keep them true. A key with a column that may be null is none to an engine.
pub fn declared_keys(opening: Opening) -> Vec<String> {
    let keys = primary_keys(opening).into_iter().chain(foreign_keys(opening));
    keys.map(|key| key.statement).collect()
}

/// Returns the primary keys that are declared.
pub(crate) fn primary_keys(opening: Opening) -> Vec<DeclaredKey> {
    if sql::describe::PRIMARY_KEY.statement(opening).is_empty() {
        return Vec::new();
    }
    let is_required = |table: &SqlFile, key: &str| {
        table.columns(opening).iter().any(|column| column.name == key && column.required)
    };
    let is_keyed = |table: &&SqlFile| table.key().iter().all(|key| is_required(table, key));
    let declared = |table: &SqlFile| {
        let statement = sql::describe::PRIMARY_KEY.statement_on(table.name, opening);
        let columns = format!("\"{}\"", table.key().join("\", \""));
        DeclaredKey { table: table.name, statement: statement.replace(":columns", &columns) }
    };
    sql::model::ALL.iter().filter(is_keyed).map(declared).collect()
}

/// Returns the foreign keys that are declared.
pub(crate) fn foreign_keys(opening: Opening) -> Vec<DeclaredKey> {
    if sql::describe::FOREIGN_KEY.statement(opening).is_empty() {
        return Vec::new();
    }
    let of_table = |table: &'static SqlFile| {
        table.columns(opening).into_iter().filter_map(move |column| {
            let other = referenced(table.name, &column.name, &column.description)?;
            let statement = sql::describe::FOREIGN_KEY.statement_on(table.name, opening);
            let statement = statement.replace(":column", &column.name).replace(":other", other);
            Some(DeclaredKey { table: table.name, statement })
        })
    };
    sql::model::ALL.iter().flat_map(of_table).collect()
}

/// Returns the referenced table: one that the description names with `in TABLE` and whose key has
/// the name of the column.
pub fn referenced(table: &str, column: &str, description: &str) -> Option<&'static str> {
    let clauses = description.split([';', ',', ':']);
    let named = clauses.filter_map(|clause| clause.trim().strip_prefix("in "));
    let found = named.filter_map(find).find(|found| found.key() == [column]);
    found.map(|found| found.name).filter(|found| *found != table)
}

/// Returns the number of rows that dropping the tables would delete. Tables of an unknown version
/// of sparkify count as one row; tables of another program and a newer layout are an error.
pub fn stored_rows(warehouse: &mut dyn Warehouse) -> Result<u64, WarehouseError> {
    let found = match Found::read(warehouse) {
        Ok(found) => found,
        // A ledger exists, so another version of sparkify created these tables.
        Err(WarehouseError::Foreign { .. }) if has_ledger(warehouse)? => return Ok(1),
        Err(error) => return Err(error),
    };
    if found.missing().is_some() {
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
    let found = Found::read(warehouse)?;
    create_missing(warehouse, &found).map(drop)
}

/// Describes every table to clients, after [`recreate`].
pub fn describe_all(warehouse: &mut dyn Warehouse) -> Result<(), WarehouseError> {
    describe(warehouse, &all().collect::<Vec<_>>())
}
