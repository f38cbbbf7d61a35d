//! Length limits of text columns, for warehouses that have them. A record with a longer text is a
//! reject, since the warehouse would refuse the whole batch, or truncate the text.

use std::sync::Arc;

use sparkify_warehouse::{Batch, Values};

/// Longest text of each column, in bytes. Empty if no column is limited, so that the check is free.
#[derive(Debug, Clone, Default)]
pub struct TextLimits(Option<Arc<[Option<usize>]>>);

impl TextLimits {
    /// Creates limits in column order; none for a column that takes texts of any length.
    pub fn new(by_column: Vec<Option<usize>>) -> Self {
        Self(by_column.iter().any(Option::is_some).then(|| by_column.into()))
    }

    /// Returns the first column of the last row whose text is too long: its index, the length of
    /// the text, and the limit.
    pub(super) fn exceeded(&self, batch: &Batch) -> Option<(usize, usize, usize)> {
        let limits = self.0.as_deref()?;
        let row = batch.len().checked_sub(1)?;
        limits.iter().zip(&batch.columns).enumerate().find_map(|(at, (limit, column))| {
            let (limit, Values::Bytes { ends, .. }) = ((*limit)?, &column.values) else {
                return None;
            };
            let start = row.checked_sub(1).map_or(0, |before| ends[before]);
            let length = ends.get(row)? - start;
            (length > limit).then_some((at, length, limit))
        })
    }
}

/// Removes the last row.
pub(super) fn remove_last_row(batch: &mut Batch) {
    let rows = batch.len().saturating_sub(1);
    batch.columns.iter_mut().for_each(|column| column.truncate(rows));
}
