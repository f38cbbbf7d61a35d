//! Layout of a warehouse: the version of its tables, which `etl_layout` records.
//!
//! Layout 1, of sparkify 0.1, has no such table. It is recognized by its load metadata. Each later
//! layout has a migration ([`MIGRATIONS`]), from which follows what an older layout lacks.

use std::collections::BTreeMap;

use crate::sql;
use sparkify_warehouse::{Opening, SqlFile, Value, Warehouse, WarehouseError};

/// Layout of sparkify 0.1, which has no `etl_layout`.
const FIRST: i64 = 1;

/// Change from one layout to the next.
#[derive(Debug)]
pub struct Migration {
    /// Number of the layout that it leads to.
    pub layout: i64,
    /// First version of sparkify that reads and writes this layout.
    pub version: &'static str,
    /// Its statements.
    pub file: SqlFile,
}

/// Migrations in ascending order. A released migration never changes.
pub const MIGRATIONS: &[Migration] =
    &[Migration { layout: 2, version: "0.2.0", file: sql::upgrade::LAYOUT_2 }];

/// Layout that this version of sparkify reads and writes.
pub const CURRENT: &Migration = &MIGRATIONS[MIGRATIONS.len() - 1];

/// Names of the columns of each table in a schema, in table order.
pub(crate) type Columns = BTreeMap<String, Vec<String>>;

/// Returns the columns of every table in the schema.
pub(crate) fn columns(warehouse: &mut dyn Warehouse) -> Result<Columns, WarehouseError> {
    let mut columns = Columns::new();
    for column in warehouse.found_columns()? {
        columns.entry(column.table).or_default().push(column.name);
    }
    Ok(columns)
}

/// Returns the layout of the warehouse; none if it has no load metadata.
///
/// # Errors
/// If the layout is newer than [`CURRENT`].
pub fn check(warehouse: &mut dyn Warehouse) -> Result<Option<i64>, WarehouseError> {
    let columns = columns(warehouse)?;
    of(warehouse, &columns)
}

/// Returns the layout of the warehouse with these columns, like [`check`].
pub(crate) fn of(
    warehouse: &mut dyn Warehouse,
    columns: &Columns,
) -> Result<Option<i64>, WarehouseError> {
    let recorded = sql::ledger::ETL_LAYOUT.name;
    if !columns.contains_key(recorded) {
        let has_metadata = sql::ledger::ALL.iter().any(|table| columns.contains_key(table.name));
        return Ok(has_metadata.then_some(FIRST));
    }
    let rows = warehouse.query_file(&sql::load::LAYOUT, &[], 1)?;
    let row = rows.rows.first().map(Vec::as_slice).unwrap_or_default();
    let Some(layout) = row.first().and_then(Value::as_i64) else {
        let difference = "it has no row".into();
        return Err(WarehouseError::Foreign { table: recorded.into(), difference });
    };
    if layout > CURRENT.layout {
        let version = row.get(1).map(Value::to_string).unwrap_or_default();
        return Err(WarehouseError::NewerLayout { layout, version, known: CURRENT.layout });
    }
    Ok(Some(layout))
}

/// Returns the migrations from this layout to the current one.
pub(crate) fn migrations_after(layout: i64) -> impl Iterator<Item = &'static Migration> {
    MIGRATIONS.iter().filter(move |migration| migration.layout > layout)
}

/// Tables and columns that a layout lacks, since later migrations add them.
#[derive(Debug)]
pub(crate) struct Lacking(Vec<Addition>);

/// Table, or column of a table, that a migration adds.
#[derive(Debug, PartialEq, Eq)]
struct Addition {
    table: String,
    column: Option<String>,
}

impl Lacking {
    /// Returns what the layout lacks.
    pub(crate) fn in_layout(layout: i64, engine: &'static str) -> Self {
        let statements = migrations_after(layout)
            .flat_map(|migration| migration.file.statements(Opening::full(engine)));
        Self(statements.filter_map(|statement| addition(&statement)).collect())
    }

    /// Returns true if the layout has this table.
    pub(crate) fn has_table(&self, table: &str) -> bool {
        !self.0.iter().any(|it| it.table == table && it.column.is_none())
    }

    /// Returns true if the layout has this column of a table that it has.
    pub(crate) fn has_column(&self, table: &str, column: &str) -> bool {
        !self.0.iter().any(|it| it.table == table && it.column.as_deref() == Some(column))
    }
}

/// Returns the table that a statement of a migration creates or changes.
pub(crate) fn target(statement: &str) -> Option<&str> {
    let mut words = statement.split_whitespace();
    let name = match (words.next()?, words.next()?) {
        ("create" | "alter", "table") | ("insert", "into") | ("delete", "from") => words.next()?,
        ("create", "index") => words.skip_while(|word| *word != "on").nth(1)?,
        ("update", name) => name,
        _ => return None,
    };
    Some(name.trim_matches('"'))
}

/// Returns true if the statement creates a table.
pub(crate) fn is_definition(statement: &str) -> bool {
    statement.split_whitespace().take(2).eq(["create", "table"])
}

fn addition(statement: &str) -> Option<Addition> {
    let table = target(statement)?.to_owned();
    let words: Vec<&str> = statement.split_whitespace().collect();
    match words[..] {
        ["create", "table", ..] => Some(Addition { table, column: None }),
        ["alter", _, _, "add", "column", column, ..] => {
            Some(Addition { table, column: Some(column.trim_matches('"').to_owned()) })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_numbered_without_gaps() {
        for (number, migration) in (FIRST + 1..).zip(MIGRATIONS) {
            assert_eq!(migration.layout, number);
            assert_eq!(migration.file.name, format!("layout_{number}"));
        }
    }

    #[test]
    fn additions_of_a_migration_are_known() {
        let added = |table: &str, column: Option<&str>| {
            Some(Addition { table: table.into(), column: column.map(str::to_owned) })
        };
        assert_eq!(addition("create table t (\n    a bigint\n)"), added("t", None));
        assert_eq!(addition("alter table t add column \"b\" bigint"), added("t", Some("b")));
        assert_eq!(addition("create index if not exists i on t using brin (a)"), None);
        assert_eq!(target("create index if not exists i on t using brin (a)"), Some("t"));
        assert_eq!(addition("update t set a = 1"), None);
        assert_eq!(addition("alter table t rename column a to b"), None);
        assert_eq!(target("delete from t where a = 1"), Some("t"));
        assert_eq!(target("analyze t"), None);
    }

    #[test]
    fn the_first_layout_lacks_the_table_of_layouts() {
        let lacking = Lacking::in_layout(FIRST, "duckdb");
        assert!(!lacking.has_table("etl_layout") && lacking.has_table("etl_loads"));
        assert!(lacking.has_column("etl_loads", "load_id"));
        assert!(!lacking.has_column("etl_objects", "rows_erased"));
        assert!(Lacking::in_layout(CURRENT.layout, "duckdb").has_table("etl_layout"));
    }
}
