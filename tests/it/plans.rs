//! Plans of `doctor --plans` on PostgreSQL and DuckDB.

use std::path::Path;

use serde_json::Value as Json;

use crate::servers::Database;
use crate::support::{Ended, event, put, run, song, sparkify};

fn load(folder: &Path, url: &str) {
    put(folder, "song_data/a.json", song("SO1", "One", 200.5));
    put(folder, "log_data/a.json", event(1, 0, 1_541_376_000_796, "NextSong", "One"));
    let locations = ["--song-data", "song_data", "--log-data", "log_data"];
    run(folder, ["etl", "--warehouse", url].into_iter().chain(locations)).good();
}

/// Returns the lines about plans.
fn plans(folder: &Path, url: &str) -> (Json, Vec<String>) {
    let arguments = ["doctor", "--plans", "--output", "json", "--warehouse", url];
    let ended = Ended::from(sparkify(folder, arguments).output().unwrap());
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let report: Json = serde_json::from_str(&ended.out).unwrap();
    let about_plans = |line: &&Json| line["what"].as_str().unwrap().starts_with("plan");
    let lines = report["lines"].as_array().unwrap().iter().filter(about_plans);
    let lines = lines.map(|line| line["said"].as_str().unwrap().to_owned()).collect();
    (report, lines)
}

/// A server with indexes reports scans of large tables, and nested loops of many rows.
#[test]
fn scans_of_large_tables_are_reported() {
    let (folder, database) = (tempfile::tempdir().unwrap(), Database::new());
    let url = database.url();
    load(folder.path(), &url);
    let (report, lines) = plans(folder.path(), &url);
    let count = report["plans"].as_array().unwrap().len();
    let expected = format!("{count} statements of an incremental load explained; 0 have findings");
    assert_eq!((lines, count > 50), (vec![expected], true));
    database.psql(
        "insert into staging_events (item_in_session, ts, session_id, page, user_id, load_id, object_id, byte_offset)
         select n, 1541376000796 + n, n, 'Home', n % 100, 1, 1, n from generate_series(1, 150000) as n;
         analyze staging_events",
    );
    let (_, lines) = plans(folder.path(), &url);
    assert!(
        lines.iter().any(|line| line.contains("sequential scan of `staging_events` (15")),
        "{lines:#?}"
    );
    assert_eq!(database.psql("select count(*) from staging_events"), "150001");
    assert_eq!(database.psql("select count(*) from songplays"), "1");
    let left = "select count(*) from pg_tables where tablename ~ '^(scope|touched)_'";
    assert_eq!(database.psql(left), "0");
}

#[test]
fn plans_are_not_analyzed_on_duckdb() {
    let folder = tempfile::tempdir().unwrap();
    load(folder.path(), "duckdb:sparkify.duckdb");
    let (report, lines) = plans(folder.path(), "duckdb:sparkify.duckdb");
    assert_eq!(lines, ["not analyzed on this engine"]);
    assert_eq!(report["plans"], serde_json::json!([]));
}
