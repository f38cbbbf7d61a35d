//! Load history, and the comparison of two warehouses.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{duckdb, event, put, run, song};

const ETL: [&str; 5] = ["etl", "--song-data", "data/song_data", "--log-data", "data/log_data"];

/// A folder with two songs and two days of plays of them.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    put(here, "data/song_data/a.json", song("SO1", "One", 200.5));
    put(here, "data/song_data/b.json", song("SO2", "Two", 100.0));
    put(here, "data/log_data/1.json", event(1, 0, 1_541_000_000_000, "NextSong", "One"));
    put(here, "data/log_data/2.json", event(2, 0, 1_541_100_000_000, "NextSong", "Three"));
    folder
}

/// Adds an object with one good record and one that is rejected.
fn add_rejected_record(folder: &Path) {
    let good = event(9, 0, 1_541_200_000_000, "NextSong", "One");
    let bad = good.replace("\"userId\":\"7\"", "\"userId\":\"seven\"");
    put(folder, "data/log_data/9.json", good + &bad);
}

fn remove_rejected_record(folder: &Path) {
    std::fs::remove_file(folder.join("data/log_data/9.json")).unwrap();
}

/// Returns the history as JSON, without values that differ on each run.
fn history(folder: &Path, arguments: &[&str]) -> Vec<Value> {
    let arguments = ["history", "--output", "json"].iter().chain(arguments);
    let Value::Array(mut loads) = run(folder, arguments).json() else { panic!("no array") };
    for load in &mut loads {
        let load = load.as_object_mut().unwrap();
        assert!(load.remove("started_at").unwrap().as_str().unwrap().starts_with("20"));
        let seconds = load.remove("seconds").unwrap().as_f64().unwrap();
        assert!((0.0..60.0).contains(&seconds), "{seconds}");
        assert_eq!(load.remove("version").unwrap(), env!("CARGO_PKG_VERSION"));
        load.remove("megabytes").unwrap().as_f64().unwrap();
    }
    loads
}

fn published(load: u32, kind: &str, [objects, replaced, events, songs]: [u32; 4]) -> Value {
    json!({
        "load": load, "kind": kind, "objects": objects, "replaced": replaced, "events": events, "songs": songs,
        "rejects": 0, "outcome": "published", "message": null,
    })
}

fn failed(
    load: u32,
    kind: &str,
    [objects, events, songs, rejects]: [u32; 4],
    reason: &str,
) -> Value {
    json!({
        "load": load, "kind": kind, "objects": objects, "replaced": 0, "events": events, "songs": songs,
        "rejects": rejects, "outcome": "failed", "message": reason,
    })
}

#[test]
fn history_lists_published_and_failed_loads() {
    let folder = folder();
    let here = folder.path();
    run(here, ETL).good();
    run(here, ETL).good();
    put(here, "data/log_data/2.json", event(2, 0, 1_541_100_000_000, "NextSong", "Two"));
    run(here, ETL).good();
    add_rejected_record(here);
    let before = run(here, ["check", "--quiet"]).good();
    run(here, ETL).bad(1);
    assert_eq!(run(here, ["check", "--quiet"]).good(), before);
    let reason = "too many rejected records: 1 of 2 (50.00 %); the limit is 1.00 %";
    let three = [
        failed(3, "incremental", [1, 1, 0, 1], reason),
        published(2, "incremental", [1, 1, 1, 0]),
        published(1, "full", [4, 0, 2, 2]),
    ];
    assert_eq!(history(here, &[]), three, "a run without new input is not listed");
    assert_eq!(history(here, &["--limit", "1"]), three[..1]);
    let short = run(here, ["history", "--limit", "2"]);
    assert_eq!(short.err, "1 older load hidden; raise `--limit`\n");
    assert!(short.good().ends_with("2 rows\n"));

    put(here, "data/log_data/9.json", event(9, 0, 1_541_200_000_000, "NextSong", "One"));
    let summary = run(here, ETL.into_iter().chain(["--output", "json"])).json();
    assert_eq!((&summary["load_id"], &summary["incremental"]), (&json!(4), &json!(true)));
    let loads = history(here, &[]);
    assert_eq!(loads[0], published(4, "incremental", [1, 0, 1, 0]));
    assert_eq!(loads[1..], three);

    // Another kind of failure.
    put(here, "data/log_data/cut.json.gz", b"no gzip at all");
    run(here, ETL).bad(2);
    let last = &history(here, &[])[0];
    assert_eq!((&last["load"], &last["outcome"]), (&json!(5), &json!("failed")));
    let message = last["message"].as_str().unwrap();
    assert!(message.starts_with("cannot decompress `") && message.contains("cut.json.gz"));
    run(here, ETL.into_iter().chain(["--full-refresh"])).bad(2);
    assert_eq!(history(here, &["--limit", "1"])[0]["kind"], "full");
    run(here, ["check", "--quiet"]).good();
}

