//! Every statement of `statements/` is accepted as the form, or refused by the rule, that stands above it.

mod corpus;

use std::collections::BTreeSet;

use corpus::Expected;
use redshift_lint::{RuleKind, check, rules};

#[test]
fn every_statement_is_judged_as_it_says() {
    let cases = corpus::cases();
    let mut wrong = Vec::new();
    for case in &cases {
        let found = match check(&case.statement) {
            Ok(form) => Expected::Accepts(format!("{form:?}")),
            Err(refusal) => Expected::Refuses(refusal.rule.into()),
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
    println!("{} statements judged", cases.len());
}

#[test]
fn a_refusal_says_where_it_stands_and_what_to_do() {
    for case in corpus::cases() {
        let Err(refusal) = check(&case.statement) else { continue };
        assert!(refusal.at <= case.statement.len(), "{}: {refusal}", case.statement);
        assert!(case.statement.is_char_boundary(refusal.at), "{}: {refusal}", case.statement);
        assert!(!refusal.hint.is_empty() && !refusal.message.is_empty(), "{refusal:?}");
        assert!(
            refusal.page.starts_with("https://docs.aws.amazon.com/redshift/latest/"),
            "{refusal:?}"
        );
        assert!(!refusal.message.contains("hidden"), "a key is repeated: {refusal}");
    }
}

#[test]
fn a_statement_that_is_accepted_is_so_with_a_semicolon_and_in_capitals() {
    for case in corpus::cases() {
        if !matches!(case.expected, Expected::Accepts(_)) || case.statement.contains("--") {
            continue;
        }
        let closed = format!("{} ;\n", case.statement.trim_end().trim_end_matches(';'));
        assert!(check(&closed).is_ok(), "{closed}");
        // Strings keep their letters.
        let capitals: String = case
            .statement
            .split('\'')
            .enumerate()
            .map(
                |(place, part)| {
                    if place % 2 == 0 { part.to_ascii_uppercase() } else { part.into() }
                },
            )
            .collect::<Vec<_>>()
            .join("'");
        assert!(check(&capitals).is_ok(), "{capitals}: {}", check(&capitals).unwrap_err());
    }
}

#[test]
fn every_rule_is_seen_to_refuse_and_every_form_to_pass() {
    let seen: BTreeSet<String> = corpus::cases()
        .into_iter()
        .filter_map(|case| match case.expected {
            Expected::Refuses(rule) => Some(rule),
            Expected::Accepts(_) => None,
        })
        .collect();
    let elsewhere = corpus::seen_elsewhere();
    for rule in rules().filter(|rule| rule.kind == RuleKind::Refuses) {
        let told = elsewhere.iter().any(|(id, _)| *id == rule.id);
        assert!(seen.contains(rule.id) || told, "no test sees `{}` refuse", rule.id);
    }
    let known: BTreeSet<&str> =
        rules().filter(|rule| rule.kind == RuleKind::Refuses).map(|rule| rule.id).collect();
    assert!(
        seen.iter().all(|rule| known.contains(rule.as_str())),
        "a rule is written that there is not"
    );
}
