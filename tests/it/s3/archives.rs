//! Zip archives in a bucket: read by range requests, pinned to the listed version.

use std::process::Stdio;

use serde_json::json;

use super::{ETL, asked, plays, run, signed};
use crate::archives::{zipped, zipped_folder};
use crate::support::{self, Ended, event};
use s3_emulator::{Fault, Server};

const LOGS: [&str; 5] = ["etl", "--log-data", "s3://bucket/logs", "--output", "json"];

#[test]
fn archives_in_a_bucket_give_the_tables_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let size = ["--songs", "300", "--events", "10000", "--days", "14", "--awkward"];
    support::run(here, ["generate", "data"].into_iter().chain(size)).good();
    let server = Server::start();
    for part in ["song_data", "log_data"] {
        server.put(&format!("data/{part}/all.zip"), zipped_folder(&here.join("data").join(part)));
    }
    let output = [&ETL[..], &["--output", "json", "--warehouse", "duckdb:s3.duckdb"]].concat();
    let summary = run(&server, here, &output).json();
    assert!(summary["objects_read"].as_u64() > Some(300), "{summary}");
    let local = ["etl", "--song-data", "data/song_data", "--log-data", "data/log_data"];
    support::run(here, local).good();
    support::run(here, ["diff", "duckdb:sparkify.duckdb", "duckdb:s3.duckdb"]).good();
    support::run(here, ["check", "--warehouse", "duckdb:s3.duckdb"]).good();

    // Only the directories are read again, each with one request.
    server.take_requests();
    let again = run(&server, here, &output).json();
    assert_eq!((&again["outcome"], &again["objects_read"]), (&json!("unchanged"), &json!(0)));
    let requests = server.take_requests();
    let reads = requests.iter().filter(|line| line.contains("all.zip")).collect::<Vec<_>>();
    assert_eq!(reads.len(), 2, "{requests:#?}");
    // One of them is smaller than the part that is requested.
    assert!(reads.iter().any(|line| line.contains(" range: bytes=")), "{reads:#?}");
}

/// A bucket with an archive of two plays.
fn small() -> (Server, tempfile::TempDir) {
    let server = Server::start();
    server.put("logs/x.zip", archive(&[1, 2]));
    (server, tempfile::tempdir().unwrap())
}

fn archive(sessions: &[u32]) -> Vec<u8> {
    zipped(sessions.iter().map(|session| {
        let play = event(*session, 0, 1000 + u64::from(*session), "NextSong", "One");
        (format!("{session}.json"), play.repeat(3))
    }))
}

#[test]
fn a_member_is_read_without_the_rest_of_the_archive() {
    let server = Server::start();
    let play = event(1, 0, 1000, "NextSong", "One");
    let large = super::ranges::events(4 << 20);
    server.put("logs/x.zip", zipped([("2018-11-01.json", large), ("2018-11-02.json", play)]));
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let dates = ["--since", "2018-11-02", "--until", "2018-11-02"];
    let summary = run(&server, here, &[&LOGS[..], &dates].concat()).json();
    assert_eq!((&summary["objects_read"], &summary["objects_outside"]), (&json!(1), &json!(1)));
    assert_eq!(plays(here), "1");
    let requests = server.take_requests();
    let reads = requests.iter().filter(|line| line.contains("x.zip")).collect::<Vec<_>>();
    assert!(reads.iter().all(|line| line.contains("range: bytes=")), "{reads:#?}");
    assert!(reads.iter().all(|line| line.contains("if-match: ")), "{reads:#?}");
    assert_eq!(reads.len(), 2, "{reads:#?}");

    let trace = ["trace", "--session", "1", "--item", "0", "--output", "json"];
    let traced = run(&server, here, &trace).json();
    assert_eq!(traced[0]["events"][0]["object"], "s3://bucket/logs/x.zip!/2018-11-02.json");
    assert_eq!(traced[0]["events"][0]["object_state"], "as_loaded");
}

#[test]
fn a_rewritten_archive_reloads_only_what_changed() {
    let (server, folder) = small();
    assert_eq!(run(&server, folder.path(), &LOGS).json()["objects_read"], 2);
    // Another etag, with the same two members.
    server.put("logs/x.zip", archive(&[1, 3, 2]));
    let summary = run(&server, folder.path(), &LOGS).json();
    assert_eq!((&summary["objects_read"], &summary["objects_skipped"]), (&json!(1), &json!(2)));
    assert_eq!(plays(folder.path()), "3");
    server.take_requests();
    assert_eq!(run(&server, folder.path(), &LOGS).json()["outcome"], "unchanged");
    let requests = server.take_requests();
    assert_eq!(requests.iter().filter(|line| line.contains("x.zip")).count(), 1, "{requests:#?}");
}

