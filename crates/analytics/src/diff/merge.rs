//! Two sorted lists of digests become what is the same, what stands on one side alone, and which rows of one key differ.
//!
//! A key may have several rows, and a row several copies: each is counted. Of one key, equal rows cancel out; what is left on both sides is paired,
//! and what has no partner stands alone.

/// A row, as it is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Digested {
    /// Of the values of its key.
    pub key: u128,
    /// Of all its values.
    pub row: u128,
}

/// Two rows of one key that differ.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pair {
    /// The digest of their key.
    pub key: u128,
    /// The digest of each.
    pub rows: [u128; 2],
    /// How often the same two stand opposite each other.
    pub copies: u64,
}

/// Rows of one side without a partner.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Only {
    /// How many.
    pub rows: u64,
    /// Some of them, each with the number of rows of its key on both sides.
    pub some: Vec<(Digested, [u64; 2])>,
}

/// What two lists make.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Merged {
    /// Rows that are in both.
    pub same: u64,
    /// Rows that differ, by key.
    pub pairs: Vec<Pair>,
    /// Rows that are in one.
    pub only: [Only; 2],
}

/// Compares two sorted lists, and names up to `limit` rows of each that stand alone.
pub(super) fn merge(first: &[Digested], second: &[Digested], limit: usize) -> Merged {
    let mut merged = Merged::default();
    let (mut first, mut second) = (first, second);
    while let Some(key) = first.first().into_iter().chain(second.first()).map(|row| row.key).min() {
        let groups = [take_key(&mut first, key), take_key(&mut second, key)];
        merged.add(key, groups, limit);
    }
    merged
}

/// The rows of `key` at the head of `rows`, which are taken off it.
fn take_key<'a>(rows: &mut &'a [Digested], key: u128) -> &'a [Digested] {
    let end = rows.iter().position(|row| row.key != key).unwrap_or(rows.len());
    let (group, rest) = rows.split_at(end);
    *rows = rest;
    group
}

impl Merged {
    /// Takes the rows of one key.
    fn add(&mut self, key: u128, groups: [&[Digested]; 2], limit: usize) {
        let [first, second] = groups;
        if first == second {
            self.same += first.len() as u64;
            return;
        }
        let left = [without(first, second), without(second, first)];
        self.same += (first.len() - left[0].len()) as u64;
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
                let known = only.some.last().is_some_and(|(last, _)| last == row);
                if !known && only.some.len() < limit {
                    only.some.push((*row, groups.map(|group| group.len() as u64)));
                }
            }
        }
    }
}

/// The rows of a sorted group that have no equal in another.
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
    fn each_kind_of_difference_is_told() {
        let first = rows(&[(1, 1), (2, 2), (3, 30), (5, 5), (5, 5)]);
        let second = rows(&[(1, 1), (3, 31), (4, 4), (5, 5)]);
        let merged = merge(&first, &second, 1);
        assert_eq!(merged.same, 2);
        assert_eq!(merged.pairs, [Pair { key: 3, rows: [30, 31], copies: 1 }]);
        let [only_first, only_second] = merged.only;
        assert_eq!((only_first.rows, only_second.rows), (2, 1));
        assert_eq!(only_first.some, [(Digested { key: 2, row: 2 }, [1, 0])]);
        assert_eq!(only_second.some, [(Digested { key: 4, row: 4 }, [0, 1])]);
        let copies = merge(&rows(&[(5, 5), (5, 5)]), &rows(&[(5, 5)]), 1);
        assert_eq!(copies.only[0].some, [(Digested { key: 5, row: 5 }, [2, 1])]);
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
