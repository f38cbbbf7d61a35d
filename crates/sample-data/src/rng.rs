//! Random numbers, equal on every machine.
//!
//! xoshiro256++ seeded by `SplitMix64`, and an alias table for a skewed distribution. Only integer
//! arithmetic is used, since platform math libraries may round differently.

/// Stream of random numbers.
pub(super) struct Rng {
    state: [u64; 4],
}

impl Rng {
    /// Creates stream number `stream` of `seed`; streams are independent.
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

    /// Returns a number in `0..bound`; 0 if `bound` is 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// Returns a number in `low..=high`.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// Returns true with probability `per_mille` / 1000.
    pub(super) fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// Returns an index in `0..len`.
    pub(super) fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }

    /// Returns an entry of a non-empty list.
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

/// Maps numbers below 2^36 one-to-one to scattered 36-bit numbers, for unique identifiers. Each
/// step (odd multiplication, xor-shift) is invertible modulo 2^36.
pub(super) fn scatter(number: u64, salt: u64) -> u64 {
    const MASK: u64 = (1 << 36) - 1;
    let mut x = (number ^ salt) & MASK;
    x = x.wrapping_mul(0x9_E377_9B97) & MASK;
    x ^= x >> 18;
    x = x.wrapping_mul(0x5_BD1E_995D) & MASK;
    x ^ (x >> 17)
}

/// Zipf-like distribution over `0..len`: the entry of rank r has weight 1 / (r + flatness). Ranks
/// are shuffled. Draws take constant time (Walker's alias method).
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

    /// Returns the rank of each entry, 0 for the most popular.
    pub(super) fn ranks(&self) -> &[u32] {
        &self.ranks
    }
}

/// Builds the alias table: a cell with less than the average weight is filled up by one entry with
/// more than the average.
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
    fn numbers_are_equal_on_every_machine() {
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
