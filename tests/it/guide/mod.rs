//! The guide: every command in README, tutorial, course walk-through and some how-to pages runs and
//! prints what its page shows; generated pages are up to date; links resolve; examples run.
//!
//! `INSTA_UPDATE=always` writes the printed output and the generated pages into the repository.

mod course;
mod examples;
mod generated;
mod json;
mod links;
mod page;
mod pages;
mod run;

use std::path::{Path, PathBuf};

/// Returns the path of a file of the repository.
fn repository(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap().join(file)
}

fn read(file: &str) -> String {
    std::fs::read_to_string(repository(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn updates() -> bool {
    std::env::var_os("INSTA_UPDATE").is_some_and(|value| value == "always")
}

/// Asserts that a file of the repository has this text, or writes it.
fn assert_current(file: &str, text: &str) {
    if updates() {
        std::fs::write(repository(file), text).unwrap();
    }
    let found = std::fs::read_to_string(repository(file)).unwrap_or_default();
    if let Some((old, new)) = found.lines().zip(text.lines()).find(|(old, new)| old != new) {
        panic!(
            "{file} is outdated, INSTA_UPDATE=always writes it\nfound:    {old}\nexpected: {new}"
        );
    }
    assert!(found == text, "{file} is outdated, INSTA_UPDATE=always writes it");
}
