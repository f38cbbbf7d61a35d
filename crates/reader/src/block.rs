//! SIMD scanning of 16 bytes at a time. Each function classifies the bytes of a block and returns
//! one bit per byte, the first byte in the lowest bit.
//!
//! A caller finds the first byte of a class with `trailing_zeros`, without a branch per byte.
//!
//! The instructions belong to the baseline of each processor family (SSE2, NEON), so there is no
//! feature detection and no unsafe code. Wider registers would need detection, and most values of a
//! record are shorter than 16 bytes.

use wide::u8x16;

/// Bytes in a block.
pub(super) const BLOCK: usize = 16;
/// Bits in a mask: one per byte of a block.
const BITS: u32 = 16;

/// Bytes of a block that matter to a JSON string.
pub(super) struct Marks {
    /// Bytes that end a run of literal text: `"`, `\` and control characters.
    pub stops: u32,
    /// Bytes outside ASCII.
    pub high: u32,
}

impl Marks {
    /// Returns the number of bytes before the first stop; the whole block if there is none.
    pub(super) fn run(&self) -> u32 {
        // The bit above the last byte bounds the count.
        (self.stops | 1 << BITS).trailing_zeros()
    }
}

fn bits(lanes: u8x16) -> u32 {
    lanes.to_bitmask()
}

/// Compares each byte as unsigned: `min(byte, most) == byte`. SSE2 has no unsigned comparison.
fn at_most(block: u8x16, most: u8) -> u8x16 {
    block.min(u8x16::splat(most)).simd_eq(block)
}

/// Marks the bytes that end a run of text and those outside ASCII.
#[inline]
pub(super) fn marks(block: &[u8; BLOCK]) -> Marks {
    let block = u8x16::new(*block);
    let quote = block.simd_eq(u8x16::splat(b'"'));
    let backslash = block.simd_eq(u8x16::splat(b'\\'));
    let control = at_most(block, 0x1f);
    Marks { stops: bits(quote | backslash | control), high: bits(block) }
}

/// Bytes of two-byte UTF-8 sequences in a block.
pub(super) struct Pairs {
    /// C2 to DF: lead byte of a two-byte sequence.
    pub first: u32,
    /// C2: lead byte of a character from U+0080 to U+00BF.
    pub low: u32,
    /// 80 to BF: continuation byte.
    pub continuation: u32,
}

/// Marks lead bytes of two-byte sequences and continuation bytes.
#[inline]
pub(super) fn pairs(block: &[u8; BLOCK]) -> Pairs {
    let block = u8x16::new(*block);
    // The subtraction wraps, so that one comparison tests a range.
    let first = at_most(block - u8x16::splat(0xc2), 0xdf - 0xc2);
    let continuation = at_most(block - u8x16::splat(0x80), 0xbf - 0x80);
    let low = block.simd_eq(u8x16::splat(0xc2));
    Pairs { first: bits(first), low: bits(low), continuation: bits(continuation) }
}

/// Marks the digits.
#[inline]
pub(super) fn digits(block: &[u8; BLOCK]) -> u32 {
    let from_zero = u8x16::new(*block) - u8x16::splat(b'0');
    bits(at_most(from_zero, 9))
}

/// Marks the bytes that are equal in both blocks.
#[inline]
pub(super) fn equal(one: &[u8; BLOCK], other: &[u8; BLOCK]) -> u32 {
    bits(u8x16::new(*one).simd_eq(u8x16::new(*other)))
}

/// Parses the first `count` bytes, which are digits, as a decimal number; `count` is 1 to 16.
pub(super) fn decimal(block: &[u8; BLOCK], count: u32) -> u64 {
    // Right-aligns the digits: the last one in the highest byte, zero bytes before the first.
    let digits = u128::from_le_bytes(*block) << (8 * (BITS - count));
    #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
    let (first, last) = (digits as u64, (digits >> 64) as u64);
    eight(first) * 100_000_000 + eight(last)
}

/// Parses eight digits, the first in the lowest byte.
///
/// SIMD within a register: pairs of neighbouring digits become two-digit numbers, these four-digit
/// numbers, and these the result, in three multiplications instead of eight.
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

    fn bit_by_bit(has: impl Fn(usize) -> bool) -> u32 {
        (0..BLOCK).fold(0, |bits, at| bits | u32::from(has(at)) << at)
    }

    fn stops(byte: u8) -> bool {
        byte < 0x20 || byte == b'"' || byte == b'\\'
    }

    proptest! {
        #[test]
        fn masks_match_a_test_of_each_byte(one: [u8; BLOCK], other: [u8; BLOCK], mixed: u16) {
            prop_assert_eq!(marks(&one).stops, bit_by_bit(|at| stops(one[at])));
            prop_assert_eq!(marks(&one).high, bit_by_bit(|at| one[at] >= 0x80));
            prop_assert_eq!(digits(&one), bit_by_bit(|at| one[at].is_ascii_digit()));
            let pairs = pairs(&one);
            prop_assert_eq!(pairs.first, bit_by_bit(|at| matches!(one[at], 0xc2..=0xdf)));
            prop_assert_eq!(pairs.low, bit_by_bit(|at| one[at] == 0xc2));
            prop_assert_eq!(pairs.continuation, bit_by_bit(|at| matches!(one[at], 0x80..=0xbf)));
            let near: [u8; BLOCK] =
                std::array::from_fn(|at| if mixed >> at & 1 == 1 { other[at] } else { one[at] });
            prop_assert_eq!(equal(&one, &near), bit_by_bit(|at| one[at] == near[at]));
        }

        #[test]
        fn digits_parse_as_their_number(number in 0..10_000_000_000_000_000_u64, after: [u8; BLOCK]) {
            let text = number.to_string();
            let mut block = after;
            block[..text.len()].copy_from_slice(text.as_bytes());
            prop_assert_eq!(decimal(&block, u32::try_from(text.len()).unwrap()), number);
        }
    }

    #[test]
    fn every_byte_is_classified() {
        for byte in 0..=u8::MAX {
            let block = [byte; BLOCK];
            assert_eq!(marks(&block).stops, bit_by_bit(|_| stops(byte)), "{byte}");
            assert_eq!(digits(&block), bit_by_bit(|_| byte.is_ascii_digit()), "{byte}");
        }
    }
}
