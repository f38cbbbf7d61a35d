//! What the prose of the documentation forbids and no model of the API holds: names, passwords, ports, capacities, tags.
//!
//! Written from the documentation alone, not from the program.

use std::collections::BTreeMap;

/// A cluster's identifier.
pub(crate) fn identifier(name: &str) -> bool {
    let mut previous = '-';
    for c in name.chars() {
        if !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            || c == '-' && previous == '-'
        {
            return false;
        }
        previous = c;
    }
    name.len() <= 63
        && previous != '-'
        && name.chars().next().is_some_and(|c| c.is_ascii_lowercase())
}

/// A namespace's or workgroup's name.
pub(crate) fn serverless_name(name: &str) -> bool {
    (3..=64).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

pub(crate) fn port(port: i64) -> bool {
    (5431..=5455).contains(&port) || (8191..=8215).contains(&port)
}

/// Characters 33 to 126 but for five.
pub(crate) fn password(password: &str) -> bool {
    let forbidden = ['\'', '"', '\\', '/', '@'];
    (8..=64).contains(&password.chars().count())
        && password.chars().all(|c| ('!'..='~').contains(&c) && !forbidden.contains(&c))
        && password.chars().any(|c| c.is_ascii_uppercase())
        && password.chars().any(|c| c.is_ascii_lowercase())
        && password.chars().any(|c| c.is_ascii_digit())
}

pub(crate) fn user(user: &str) -> bool {
    (1..=127).contains(&user.len())
        && user.chars().next().is_some_and(char::is_alphabetic)
        && user.chars().all(|c| c.is_lowercase() || c.is_ascii_digit() || "_+.@-".contains(c))
        && user != "public"
}

pub(crate) fn database(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// 4, or a step of 8 up to 512.
pub(crate) fn capacity(units: i64) -> bool {
    units == 4 || (8..=512).contains(&units) && units % 8 == 0
}

pub(crate) fn tags(tags: &BTreeMap<String, String>) -> bool {
    let fits = |c: char| c.is_alphanumeric() || " _.:/=+-@".contains(c);
    tags.len() <= 50
        && tags.iter().all(|(key, value)| {
            (1..=128).contains(&key.len())
                && value.len() <= 256
                && !key.to_lowercase().starts_with("aws:")
                && key.chars().chain(value.chars()).all(fits)
        })
}
