//! Randomness for names, salts and passwords.

use ring::rand::{SecureRandom, SystemRandom};

/// So many random bytes.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // The system's generator does not fail on the systems that tests run on.
    let _ = SystemRandom::new().fill(&mut bytes);
    bytes
}

/// So many random hexadecimal digits, at most 64.
pub(crate) fn hex(digits: usize) -> String {
    let text: String = bytes::<32>().iter().map(|byte| format!("{byte:02x}")).collect();
    text[..digits.min(64)].to_owned()
}

/// A random identifier in the form of a UUID.
pub(crate) fn uuid() -> String {
    let text = hex(32);
    [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-")
}
