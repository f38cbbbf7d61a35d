//! Every entry of the allow-lists passes, and `docs/redshift-evidence.md` says of each rule what is true of it.

mod corpus;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use corpus::Expected;
use redshift_lint::{Rule, RuleKind, check, rules};

fn entries(kind: RuleKind) -> impl Iterator<Item = Rule> {
    rules().filter(move |rule| rule.kind == kind)
}

/// The words of what is accepted in one file.
fn words(file: &str) -> BTreeSet<String> {
    corpus::cases()
        .into_iter()
        .filter(|case| case.file == file && matches!(case.expected, Expected::Accepts(_)))
        .flat_map(|case| {
            let word = |c: char| !c.is_ascii_alphanumeric() && c != '_';
            case.statement.split(word).map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn every_form_is_seen_to_pass() {
    let seen: BTreeSet<String> = corpus::cases()
        .into_iter()
        .filter_map(|case| match case.expected {
            Expected::Accepts(form) => Some(form),
            Expected::Refuses(_) => None,
        })
        .collect();
    assert_eq!(seen.len(), entries(RuleKind::Statement).count(), "{seen:?}");
}

#[test]
fn every_type_and_setting_passes() {
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
fn every_option_is_seen_to_pass() {
    for (kind, file) in [(RuleKind::CopyOption, "copy"), (RuleKind::UnloadOption, "unload")] {
        let words = words(file);
        let missing: Vec<&str> = entries(kind)
            .map(|rule| rule.id)
            .filter(|id| !id.split(' ').all(|word| words.contains(word)))
            .collect();
        assert!(missing.is_empty(), "{file}: nothing shows {missing:?}");
    }
}

/// Where a rule is seen to refuse: files of statements with the number of them, or a test.
fn shown(rule: &Rule) -> String {
    let mut files: BTreeMap<String, u32> = BTreeMap::new();
    for case in corpus::cases() {
        if case.expected == Expected::Refuses(rule.id.into()) {
            *files.entry(case.file).or_default() += 1;
        }
    }
    let mut places: Vec<String> =
        files.into_iter().map(|(file, count)| format!("statements/{file}.txt ({count})")).collect();
    let elsewhere = corpus::seen_elsewhere().into_iter().filter(|(id, _)| *id == rule.id);
    places.extend(elsewhere.map(|(_, test)| test.trim_start_matches("tests/").to_owned()));
    places.join(", ")
}

fn linked(page: &str) -> String {
    let name = page.rsplit('/').next().unwrap_or(page).trim_end_matches(".html");
    format!("[{name}]({page})")
}

fn table() -> String {
    let mut text =
        String::from("| rule | it says | page | where it is tested |\n|---|---|---|---|\n");
    for rule in entries(RuleKind::Refuses) {
        let says = rule.says.replace('|', "\\|");
        writeln!(text, "| {} | {says} | {} | {} |", rule.id, linked(rule.page), shown(&rule))
            .unwrap();
    }
    text
}

fn lists() -> String {
    let kinds = [
        (RuleKind::Statement, "statement"),
        (RuleKind::Type, "type"),
        (RuleKind::Function, "function"),
        (RuleKind::CopyOption, "option of COPY"),
        (RuleKind::UnloadOption, "option of UNLOAD"),
        (RuleKind::Setting, "setting"),
    ];
    let mut text = String::from("| kind | let through | page |\n|---|---|---|\n");
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
                linked(page)
            )
            .unwrap();
        }
    }
    text
}

/// The text with what stands between the two marks of `name` replaced.
fn with_section(text: &str, name: &str, content: &str) -> String {
    let (begin, end) =
        (format!("<!-- {name}: written by a test -->\n"), format!("<!-- {name}: end -->"));
    let (before, rest) = text.split_once(&begin).expect("the section's beginning");
    let (_, after) = rest.split_once(&end).expect("the section's end");
    format!("{before}{begin}\n{content}\n{end}{after}")
}

#[test]
fn the_evidence_is_what_the_rules_say() {
    let path = corpus::root().join("../../docs/redshift-evidence.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let wanted = with_section(&with_section(&text, "rules", &table()), "lists", &lists());
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(&path, &wanted).unwrap();
    } else {
        assert!(text == wanted, "docs/redshift-evidence.md differs: INSTA_UPDATE=always writes it");
    }
    for rule in entries(RuleKind::Refuses) {
        assert!(!shown(&rule).is_empty(), "no test sees `{}` refuse", rule.id);
    }
}
