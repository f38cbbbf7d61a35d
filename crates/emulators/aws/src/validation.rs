//! Constraints from the prose of the documentation, which the API models lack: names, passwords,
//! ports, capacities, tags.
//!
//! They are derived from the documentation only, independently of `sparkify`.

use std::collections::BTreeMap;

/// Cluster identifier: letters, digits and single hyphens; starts with a letter.
pub(crate) fn is_cluster_identifier(name: &str) -> bool {
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

/// Name of a namespace or workgroup.
pub(crate) fn is_serverless_name(name: &str) -> bool {
    (3..=64).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

pub(crate) fn is_port(port: i64) -> bool {
    (5431..=5455).contains(&port) || (8191..=8215).contains(&port)
}

/// Password of 8 to 64 printable ASCII characters, except five, with an upper-case letter, a
/// lower-case letter and a digit.
pub(crate) fn is_password(password: &str) -> bool {
    let forbidden = ['\'', '"', '\\', '/', '@'];
    (8..=64).contains(&password.chars().count())
        && password.chars().all(|c| ('!'..='~').contains(&c) && !forbidden.contains(&c))
        && password.chars().any(|c| c.is_ascii_uppercase())
        && password.chars().any(|c| c.is_ascii_lowercase())
        && password.chars().any(|c| c.is_ascii_digit())
}

pub(crate) fn is_user_name(user: &str) -> bool {
    (1..=127).contains(&user.len())
        && user.chars().next().is_some_and(char::is_alphabetic)
        && user.chars().all(|c| c.is_lowercase() || c.is_ascii_digit() || "_+.@-".contains(c))
        && user != "public"
}

pub(crate) fn is_database_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// Base capacity: 4, or a multiple of 8 up to 512.
pub(crate) fn is_capacity(units: i64) -> bool {
    units == 4 || (8..=512).contains(&units) && units % 8 == 0
}

pub(crate) fn are_tags(tags: &BTreeMap<String, String>) -> bool {
    let is_allowed = |c: char| c.is_alphanumeric() || " _.:/=+-@".contains(c);
    tags.len() <= 50
        && tags.iter().all(|(key, value)| {
            (1..=128).contains(&key.len())
                && value.len() <= 256
                && !key.to_lowercase().starts_with("aws:")
                && key.chars().chain(value.chars()).all(is_allowed)
        })
}
