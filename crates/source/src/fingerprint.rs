//! Fingerprint of an object: the 128-bit xxh3 hash of its bytes as stored, before decompression.

use std::fmt;

use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// Fingerprint of a content. Its text form is 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// Parses the text form.
    pub fn parse(written: &str) -> Option<Self> {
        u128::from_str_radix(written, 16).ok().map(Self::from)
    }
}

impl From<u128> for Fingerprint {
    fn from(hash: u128) -> Self {
        // A byte array needs no alignment, which saves memory in a ledger of millions of objects.
        Self(hash.to_ne_bytes())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_ne_bytes(self.0))
    }
}

/// Hasher of a content. A content that arrives in one piece, as most small objects do, needs no
/// streaming state.
pub(super) enum Hasher {
    Empty,
    Whole(u128),
    Pieces(Box<Xxh3>),
}

impl Hasher {
    /// Adds the next bytes; `all` is true if they are the whole content.
    pub(super) fn update(&mut self, bytes: &[u8], all: bool) {
        match self {
            Self::Empty if all => *self = Self::Whole(xxh3_128(bytes)),
            Self::Pieces(state) => state.update(bytes),
            Self::Empty | Self::Whole(_) => {
                let mut state = Box::<Xxh3>::default();
                state.update(bytes);
                *self = Self::Pieces(state);
            }
        }
    }

    /// Returns the fingerprint of the bytes so far.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        match self {
            Self::Empty => xxh3_128(&[]),
            Self::Whole(hash) => *hash,
            Self::Pieces(state) => state.digest128(),
        }
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_does_not_depend_on_the_pieces() {
        for length in [0, 1, 16, 240, 241, 1000, 5000] {
            let bytes: Vec<u8> = (0..length).map(|at: usize| at.to_le_bytes()[0]).collect();
            let (mut whole, mut pieces) = (Hasher::Empty, Hasher::Empty);
            whole.update(&bytes, true);
            bytes.chunks(7).for_each(|piece| pieces.update(piece, false));
            assert_eq!(whole.fingerprint(), pieces.fingerprint(), "{length} bytes");
            let written = whole.fingerprint().to_string();
            assert_eq!(Fingerprint::parse(&written), Some(pieces.fingerprint()));
        }
    }
}
