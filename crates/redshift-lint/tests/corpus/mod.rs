//! Reader of `statements/`: paragraphs of a header and a statement. The header is `-- valid KIND`
//! or `-- violates RULE`.
//!
//! `-- valid KIND, unlike sqlfluff` marks documented syntax that sqlfluff cannot parse.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::path::{Path, PathBuf};

/// Expected result of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// Statement of this kind.
    Valid(String),
    /// Violation of this rule.
    Violates(String),
}

/// Statement with its expected result.
#[derive(Debug, Clone)]
pub struct Case {
    /// Stem of the file's name.
    pub file: String,
    pub expected: Expected,
    /// True if sqlfluff is known not to parse this valid statement.
    pub unlike_sqlfluff: bool,
    pub statement: String,
}

/// Rules that no single statement of `statements/` can violate, and the test that does.
pub fn tested_elsewhere() -> [(&'static str, &'static str); 5] {
    [
        ("statement-size", "tests/robustness.rs"),
        ("transaction-block", "tests/session.rs"),
        ("commits-block", "tests/session.rs"),
        ("cursor", "tests/session.rs"),
        ("udf-call", "tests/session.rs"),
    ]
}

/// Returns the root of the crate.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the cases of all files, in order.
pub fn cases() -> Vec<Case> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(root().join("tests/statements"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files.iter().flat_map(|file| cases_of(file)).collect()
}

fn cases_of(file: &Path) -> Vec<Case> {
    let text = std::fs::read_to_string(file).unwrap();
    let stem = file.file_stem().unwrap().to_str().unwrap();
    text.trim().split("\n\n").map(|paragraph| case(stem, paragraph)).collect()
}

fn case(file: &str, paragraph: &str) -> Case {
    let (header, statement) = paragraph.split_once('\n').unwrap_or((paragraph, ""));
    let (header, unlike_sqlfluff) = match header.strip_suffix(", unlike sqlfluff") {
        Some(header) => (header, true),
        None => (header, false),
    };
    let expected = match header.split(' ').collect::<Vec<_>>().as_slice() {
        ["--", "valid", kind] => Expected::Valid((*kind).into()),
        ["--", "violates", rule] => Expected::Violates((*rule).into()),
        _ => panic!("{file}: invalid header `{header}`"),
    };
    Case { file: file.into(), expected, unlike_sqlfluff, statement: statement.into() }
}
