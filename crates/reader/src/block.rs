//! Sixteen bytes at a time: which of them end a run of text, which are digits, which differ, as bits of a number.
//!
//! These are a few instructions that every processor of its kind has (SSE2, NEON): so there is nothing to detect, and nothing unsafe. Wider
//! registers would have to be detected, and most values of a record are shorter than sixteen bytes.

use wide::u8x16;

/// How many bytes are looked at together.
pub(super) const BLOCK: usize = 16;
/// The same as a number of bits.
const BITS: u32 = 16;

/// What a run of text has to know of a block; the lowest bit is the first byte.
pub(super) struct Marks {
    /// `"`, `\` and control characters.
    pub stops: u32,
    /// Bytes beyond ASCII.
    pub high: u32,
}

impl Marks {
    /// How many bytes stand before the first that ends a run: all of them when none does.
    pub(super) fn run(&self) -> u32 {
        (self.stops | 1 << BITS).trailing_zeros()
    }
}

fn bits(lanes: u8x16) -> u32 {
    lanes.to_bitmask()
}

fn at_most(block: u8x16, most: u8) -> u8x16 {
    block.min(u8x16::splat(most)).simd_eq(block)
}

/// Where a run of text ends, and whether it is ASCII.
#[inline]
pub(super) fn marks(block: &[u8; BLOCK]) -> Marks {
    let block = u8x16::new(*block);
    let quote = block.simd_eq(u8x16::splat(b'"'));
    let backslash = block.simd_eq(u8x16::splat(b'\\'));
    let control = at_most(block, 0x1f);
    Marks { stops: bits(quote | backslash | control), high: bits(block) }
}

/// What text beyond ASCII is made of, as far as a block says it.
pub(super) struct Pairs {
    /// C2 to DF: the first of two bytes.
    pub first: u32,
    /// C2 alone: the first of a character from U+0080 to U+00BF.
    pub low: u32,
    /// 80 to BF: a byte that is not the first.
    pub later: u32,
}

/// The parts of characters.
#[inline]
pub(super) fn pairs(block: &[u8; BLOCK]) -> Pairs {
    let block = u8x16::new(*block);
    let first = at_most(block - u8x16::splat(0xc2), 0xdf - 0xc2);
    let later = at_most(block - u8x16::splat(0x80), 0xbf - 0x80);
    let low = block.simd_eq(u8x16::splat(0xc2));
    Pairs { first: bits(first), low: bits(low), later: bits(later) }
}

/// A bit for each digit.
#[inline]
pub(super) fn digits(block: &[u8; BLOCK]) -> u32 {
    let from_zero = u8x16::new(*block) - u8x16::splat(b'0');
    bits(at_most(from_zero, 9))
}

/// A bit for each byte that is the same in both.
#[inline]
pub(super) fn equal(one: &[u8; BLOCK], other: &[u8; BLOCK]) -> u32 {
    bits(u8x16::new(*one).simd_eq(u8x16::new(*other)))
}

/// The number that the first `count` bytes say, which are digits; 1 to 16 of them.
pub(super) fn decimal(block: &[u8; BLOCK], count: u32) -> u64 {
    // The last digit at the top, zeros below the first.
    let digits = u128::from_le_bytes(*block) << (8 * (BITS - count));
    #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
    let (first, last) = (digits as u64, (digits >> 64) as u64);
    eight(first) * 100_000_000 + eight(last)
}

/// Eight digits, the first in the lowest byte: neighbours are joined to two digits, these to four, these to eight.
fn eight(digits: u64) -> u64 {
    let ones = digits & 0x0f0f_0f0f_0f0f_0f0f;
    let twos = ones.wrapping_mul(10).wrapping_add(ones >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = twos.wrapping_mul(100).wrapping_add(twos >> 16) & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plainly(has: impl Fn(usize) -> bool) -> u32 {
        (0..BLOCK).fold(0, |bits, at| bits | u32::from(has(at)) << at)
    }

    fn stops(byte: u8) -> bool {
        byte < 0x20 || byte == b'"' || byte == b'\\'
    }

    proptest! {
        #[test]
        fn bits_say_what_bytes_say(one: [u8; BLOCK], other: [u8; BLOCK], mixed: u16) {
            prop_assert_eq!(marks(&one).stops, plainly(|at| stops(one[at])));
            prop_assert_eq!(marks(&one).high, plainly(|at| one[at] >= 0x80));
            prop_assert_eq!(digits(&one), plainly(|at| one[at].is_ascii_digit()));
            let pairs = pairs(&one);
            prop_assert_eq!(pairs.first, plainly(|at| matches!(one[at], 0xc2..=0xdf)));
            prop_assert_eq!(pairs.low, plainly(|at| one[at] == 0xc2));
            prop_assert_eq!(pairs.later, plainly(|at| matches!(one[at], 0x80..=0xbf)));
            let near: [u8; BLOCK] =
                std::array::from_fn(|at| if mixed >> at & 1 == 1 { other[at] } else { one[at] });
            prop_assert_eq!(equal(&one, &near), plainly(|at| one[at] == near[at]));
        }

        #[test]
        fn digits_say_their_number(number in 0..10_000_000_000_000_000_u64, behind: [u8; BLOCK]) {
            let text = number.to_string();
            let mut block = behind;
            block[..text.len()].copy_from_slice(text.as_bytes());
            prop_assert_eq!(decimal(&block, u32::try_from(text.len()).unwrap()), number);
        }
    }

    #[test]
    fn every_byte_is_told_apart() {
        for byte in 0..=u8::MAX {
            let block = [byte; BLOCK];
            assert_eq!(marks(&block).stops, plainly(|_| stops(byte)), "{byte}");
            assert_eq!(digits(&block), plainly(|_| byte.is_ascii_digit()), "{byte}");
        }
    }
}
