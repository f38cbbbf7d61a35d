//! Generated sample data: loads have the counts that the generator reports.

use std::path::Path;

use serde_json::Value;

use crate::oracle;
use crate::support::{assert_same_model, duckdb, load, model, peak_of, run, sparkify};

fn generate(folder: &Path, awkward: bool) -> Value {
    let mut arguments =
        vec!["generate", "data", "--songs", "400", "--events", "20000", "--days", "14"];
    arguments.extend(["--users", "150", "--seed", "11", "--output", "json"]);
    if awkward {
        arguments.push("--awkward");
    }
    run(folder, arguments).json()
}

#[test]
fn loads_have_the_counts_of_the_generator() {
    for awkward in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let made = generate(folder.path(), awkward);
        let data = folder.path().join("data");
        let mut warehouse = duckdb(":memory:");
        let summary = load(warehouse.as_mut(), &data, 0.01).unwrap();
        let number = |name: &str| made[name].as_u64().unwrap();
        assert_eq!(summary.objects_read, number("song_objects") + number("log_objects"));
        assert_eq!(summary.events_staged, number("events"));
        assert_eq!(summary.songs_staged, number("song_records"));
        assert_eq!(summary.rejected, number("damaged"));
        assert_eq!(summary.duplicates, number("duplicates"));
        assert_eq!(summary.rows("songplays"), number("plays") - number("duplicates"));
        let (songs, logs) = (data.join("song_data"), data.join("log_data"));
        let expected = oracle::expected(Some(&songs), Some(&logs));
        assert_same_model(&model(warehouse.as_mut()), &expected.tables, "a generated sample");
    }
}

#[test]
fn the_same_seed_generates_the_same_files() {
    let digest = |folder: &Path| {
        generate(folder, true);
        let listed = std::process::Command::new("sh")
            .args(["-c", "find data -type f | sort | xargs sha256sum"])
            .current_dir(folder)
            .output();
        listed.unwrap().stdout
    };
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    assert_eq!(digest(one.path()), digest(two.path()));
    let message = run(one.path(), ["generate", "data"]).bad(2);
    assert!(message.contains("is not empty") && message.contains("hint:"), "{message}");
}

/// Returns the peak resident memory of a load of `events` events in KiB, and the spilled bytes that
/// it reports.
fn peak(folder: &Path, events: u32) -> (u64, u64) {
    let data = events.to_string();
    let size = ["--songs", "50", "--days", "4", "--users", "200", "--quiet", "--events", &data];
    run(folder, ["generate", &data].into_iter().chain(size)).good();
    let (songs, logs) = (format!("{data}/song_data"), format!("{data}/log_data"));
    let warehouse = format!("duckdb:{data}.duckdb");
    let paths = ["--song-data", &songs, "--log-data", &logs, "--warehouse", &warehouse];
    let arguments = ["etl", "--output", "json", "--memory", "128MB", "--threads", "2"];
    let (peak, ended) = peak_of(sparkify(folder, arguments.into_iter().chain(paths)));
    assert!(ended.status.success());
    let summary: Value = serde_json::from_slice(&ended.stdout).unwrap();
    (peak, summary["bytes_spilled"].as_u64().unwrap())
}

#[test]
fn memory_does_not_grow_with_the_input() {
    let folder = tempfile::tempdir().unwrap();
    let (short, _) = peak(folder.path(), 100_000);
    let (long, spilled) = peak(folder.path(), 1_000_000);
    println!("100,000 events: {short} KiB at most; ten times as many (480 MB): {long} KiB");
    assert!(short > 0 && spilled > 0, "{spilled} bytes spilled");
    assert!(long < short + 120_000, "{short} KiB, then {long} KiB");
}

/// A Rust UDF computes the surrogate key, and the prelude defines it in SQL for other clients. Both
/// must be equal.
#[test]
fn the_surrogate_key_of_a_play_equals_the_sql_of_the_prelude() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), ["create-tables"]).good();
    let prelude = include_str!("../../sql/dialect/duckdb/prelude.sql");
    let signature = "f_songplay_id(session_id, item_in_session, ts, user_id)";
    let (_, text) = prelude.split_once(signature).unwrap();
    let in_sql = text.trim_start_matches(" as").split(';').next().unwrap();
    let both = format!(
        "select count(*), count(distinct {signature}), count(*) filter (where {signature} <> {in_sql})
         from (values (583, 6, 1541121934796, 10), (583, 6, 1541121934796, null), (0, 0, 0, 0), (0, 0, 0, null),
             (-1, {}, {}, {})) as plays (session_id, item_in_session, ts, user_id)",
        i64::MAX,
        i64::MIN,
        i64::MIN
    );
    let counts = run(folder.path(), ["query", "--format", "csv", &both]).good();
    assert_eq!(counts.lines().nth(1), Some("5,5,0"));
}