#[test]
fn history_is_printed_as_a_table() {
    let folder = folder();
    let here = folder.path();
    run(here, ETL).good();
    add_rejected_record(here);
    run(here, ETL).bad(1);
    let text = run(here, ["history"]).good();
    assert_eq!(run(here, ["query", "history"]).good(), text);
    insta::with_settings!({ filters => vec![
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ +\d+\.\d+", "DATE TIME  S.SS"),
        (r"started_at +", "started_at  "),
        (env!("CARGO_PKG_VERSION"), "X.Y.Z"),
        (r"─+", "─"),
    ] }, {
        insta::assert_snapshot!(text, @r"
    load  started_at  seconds  version  kind         objects  replaced  megabytes  events  songs  rejects  outcome    message
    ─
       2  DATE TIME  S.SS  X.Y.Z    incremental        1         0        0.0       1      0        1  failed     too many rejected records: 1 of 2 (50.00 %); the limit is 1.00 %
       1  DATE TIME  S.SS  X.Y.Z    full               4         0        0.0       2      2        0  published  ∅
    2 rows
    ");
    });
}

#[test]
fn a_failed_first_load_is_in_the_history_and_load_numbers_continue() {
    let folder = folder();
    let here = folder.path();
    add_rejected_record(here);
    run(here, ["etl", "--song-data", "nowhere", "--log-data", "log_data"]).bad(2);
    assert!(!here.join("sparkify.duckdb").exists(), "a wrong location creates no file");
    run(here, ETL).bad(1);
    run(here, ETL).bad(1);
    run(here, ["check", "--quiet"]).good();
    let reason = "too many rejected records: 1 of 6 (16.67 %); the limit is 1.00 %";
    let two = [2, 1].map(|load| failed(load, "full", [5, 3, 2, 1], reason));
    assert_eq!(history(here, &[]), two);
    remove_rejected_record(here);
    let summary = run(here, ETL.into_iter().chain(["--output", "json"])).json();
    assert_eq!((&summary["load_id"], &summary["incremental"]), (&json!(3), &json!(false)));
    assert_eq!(history(here, &[])[0], published(3, "full", [4, 0, 2, 2]));
    run(here, ["check", "--quiet"]).good();
}

/// Loads the folder into two warehouses, and changes the second one with `sql`.
fn pair(sql: &[&str]) -> tempfile::TempDir {
    let folder = folder();
    run(folder.path(), ETL).good();
    let copy = folder.path().join("second.duckdb");
    std::fs::copy(folder.path().join("sparkify.duckdb"), &copy).unwrap();
    let mut second = duckdb(copy.to_str().unwrap());
    for sql in sql {
        assert_eq!(second.execute(sql).unwrap(), 1, "{sql}");
    }
    folder
}

const DIFF: [&str; 3] = ["diff", "duckdb:sparkify.duckdb", "duckdb:second.duckdb"];

/// Returns the result of `diff` for one table as JSON. All other tables must be equal.
fn found(folder: &Path, table: &str, arguments: &[&str]) -> Value {
    let ended = run(folder, DIFF.iter().chain(&["--output", "json"]).chain(arguments));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(ended.err, "error: 1 of 6 tables differ\n");
    let document: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(document["equal"], false);
    let tables = document["tables"].as_array().unwrap();
    for other in tables.iter().filter(|other| other["table"] != table) {
        assert_eq!(other["rows"], json!([other["same"], other["same"]]), "{other}");
    }
    tables.iter().find(|found| found["table"] == table).unwrap().clone()
}

#[test]
fn diff_finds_no_difference_between_load_orders() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let size = ["--songs", "60", "--events", "3000", "--days", "4", "--users", "20", "--awkward"];
    run(here, ["generate", "sample"].into_iter().chain(size)).good();
    let load = |warehouse: &str, arguments: &[&str]| {
        let usual = ["etl", "--max-reject-share", "100%", "--warehouse", warehouse];
        run(here, usual.iter().chain(arguments)).good();
    };
    let songs = ["--song-data", "sample/song_data"];
    let logs = ["--log-data", "sample/log_data"];
    load("duckdb:one.duckdb", &[songs, logs].concat());
    let months = here.join("sample/log_data/2018");
    let mut days: Vec<_> = names_in(&months.join("11"));
    days.sort();
    std::fs::rename(months.join("11"), here.join("days")).unwrap();
    for day in days.iter().rev() {
        std::fs::create_dir_all(months.join("11")).unwrap();
        std::fs::rename(here.join("days").join(day), months.join("11").join(day)).unwrap();
        load("duckdb:two.duckdb", &logs);
    }
    load("duckdb:two.duckdb", &songs);
    assert!(history(here, &["--warehouse", "duckdb:two.duckdb"]).len() >= 4);
    for arguments in [
        ["diff", "duckdb:one.duckdb", "duckdb:two.duckdb"],
        ["diff", "duckdb:one.duckdb", "duckdb:one.duckdb"],
    ] {
        let ended = run(here, arguments);
        assert_eq!(ended.err, "all 6 tables are equal\n");
        assert_eq!(ended.good().lines().count(), 8);
        let document = run(here, arguments.iter().chain(&["--output", "json"])).json();
        assert_eq!(document["equal"], true);
    }
}

