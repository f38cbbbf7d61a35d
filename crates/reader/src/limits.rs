//! How long a text may be in each column, where a warehouse sets a bound: a record with a longer one is a reject, since the warehouse would refuse all rows
//! with it, or cut it.

use std::sync::Arc;

use sparkify_warehouse::{Batch, Values};

/// By column, the most bytes of a text; nothing at all where no column is bounded.
#[derive(Debug, Clone, Default)]
pub struct TextLimits(Option<Arc<[Option<usize>]>>);

impl TextLimits {
    /// Limits by column; none of a column that takes texts of any length.
    pub fn new(by_column: Vec<Option<usize>>) -> Self {
        Self(by_column.iter().any(Option::is_some).then(|| by_column.into()))
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
