//! Objects of a load: backfill, full refresh, pruning, reprocessing of rejects, and the plan.

use std::path::Path;

use serde_json::Value;

use crate::support::{duckdb, event, put, query_value, run, song};

const PATHS: [&str; 4] = ["--song-data", "data/song_data", "--log-data", "data/log_data"];

/// Creates six days with one play each, and a song.
fn days() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "data/song_data/a.json", song("SO1", "One", 200.5));
    for day in 1..=6_u32 {
        let ts = 1_541_030_400_000 + u64::from(day - 1) * 86_400_000;
        let name = format!("data/log_data/2018/11/2018-11-{day:02}-events.json");
        put(folder.path(), &name, event(day, 0, ts, "NextSong", "One"));
    }
    folder
}

fn etl(folder: &Path, more: &[&str]) -> Value {
    let arguments = ["etl", "--output", "json"].iter().chain(&PATHS).chain(more);
    run(folder, arguments).json()
}

fn plan(folder: &Path, more: &[&str]) -> Value {
    let arguments = ["plan", "--output", "json"].iter().chain(&PATHS).chain(more);
    run(folder, arguments).json()
}

fn plays(folder: &Path) -> String {
    let sql = "select string_agg(day(start_time), ' ' order by start_time) as days from songplays";
    query_value(folder, sql)
}

#[test]
fn a_backfill_loads_the_given_days() {
    let folder = days();
    let here = folder.path();
    let first = etl(here, &["--since", "2018-11-03", "--until", "2018-11-04"]);
    assert_eq!((&first["objects_read"], &first["objects_outside"]), (&3.into(), &4.into()));
    assert_eq!(plays(here), "3 4");
    let second = etl(here, &["--until", "2018-11-01"]);
    assert_eq!((&second["objects_read"], &second["objects_skipped"]), (&1.into(), &1.into()));
    assert_eq!(
        second["objects_vanished"],
        serde_json::json!([]),
        "objects outside the range exist"
    );
    assert_eq!(plays(here), "1 3 4");
    assert_eq!(etl(here, &[])["objects_read"], 3);
    assert_eq!(plays(here), "1 2 3 4 5 6");
    let message = run(here, ["etl", "--since", "yesterday"].iter().chain(&PATHS)).bad(2);
    assert!(message.contains("`yesterday` is not a date"), "{message}");
}

#[test]
fn deleted_objects_are_reported_and_keep_their_rows_until_pruned() {
    let folder = days();
    let here = folder.path();
    etl(here, &[]);
    std::fs::remove_file(here.join("data/log_data/2018/11/2018-11-02-events.json")).unwrap();
    let kept = etl(here, &[]);
    assert_eq!(kept["outcome"], "unchanged");
    assert_eq!(kept["objects_vanished"].as_array().unwrap().len(), 1);
    assert_eq!(plays(here), "1 2 3 4 5 6");
    let planned = plan(here, &["--prune"]);
    assert_eq!(planned["rows_retired"], 1);
    let changes = ["the rows of 1 vanished objects are deleted"];
    assert_eq!(planned["destructive"], serde_json::json!(changes));
    let pruned = etl(here, &["--prune"]);
    assert_eq!(pruned["outcome"], "published");
    assert_eq!(pruned["objects_pruned"], 1);
    assert_eq!(plays(here), "1 3 4 5 6");
    run(here, ["check", "--quiet"]).good();
    assert_eq!(etl(here, &["--prune"])["outcome"], "unchanged");
    // A location without any object is more likely a mistake.
    std::fs::remove_dir_all(here.join("data/log_data/2018")).unwrap();
    let message = run(here, ["etl", "--prune"].iter().chain(&PATHS)).bad(2);
    assert!(message.contains("`--prune` would delete all rows"), "{message}");
    assert_eq!(plays(here), "1 3 4 5 6");
}

#[test]
fn a_full_refresh_reads_everything_again_and_ends_in_the_same_tables() {
    let folder = days();
    let here = folder.path();
    etl(here, &["--until", "2018-11-03"]);
    etl(here, &[]);
    let digest = || {
        let sql = "select sum(hash(p)::hugeint), (select sum(hash(l)::hugeint) from user_levels l) from songplays p";
        run(here, ["query", "--format", "csv", sql]).good()
    };
    let before = digest();
    let planned = plan(here, &["--full-refresh"]);
    assert_eq!(planned["reread"].as_array().unwrap().len(), 7);
    assert_eq!(planned["incremental"], false);
    let refreshed = etl(here, &["--full-refresh"]);
    assert_eq!((&refreshed["objects_read"], &refreshed["incremental"]), (&7.into(), &false.into()));
    assert_eq!(digest(), before);
    run(here, ["check", "--quiet"]).good();
}

