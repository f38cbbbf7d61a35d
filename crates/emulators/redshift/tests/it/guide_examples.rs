//! Results that the developer guide prints, from `guide_examples.txt`.

use crate::client::{Client, emulator};

const EXAMPLES: &str = include_str!("guide_examples.txt");

/// Removes the alignment of a printed result; the guide writes booleans in several ways.
fn normalized(result: &str) -> String {
    let words: Vec<&str> = result
        .split_whitespace()
        .map(|word| match word {
            "True" | "true" => "t",
            "False" | "false" => "f",
            word => word,
        })
        .collect();
    words.join(" ")
}

#[test]
fn examples_have_the_printed_results() {
    let emulator = emulator();
    let client = Client::connect(&emulator);
    let mut wrong = Vec::new();
    let examples: Vec<&str> = EXAMPLES.trim().split("\n\n").skip(1).collect();
    for example in &examples {
        let lines: Vec<&str> = example.lines().collect();
        let [page, statement, printed] = lines[..] else { panic!("{example}") };
        let expected = if printed == "(empty)" { String::new() } else { normalized(printed) };
        let values: Vec<String> = client
            .rows(statement)
            .into_iter()
            .next()
            .unwrap_or_default()
            .into_iter()
            .map(Option::unwrap_or_default)
            .collect();
        let found = normalized(&values.join(" | "));
        if found != expected {
            wrong.push(format!("{page}: {statement}: {found}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), examples.len(), wrong.join("\n"));
    assert!(examples.len() > 150, "{}", examples.len());
}
