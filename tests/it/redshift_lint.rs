//! `sparkify sql --check`: the SQL of sparkify, and scripts of users.

use std::io::Write;
use std::process::Stdio;

use crate::support::{put, run, sparkify};

#[test]
fn the_sql_of_sparkify_passes_the_linter() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(folder.path(), ["sql", "--check", "--output", "json"]);
    assert!(ended.err.contains("statements checked: "), "{}", ended.err);
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), "[]\n"), "{}", ended.err);
}

#[test]
fn violations_have_a_position_a_rule_and_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    put(here, "good.sql", "-- One.\nselect 'it''s; \\\\';\nbegin; delete from t; commit;\n");
    let ended = run(here, ["sql", "--check", "good.sql"]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), ""));
    assert_eq!(ended.err, "statements checked: 4, violations: none\n");

    put(
        here,
        "bad.sql",
        "select 1;\n\nselect\n    string_agg(a, ',')\nfrom t;\nbegin;\ntruncate t;\n",
    );
    let ended = run(here, ["sql", "--check", "bad.sql"]);
    assert_eq!(ended.code, Some(1));
    let lines: Vec<&str> = ended.out.lines().collect();
    assert!(
        lines[0]
            .starts_with("bad.sql:4: function-missing: unsupported function `string_agg`; hint: "),
        "{}",
        lines[0]
    );
    assert!(lines[0].ends_with("/c_unsupported-postgresql-functions.html"), "{}", lines[0]);
    assert!(lines[1].starts_with("bad.sql:7: commits-block: "), "{}", lines[1]);
    assert_eq!(lines.len(), 2);
    assert_eq!(ended.err, "error: statements checked: 4, violations: 2\n");

    put(here, "empty.sql", "-- nothing\n");
    run(here, ["sql", "--check", "empty.sql"]).bad(2);
    run(here, ["sql", "--check", "missing.sql"]).bad(2);
}

#[test]
fn a_script_from_standard_input_is_split_as_redshift_splits_it() {
    // The value `\'; drop table t; --`: with the escapes of PostgreSQL, which are insufficient, and
    // with those of Redshift.
    let postgres = r"select '\''; drop table t; --';";
    let redshift = r"select '\\''; drop table t; --';";
    for (script, statements) in [(postgres, 2), (redshift, 1)] {
        let message = piped(script);
        assert_eq!(
            message,
            format!("statements checked: {statements}, violations: none\n"),
            "{script}"
        );
    }
}

/// Checks a script from standard input, and returns the message of success.
fn piped(script: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut child = sparkify(folder.path(), ["sql", "--check", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn the_rules_are_listed_with_their_pages() {
    let folder = tempfile::tempdir().unwrap();
    let rules = run(folder.path(), ["sql", "--rules", "--output", "json"]).json();
    let rules = rules.as_array().unwrap();
    assert!(rules.len() > 300, "{}", rules.len());
    for rule in rules {
        assert!(
            rule["page"].as_str().unwrap().starts_with("https://docs.aws.amazon.com/redshift/"),
            "{rule}"
        );
        let refuses = rule["does"] == "refuses";
        assert_eq!(refuses, !rule["hint"].as_str().unwrap().is_empty(), "{rule}");
    }
    let text = run(folder.path(), ["sql", "--rules"]).good();
    assert!(text.contains("merge-shape") && text.contains("strtol"), "{text}");
    run(folder.path(), ["sql", "--rules", "--check"]).bad(2);
}
