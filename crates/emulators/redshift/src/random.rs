//! Random names, salts and passwords.

use std::fmt::Write as _;

use ring::rand::{SecureRandom, SystemRandom};

/// Returns `N` random bytes.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // The operating system's generator does not fail on supported systems.
    let _ = SystemRandom::new().fill(&mut bytes);
    bytes
}

/// Returns `digits` random hexadecimal digits, at most 64.
pub(crate) fn hex(digits: usize) -> String {
    let mut text = bytes::<32>().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    text.truncate(digits);
    text
}

/// Returns a random identifier in the format of a UUID.
pub(crate) fn uuid() -> String {
    let text = hex(32);
    [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-")
}
