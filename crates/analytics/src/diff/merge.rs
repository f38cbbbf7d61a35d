//! Merge of two sorted lists of digests into equal rows, rows of one side only, and pairs of rows
//! with the same key and different values.
//!
//! Keys and rows may be duplicated, and every copy is counted. Equal rows of a key cancel out
//! first. The remaining rows of both sides are paired in digest order; rows without a partner are
//! on one side only.

/// Digests of a row; the order by key and then by row is that of the merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Digested {
    /// Digest of the key columns.
    pub key: u128,
    /// Digest of all columns.
    pub row: u128,
}

/// Two rows of one key that differ.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pair {
    /// Digest of the key columns.
    pub key: u128,
    /// Digest of each row.
    pub rows: [u128; 2],
    /// Number of identical pairs (duplicated rows).
    pub copies: u64,
}

/// Rows of one side without a partner.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Only {
    /// Number of rows, including copies.
    pub rows: u64,
    /// Samples, each with the number of rows of its key on both sides.
    pub samples: Vec<(Digested, [u64; 2])>,
}

/// Result of a merge.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Merged {
    /// Rows that are in both.
    pub same: u64,
    /// Differing rows, sorted by key.
    pub pairs: Vec<Pair>,
    /// Rows that are on one side only.
    pub only: [Only; 2],
}

/// Merges two sorted lists, and keeps up to `limit` samples of the rows of one side only.
pub(super) fn merge(first: &[Digested], second: &[Digested], limit: usize) -> Merged {
    let mut merged = Merged::default();
    let (mut first, mut second) = (first, second);
    while let Some(key) = first.first().into_iter().chain(second.first()).map(|row| row.key).min() {
        let groups = [take_key(&mut first, key), take_key(&mut second, key)];
        merged.add(key, groups, limit);
    }
    merged
}

/// Splits the rows of `key` off the front of `rows`.
fn take_key<'a>(rows: &mut &'a [Digested], key: u128) -> &'a [Digested] {
    let end = rows.iter().position(|row| row.key != key).unwrap_or(rows.len());
    let (group, rest) = rows.split_at(end);
    *rows = rest;
    group
}

impl Merged {
    /// Adds the rows of one key.
    fn add(&mut self, key: u128, groups: [&[Digested]; 2], limit: usize) {
        let [first, second] = groups;
        // Common case: the rows of this key are equal.
        if first == second {
            self.same += first.len() as u64;
            return;
        }
        let left = [without(first, second), without(second, first)];
        self.same += (first.len() - left[0].len()) as u64;
        // Pair what is left. Both groups are sorted, so equal pairs are adjacent and are counted.
        for rows in left[0].iter().zip(&left[1]).map(|(first, second)| [first.row, second.row]) {
            match self.pairs.last_mut() {
                Some(last) if last.key == key && last.rows == rows => last.copies += 1,
                _ => self.pairs.push(Pair { key, rows, copies: 1 }),
            }
        }
        let paired = left[0].len().min(left[1].len());
        for (only, left) in self.only.iter_mut().zip(&left) {
            for row in &left[paired..] {
                only.rows += 1;
                let is_copy = only.samples.last().is_some_and(|(last, _)| last == row);
                if !is_copy && only.samples.len() < limit {
                    only.samples.push((*row, groups.map(|group| group.len() as u64)));
                }
            }
        }
    }
}

/// Returns the rows of a sorted group without an equal in another. Each row of `other` cancels out
/// one row of `group` at most (multiset difference).
fn without(group: &[Digested], mut other: &[Digested]) -> Vec<Digested> {
    let has_no_equal = |row: &&Digested| {
        let smaller = other.iter().take_while(|candidate| candidate < row).count();
        other = &other[smaller..];
        let equal = other.first() == Some(*row);
        other = &other[usize::from(equal)..];
        !equal
    };
    group.iter().filter(has_no_equal).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows(pairs: &[(u128, u128)]) -> Vec<Digested> {
        let mut rows: Vec<Digested> =
            pairs.iter().map(|(key, row)| Digested { key: *key, row: *row }).collect();
        rows.sort_unstable();
        rows
    }

    #[test]
    fn every_kind_of_difference_is_found() {
        let first = rows(&[(1, 1), (2, 2), (3, 30), (5, 5), (5, 5)]);
        let second = rows(&[(1, 1), (3, 31), (4, 4), (5, 5)]);
        let merged = merge(&first, &second, 1);
        assert_eq!(merged.same, 2);
        assert_eq!(merged.pairs, [Pair { key: 3, rows: [30, 31], copies: 1 }]);
        let [only_first, only_second] = merged.only;
        assert_eq!((only_first.rows, only_second.rows), (2, 1));
        assert_eq!(only_first.samples, [(Digested { key: 2, row: 2 }, [1, 0])]);
        assert_eq!(only_second.samples, [(Digested { key: 4, row: 4 }, [0, 1])]);
        let copies = merge(&rows(&[(5, 5), (5, 5)]), &rows(&[(5, 5)]), 1);
        assert_eq!(copies.only[0].samples, [(Digested { key: 5, row: 5 }, [2, 1])]);
    }

    fn some_rows() -> impl Strategy<Value = Vec<(u128, u128)>> {
        prop::collection::vec((0_u128..4, 0_u128..3), 0..12)
    }

    proptest! {
        #[test]
        fn no_row_is_lost(first in some_rows(), second in some_rows()) {
            let (first, second) = (rows(&first), rows(&second));
            let merged = merge(&first, &second, 2);
            let differing: u64 = merged.pairs.iter().map(|pair| pair.copies).sum();
            let [only_first, only_second] = &merged.only;
            prop_assert_eq!(merged.same + differing + only_first.rows, first.len() as u64);
            prop_assert_eq!(merged.same + differing + only_second.rows, second.len() as u64);
            let equal = differing + only_first.rows + only_second.rows == 0;
            prop_assert_eq!(equal, first == second);
            prop_assert!(merged.pairs.is_sorted_by_key(|pair| pair.key));
            for pair in &merged.pairs {
                prop_assert_ne!(pair.rows[0], pair.rows[1]);
            }
            for key in 0..4 {
                let count = |rows: &[Digested]| rows.iter().filter(|row| row.key == key).count();
                let pairs = merged.pairs.iter().filter(|pair| pair.key == key);
                prop_assert!(pairs.count() <= count(&first).min(count(&second)));
            }
        }
    }
}