#[test]
fn a_plan_shows_what_a_load_will_do_and_changes_nothing() {
    let folder = days();
    let here = folder.path();
    let planned = plan(here, &[]);
    assert_eq!(planned["new"].as_array().unwrap().len(), 7);
    assert!(!here.join("sparkify.duckdb").exists(), "a plan creates no file");
    etl(here, &["--until", "2018-11-05"]);
    let before = std::fs::read(here.join("sparkify.duckdb")).unwrap();
    let other = event(3, 9, 1_541_203_200_000, "Home", "");
    put(here, "data/log_data/2018/11/2018-11-03-events.json", other);
    put(here, "data/log_data/2018/11/.hidden", "");
    let output = run(here, ["plan"].iter().chain(&PATHS)).good();
    let root = here.canonicalize().unwrap().display().to_string();
    insta::assert_snapshot!(output.replace(&root, "DIR"), @r"
    new          DIR/data/log_data/2018/11/2018-11-06-events.json
    changed      DIR/data/log_data/2018/11/2018-11-03-events.json
    skipped      DIR/data/log_data/2018/11/.hidden

    plan
    ────────────────────────────────────
    objects new                       1
    objects changed                   1
    objects read again                0
    objects deleted at the source     0
    objects unchanged                 5
    objects outside the date range    0
    files skipped                     1
    megabytes to read               0.0
    staging rows to delete            1

    tables       songplays, staging_events, time, user_levels, users (affected keys only)
    destructive  the rows of 1 objects are replaced by their current content
    ");
    assert_eq!(std::fs::read(here.join("sparkify.duckdb")).unwrap(), before);
    let done = etl(here, &[]);
    assert_eq!((&done["objects_read"], &done["objects_changed"]), (&2.into(), &1.into()));
    assert_eq!(plays(here), "1 2 4 5 6");
    let output = run(here, ["plan"].iter().chain(&PATHS)).good();
    assert!(output.ends_with("no changes\n"), "{output}");
}

#[test]
fn a_replay_adds_accepted_records_to_the_model_once() {
    let folder = days();
    let here = folder.path();
    let name = "data/log_data/2018/11/2018-11-07-events.json";
    let good = event(7, 0, 1_541_548_800_000, "NextSong", "One");
    let broken = format!("{good}{{\"ts\":\"never\"}}\n");
    put(here, name, &broken);
    etl(here, &["--max-reject-share", "50%"]);
    // Simulates a record that an older version rejected: the play of the second day becomes a
    // reject.
    let mut warehouse = duckdb(here.join("sparkify.duckdb").to_str().unwrap());
    for statement in [
        "insert into etl_rejects select load_id, object_id, byte_offset, 1, 'an old rule', 'x'::blob
         from staging_events where session_id = 2",
        "delete from staging_events where session_id = 2",
        "delete from songplays where session_id = 2",
        "delete from time where start_time not in (select start_time from songplays)",
        "update etl_objects set rows_staged = 0, rows_rejected = 1 where object_key like '%2018-11-02%'",
    ] {
        warehouse.execute(statement).unwrap();
    }
    drop(warehouse);
    run(here, ["check", "--quiet"]).good();
    assert_eq!(plays(here), "1 3 4 5 6 7");
    assert_eq!(etl(here, &[])["outcome"], "unchanged");
    let arguments = ["rejects", "replay", "--max-reject-share", "50%", "--output", "json"];
    let replay = || run(here, arguments).json();
    let replayed = replay();
    assert_eq!((&replayed["objects_read"], &replayed["rejected"]), (&2.into(), &1.into()));
    assert_eq!(plays(here), "1 2 3 4 5 6 7");
    // An invalid record remains a reject, and an accepted one is not added twice.
    assert_eq!(replay()["rejected"], 1);
    assert_eq!(plays(here), "1 2 3 4 5 6 7");
    // The source is fixed, and an incremental load reads it.
    let fixed = "1541548800001,\"page\":\"Home\",\"sessionId\":7,\"itemInSession\":1";
    put(here, name, broken.replace("\"never\"", fixed));
    assert_eq!(etl(here, &[])["rejected"], 0);
    assert_eq!(replay()["outcome"], "unchanged");
    run(here, ["check", "--quiet"]).good();
}

#[test]
fn a_warehouse_in_the_input_folder_is_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    put(here, "e.json", event(1, 0, 1, "NextSong", "One"));
    for outcome in ["published", "unchanged", "unchanged"] {
        let found = run(here, ["etl", "--log-data", ".", "--output", "json"]).json();
        assert_eq!((&found["outcome"], &found["rejected"]), (&outcome.into(), &0.into()));
        let names = found["objects_ignored"].as_array().unwrap();
        assert!(names.iter().all(|name| name.as_str().unwrap().contains("sparkify.duckdb")));
        // The first load creates the file after the listing.
        assert_eq!(names.is_empty(), outcome == "published");
    }
}
