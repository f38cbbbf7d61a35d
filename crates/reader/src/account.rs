//! Account of one object while it is read: counts, and the rejects that are kept.
//!
//! The counts enter the tally only when the object was read to its end. So an object that changes
//! meanwhile leaves no trace in the counts.

use std::collections::{BTreeMap, VecDeque};
use std::io;

use super::ObjectRows;
use super::parser::{PartResult, count_extra};
use super::rejects::{KEPT, PendingReject, Reject, Rejects, Sample, add, is_sample, keep_last};

/// Bytes that are kept of a reject that is not among the first ones of its object. They are in
/// memory until the object ends.
const LAST_RAW: usize = 16 << 10;

/// Counts of one object, and its rejects that are not spooled yet.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub rows: ObjectRows,
    /// Number of repaired double-encoded values, by field.
    pub repairs: BTreeMap<u32, u64>,
    /// Number of records that are no plays, by page.
    pub pages: BTreeMap<&'static str, u64>,
    /// Number of records with each unknown key.
    pub extra: BTreeMap<String, u64>,
    /// Number of rejects by reason.
    pub by_reason: BTreeMap<String, u64>,
    /// The first few rejects.
    pub samples: Vec<Sample>,
    /// Number of rejects that are in the spool: the first ones.
    spooled: usize,
    /// The last rejects.
    last: VecDeque<PendingReject>,
}

impl Account {
    pub(super) fn new(rows: ObjectRows) -> Self {
        Self { rows, ..Self::default() }
    }

    /// Adds the counts of a part of the object, whose rejects go to `spool`.
    pub(super) fn add(
        &mut self,
        part: PartResult,
        spool: &mut dyn FnMut(&Reject<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        self.rows.staged += part.staged;
        self.rows.erased += part.erased;
        for (field, count) in part.repairs {
            *self.repairs.entry(field).or_default() += count;
        }
        for (page, count) in part.pages {
            *self.pages.entry(page).or_default() += count;
        }
        for (name, count) in part.extra {
            count_extra(&mut self.extra, &name, count);
        }
        self.rows.rejected += part.rejects.count;
        self.rows.rejected_bytes += part.rejects.bytes;
        for (reason, count) in &part.rejects.by_reason {
            add(&mut self.by_reason, reason, *count);
        }
        for pending in part.rejects {
            self.keep(pending, spool)?;
        }
        Ok(())
    }

    fn keep(
        &mut self,
        mut pending: PendingReject,
        spool: &mut dyn FnMut(&Reject<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        if is_sample(self.samples.len()) {
            let sample = self.reject(&pending).sample();
            self.samples.push(sample);
        }
        if self.spooled < KEPT {
            spool(&self.reject(&pending))?;
            self.spooled += 1;
            self.rows.first_reason.get_or_insert_with(|| pending.reason.into());
            return Ok(());
        }
        pending.raw.truncate(LAST_RAW);
        pending.raw.shrink_to_fit();
        keep_last(&mut self.last, pending);
        Ok(())
    }

    fn reject<'a>(&'a self, pending: &'a PendingReject) -> Reject<'a> {
        Reject {
            object_id: self.rows.object_id,
            object_key: &self.rows.object.key,
            offset: pending.offset,
            length: pending.length,
            reason: &pending.reason,
            raw: &pending.raw,
        }
    }

    /// Adds the last rejects and all counts to `rejects`, at the end of the object.
    pub(super) fn close(&mut self, rejects: &mut Rejects) -> io::Result<()> {
        for pending in std::mem::take(&mut self.last) {
            rejects.store(&self.reject(&pending))?;
        }
        rejects.count(self.rows.rejected, &self.by_reason, std::mem::take(&mut self.samples));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rejects::RejectLog;

    #[test]
    fn the_first_and_the_last_rejects_are_kept_and_all_are_counted() {
        let (mut account, mut spooled) = (Account::default(), Vec::new());
        let mut rejects = Rejects::new();
        for part in 0..3_u64 {
            let mut log = RejectLog::default();
            for at in 0..1500 {
                let (reason, raw) = ("invalid JSON".to_owned(), vec![b'x'; 2]);
                log.push(PendingReject { offset: part * 10_000 + at, length: 2, reason, raw });
            }
            let result = PartResult { rejects: log, ..PartResult::default() };
            let mut spool = |reject: &Reject<'_>| {
                spooled.push(reject.offset);
                Ok(())
            };
            account.add(result, &mut spool).unwrap();
        }
        assert_eq!(spooled, (0..500).collect::<Vec<_>>());
        assert_eq!((account.rows.rejected, account.rows.rejected_bytes), (4500, 9000));
        let last: Vec<u64> = account.last.iter().map(|reject| reject.offset).collect();
        assert_eq!(last, (21_000..21_500).collect::<Vec<_>>());
        account.close(&mut rejects).unwrap();
        assert_eq!((rejects.count, rejects.by_reason["invalid JSON"]), (4500, 4500));
        assert_eq!(rejects.lines().len(), KEPT);
    }
}