#[test]
fn a_location_may_be_an_archive_or_a_folder_in_it() {
    let (server, folder) = small();
    let here = folder.path();
    server.put("all.zip", zipped([("a/1.json", event(5, 0, 5000, "NextSong", "One"))]));
    let load = |location: &str| {
        run(&server, here, &["etl", "--log-data", location, "--output", "json"]).json()
    };
    assert_eq!(load("s3://bucket/logs/x.zip")["objects_read"], 2);
    assert_eq!(load("s3://bucket/logs")["outcome"], "unchanged");
    assert_eq!(load("s3://bucket/all.zip!/a")["objects_read"], 1);
    let error = run(&server, here, &["etl", "--log-data", "s3://bucket/all.zip!/b"]).bad(2);
    assert!(error.contains("no objects found at `s3://bucket/all.zip!/b`"), "{error}");
}

#[test]
fn faults_of_the_store_change_nothing() {
    for fault in [
        Fault::IgnoreRange,
        Fault::Reset,
        Fault::Status(503, "SlowDown"),
        Fault::TruncateAt(40),
        Fault::WrongLength(-5),
        Fault::WrongLength(5),
        Fault::WrongRange(3),
    ] {
        for times in [1, 2, 3] {
            let (server, folder) = small();
            server.fail("GET *x.zip", fault.clone(), times);
            run(&server, folder.path(), &LOGS).good();
            assert_eq!(server.faults_left(), 0, "{fault:?}");
            assert_eq!(plays(folder.path()), "2", "{fault:?}");
            let staged = asked(folder.path(), "select count(*) from staging_events");
            assert_eq!(staged, "6", "{fault:?}");
        }
    }
}

#[test]
fn an_archive_that_changes_is_read_again_or_left_for_the_next_run() {
    let (server, folder) = small();
    let here = folder.path();
    run(&server, here, &LOGS).good();
    let another: &'static str = "another";
    // It changes once while its directory is read.
    let changed = archive(&[1, 2, 3]);
    server.put("logs/x.zip", changed.clone());
    server.fail("GET *x.zip", Fault::Deleted, 1);
    run(&server, here, &[&LOGS[..], &["--allow-empty"]].concat()).good();
    assert_eq!((plays(here).as_str(), server.faults_left()), ("2", 0));

    // It changes each time: the members keep their rows, also with --prune.
    server.put("logs/x.zip", changed.clone());
    server.put("logs/y.json", event(9, 0, 9000, "NextSong", "One"));
    server.fail("GET *x.zip", Fault::Overwritten(another), 3);
    let ended = run(&server, here, &["etl", "--log-data", "s3://bucket/logs", "--prune"]);
    assert!(ended.err.contains("warning: `s3://bucket/logs/x.zip` "), "{ended:?}");
    assert!(ended.err.contains(": left for the next run"), "{ended:?}");
    ended.good();
    assert_eq!((plays(here).as_str(), server.faults_left()), ("3", 0));
    server.put("logs/x.zip", changed.clone());
    server.fail("GET *x.zip", Fault::Overwritten(another), 1);
    let strict = [&LOGS[..], &["--strict-listing"]].concat();
    let error = run(&server, here, &strict).bad(2);
    assert!(error.contains("`s3://bucket/logs/x.zip` changed while it was read"), "{error}");

    run(&server, here, &["check"]).good();
}

#[test]
fn members_of_an_archive_that_changes_are_read_again_or_left_for_the_next_run() {
    let (server, folder) = small();
    let here = folder.path();
    run(&server, here, &LOGS).good();
    // It is written again after its directory was read: its members are read in their new version.
    server.put("logs/x.zip", archive(&[1, 2, 3]));
    server.hold("GET *x.zip range: bytes=");
    let mut command = signed(&server, here, LOGS);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    server.wait_for_held(1);
    server.put("logs/x.zip", archive(&[1, 4, 3]));
    server.release();
    let ended = Ended::from(child.wait_with_output().unwrap());
    ended.good();
    let sessions = "select string_agg(session_id, ' ' order by session_id) from songplays";
    assert_eq!(asked(here, sessions), "1 2 3");
    run(&server, here, &LOGS).good();
    assert_eq!(asked(here, sessions), "1 2 3 4");

    // It is removed: the members keep their rows.
    server.put("logs/x.zip", archive(&[1, 5, 3]));
    server.fail("GET *x.zip range: bytes=", Fault::Deleted, 1);
    let ended = run(&server, here, &["etl", "--log-data", "s3://bucket/logs"]);
    assert!(ended.err.contains("left for the next run"), "{ended:?}");
    ended.good();
    assert_eq!((asked(here, sessions).as_str(), server.faults_left()), ("1 2 3 4", 0));
    run(&server, here, &["check"]).good();
}

#[test]
fn a_truncated_archive_in_a_bucket_is_an_error() {
    let (server, folder) = small();
    let whole = archive(&[1, 2]);
    server.put("logs/x.zip", whole[..whole.len() - 40].to_vec());
    let error = run(&server, folder.path(), &["etl", "--log-data", "s3://bucket/logs"]).bad(2);
    let message = "cannot read `s3://bucket/logs/x.zip`: it is not a zip archive, or truncated";
    assert!(error.contains(message), "{error}");
}
