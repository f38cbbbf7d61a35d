//! Checks of all statements in `statements/` against the expected kind or rule in their header.

mod corpus;

use std::collections::BTreeSet;

use corpus::Expected;
use redshift_lint::{RuleKind, check, rules};

#[test]
fn statements_have_their_expected_result() {
    let cases = corpus::cases();
    let mut wrong = Vec::new();
    for case in &cases {
        let found = match check(&case.statement) {
            Ok(kind) => Expected::Valid(format!("{kind:?}")),
            Err(violation) => Expected::Violates(violation.rule.into()),
        };
        if found != case.expected {
            wrong.push(format!(
                "{}: {:?}, not {found:?}: {}",
                case.file, case.expected, case.statement
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    assert!(cases.len() > 350, "{} statements", cases.len());
    println!("{} statements checked", cases.len());
}

#[test]
fn violations_have_a_position_a_page_and_a_hint() {
    for case in corpus::cases() {
        let Err(violation) = check(&case.statement) else { continue };
        assert!(violation.offset <= case.statement.len(), "{}: {violation}", case.statement);
        assert!(
            case.statement.is_char_boundary(violation.offset),
            "{}: {violation}",
            case.statement
        );
        assert!(!violation.hint.is_empty() && !violation.message.is_empty(), "{violation:?}");
        assert!(
            violation.page.starts_with("https://docs.aws.amazon.com/redshift/latest/"),
            "{violation:?}"
        );
        assert!(
            !violation.message.contains("hidden"),
            "the message contains a secret: {violation}"
        );
    }
}

#[test]
fn valid_statements_are_valid_with_a_semicolon_and_in_upper_case() {
    for case in corpus::cases() {
        if !matches!(case.expected, Expected::Valid(_)) || case.statement.contains("--") {
            continue;
        }
        let closed = format!("{} ;\n", case.statement.trim_end().trim_end_matches(';'));
        assert!(check(&closed).is_ok(), "{closed}");
        // Every second part is the content of a string literal, which keeps its case.
        let upper_case: String = case
            .statement
            .split('\'')
            .enumerate()
            .map(
                |(index, part)| {
                    if index % 2 == 0 { part.to_ascii_uppercase() } else { part.into() }
                },
            )
            .collect::<Vec<_>>()
            .join("'");
        assert!(check(&upper_case).is_ok(), "{upper_case}: {}", check(&upper_case).unwrap_err());
    }
}

#[test]
fn every_restriction_is_tested_and_every_tested_rule_exists() {
    let tested: BTreeSet<String> = corpus::cases()
        .into_iter()
        .filter_map(|case| match case.expected {
            Expected::Violates(rule) => Some(rule),
            Expected::Valid(_) => None,
        })
        .collect();
    let elsewhere = corpus::tested_elsewhere();
    for rule in rules().filter(|rule| rule.kind == RuleKind::Restriction) {
        let is_tested_elsewhere = elsewhere.iter().any(|(id, _)| *id == rule.id);
        assert!(tested.contains(rule.id) || is_tested_elsewhere, "no test violates `{}`", rule.id);
    }
    let known: BTreeSet<&str> =
        rules().filter(|rule| rule.kind == RuleKind::Restriction).map(|rule| rule.id).collect();
    assert!(
        tested.iter().all(|rule| known.contains(rule.as_str())),
        "a test expects an unknown rule"
    );
}