fn names_in(folder: &Path) -> Vec<std::ffi::OsString> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect()
}

#[test]
fn diff_finds_rows_of_one_side_only() {
    let gone = pair(&["delete from songs where song_id = 'SO2'"]);
    let songs = found(gone.path(), "songs", &[]);
    assert_eq!((&songs["rows"], &songs["same"]), (&json!([2, 1]), &json!(1)));
    assert_eq!((&songs["only_in_first"], &songs["only_in_second"]), (&json!(1), &json!(0)));
    let sample = json!([{ "key": { "song_id": "SO2" }, "rows": [1, 0] }]);
    assert_eq!(songs["samples"]["only_in_first"], sample);

    let more = pair(&["insert into artists (artist_id, name) values ('AR2', 'B')"]);
    let artists = found(more.path(), "artists", &[]);
    assert_eq!((&artists["only_in_first"], &artists["only_in_second"]), (&json!(0), &json!(1)));
    let sample = json!([{ "key": { "artist_id": "AR2" }, "rows": [0, 1] }]);
    assert_eq!(artists["samples"]["only_in_second"], sample);
    let artists = found(more.path(), "artists", &["--limit", "0"]);
    assert_eq!(artists["samples"]["only_in_second"], json!([]));
}

#[test]
fn diff_finds_the_columns_that_differ() {
    for (sql, table, column, values) in [
        (
            "update songs set title = 'won' where song_id = 'SO1'",
            "songs",
            "title",
            json!(["One", "won"]),
        ),
        ("update artists set location = ''", "artists", "location", json!([null, ""])),
        ("update users set first_name = null", "users", "first_name", json!(["Ada", null])),
        ("update time set hour = 1 where day = 1", "time", "hour", json!([19, 1])),
        (
            "update songplays set length = 200.50000000000003 where song_id is not null",
            "songplays",
            "length",
            json!([200.5, 200.500_000_000_000_03]),
        ),
        (
            "update user_levels set is_current = false",
            "user_levels",
            "is_current",
            json!([true, false]),
        ),
    ] {
        let folder = pair(&[sql]);
        let table = found(folder.path(), table, &[]);
        assert_eq!(table["columns"], json!({ column: 1 }), "{sql}");
        assert_eq!(table["differ"], 1);
        assert_eq!(table["samples"]["differ"][0]["values"], json!({ column: values }), "{sql}");
        let none = found(folder.path(), table["table"].as_str().unwrap(), &["--limit", "0"]);
        assert_eq!(none["columns"], json!({ column: 1 }), "counted, though not shown");
    }
}

