//! Tests of every allow-list entry, and the generator of the tables in `docs/reference/redshift-evidence.md`.

mod corpus;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use corpus::Expected;
use redshift_lint::{Rule, RuleKind, check, rules};

fn entries(kind: RuleKind) -> impl Iterator<Item = Rule> {
    rules().filter(move |rule| rule.kind == kind)
}

/// Returns all words of the valid statements of a file.
fn words(file: &str) -> BTreeSet<String> {
    corpus::cases()
        .into_iter()
        .filter(|case| case.file == file && matches!(case.expected, Expected::Valid(_)))
        .flat_map(|case| {
            let word = |c: char| !c.is_ascii_alphanumeric() && c != '_';
            case.statement.split(word).map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn every_statement_kind_is_tested() {
    let seen: BTreeSet<String> = corpus::cases()
        .into_iter()
        .filter_map(|case| match case.expected {
            Expected::Valid(kind) => Some(kind),
            Expected::Violates(_) => None,
        })
        .collect();
    assert_eq!(seen.len(), entries(RuleKind::Statement).count(), "{seen:?}");
}

#[test]
fn every_type_and_setting_is_valid() {
    for rule in entries(RuleKind::Type) {
        let written = match rule.id {
            "double" => "double precision",
            "binary" => "binary varying",
            id => id,
        };
        for statement in [
            format!("create table t (a {written})"),
            format!("select cast(a as {written}), b::{written} from t"),
            format!(
                "create function f_a ({written}) returns {written} stable as $$ select $1 $$ language sql"
            ),
        ] {
            assert!(check(&statement).is_ok(), "{statement}: {}", check(&statement).unwrap_err());
        }
    }
    for rule in entries(RuleKind::Setting) {
        for statement in [
            format!("set {} to default", rule.id),
            format!("show {}", rule.id),
            format!("reset {}", rule.id),
        ] {
            assert!(check(&statement).is_ok(), "{statement}");
        }
    }
}

#[test]
fn every_option_is_tested() {
    for (kind, file) in [(RuleKind::CopyOption, "copy"), (RuleKind::UnloadOption, "unload")] {
        let words = words(file);
        let missing: Vec<&str> = entries(kind)
            .map(|rule| rule.id)
            .filter(|id| !id.split(' ').all(|word| words.contains(word)))
            .collect();
        assert!(missing.is_empty(), "{file}: no test of {missing:?}");
    }
}

/// Lists the tests that violate a rule: files of statements with their number, or a test file.
fn tests_of(rule: &Rule) -> String {
    let mut files: BTreeMap<String, u32> = BTreeMap::new();
    for case in corpus::cases() {
        if case.expected == Expected::Violates(rule.id.into()) {
            *files.entry(case.file).or_default() += 1;
        }
    }
    let mut tests: Vec<String> =
        files.into_iter().map(|(file, count)| format!("statements/{file}.txt ({count})")).collect();
    let elsewhere = corpus::tested_elsewhere().into_iter().filter(|(id, _)| *id == rule.id);
    tests.extend(elsewhere.map(|(_, test)| test.trim_start_matches("tests/").to_owned()));
    tests.join(", ")
}

fn link(page: &str) -> String {
    let name = page.rsplit('/').next().unwrap_or(page).trim_end_matches(".html");
    format!("[{name}]({page})")
}

fn restrictions() -> String {
    let mut text = String::from("| rule | requirement | page | tests |\n|---|---|---|---|\n");
    for rule in entries(RuleKind::Restriction) {
        let summary = rule.summary.replace('|', "\\|");
        writeln!(text, "| {} | {summary} | {} | {} |", rule.id, link(rule.page), tests_of(&rule))
            .unwrap();
    }
    text
}

fn allow_lists() -> String {
    let kinds = [
        (RuleKind::Statement, "statement"),
        (RuleKind::Type, "type"),
        (RuleKind::Function, "function"),
        (RuleKind::CopyOption, "COPY option"),
        (RuleKind::UnloadOption, "UNLOAD option"),
        (RuleKind::Setting, "setting"),
    ];
    let mut text = String::from("| kind | allowed | page |\n|---|---|---|\n");
    for (kind, label) in kinds {
        let mut pages: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for rule in entries(kind) {
            pages.entry(rule.page).or_default().push(rule.id);
        }
        for (page, names) in pages {
            writeln!(
                text,
                "| {label} | {} | {} |",
                names.join(", ").replace('|', "\\|"),
                link(page)
            )
            .unwrap();
        }
    }
    text
}

/// Replaces the text between the two markers of the section `name`.
fn with_section(text: &str, name: &str, content: &str) -> String {
    let (begin, end) =
        (format!("<!-- {name}: written by a test -->\n"), format!("<!-- {name}: end -->"));
    let (before, rest) = text.split_once(&begin).expect("start marker");
    let (_, after) = rest.split_once(&end).expect("end marker");
    format!("{before}{begin}\n{content}\n{end}{after}")
}

#[test]
fn evidence_page_matches_the_rules() {
    let path = corpus::root().join("../../docs/reference/redshift-evidence.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let expected =
        with_section(&with_section(&text, "rules", &restrictions()), "lists", &allow_lists());
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(&path, &expected).unwrap();
    } else {
        assert!(
            text == expected,
            "docs/reference/redshift-evidence.md is outdated: INSTA_UPDATE=always updates it"
        );
    }
    for rule in entries(RuleKind::Restriction) {
        assert!(!tests_of(&rule).is_empty(), "no test violates `{}`", rule.id);
    }
}
