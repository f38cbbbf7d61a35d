//! The second reading: in which columns the rows differ, and the values of those that are shown.
//!
//! It holds a small digest of each column, of the rows that differ and of no others. A row that has gone since the first reading is not shown.

use super::digest::Digester;
use super::merge::{Digested, Merged, Pair};
use super::read::{self, Layout};
use super::{Changed, DiffError, Lone, Side};
use sparkify_warehouse::{Value, Warehouse};

/// What is known after it.
pub(super) struct Shown {
    /// In how many rows each column differs.
    pub columns: Vec<u64>,
    /// Some of the rows that one side alone has.
    pub lone: [Vec<Lone>; 2],
    /// Some of the rows that differ.
    pub changed: Vec<Changed>,
}

/// Reads again those warehouses in which there is something to look up.
pub(super) fn read(
    first: &mut dyn Warehouse,
    second: &mut dyn Warehouse,
    layout: &Layout,
    merged: &Merged,
    limit: usize,
) -> Result<Shown, DiffError> {
    let mut reading = Reading::new(layout, merged, limit);
    let [only_first, only_second] = &merged.only;
    if !merged.pairs.is_empty() || !only_first.some.is_empty() {
        read::each(first, layout, |digested, values| reading.first(digested, &values))
            .map_err(|source| DiffError::Warehouse { side: Side::First, source })?;
    }
    if !merged.pairs.is_empty() || !only_second.some.is_empty() {
        read::each(second, layout, |digested, values| reading.second(digested, &values))
            .map_err(|source| DiffError::Warehouse { side: Side::Second, source })?;
    }
    Ok(reading.end())
}

struct Reading<'a> {
    layout: &'a Layout,
    merged: &'a Merged,
    digester: Digester,
    /// For each pair the digests of the first row's columns: nothing before that row was met, and nothing again once it was compared.
    waiting: Vec<Box<[u64]>>,
    /// For each pair that is shown, the values of both.
    shown: Vec<[Vec<Value>; 2]>,
    columns: Vec<u64>,
    lone: [Vec<Lone>; 2],
}

impl<'a> Reading<'a> {
    fn new(layout: &'a Layout, merged: &'a Merged, limit: usize) -> Self {
        let pairs = merged.pairs.len();
        Self {
            layout,
            merged,
            digester: Digester::default(),
            waiting: vec![Box::default(); pairs],
            shown: vec![[Vec::new(), Vec::new()]; pairs.min(limit)],
            columns: vec![0; layout.columns.len()],
            lone: [Vec::new(), Vec::new()],
        }
    }

    fn first(&mut self, digested: Digested, values: &[Value]) {
        self.look_up_lone(0, digested, values);
        for (index, pair) in of_key(self.merged, digested.key) {
            if pair.rows[0] == digested.row && self.waiting[index].is_empty() {
                let digests = values.iter().map(|value| self.digester.of_one(value));
                self.waiting[index] = digests.collect();
                self.show(index, 0, values);
            }
        }
    }

    fn second(&mut self, digested: Digested, values: &[Value]) {
        self.look_up_lone(1, digested, values);
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

    fn look_up_lone(&mut self, side: usize, digested: Digested, values: &[Value]) {
        let some = &self.merged.only[side].some;
        let Some((_, rows)) = some.iter().find(|(row, _)| *row == digested) else { return };
        let key: Vec<Value> = self.layout.key_of(values).cloned().collect();
        // Copies of a row come more than once.
        let lone = Lone { key, rows: *rows };
        if !self.lone[side].contains(&lone) {
            self.lone[side].push(lone);
        }
    }

    fn end(mut self) -> Shown {
        self.lone.iter_mut().for_each(|lone| lone.sort_by_cached_key(|lone| written(&lone.key)));
        let met = self.shown.iter().filter(|pair| pair.iter().all(|row| !row.is_empty()));
        let mut changed: Vec<Changed> =
            met.map(|pair| changed(self.layout, &mut self.digester, pair)).collect();
        changed.sort_by_cached_key(|changed| written(&changed.key));
        Shown { columns: self.columns, lone: self.lone, changed }
    }
}

/// The pairs of a key, each with its place.
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

fn written(values: &[Value]) -> Vec<String> {
    values.iter().map(Value::to_string).collect()
}