#[test]
fn diff_finds_a_duplicated_row() {
    let folder = pair(&["insert into user_levels from user_levels"]);
    let levels = found(folder.path(), "user_levels", &[]);
    assert_eq!((&levels["rows"], &levels["same"]), (&json!([1, 2]), &json!(1)));
    assert_eq!(levels["only_in_second"], 1);
    assert_eq!(levels["samples"]["only_in_second"][0]["rows"], json!([1, 2]));
}

#[test]
fn diff_is_printed_as_tables() {
    let folder = pair(&[
        "delete from songs where song_id = 'SO2'",
        "update songs set title = 'say \"one\"', year = 2018",
        "insert into songs values ('SO3', 'Three', 'AR1', null, 1)",
        "insert into user_levels from user_levels",
        "update artists set location = ''",
    ]);
    let ended = run(folder.path(), DIFF);
    assert_eq!(ended.code, Some(1));
    assert_eq!(ended.err, "error: 3 of 6 tables differ\n");
    insta::assert_snapshot!(ended.out, @r#"
    table        rows in first  in second  equal  only in first  only in second  different  differences per column
    ───────────────────────────────────────────────────────────────────────────────────────────────────────────────
    songs                    2          2      0              1               1          1  title 1, year 1
    artists                  1          1      0              0               0          1  location 1
    users                    1          1      1              0               0          0
    user_levels              1          2      1              0               1          0
    songplays                2          2      2              0               0          0
    time                     2          2      2              0               0          0

    songs           key            column  in first  in second
    ───────────────────────────────────────────────────────────────
    only in first   song_id "SO2"
    only in second  song_id "SO3"
    different       song_id "SO1"  title   "One"     "say \"one\""
                                   year    ∅         2018

    artists    key              column    in first  in second
    ──────────────────────────────────────────────────────────
    different  artist_id "AR1"  location  ∅         ""

    user_levels     key                                                                      column              in first  in second
    ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    only in second  user_id 7, valid_from 2018-10-31 15:33:20.000, valid_to ∅, level "free"  (rows of this key)  1         2
    "#);
}

#[test]
fn diff_names_the_warehouse_that_it_cannot_read() {
    let folder = pair(&[]);
    let here = folder.path();
    let message = |arguments: &[&str]| run(here, ["diff"].iter().chain(arguments)).bad(2);
    let first = "duckdb:sparkify.duckdb";
    insta::assert_snapshot!(message(&[first, "duckdb:nowhere.duckdb"]), @r"
    error: no warehouse found at `nowhere.duckdb`
    hint: run `sparkify etl` first, or name the warehouse with `--warehouse duckdb:FILE`
    ");
    insta::assert_snapshot!(message(&[first, "nowhere"]), @r"
    error: invalid warehouse URL `nowhere`
    hint: write it as a URL, for example `duckdb:nowhere`
    ");
    insta::assert_snapshot!(message(&[first, first, "--warehouse", first]), @r"
    error: `sparkify diff` takes its two warehouses as arguments
    hint: omit `--warehouse`
    ");
    message(&[first]);
    let mut second = duckdb(here.join("second.duckdb").to_str().unwrap());
    second.execute("alter table users add column age integer").unwrap();
    drop(second);
    insta::assert_snapshot!(message(&[first, "duckdb:second.duckdb"]), @r"
    error: `duckdb:second.duckdb`: table `users` was not created by sparkify: it has a column `age`
    hint: name another warehouse with `--warehouse`; if another version of sparkify created the table, run `sparkify upgrade`
    ");
    let mut second = duckdb(here.join("second.duckdb").to_str().unwrap());
    second.execute("drop table time").unwrap();
    drop(second);
    insta::assert_snapshot!(message(&["duckdb:second.duckdb", first]), @r"
    error: the warehouse `duckdb:second.duckdb` has no table `time`
    hint: run `sparkify etl` first, or give another warehouse
    ");
    assert!(!here.join("nowhere.duckdb").exists());
}
