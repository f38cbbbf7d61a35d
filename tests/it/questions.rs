//! The questions that have a name: what they answer, in which forms, within which bounds.

use std::path::Path;

use sparkify::report::{Parameter, Question};

use crate::support::{event, put, run, song};

/// Three days of one user who goes from free to paid and back, with a play at each level.
fn loaded() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "data/song_data/a.json", song("SO1", "One", 200.5));
    let day = 86_400_000;
    let events: String = ["free", "paid", "free"]
        .into_iter()
        .zip(0..)
        .map(|(level, place)| {
            let ts = 1_541_376_000_000 + u64::from(place) * day;
            event(place, 0, ts, "NextSong", "One").replace("\"free\"", &format!("\"{level}\""))
        })
        .collect();
    put(folder.path(), "data/log_data/e.json", events);
    etl(folder.path());
    folder
}

fn etl(folder: &Path) {
    run(folder, ["etl", "--song-data", "data/song_data", "--log-data", "data/log_data"]).good();
}

fn csv(folder: &Path, arguments: &[&str]) -> String {
    run(folder, ["query", "--format", "csv"].iter().chain(arguments)).good()
}

#[test]
fn every_named_question_answers_in_every_form() {
    let folder = loaded();
    let here = folder.path();
    let list = run(here, ["query", "--list", "--output", "json"]).json();
    let listed = list.as_array().unwrap();
    assert!(listed.len() >= 30, "{}", listed.len());
    for question in listed {
        let name = question["name"].as_str().unwrap();
        assert!(run(here, ["query", name]).good().contains("row"), "{name}");
        let answer = csv(here, &[name]);
        assert!(answer.lines().count() > 1, "{name}");
        let described = question["columns"].as_array().unwrap();
        let described: Vec<&str> = described.iter().map(|c| c["name"].as_str().unwrap()).collect();
        assert_eq!(answer.lines().next().unwrap(), described.join(","), "{name} describes itself");
        let rows = run(here, ["query", name, "--format", "json"]).json();
        let lines = run(here, ["query", name, "--format", "ndjson"]).good();
        let lines: Vec<serde_json::Value> =
            lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(rows.as_array().unwrap(), &lines, "{name}");
        let markdown = run(here, ["query", name, "--format", "markdown"]).good();
        assert_eq!(markdown.lines().count(), lines.len() + 2, "{name}");
    }
}

#[test]
fn each_column_and_parameter_is_described() {
    for question in Question::all() {
        let name = question.name();
        assert!(question.asks().ends_with('?'), "{name}");
        let columns = question.columns();
        assert!(columns.iter().all(|column| !column.description.is_empty()), "{name}");
        let used = (1..10).filter(|n| question.file.text.contains(&format!("${n}"))).count();
        assert_eq!(used, question.parameters().len(), "{name} binds what it says");
        for parameter in question.parameters() {
            match parameter {
                Parameter::Limit(rows) => assert!(rows > 0, "{name}"),
                Parameter::By(choices) => assert!(choices.contains(", "), "{name}"),
                _ => {}
            }
        }
    }
}

#[test]
fn bounds_are_days_and_both_are_in() {
    let folder = loaded();
    let here = folder.path();
    let days = |bounds: &[&str]| {
        let answer = csv(here, &[&["plays_by_day"], bounds].concat());
        answer.lines().skip(1).map(|line| line[8..10].to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(days(&[]), "05 06 07");
    assert_eq!(days(&["--since", "2018-11-06"]), "06 07");
    assert_eq!(days(&["--until", "2018-11-06"]), "05 06");
    assert_eq!(days(&["--since", "2018-11-06", "--until", "2018-11-06"]), "06");
    assert_eq!(days(&["--level", "paid"]), "06");
    assert_eq!(days(&["--level", "' or 1=1 --"]), "", "what is bound is never read as SQL");
    assert_eq!(days(&["--until", "9999-12-31"]), "05 06 07");
    let words = run(here, ["query", "plays_by_day", "--limit", "3"]).bad(2);
    insta::assert_snapshot!(words, @r"
    error: the question `plays_by_day` takes no `--limit`
    hint: it takes `--since`, `--until`, `--level`
    ");
    let words = run(here, ["query", "top_songs", "--by", "price"]).bad(2);
    insta::assert_snapshot!(words, @r"
    error: the question `top_songs` has no `--by price`
    hint: it may be one of: plays, listeners, hours
    ");
    let words = run(here, ["query", "select 1", "--level", "paid"]).bad(2);
    insta::assert_snapshot!(words, @r"
    error: SQL takes no `--level`
    hint: write it into the SQL; `sparkify query --list` names questions that take bounds
    ");
    let words = run(here, ["query", "row_counts", "--since", "5.11.2018"]).bad(2);
    assert!(words.contains("`5.11.2018` is not a date"), "{words}");
    let order = ["query", "overview", "--since", "2018-11-07", "--until", "2018-11-05"];
    assert!(run(here, order).bad(2).contains("lies before"));
    run(here, ["query", "top_songs", "--limit", "-1"]).bad(2);
}
