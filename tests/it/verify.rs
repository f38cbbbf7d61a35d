//! What is expected of a warehouse: met, explained with rows and numbers that add up, or not explained; and profiles that people write.

use std::path::Path;

use serde_json::Value;

use crate::support::{course, duckdb, load, loaded, put, run};

fn execute(folder: &Path, statements: &[&str]) {
    let mut warehouse = duckdb(folder.join("sparkify.duckdb").to_str().unwrap());
    for statement in statements {
        warehouse.execute(statement).unwrap();
    }
}

/// The findings by name, and the exit code.
fn verify(folder: &Path, profile: &str) -> (Value, Option<i32>) {
    let ended = run(folder, ["verify", "--profile", profile, "--output", "json"]);
    let document: Value = serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{ended:#?}"));
    let findings = document["findings"].as_array().unwrap().iter();
    let named =
        findings.map(|finding| (finding["name"].as_str().unwrap().to_owned(), finding.clone()));
    (Value::Object(named.collect()), ended.code)
}

/// What the causes of a finding add, each, and that they lead from the value found to the value expected.
fn sum(finding: &Value) -> Vec<f64> {
    let adds: Vec<f64> = finding["causes"]
        .as_array()
        .map(|causes| causes.iter().map(|cause| cause["adds"].as_f64().unwrap()).collect())
        .unwrap_or_default();
    let left = finding["unexplained"].as_f64().unwrap_or_default();
    let reached = finding["found"].as_f64().unwrap() + adds.iter().sum::<f64>() + left;
    assert!((reached - finding["expected"].as_f64().unwrap()).abs() < 1e-6, "{finding:#}");
    adds
}

#[test]
fn the_courses_numbers_are_explained_to_the_row() {
    let Some(data) = course() else { return crate::course::not_there() };
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    load(duckdb(here.join("sparkify.duckdb").to_str().unwrap()).as_mut(), &data, 0.0).unwrap();
    let (findings, code) = verify(here, "course");
    assert_eq!(code, Some(1));
    for (name, status, adds) in [
        ("staging_events", "met", &[][..]),
        ("staging_songs", "explained", &[-1.0, 12953.0]),
        ("songplays", "met", &[]),
        ("users", "explained", &[8.0, -1.0]),
        ("songs", "explained", &[12953.0]),
        ("artists", "explained", &[17.0, 8199.0]),
        ("time", "met", &[]),
        ("time, of all events", "explained", &[1210.0]),
        ("songplays, by title and artist", "explained", &[-6779.0, 292.0]),
        ("songplays, by title, artist and duration", "explained", &[-6779.0, -2.0, 280.0]),
        ("songplays, loaded twice", "explained", &[6820.0]),
        ("song objects", "explained", &[12953.0]),
    ] {
        assert_eq!(findings[name]["status"], status, "{name}");
        assert_eq!(sum(&findings[name]), adds, "{name}");
    }
    assert_eq!(findings.as_object().unwrap().len(), 12);
    let users = &findings["users"]["causes"];
    let ids = |cause: &Value| -> Vec<i64> {
        cause["samples"].as_array().unwrap().iter().map(|row| row[0].as_i64().unwrap()).collect()
    };
    assert_eq!((ids(&users[0]), ids(&users[1])), (vec![15, 16, 29, 36, 49], vec![21]));
    let words = run(here, ["verify", "--profile", "course"]);
    assert!(words.out.contains("\nusers: 104 = 97 + 8 - 1\n"), "{}", words.out);
    assert!(words.err.contains("9 of 12 expectations are not met: 9 are explained, 0 are not"));
    let (findings, code) = verify(here, "strict");
    assert_eq!(code, Some(0));
    let count = |status: &str| {
        findings.as_object().unwrap().values().filter(|finding| finding["status"] == status).count()
    };
    assert_eq!((count("met"), count("skipped")), (55, 2));
    // A part of the month says that it is one.
    execute(here, &["delete from staging_events where ts > 1543100000000"]);
    let (findings, _) = verify(here, "course");
    assert_eq!(findings["staging_events"]["status"], "explained");
    assert_eq!(findings["songs"]["status"], "unexplained", "now nobody knows what is loaded");
}

#[test]
fn any_good_warehouse_is_strictly_right_and_each_damage_is_explained() {
    let folder = loaded();
    let here = folder.path();
    let empty = tempfile::tempdir().unwrap();
    run(empty.path(), ["create-tables"]).good();
    assert_eq!(verify(empty.path(), "strict").1, Some(0));
    let size = ["--songs", "300", "--events", "8000", "--days", "9", "--users", "90"];
    run(empty.path(), ["generate", "data", "--awkward"].iter().chain(&size)).good();
    let paths = [
        "--song-data",
        "data/song_data",
        "--log-data",
        "data/log_data",
        "--max-reject-share",
        "50%",
    ];
    run(empty.path(), ["etl"].iter().chain(&paths)).good();
    assert_eq!(verify(empty.path(), "strict").1, Some(0));
    assert_eq!(verify(here, "strict").1, Some(0));
    let good = std::fs::read(here.join("sparkify.duckdb")).unwrap();
    for (damage, name, adds) in [
        ("delete from songplays where item_in_session > 1", "songplays", &[2.0][..]),
        ("insert into songplays select * from songplays", "songplays", &[-4.0]),
        ("update songplays set songplay_id = uuid()", "songplay_id", &[-4.0]),
        ("delete from users", "users", &[1.0]),
        (
            "insert into users values (8, null, null, null, 'x'), (7, null, null, null, 'y')",
            "users",
            &[-2.0],
        ),
    ] {
        std::fs::write(here.join("sparkify.duckdb"), &good).unwrap();
        execute(here, &[damage]);
        let (findings, code) = verify(here, "strict");
        assert_eq!((code, &findings[name]["status"]), (Some(1), &"explained".into()), "{damage}");
        assert_eq!(sum(&findings[name]), adds, "{damage}");
    }
    for (damage, name) in [
        ("delete from staging_songs", "staging_songs"),
        ("insert into etl_rejects select 1, 1, 0, 1, 'x', 'x'::blob", "etl_rejects"),
        ("delete from user_levels", "user_levels"),
        ("delete from songs", "songs"),
        ("delete from artists", "artists"),
        ("delete from time", "time"),
        ("delete from songplays", "plays staged"),
    ] {
        std::fs::write(here.join("sparkify.duckdb"), &good).unwrap();
        execute(here, &[damage]);
        assert_eq!(verify(here, "strict").0[name]["status"], "unexplained", "{damage}");
    }
}

#[test]
fn strict_holds_every_check() {
    let text = sparkify_analytics::verify::text("strict").unwrap();
    for check in sparkify_load::data_tests::DATA_TESTS {
        assert!(text.contains(&format!("check = \"{}\"", check.name)), "{}", check.name);
    }
}

const OWN: &str = r#"
title = "ours"

[conditions.never]
says = "it is never so"
query = "select false"

[[expect]]
name = "plays"
query = "select count(*) from songplays"
value = 7

[[expect.cause]]
says = "plays count twice with us"
rows = "select songplay_id from songplays where item_in_session < 2 order by item_in_session"

[[expect]]
name = "hours"
query = "select sum(length) / 3600 from songplays"
value = 0.22
tolerance = 0.005

[[expect]]
name = "title"
query = "select max(song_title) from songplays"
value = "One"

[[expect]]
name = "paid"
query = "select count(*) = 0 from songplays where level = 'paid'"
value = true

[[expect]]
name = "elsewhere"
query = "select 1"
value = 2
when = "never"

[[expect]]
name = "keys"
check = "keys_present"
"#;

#[test]
fn a_team_writes_its_own() {
    let folder = loaded();
    put(folder.path(), "mine.toml", OWN);
    let ended = run(folder.path(), ["verify", "--profile", "mine.toml"]);
    assert_eq!(ended.code, Some(1));
    let id = without_ids(&ended.out);
    insta::assert_snapshot!(id, @r"
    ours

            what   expected   found  is
    ────────────────────────────────────────────────────────────────────────────────────────────────
    FAILED  plays         7       4
    ok      hours      0.22  0.2228
    ok      title       One     One
    ok      paid       true    true
    ok      keys          0       0  rows against: no key and no needed column of the model is null
    skipped: 1, which hold only if it is never so

    plays: 7 = 4 + 2 + 1
      + 2  plays count twice with us
          songplay_id
          ─────────────────────────────────────
          ID
          ID
      + 1  nothing explains this
    ");
    assert!(ended.err.contains(
        "error: 1 of 5 expectations are not met: 0 are explained, 1 are not; 1 are about other data"
    ));
    put(folder.path(), "mine.toml", OWN.replace("value = 7", "value = 6"));
    assert_eq!(verify(folder.path(), "mine.toml").0["plays"]["status"], "explained");
    put(folder.path(), "mine.toml", OWN.replace("value = 7", "value = 4"));
    assert_eq!(verify(folder.path(), "mine.toml").1, Some(0));
    // One of ours is a file like any other.
    let printed = run(folder.path(), ["verify", "--print"]).good();
    put(folder.path(), "copy.toml", printed);
    assert_eq!(verify(folder.path(), "copy.toml").1, Some(0));
}

/// Ids of plays, which say nothing here, as `ID`.
fn without_ids(text: &str) -> String {
    let is_id = |word: &str| word.len() == 36 && word.matches('-').count() == 4;
    let line =
        |line: &str| if is_id(line.trim()) { line.replace(line.trim(), "ID") } else { line.into() };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_no_profile_is_refused_with_its_place() {
    let folder = loaded();
    let here = folder.path();
    let head = "title = \"t\"\n[[expect]]\nname = \"n\"\n";
    let query = "query = \"select 1\"\nvalue = 1\n";
    for (text, words) in [
        (String::new(), "line 1: missing field `title`"),
        ("title = 't'".into(), "it expects nothing"),
        ("title = \"t".into(), "line 1: "),
        (format!("{head}{query}vlaue = 2\n"), "line 6: unknown field `vlaue`"),
        (format!("{head}value = 1\n"), "`n` needs either `query` or `check`"),
        (format!("{head}{query}check = \"keys_present\"\n"), "`n` needs either `query` or `check`"),
        (format!("{head}query = \"select 1\"\n"), "`n` needs either `value` or `equals`"),
        (format!("{head}{query}equals = \"select 1\"\n"), "`n` needs either `value` or `equals`"),
        (format!("{head}check = \"keys\"\n"), "names the check `keys`, which there is not"),
        (
            format!("{head}{query}when = \"x\"\n"),
            "depends on the condition `x`, which there is not",
        ),
        (format!("{head}{query}tolerance = -1\n"), "the tolerance of `n` is no distance"),
        (format!("{head}{query}tolerance = nan\n"), "the tolerance of `n` is no distance"),
        (format!("{head}{query}[[expect]]\nname = \"n\"\n{query}"), "`n` stands twice"),
        (
            format!("{head}{query}[[expect.cause]]\nsays = \"s\"\n"),
            "needs either `rows` or `rest = true`",
        ),
        (
            format!("{head}{query}[[expect.cause]]\nsays = \"s\"\nrest = true\neach = 0\n"),
            "adds nothing",
        ),
        (format!("{head}query = \"\"\nvalue = 1\n"), "has a query that is none"),
        (format!("{head}query = \"delete from users\"\nvalue = 1\n"), "has a query that is none"),
        ("x".repeat(2 << 20), "it is longer than 1 MiB"),
    ] {
        put(here, "p.toml", &text);
        let told = run(here, ["verify", "--profile", "p.toml"]).bad(2);
        assert!(told.contains(words) && told.contains("hint: "), "{told}\n{text:.200}");
    }
    put(here, "p.toml", b"\xff\xfe\x00");
    assert!(
        run(here, ["verify", "--profile", "p.toml"]).bad(2).contains("cannot read the profile")
    );
    assert!(run(here, ["verify", "--profile", "data/"]).bad(2).contains("cannot read the profile"));
    assert!(
        run(here, ["verify", "--profile", "no.toml"]).bad(2).contains("cannot read the profile")
    );
    let words = run(here, ["verify", "--profile", "strickt"]).bad(2);
    insta::assert_snapshot!(words, @r"
    error: there is no profile `strickt`
    hint: did you mean `strict`?
    ");
}

#[test]
fn what_a_profile_asks_only_reads() {
    let folder = loaded();
    let here = folder.path();
    let head = "title = \"t\"\n[[expect]]\nname = \"n\"\n";
    for (text, words) in [
        (format!("{head}query = \"select 1, 2\"\nvalue = 1\n"), "answers 2 columns"),
        (
            format!("{head}query = \"select * from range(9)\"\nvalue = 1\n"),
            "answers more than one row",
        ),
        (format!("{head}query = \"select 1 where false\"\nvalue = 1\n"), "answers no row"),
        (format!("{head}query = \"select x\"\nvalue = 1\n"), "cannot answer the expectation `n`"),
        (
            format!(
                "{head}query = \"select count(*) from read_text('/etc/hostname')\"\nvalue = 1\n"
            ),
            "disabled",
        ),
        (
            format!("{head}query = \"select 1; copy users to 'u.csv'\"\nvalue = 1\n"),
            "cannot answer",
        ),
        (format!("{head}query = \"select 1; set threads = 1\"\nvalue = 1\n"), "cannot answer"),
        (
            format!("{head}query = \"with x as (select 1) insert into users from x\"\nvalue = 1\n"),
            "cannot answer",
        ),
    ] {
        put(here, "p.toml", &text);
        let told = run(here, ["verify", "--profile", "p.toml"]).bad(2);
        assert!(told.contains(words) && told.contains("hint: "), "{told}\n{text:.200}");
    }
    assert!(!here.join("u.csv").exists());
}
