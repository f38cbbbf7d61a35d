//! The files of `statements/`: paragraphs that begin with `-- accepts FORM` or `-- refuses RULE`, then the statement.
//!
//! `-- accepts FORM, unlike sqlfluff` says that the second opinion cannot read a form which Amazon's guide documents.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::path::{Path, PathBuf};

/// What should become of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// It is of this form.
    Accepts(String),
    /// This rule refuses it.
    Refuses(String),
}

/// A statement with what should become of it.
#[derive(Debug, Clone)]
pub struct Case {
    /// The file's stem.
    pub file: String,
    /// What should become of it.
    pub expected: Expected,
    /// Whether sqlfluff, which accepts more elsewhere, is known not to read it.
    pub unlike_sqlfluff: bool,
    /// The statement as it is written.
    pub statement: String,
}

/// Rules that no single statement in a text file shows, and the test that does.
pub fn seen_elsewhere() -> [(&'static str, &'static str); 5] {
    [
        ("statement-size", "tests/hostile.rs"),
        ("transaction-block", "tests/session.rs"),
        ("commits-block", "tests/session.rs"),
        ("cursor", "tests/session.rs"),
        ("udf-call", "tests/session.rs"),
    ]
}

/// The root of the crate.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every case of every file, in order.
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
    let (head, statement) = paragraph.split_once('\n').unwrap_or((paragraph, ""));
    let (head, unlike_sqlfluff) = match head.strip_suffix(", unlike sqlfluff") {
        Some(head) => (head, true),
        None => (head, false),
    };
    let expected = match head.split(' ').collect::<Vec<_>>().as_slice() {
        ["--", "accepts", form] => Expected::Accepts((*form).into()),
        ["--", "refuses", rule] => Expected::Refuses((*rule).into()),
        _ => panic!("{file}: a paragraph begins with `{head}`"),
    };
    Case { file: file.into(), expected, unlike_sqlfluff, statement: statement.into() }
}
