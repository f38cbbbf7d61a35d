//! A load that failed leaves no row of data; that it was tried, and why it failed, is noted once it is rolled back.
//!
//! The note is a transaction of its own, and only as good as the warehouse still is: what goes wrong here hides no error. Nothing is created for
//! it: where no load ever made the tables, none are made to tell of a failure.

use std::error::Error;
use std::time::SystemTime;

use super::{EtlError, Summary, step};
use crate::warehouse::{Warehouse, WarehouseError};
use crate::{ledger, tables};

/// Where a word of a message ends.
const ENDS_WORD: [char; 4] = [' ', '"', '\'', '`'];
/// The longest note in bytes; the column has a little more room on every engine.
const LONGEST: usize = 2000;
/// What the name of a value that nobody may read has in it.
const SECRET_NAMES: [&str; 6] =
    ["password", "secret", "token", "signature", "credential", "access_key"];

/// Notes that the load which has just been rolled back failed.
pub(super) fn note(
    warehouse: &mut dyn Warehouse,
    started: SystemTime,
    summary: &Summary,
    error: &EtlError,
) {
    let Err(second) = try_note(warehouse, started, summary, error) else { return };
    tracing::debug!("noting the failure: {second}");
    if let Err(third) = warehouse.run(step("rollback")) {
        tracing::debug!("rolling back: {third}");
    }
}

fn try_note(
    warehouse: &mut dyn Warehouse,
    started: SystemTime,
    summary: &Summary,
    error: &EtlError,
) -> Result<(), WarehouseError> {
    warehouse.run(step("begin"))?;
    if tables::present(warehouse)?.contains(&ledger::TABLES[0].name) {
        // Of a load that had not begun to read, its kind is not known yet.
        let begun = summary.objects_read + summary.objects_pruned > 0;
        let full = begun && !summary.incremental;
        let counts = summary.ledger_counts();
        ledger::close_failed(warehouse, started, full, counts, reason(error))?;
    }
    warehouse.run(step("commit"))
}

/// The error and its causes in one line, without secrets.
fn reason(error: &EtlError) -> String {
    let mut text = error.to_string();
    if let EtlError::ChecksFailed { failed } = error {
        let names: Vec<&str> = failed.iter().map(|verdict| verdict.check).collect();
        text = format!("{text}: {}", names.join(", "));
    }
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    shortened(without_secrets(&text))
}

/// A message may quote what a server or a library was told: passwords in URLs and values whose names say what they are become `****`.
fn without_secrets(text: &str) -> String {
    let text = text.replace(char::is_control, " ");
    let urls: String = text.split_inclusive(ENDS_WORD).map(without_password).collect();
    let ends_value = |c: char| ENDS_WORD.contains(&c) || ['&', ';', ',', '?'].contains(&c);
    urls.split_inclusive(ends_value).map(|part| without_value(part, ends_value)).collect()
}

/// The name of an object may have an `@` in it; a password stands in front of a host.
fn without_password(word: &str) -> String {
    match (word.find("://"), word.rfind('@')) {
        (Some(start), Some(at)) if start < at && !word.starts_with("s3:") => {
            format!("{}****{}", &word[..start + 3], &word[at..])
        }
        _ => word.to_owned(),
    }
}

fn without_value(part: &str, ends_value: impl Fn(char) -> bool) -> String {
    match part.split_once('=') {
        Some((name, value)) if is_secret(name) => {
            let end = value.find(ends_value).unwrap_or(value.len());
            format!("{name}=****{}", &value[end..])
        }
        _ => part.to_owned(),
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase().replace('-', "_");
    SECRET_NAMES.iter().any(|secret| name.contains(secret))
}

fn shortened(mut text: String) -> String {
    if text.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or_default());
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_keeps_no_secret() {
        for (said, kept) in [
            (
                "no route to `postgres://me:s3,c@h:5439/dev`",
                "no route to `postgres://****@h:5439/dev`",
            ),
            ("x?X-Amz-Signature=ab12&n=1", "x?X-Amz-Signature=****&n=1"),
            (
                "near 'aws_access_key_id=A;aws_secret_access_key=B'",
                "near 'aws_access_key_id=****;aws_secret_access_key=****'",
            ),
            (
                "cannot read `s3://bucket/me@home.json`\nat 1",
                "cannot read `s3://bucket/me@home.json` at 1",
            ),
        ] {
            assert_eq!(without_secrets(said), kept);
        }
    }

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let cut = shortened("é".repeat(3000));
        assert_eq!((cut.len(), cut.chars().last()), (2003, Some('…')));
        assert_eq!(shortened("short".into()), "short");
    }
}
