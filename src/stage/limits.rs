//! How long a text may be in each column, where a warehouse sets a bound: a record with a longer one is a reject, since the warehouse would refuse all rows
//! with it, or cut it.

use std::sync::Arc;

use crate::warehouse::{Batch, Values, Warehouse};

use super::TABLES;
use super::schema::RecordKind;

/// By column, the most bytes of a text; nothing at all where no column is bounded.
#[derive(Debug, Clone, Default)]
pub(super) struct Limits(Option<Arc<[Option<usize>]>>);

impl Limits {
    /// What the staging table of these records takes on this warehouse.
    pub(super) fn of(warehouse: &dyn Warehouse, kind: RecordKind) -> Self {
        let opening = warehouse.opening(false);
        let Some(table) = TABLES.iter().find(|table| table.name == kind.table()) else {
            return Self::default();
        };
        let columns = table.columns(opening);
        let bounds: Vec<_> =
            columns.iter().map(|column| warehouse.longest_text(&column.declared_type)).collect();
        Self(bounds.iter().any(Option::is_some).then(|| bounds.into()))
    }

    /// The first column of the last row whose text is too long: its place, its length and its bound.
    pub(super) fn exceeded(&self, batch: &Batch) -> Option<(usize, usize, usize)> {
        let bounds = self.0.as_deref()?;
        let row = batch.len().checked_sub(1)?;
        bounds.iter().zip(&batch.columns).enumerate().find_map(|(at, (bound, column))| {
            let (bound, Values::Bytes { ends, .. }) = ((*bound)?, &column.values) else {
                return None;
            };
            let start = row.checked_sub(1).map_or(0, |before| ends[before]);
            let length = ends.get(row)? - start;
            (length > bound).then_some((at, length, bound))
        })
    }
}

/// Takes the last row back.
pub(super) fn take_back(batch: &mut Batch) {
    let rows = batch.len().saturating_sub(1);
    batch.columns.iter_mut().for_each(|column| column.truncate(rows));
}
