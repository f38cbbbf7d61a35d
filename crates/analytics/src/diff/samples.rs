//! Second pass of a diff: counts the differing columns and collects the values of the samples.
//!
//! Memory: one 64-bit digest per column, for differing rows only. A row that was deleted after the
//! first pass is not shown.

use super::digest::Digester;
use super::merge::{Digested, Merged, Pair};
use super::read::{self, Layout};
use super::{Changed, DiffError, OneSided, Side};
use sparkify_warehouse::{Value, Warehouse};

/// Result of the second pass.
pub(super) struct Samples {
    /// Number of rows in which each column differs.
    pub columns: Vec<u64>,
    /// Samples of rows of one side only.
    pub one_sided: [Vec<OneSided>; 2],
    /// Samples of differing rows.
    pub changed: Vec<Changed>,
}

/// Reads the table again from each warehouse that has rows to look up.
pub(super) fn read(
    first: &mut dyn Warehouse,
    second: &mut dyn Warehouse,
    layout: &Layout,
    merged: &Merged,
    limit: usize,
) -> Result<Samples, DiffError> {
    let mut collector = Collector::new(layout, merged, limit);
    let [only_first, only_second] = &merged.only;
    if !merged.pairs.is_empty() || !only_first.samples.is_empty() {
        read::each(first, layout, |digested, values| collector.first(digested, &values))
            .map_err(|source| DiffError::Warehouse { side: Side::First, source })?;
    }
    if !merged.pairs.is_empty() || !only_second.samples.is_empty() {
        read::each(second, layout, |digested, values| collector.second(digested, &values))
            .map_err(|source| DiffError::Warehouse { side: Side::Second, source })?;
    }
    Ok(collector.finish())
}

struct Collector<'a> {
    layout: &'a Layout,
    merged: &'a Merged,
    digester: Digester,
    /// For each pair, the column digests of its first row. Empty until the first warehouse returned
    /// that row, and empty again after the comparison, so that copies are compared once.
    waiting: Vec<Box<[u64]>>,
    /// For each sample pair, the values of both rows.
    shown: Vec<[Vec<Value>; 2]>,
    columns: Vec<u64>,
    one_sided: [Vec<OneSided>; 2],
}

impl<'a> Collector<'a> {
    fn new(layout: &'a Layout, merged: &'a Merged, limit: usize) -> Self {
        let pairs = merged.pairs.len();
        Self {
            layout,
            merged,
            digester: Digester::default(),
            waiting: vec![Box::default(); pairs],
            shown: vec![[Vec::new(), Vec::new()]; pairs.min(limit)],
            columns: vec![0; layout.columns.len()],
            one_sided: [Vec::new(), Vec::new()],
        }
    }

    fn first(&mut self, digested: Digested, values: &[Value]) {
        self.look_up(0, digested, values);
        for (index, pair) in of_key(self.merged, digested.key) {
            if pair.rows[0] == digested.row && self.waiting[index].is_empty() {
                let digests = values.iter().map(|value| self.digester.of_one(value));
                self.waiting[index] = digests.collect();
                self.show(index, 0, values);
            }
        }
    }

    fn second(&mut self, digested: Digested, values: &[Value]) {
        self.look_up(1, digested, values);
        for (index, pair) in of_key(self.merged, digested.key) {
            if pair.rows[1] != digested.row || self.waiting[index].is_empty() {
                continue;
            }
            let other = std::mem::take(&mut self.waiting[index]);
            for (column, (value, other)) in values.iter().zip(other).enumerate() {
                if self.digester.of_one(value) != other {
                    self.columns[column] += pair.copies;
                }
            }
            self.show(index, 1, values);
        }
    }

    fn show(&mut self, pair: usize, side: usize, values: &[Value]) {
        if let Some(shown) = self.shown.get_mut(pair) {
            shown[side] = values.to_vec();
        }
    }

    /// Keeps the key of the row if it is a sample of the rows of one side only.
    fn look_up(&mut self, side: usize, digested: Digested, values: &[Value]) {
        let samples = &self.merged.only[side].samples;
        let Some((_, rows)) = samples.iter().find(|(row, _)| *row == digested) else { return };
        let key: Vec<Value> = self.layout.key_of(values).cloned().collect();
        // Copies of a row arrive several times.
        let sample = OneSided { key, rows: *rows };
        if !self.one_sided[side].contains(&sample) {
            self.one_sided[side].push(sample);
        }
    }

    fn finish(mut self) -> Samples {
        for samples in &mut self.one_sided {
            samples.sort_by_cached_key(|sample| sort_key(&sample.key));
        }
        let complete = self.shown.iter().filter(|pair| pair.iter().all(|row| !row.is_empty()));
        let mut changed: Vec<Changed> =
            complete.map(|pair| changed(self.layout, &mut self.digester, pair)).collect();
        changed.sort_by_cached_key(|changed| sort_key(&changed.key));
        Samples { columns: self.columns, one_sided: self.one_sided, changed }
    }
}

/// Returns the pairs of a key with their indexes.
fn of_key(merged: &Merged, key: u128) -> impl Iterator<Item = (usize, &Pair)> {
    let start = merged.pairs.partition_point(|pair| pair.key < key);
    merged.pairs.iter().enumerate().skip(start).take_while(move |(_, pair)| pair.key == key)
}

fn changed(layout: &Layout, digester: &mut Digester, [first, second]: &[Vec<Value>; 2]) -> Changed {
    let columns = layout.columns.iter().zip(first.iter().zip(second));
    let differing = columns.filter(|(_, (first, second))| {
        let digest = digester.of_one(first);
        digest != digester.of_one(second)
    });
    Changed {
        key: layout.key_of(first).cloned().collect(),
        values: differing
            .map(|(column, (first, second))| (column.clone(), [first.clone(), second.clone()]))
            .collect(),
    }
}

fn sort_key(values: &[Value]) -> Vec<String> {
    values.iter().map(Value::to_string).collect()
}
