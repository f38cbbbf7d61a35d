//! Streams the rows of a table with their digests. Values are in the declared column order, which
//! an engine's result may not have.

use super::digest::Digester;
use super::merge::Digested;
use sparkify_load::sql::transfer;
use sparkify_warehouse::{Opening, RowSink, SqlFile, Value, Warehouse, WarehouseError};

/// Declared columns and key of a table.
pub(super) struct Layout {
    /// Name of the table.
    pub table: &'static str,
    /// Column names in declared order.
    pub columns: Vec<String>,
    /// Indexes of the key columns.
    key: Vec<usize>,
}

impl Layout {
    /// Returns the layout that a table's SQL file declares.
    pub(super) fn of(table: &'static SqlFile, opening: Opening) -> Self {
        let columns: Vec<String> =
            table.columns(opening).into_iter().map(|column| column.name).collect();
        let index = |name: &str| columns.iter().position(|column| column == name);
        let key = table.key().into_iter().filter_map(index).collect();
        Self { table: table.name, columns, key }
    }

    /// Selects the items of the key columns from items of all columns.
    pub(super) fn key_of<'a, T>(&'a self, all: &'a [T]) -> impl Iterator<Item = &'a T> {
        self.key.iter().filter_map(|index| all.get(*index))
    }

    /// Returns the index of each declared column among the `found` ones; both sets must be equal.
    fn indexes(&self, found: &[String]) -> Result<Vec<usize>, WarehouseError> {
        let foreign = |difference| WarehouseError::Foreign { table: self.table.into(), difference };
        if let Some(more) = found.iter().find(|name| !self.columns.contains(name)) {
            return Err(foreign(format!("it has a column `{more}`")));
        }
        let index = |name: &String| {
            let index = found.iter().position(|found| found == name);
            index.ok_or_else(|| foreign(format!("it has no column `{name}`")))
        };
        self.columns.iter().map(index).collect()
    }
}

/// Streams every row of the table to `take`.
pub(super) fn each(
    warehouse: &mut dyn Warehouse,
    layout: &Layout,
    take: impl FnMut(Digested, Vec<Value>),
) -> Result<(), WarehouseError> {
    let statement = transfer::ROWS.statement_on(layout.table, Opening::full(warehouse.engine()));
    let digester = Digester::default();
    let mut sink = Sink { layout, indexes: Vec::new(), digester, take };
    warehouse.query_each(&statement, &[], &mut sink)
}

struct Sink<'a, F> {
    layout: &'a Layout,
    indexes: Vec<usize>,
    digester: Digester,
    take: F,
}

impl<F: FnMut(Digested, Vec<Value>)> RowSink for Sink<'_, F> {
    fn start(&mut self, columns: Vec<String>) -> Result<(), WarehouseError> {
        self.indexes = self.layout.indexes(&columns)?;
        Ok(())
    }

    fn row(&mut self, mut row: Vec<Value>) -> Result<(), WarehouseError> {
        let values: Vec<Value> =
            self.indexes.iter().map(|at| std::mem::replace(&mut row[*at], Value::Null)).collect();
        let key = self.digester.of(self.layout.key_of(&values));
        let row = self.digester.of(values.iter());
        (self.take)(Digested { key, row }, values);
        Ok(())
    }
}
