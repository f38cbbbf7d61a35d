//! Reconciliation: expectations that are met, explained by rows, or unexplained; and profiles of
//! users.

use std::path::Path;

use serde_json::Value;

use crate::data::{COURSE, DataSet, on_each_data_set};
use crate::support::{duckdb, load, loaded, put, run};

fn execute(folder: &Path, statements: &[&str]) {
    let mut warehouse = duckdb(folder.join("sparkify.duckdb").to_str().unwrap());
    for statement in statements {
        warehouse.execute(statement).unwrap();
    }
}

/// Returns the findings by name, and the exit code.
fn verify(folder: &Path, profile: &str) -> (Value, Option<i32>) {
    let ended = run(folder, ["verify", "--profile", profile, "--output", "json"]);
    let document: Value = serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{ended:#?}"));
    let findings = document["findings"].as_array().unwrap().iter();
    let named =
        findings.map(|finding| (finding["name"].as_str().unwrap().to_owned(), finding.clone()));
    (Value::Object(named.collect()), ended.code)
}

/// Returns the amounts of the causes of a finding. They must lead from the actual to the expected
/// value.
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

/// Numbers published for a whole bucket of songs, and the explanation of their differences.
struct Published {
    song_objects: u64,
    /// Moments of the first and of the last event.
    moments: [u64; 2],
    users: u64,
    artists: u64,
    /// Moments of events of any page.
    times: u64,
    /// Rows of an inner join with the catalogue, by title and artist, and by duration too.
    joined: [u64; 2],
    listeners_at_two_levels: &'static [i64],
    users_without_plays: &'static [i64],
    /// Amounts that the causes of each finding add; none where the number is met.
    adds: [(&'static str, &'static [f64]); 12],
}

const PUBLISHED: Published = Published {
    song_objects: 14896,
    moments: [1_541_105_830_796, 1_543_607_664_796],
    users: 104,
    artists: 10025,
    times: 8023,
    joined: [333, 319],
    listeners_at_two_levels: &[15, 16, 29, 36, 49],
    users_without_plays: &[21],
    adds: [
        ("staging_events", &[]),
        ("staging_songs", &[-1.0, 12953.0]),
        ("songplays", &[]),
        ("users", &[8.0, -1.0]),
        ("songs", &[12953.0]),
        ("artists", &[17.0, 8199.0]),
        ("time", &[]),
        ("time, of all events", &[1210.0]),
        ("songplays, by title and artist", &[-6779.0, 292.0]),
        ("songplays, by title, artist and duration", &[-6779.0, -2.0, 280.0]),
        ("songplays, loaded twice", &[6820.0]),
        ("song objects", &[12953.0]),
    ],
};

/// Numbers as if the fixture were a part of a bucket with 20 song objects.
const OF_THE_FIXTURE: Published = Published {
    song_objects: 20,
    moments: [1_541_138_122_796, 1_543_428_336_126],
    users: 11,
    artists: 16,
    times: 217,
    joined: [140, 86],
    listeners_at_two_levels: &[8, 30],
    users_without_plays: &[21],
    adds: [
        ("staging_events", &[]),
        ("staging_songs", &[-1.0, 4.0]),
        ("songplays", &[]),
        ("users", &[2.0, -1.0]),
        ("songs", &[4.0]),
        ("artists", &[3.0, 2.0]),
        ("time", &[]),
        ("time, of all events", &[44.0]),
        ("songplays, by title and artist", &[-79.0, 41.0, 4.0]),
        ("songplays, by title, artist and duration", &[-79.0, -11.0, 2.0]),
        ("songplays, loaded twice", &[174.0]),
        ("song objects", &[4.0]),
    ],
};

/// A built-in profile, with the figures of this data set instead of those of the course data.
fn profile_of(data: &DataSet, published: &Published, name: &str) -> String {
    let mut text = sparkify_analytics::verify::text(name).unwrap();
    let objects = data.song_objects;
    for (from, to) in PUBLISHED.moments.iter().zip(published.moments) {
        text = text.replace(&from.to_string(), &to.to_string());
    }
    for (from, to) in [
        ("< 14896", format!("< {}", published.song_objects)),
        ("'songs') = 14896", format!("'songs') = {}", published.song_objects)),
        ("'songs') = 1943", format!("'songs') = {objects}")),
        ("user_id = 49", format!("user_id = {}", data.top_user.0)),
        ("user_id = 15", format!("user_id = {}", data.changing_user)),
        ("hour = 16", format!("hour = {}", data.top_hour.0)),
        ("weekday = 3", format!("weekday = {}", data.top_weekday.0)),
        ("'You''re The One'", quoted(data.top_songs[0].0)),
        ("'Dwight Yoakam'", quoted(data.top_songs[0].1)),
        ("'Undo'", quoted(data.top_songs[1].0)),
        ("'Björk'", quoted(data.top_songs[1].1)),
    ] {
        text = text.replace(from, &to);
    }
    let rows = |table: &str| data.rows(table).to_string();
    let [_, exact, title_artist] = data.matched;
    for (expectation, value) in [
        ("staging_events", rows("staging_events")),
        ("staging_songs", published.song_objects.to_string()),
        ("songplays", rows("songplays")),
        ("users", published.users.to_string()),
        ("songs", published.song_objects.to_string()),
        ("artists", published.artists.to_string()),
        ("time", rows("time")),
        ("time, of all events", published.times.to_string()),
        ("songplays, by title and artist", published.joined[0].to_string()),
        ("songplays, by title, artist and duration", published.joined[1].to_string()),
        ("songplays, loaded twice", (2 * data.rows("songplays")).to_string()),
        ("song objects", published.song_objects.to_string()),
        ("course: staging_events", rows("staging_events")),
        ("course: songplays", rows("songplays")),
        ("course: users", rows("users")),
        ("course: user_levels", rows("user_levels")),
        ("course: time", rows("time")),
        ("course: staging_songs", rows("staging_songs")),
        ("course: songs", rows("songs")),
        ("course: artists", rows("artists")),
        ("course: plays matched", (exact + title_artist).to_string()),
        ("course: plays matched exactly", exact.to_string()),
        ("course: logged out", data.logged_out.to_string()),
        ("course: listeners", data.listeners.to_string()),
        ("course: user 49", data.top_user.1.to_string()),
        ("course: 16 h", data.top_hour.1.to_string()),
        ("course: Wednesdays", data.top_weekday.1.to_string()),
        ("course: top song", data.top_songs[0].2.to_string()),
        ("course: second song", data.top_songs[1].2.to_string()),
        ("course: hours", data.hours.to_owned()),
        ("course: paid", data.paid.to_string()),
        ("course: free", data.free.to_string()),
    ] {
        text = with_value(&text, expectation, &value);
    }
    text
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Replaces the value of an expectation that has one.
fn with_value(text: &str, expectation: &str, value: &str) -> String {
    let Some((before, rest)) = text.split_once(&format!("name = \"{expectation}\"\n")) else {
        return text.to_owned();
    };
    let end = rest.find("[[").unwrap_or(rest.len());
    let Some(start) = rest[..end].find("\nvalue = ") else { return text.to_owned() };
    let tail = rest[start + 1..].split_once('\n').expect("a line").1;
    format!("{before}name = \"{expectation}\"\n{}\nvalue = {value}\n{tail}", &rest[..start])
}

#[test]
fn the_figures_of_the_profiles_are_those_of_the_course_data() {
    for name in ["course", "strict"] {
        let text = sparkify_analytics::verify::text(name).unwrap();
        assert_eq!(profile_of(&COURSE, &PUBLISHED, name), text, "{name}");
    }
}

on_each_data_set!(published_numbers_are_explained_to_the_row);

fn published_numbers_are_explained_to_the_row(data: &DataSet) {
    let published = if data.name == COURSE.name { &PUBLISHED } else { &OF_THE_FIXTURE };
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let path = here.join("sparkify.duckdb");
    load(duckdb(path.to_str().unwrap()).as_mut(), &data.folder(), 0.0).unwrap();
    for name in ["course", "strict"] {
        put(here, &format!("{name}.toml"), profile_of(data, published, name));
    }
    let (findings, code) = verify(here, "course.toml");
    assert_eq!(code, Some(0), "differences are explained");
    for (name, adds) in published.adds {
        let status = if adds.is_empty() { "met" } else { "explained" };
        assert_eq!(findings[name]["status"], status, "{name}");
        assert_eq!(sum(&findings[name]), adds, "{name}");
    }
    assert_eq!(findings.as_object().unwrap().len(), 12);
    let users = &findings["users"]["causes"];
    let ids = |cause: &Value| -> Vec<i64> {
        cause["samples"].as_array().unwrap().iter().map(|row| row[0].as_i64().unwrap()).collect()
    };
    assert_eq!(ids(&users[0]), published.listeners_at_two_levels);
    assert_eq!(ids(&users[1]), published.users_without_plays);
    let printed = run(here, ["verify", "--profile", "course.toml"]);
    let [more, fewer] = [0, 1].map(|cause| published.adds[3].1[cause].abs());
    let equation =
        format!("\nusers: {} = {} + {more} - {fewer}\n", published.users, data.rows("users"));
    assert!(printed.out.contains(&equation), "{}", printed.out);
    assert_eq!(printed.err, "3 expectations are met, and 9 differences are explained\n");
    let (findings, code) = verify(here, "strict.toml");
    assert_eq!(code, Some(0), "{findings:#}");
    let count = |status: &str| {
        findings.as_object().unwrap().values().filter(|finding| finding["status"] == status).count()
    };
    assert_eq!((count("met"), count("skipped")), (55, 2));
    // A part of the month is recognized as one.
    execute(here, &["delete from staging_events where ts > 1543100000000"]);
    let (findings, _) = verify(here, "course.toml");
    assert_eq!(findings["staging_events"]["status"], "explained");
    assert_eq!(
        findings["songs"]["status"], "unexplained",
        "the events no longer identify the data"
    );
    execute(here, &["update staging_events set ts = ts + 2678400000"]);
    let ended = run(here, ["verify", "--profile", "course.toml"]);
    assert!(ended.err.contains("these are not the data of the profile"), "{}", ended.err);
    assert_eq!(ended.code, Some(1));
}

#[test]
fn a_good_warehouse_passes_strict_and_each_damage_is_explained() {
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
fn strict_contains_every_data_test() {
    let text = sparkify_analytics::verify::text("strict").unwrap();
    for check in sparkify_load::data_tests::DATA_TESTS {
        assert!(text.contains(&format!("check = \"{}\"", check.name)), "{}", check.name);
    }
}

const PROFILE: &str = r#"
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
fn users_write_their_own_profiles() {
    let folder = loaded();
    put(folder.path(), "mine.toml", PROFILE);
    let ended = run(folder.path(), ["verify", "--profile", "mine.toml"]);
    assert_eq!(ended.code, Some(1));
    let id = without_ids(&ended.out);
    insta::assert_snapshot!(id, @r"
    ours

            name   expected   found  description
    ─────────────────────────────────────────────────────────────────────────────────────────────────────────
    FAILED  plays         7       4
    ok      hours      0.22  0.2228
    ok      title       One     One
    ok      paid       true    true
    ok      keys          0       0  failing rows: no key column and no required column of the model is null
    skipped: 1, valid only if it is never so

    plays: 7 = 4 + 2 + 1
      + 2  plays count twice with us
          songplay_id
          ─────────────────────────────────────
          ID
          ID
      + 1  unexplained
    ");
    assert!(ended.err.contains(
        "error: 1 of 5 expectations are not met: 0 explained, 1 unexplained; 1 skipped (for other data)"
    ));
    put(folder.path(), "mine.toml", PROFILE.replace("value = 7", "value = 6"));
    assert_eq!(verify(folder.path(), "mine.toml").0["plays"]["status"], "explained");
    put(folder.path(), "mine.toml", PROFILE.replace("value = 7", "value = 4"));
    assert_eq!(verify(folder.path(), "mine.toml").1, Some(0));
    // A built-in profile works as a file too.
    let printed = run(folder.path(), ["verify", "--print"]).good();
    put(folder.path(), "copy.toml", printed);
    assert_eq!(verify(folder.path(), "copy.toml").1, Some(0));
}

/// Replaces IDs of plays by `ID`.
fn without_ids(text: &str) -> String {
    let is_id = |word: &str| word.len() == 36 && word.matches('-').count() == 4;
    let line =
        |line: &str| if is_id(line.trim()) { line.replace(line.trim(), "ID") } else { line.into() };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn an_invalid_profile_is_rejected_with_its_position() {
    let folder = loaded();
    let here = folder.path();
    let head = "title = \"t\"\n[[expect]]\nname = \"n\"\n";
    let query = "query = \"select 1\"\nvalue = 1\n";
    for (text, expected) in [
        (String::new(), "line 1: missing field `title`"),
        ("title = 't'".into(), "no expectations"),
        ("title = \"t".into(), "line 1: "),
        (format!("{head}{query}vlaue = 2\n"), "line 6: unknown field `vlaue`"),
        (format!("{head}value = 1\n"), "`n` needs either `query` or `check`"),
        (format!("{head}{query}check = \"keys_present\"\n"), "`n` needs either `query` or `check`"),
        (format!("{head}query = \"select 1\"\n"), "`n` needs either `value` or `equals`"),
        (format!("{head}{query}equals = \"select 1\"\n"), "`n` needs either `value` or `equals`"),
        (format!("{head}check = \"keys\"\n"), "refers to the unknown test `keys`"),
        (format!("{head}{query}when = \"x\"\n"), "refers to the unknown condition `x`"),
        (format!("{head}{query}tolerance = -1\n"), "invalid tolerance of `n`"),
        (format!("{head}{query}tolerance = nan\n"), "invalid tolerance of `n`"),
        (format!("{head}{query}[[expect]]\nname = \"n\"\n{query}"), "duplicate name `n`"),
        (
            format!("{head}{query}[[expect.cause]]\nsays = \"s\"\n"),
            "needs either `rows` or `rest = true`",
        ),
        (
            format!("{head}{query}[[expect.cause]]\nsays = \"s\"\nrest = true\neach = 0\n"),
            "has `each = 0`",
        ),
        (format!("{head}query = \"\"\nvalue = 1\n"), "has no read-only query"),
        (format!("{head}query = \"delete from users\"\nvalue = 1\n"), "has no read-only query"),
        ("x".repeat(2 << 20), "it is larger than 1 MiB"),
    ] {
        put(here, "p.toml", &text);
        let message = run(here, ["verify", "--profile", "p.toml"]).bad(2);
        assert!(message.contains(expected) && message.contains("hint: "), "{message}\n{text:.200}");
    }
    put(here, "p.toml", b"\xff\xfe\x00");
    assert!(
        run(here, ["verify", "--profile", "p.toml"]).bad(2).contains("cannot read the profile")
    );
    assert!(run(here, ["verify", "--profile", "data/"]).bad(2).contains("cannot read the profile"));
    assert!(
        run(here, ["verify", "--profile", "no.toml"]).bad(2).contains("cannot read the profile")
    );
    let message = run(here, ["verify", "--profile", "strickt"]).bad(2);
    insta::assert_snapshot!(message, @r"
    error: unknown profile `strickt`
    hint: did you mean `strict`?
    ");
}

#[test]
fn queries_of_a_profile_are_read_only() {
    let folder = loaded();
    let here = folder.path();
    let head = "title = \"t\"\n[[expect]]\nname = \"n\"\n";
    for (text, expected) in [
        (format!("{head}query = \"select 1, 2\"\nvalue = 1\n"), "returns 2 columns"),
        (
            format!("{head}query = \"select * from range(9)\"\nvalue = 1\n"),
            "returns more than one row",
        ),
        (format!("{head}query = \"select 1 where false\"\nvalue = 1\n"), "returns no row"),
        (
            format!("{head}query = \"select x\"\nvalue = 1\n"),
            "cannot run the query of the expectation `n`",
        ),
        (
            format!(
                "{head}query = \"select count(*) from read_text('/etc/hostname')\"\nvalue = 1\n"
            ),
            "disabled",
        ),
        (
            format!("{head}query = \"select 1; copy users to 'u.csv'\"\nvalue = 1\n"),
            "cannot run the query",
        ),
        (
            format!("{head}query = \"select 1; set threads = 1\"\nvalue = 1\n"),
            "cannot run the query",
        ),
        (
            format!("{head}query = \"with x as (select 1) insert into users from x\"\nvalue = 1\n"),
            "cannot run the query",
        ),
    ] {
        put(here, "p.toml", &text);
        let message = run(here, ["verify", "--profile", "p.toml"]).bad(2);
        assert!(message.contains(expected) && message.contains("hint: "), "{message}\n{text:.200}");
    }
    assert!(!here.join("u.csv").exists());
}
