//! Diff of the model tables of two warehouses, row by row. The engines may differ.
//!
//! The first pass streams both tables and keeps only digests in memory: 32 bytes per row. Sorting
//! and merging the digests finds the differences ([`merge`]). A second pass fetches the values of
//! the few sample rows ([`samples`]). The diff is read-only.

mod digest;
mod merge;
mod read;
mod samples;

use thiserror::Error;

use sparkify_load::model;
use sparkify_warehouse::{Opening, SqlFile, Value, Warehouse, WarehouseError};

use merge::Merged;
use read::Layout;

/// Position of a warehouse on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// First argument.
    First,
    /// Second argument.
    Second,
}

/// Differences of one table. In pairs, the first warehouse comes first.
#[derive(Debug)]
pub struct TableDiff {
    /// Name of the table.
    pub table: &'static str,
    /// Names of the key columns.
    pub key: Vec<String>,
    /// Rows in each warehouse.
    pub rows: [u64; 2],
    /// Rows that are equal in both.
    pub same: u64,
    /// Rows whose key exists only in one warehouse, or more often than in the other.
    pub only: [u64; 2],
    /// Rows with the same key and different values.
    pub differing: u64,
    /// Number of these rows in which each column differs; columns without differences are omitted.
    pub columns: Vec<(String, u64)>,
    /// Samples of rows that exist only in one warehouse.
    pub one_sided: [Vec<OneSided>; 2],
    /// Samples of rows with different values.
    pub changed: Vec<Changed>,
}

/// Row that exists only in one warehouse.
#[derive(Debug, PartialEq)]
pub struct OneSided {
    /// Values of the key columns.
    pub key: Vec<Value>,
    /// Number of rows with this key in each warehouse.
    pub rows: [u64; 2],
}

/// Row with different values in the two warehouses.
#[derive(Debug)]
pub struct Changed {
    /// Values of the key columns.
    pub key: Vec<Value>,
    /// Differing columns, each with both values.
    pub values: Vec<(String, [Value; 2])>,
}

impl TableDiff {
    /// Returns true if both warehouses hold the same rows.
    pub fn is_empty(&self) -> bool {
        self.only == [0, 0] && self.differing == 0
    }
}

/// Errors of a diff.
#[derive(Debug, Error)]
pub enum DiffError {
    /// A warehouse lacks a table of the model.
    #[error("table `{table}` not found")]
    Missing {
        /// Warehouse without the table.
        side: Side,
        /// Name of the table.
        table: &'static str,
    },
    /// Reading from a warehouse failed.
    #[error("cannot read from the warehouse")]
    Warehouse {
        /// Warehouse that failed.
        side: Side,
        /// Error of the warehouse.
        source: WarehouseError,
    },
}

/// Compares every table of the model, with up to `limit` samples of each kind of difference.
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
    // The digests are freed before the second pass.
    let merged = {
        let first = digests(first, Side::First, &layout)?;
        let second = digests(second, Side::Second, &layout)?;
        merge::merge(&first, &second, limit)
    };
    let samples = samples::read(first, second, &layout, &merged, limit)?;
    Ok(table_diff(layout, &merged, samples))
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

fn table_diff(layout: Layout, merged: &Merged, samples: samples::Samples) -> TableDiff {
    let key = layout.key_of(&layout.columns).cloned().collect();
    let columns = layout.columns.into_iter().zip(samples.columns);
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
        one_sided: samples.one_sided,
        changed: samples.changed,
    }
}
