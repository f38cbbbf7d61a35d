//! Do two warehouses hold the same model? Each table row for row: what stands in one alone, and what the two say differently.
//!
//! Rows are read as they come, from engines that need not be the same, and only digests of them are held; a second reading fetches the values of
//! the few rows that are shown. This room changes nothing, and knows no table but those of `model`.

mod digest;
mod merge;
mod read;
mod second;

use thiserror::Error;

use sparkify_load::model;
use sparkify_warehouse::{Opening, SqlFile, Value, Warehouse, WarehouseError};

use merge::Merged;
use read::Layout;

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The one that was named first.
    First,
    /// The other.
    Second,
}

/// What of one table is the same in both, and what is not. In pairs, the first warehouse comes first.
#[derive(Debug)]
pub struct TableDiff {
    /// The table.
    pub table: &'static str,
    /// The columns of its key.
    pub key: Vec<String>,
    /// Rows in each.
    pub rows: [u64; 2],
    /// Rows that are in both as they are.
    pub same: u64,
    /// Rows that one alone has, by their key.
    pub only: [u64; 2],
    /// Rows that both have by their key, with other values.
    pub differing: u64,
    /// In how many of these each column differs; columns that never do are left out.
    pub columns: Vec<(String, u64)>,
    /// Some of the rows that one alone has.
    pub lone: [Vec<Lone>; 2],
    /// Some of the rows that differ.
    pub changed: Vec<Changed>,
}

/// A row that one warehouse alone has.
#[derive(Debug, PartialEq)]
pub struct Lone {
    /// The values of its key.
    pub key: Vec<Value>,
    /// How many rows of that key there are in each.
    pub rows: [u64; 2],
}

/// A row with other values in each.
#[derive(Debug)]
pub struct Changed {
    /// The values of its key.
    pub key: Vec<Value>,
    /// The columns that differ, each with both values.
    pub values: Vec<(String, [Value; 2])>,
}

impl TableDiff {
    /// Whether both hold the same rows.
    pub fn is_empty(&self) -> bool {
        self.only == [0, 0] && self.differing == 0
    }
}

/// Why two warehouses could not be compared.
#[derive(Debug, Error)]
pub enum DiffError {
    /// One of them has no such table.
    #[error("there is no table `{table}`")]
    Missing {
        /// Which one.
        side: Side,
        /// The table.
        table: &'static str,
    },
    /// One of them failed.
    #[error("a warehouse failed while it was read")]
    Warehouse {
        /// Which one.
        side: Side,
        /// What it said.
        source: WarehouseError,
    },
}

/// Compares every table of the model, and shows up to `limit` rows of each kind of difference in each.
pub fn run(
    first: &mut dyn Warehouse,
    second: &mut dyn Warehouse,
    limit: usize,
) -> Result<Vec<TableDiff>, DiffError> {
    require_tables(first, Side::First)?;
    require_tables(second, Side::Second)?;
    model::TABLES.iter().map(|table| compare(first, second, table, limit)).collect()
}

fn require_tables(warehouse: &mut dyn Warehouse, side: Side) -> Result<(), DiffError> {
    let found =
        warehouse.found_columns().map_err(|source| DiffError::Warehouse { side, source })?;
    match model::TABLES.iter().find(|table| !found.iter().any(|column| column.table == table.name))
    {
        Some(table) => Err(DiffError::Missing { side, table: table.name }),
        None => Ok(()),
    }
}

fn compare(
    first: &mut dyn Warehouse,
    second: &mut dyn Warehouse,
    table: &'static SqlFile,
    limit: usize,
) -> Result<TableDiff, DiffError> {
    tracing::info!("{}", table.name);
    let layout = Layout::of(table, Opening::full(first.engine()));
    let merged = {
        let first = digests(first, Side::First, &layout)?;
        let second = digests(second, Side::Second, &layout)?;
        merge::merge(&first, &second, limit)
    };
    let shown = second::read(first, second, &layout, &merged, limit)?;
    Ok(told(layout, &merged, shown))
}

fn digests(
    warehouse: &mut dyn Warehouse,
    side: Side,
    layout: &Layout,
) -> Result<Vec<merge::Digested>, DiffError> {
    let mut digests = Vec::new();
    read::each(warehouse, layout, |digested, _| digests.push(digested))
        .map_err(|source| DiffError::Warehouse { side, source })?;
    digests.sort_unstable();
    Ok(digests)
}

fn told(layout: Layout, merged: &Merged, shown: second::Shown) -> TableDiff {
    let key = layout.key_of(&layout.columns).cloned().collect();
    let columns = layout.columns.into_iter().zip(shown.columns);
    let differing: u64 = merged.pairs.iter().map(|pair| pair.copies).sum();
    let [only_first, only_second] = &merged.only;
    let only = [only_first.rows, only_second.rows];
    TableDiff {
        table: layout.table,
        key,
        rows: only.map(|only| only + merged.same + differing),
        same: merged.same,
        only,
        differing,
        columns: columns.filter(|(_, rows)| *rows > 0).collect(),
        lone: shown.lone,
        changed: shown.changed,
    }
}
