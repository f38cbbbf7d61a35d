//! What a content is told by: 128 bits of xxh3 of its bytes as they lie in the source.

use std::fmt;

use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// The fingerprint of a content; it is written in 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// The one that is written so, if it is one.
    pub fn parse(written: &str) -> Option<Self> {
        u128::from_str_radix(written, 16).ok().map(Self::from)
    }
}

impl From<u128> for Fingerprint {
    fn from(hash: u128) -> Self {
        // Bytes take no room for the alignment of a number: a ledger holds millions.
        Self(hash.to_ne_bytes())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_ne_bytes(self.0))
    }
}

/// A fingerprint as it comes about. What comes in one piece, as most small objects do, needs no state between pieces.
pub(super) enum Taking {
    Nothing,
    Whole(u128),
    Pieces(Box<Xxh3>),
}

impl Taking {
    /// Takes the next bytes in; `all` says that none came before and none will come.
    pub(super) fn take(&mut self, bytes: &[u8], all: bool) {
        match self {
            Self::Nothing if all => *self = Self::Whole(xxh3_128(bytes)),
            Self::Pieces(state) => state.update(bytes),
            Self::Nothing | Self::Whole(_) => {
                let mut state = Box::<Xxh3>::default();
                state.update(bytes);
                *self = Self::Pieces(state);
            }
        }
    }

    /// The fingerprint of what was taken in.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        match self {
            Self::Nothing => xxh3_128(&[]),
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
    fn the_same_bytes_in_one_piece_or_in_many_have_one_fingerprint() {
        for length in [0, 1, 16, 240, 241, 1000, 5000] {
            let bytes: Vec<u8> = (0..length).map(|at: usize| at.to_le_bytes()[0]).collect();
            let (mut whole, mut pieces) = (Taking::Nothing, Taking::Nothing);
            whole.take(&bytes, true);
            bytes.chunks(7).for_each(|piece| pieces.take(piece, false));
            assert_eq!(whole.fingerprint(), pieces.fingerprint(), "{length} bytes");
            let written = whole.fingerprint().to_string();
            assert_eq!(Fingerprint::parse(&written), Some(pieces.fingerprint()));
        }
    }
}
