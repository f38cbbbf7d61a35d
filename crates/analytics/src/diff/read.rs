//! The rows of one table, each with its digests, its values in the order in which the table declares its columns.

use super::digest::Digester;
use super::merge::Digested;
use sparkify_warehouse::{Opening, RowSink, SqlFile, Value, Warehouse, WarehouseError};

/// What a table is, on every engine.
pub(super) struct Layout {
    /// Its name.
    pub table: &'static str,
    /// Its columns, as declared.
    pub columns: Vec<String>,
    key: Vec<usize>,
}

impl Layout {
    /// Of a table's file.
    pub(super) fn of(table: &'static SqlFile, opening: Opening) -> Self {
        let columns: Vec<String> =
            table.columns(opening).into_iter().map(|column| column.name).collect();
        let place = |name: &str| columns.iter().position(|column| column == name);
        let key = table.key().into_iter().filter_map(place).collect();
        Self { table: table.name, columns, key }
    }

    /// What belongs to the columns of the key, of what belongs to all columns.
    pub(super) fn key_of<'a, T>(&'a self, all: &'a [T]) -> impl Iterator<Item = &'a T> {
        self.key.iter().filter_map(|place| all.get(*place))
    }

    /// Where each declared column stands among the `found` ones, which must be the same.
    fn places(&self, found: &[String]) -> Result<Vec<usize>, WarehouseError> {
        let foreign = |difference| WarehouseError::Foreign { table: self.table.into(), difference };
        if let Some(more) = found.iter().find(|name| !self.columns.contains(name)) {
            return Err(foreign(format!("it has a column `{more}`")));
        }
        let place = |name: &String| {
            let place = found.iter().position(|found| found == name);
            place.ok_or_else(|| foreign(format!("it has no column `{name}`")))
        };
        self.columns.iter().map(place).collect()
    }
}

/// Hands out every row of the table.
pub(super) fn each(
    warehouse: &mut dyn Warehouse,
    layout: &Layout,
    take: impl FnMut(Digested, Vec<Value>),
) -> Result<(), WarehouseError> {
    let statement =
        crate::sql::diff::ROWS.statement_on(layout.table, Opening::full(warehouse.engine()));
    let digester = Digester::default();
    let mut sink = Sink { layout, places: Vec::new(), digester, take };
    warehouse.query_each(&statement, &[], &mut sink)
}

struct Sink<'a, F> {
    layout: &'a Layout,
    places: Vec<usize>,
    digester: Digester,
    take: F,
}

impl<F: FnMut(Digested, Vec<Value>)> RowSink for Sink<'_, F> {
    fn start(&mut self, columns: Vec<String>) -> Result<(), WarehouseError> {
        self.places = self.layout.places(&columns)?;
        Ok(())
    }

    fn row(&mut self, mut row: Vec<Value>) -> Result<(), WarehouseError> {
        let values: Vec<Value> =
            self.places.iter().map(|at| std::mem::replace(&mut row[*at], Value::Null)).collect();
        let key = self.digester.of(self.layout.key_of(&values));
        let row = self.digester.of(values.iter());
        (self.take)(Digested { key, row }, values);
        Ok(())
    }
}
