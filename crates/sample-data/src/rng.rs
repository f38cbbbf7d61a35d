//! Chance, the same on every machine.
//!
//! A xoshiro256++ generator seeded by `SplitMix64`, and a table to draw from a skewed distribution
//! in constant time. Everything is integer arithmetic: the mathematical library of a platform may
//! round differently, and the output has to be equal bit for bit.

/// A stream of random numbers.
pub(super) struct Rng {
    state: [u64; 4],
}

impl Rng {
    /// The stream number `stream` of the seed `seed`; streams are independent of each other.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut x = split_mix(&mut { seed }) ^ stream.wrapping_mul(0xD1B5_4A32_D192_ED03);
        Self { state: std::array::from_fn(|_| split_mix(&mut x)) }
    }

    pub(super) fn next(&mut self) -> u64 {
        let s = &mut self.state;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// A number from 0 up to, not including, `bound`; 0 if `bound` is 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True in `per_mille` of a thousand cases.
    pub(super) fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// A position in a list of `len` entries.
    pub(super) fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }

    /// One entry of a list that is not empty.
    pub(super) fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.index(list.len())]
    }
}

fn split_mix(x: &mut u64) -> u64 {
    *x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *x;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A number of 36 bits that no other `number` below 2^36 gets: the root of an identifier.
pub(super) fn scatter(number: u64, salt: u64) -> u64 {
    const MASK: u64 = (1 << 36) - 1;
    let mut x = (number ^ salt) & MASK;
    x = x.wrapping_mul(0x9_E377_9B97) & MASK;
    x ^= x >> 18;
    x = x.wrapping_mul(0x5_BD1E_995D) & MASK;
    x ^ (x >> 17)
}

/// A skewed distribution over `0..len`: the entry of rank r is drawn with weight
/// 1 / (r + flatness). Which entry has which rank is shuffled. (Walker's alias method.)
pub(super) struct Popularity {
    cells: Vec<Cell>,
    ranks: Vec<u32>,
}

#[derive(Clone, Copy, Default)]
struct Cell {
    threshold: u32,
    other: u32,
}

impl Popularity {
    pub(super) fn new(len: u32, flatness: u64, rng: &mut Rng) -> Self {
        let mut ranks: Vec<u32> = (0..len).collect();
        for i in (1..ranks.len()).rev() {
            ranks.swap(i, rng.index(i + 1));
        }
        let weights: Vec<u64> =
            ranks.iter().map(|&r| (1 << 36) / (u64::from(r) + flatness.max(1))).collect();
        Self { cells: alias_cells(&weights), ranks }
    }

    pub(super) fn draw(&self, rng: &mut Rng) -> usize {
        let x = rng.next();
        let position = ((x >> 32) * self.cells.len() as u64) >> 32;
        let index = usize::try_from(position).unwrap_or(0);
        let cell = self.cells[index];
        if (x & 0xFFFF_FFFF) <= u64::from(cell.threshold) {
            index
        } else {
            usize::try_from(cell.other).unwrap_or(0)
        }
    }

    /// The rank of each entry, 0 for the most popular.
    pub(super) fn ranks(&self) -> &[u32] {
        &self.ranks
    }
}

fn alias_cells(weights: &[u64]) -> Vec<Cell> {
    let total: u64 = weights.iter().sum();
    let mut left: Vec<u64> = weights.iter().map(|w| w * weights.len() as u64).collect();
    let mut cells = vec![Cell { threshold: u32::MAX, other: 0 }; weights.len()];
    let (mut small, mut large) = (Vec::new(), Vec::new());
    for (index, &weight) in (0u32..).zip(&left) {
        if weight < total { small.push(index) } else { large.push(index) }
    }
    while let (Some(low), Some(&high)) = (small.pop(), large.last()) {
        let (at, from) = (low as usize, high as usize);
        let share = (u128::from(left[at]) << 32) / u128::from(total.max(1));
        cells[at] = Cell { threshold: u32::try_from(share).unwrap_or(u32::MAX), other: high };
        left[from] -= total - left[at];
        if left[from] < total {
            large.pop();
            small.push(high);
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_every_machine() {
        let mut rng = Rng::new(7, 1);
        let drawn: [u64; 3] = std::array::from_fn(|_| rng.next());
        assert_eq!(
            drawn,
            [13_152_140_853_428_175_091, 13_647_205_627_651_851_760, 7_583_973_535_076_379_596]
        );
        assert_ne!(Rng::new(7, 2).next(), Rng::new(7, 1).next());
    }

    #[test]
    fn scattered_numbers_are_distinct() {
        let mut seen: Vec<u64> = (0..100_000).map(|i| scatter(i, 99)).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 100_000);
    }

    #[test]
    fn the_most_popular_is_drawn_most() {
        let mut rng = Rng::new(1, 1);
        let popularity = Popularity::new(50, 3, &mut rng);
        let mut drawn = [0u32; 50];
        (0..100_000).for_each(|_| drawn[popularity.draw(&mut rng)] += 1);
        let top = (0..50).max_by_key(|&i| drawn[i]).unwrap_or(0);
        assert_eq!(popularity.ranks()[top], 0);
        assert!(drawn.iter().all(|&n| n > 0));
    }
}
