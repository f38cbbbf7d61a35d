//! Loads from a bucket: incremental, killed, traced, and always with the rows of a load from a
//! folder.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::{ETL, LOGS, SONGS, asked, plays, run, signed, upload};
use crate::data::{DataSet, on_each_data_set};
use crate::support::{self, event, query_value, song};
use s3_emulator::Server;

/// Loads the same input from the bucket and from the folder, and compares the tables.
fn agree(server: &Server, data: &Path, more: &[&str]) -> serde_json::Value {
    let folder = tempfile::tempdir().unwrap();
    upload(server, data, "data");
    let arguments = [&ETL[..], &["--output", "json"], more].concat();
    let summary = run(server, folder.path(), &arguments).json();
    let [songs, logs] = ["song_data", "log_data"].map(|part| data.join(part));
    let here = ["etl", "--warehouse", "duckdb:here.duckdb"].map(std::ffi::OsString::from);
    let paths = ["--song-data".into(), songs.into(), "--log-data".into(), logs.into()];
    support::run(folder.path(), here.into_iter().chain(paths)).good();
    let warehouses = ["diff", "duckdb:here.duckdb", "duckdb:sparkify.duckdb"];
    support::run(folder.path(), warehouses).good();
    support::run(folder.path(), ["check"]).good();

    let again = run(server, folder.path(), &arguments).json();
    assert_eq!((&again["outcome"], &again["objects_read"]), (&"unchanged".into(), &0.into()));
    summary
}

on_each_data_set!(a_load_from_a_bucket_gives_the_figures);

fn a_load_from_a_bucket_gives_the_figures(data: &DataSet) {
    let server = Server::start();
    let summary = agree(&server, &data.folder(), &[]);
    assert_eq!(summary["objects_read"], data.objects());
    for (table, rows) in data.tables {
        assert_eq!(summary["tables"][table], rows, "{table}");
    }
}

#[test]
fn awkward_input_from_a_slow_and_throttling_store_gives_the_same_tables() {
    let folder = tempfile::tempdir().unwrap();
    let size = ["--songs", "400", "--events", "20000", "--days", "14", "--awkward"];
    support::run(folder.path(), ["generate", "data"].into_iter().chain(size)).good();
    let server = Server::start();
    server.set_latency(Duration::from_millis(5));
    server.state.max_concurrent.store(3, std::sync::atomic::Ordering::Relaxed);
    agree(&server, &folder.path().join("data"), &["--memory", "64MB"]);
}

/// Creates a bucket with two songs, and two plays in two objects.
pub(super) fn small() -> (Server, tempfile::TempDir) {
    let server = Server::start();
    server.put("data/song_data/a.json", song("SO1", "One", 200.5));
    server.put("data/song_data/b.json", song("SO2", "Two", 200.5));
    server.put("data/log_data/1.json", event(1, 0, 1000, "NextSong", "One"));
    server.put("data/log_data/2.json", event(2, 0, 2000, "NextSong", "Two"));
    (server, tempfile::tempdir().unwrap())
}

#[test]
fn objects_that_were_moved_to_another_prefix_keep_their_rows() {
    let (server, folder) = small();
    let here = folder.path();
    run(&server, here, &ETL).good();
    for key in server.keys(s3_emulator::BUCKET) {
        server.put(&key.replacen("data/", "moved/", 1), server.get(&key).unwrap());
        server.remove(&key);
    }
    let locations = ["s3://bucket/moved/song_data", "s3://bucket/moved/log_data"];
    let moved = |command, more: &[&str]| {
        let [songs, logs] = locations;
        let arguments = [command, "--song-data", songs, "--log-data", logs, "--output", "json"];
        run(&server, here, &[&arguments[..], more].concat()).json()
    };
    let relocation = "s3://bucket/data=s3://bucket/moved";
    let plan = moved("plan", &[]);
    assert!(plan["notes"].to_string().contains(&format!("--relocate {relocation}")), "{plan}");
    // The copies have other etags, so their content is compared.
    let summary = moved("etl", &["--relocate", relocation]);
    assert_eq!((&summary["objects_read"], &summary["objects_relocated"]), (&0.into(), &4.into()));
    server.take_requests();
    let summary = moved("etl", &[]);
    assert_eq!(
        (&summary["outcome"], &summary["objects_skipped"]),
        (&"unchanged".into(), &4.into())
    );
    let requests = server.take_requests();
    assert!(requests.iter().all(|line| line.contains("list-type=2")), "{requests:#?}");
    run(&server, here, &["check"]).good();
}

#[test]
fn a_rewritten_object_replaces_its_rows() {
    let (server, folder) = small();
    run(&server, folder.path(), &ETL).good();
    assert_eq!(plays(folder.path()), "2");
    // The size is the same, so only the etag differs.
    server.put("data/log_data/1.json", event(3, 0, 1000, "NextSong", "Two"));
    let plan = [&["plan", "--output", "json"], &ETL[1..]].concat();
    let plan = run(&server, folder.path(), &plan).json();
    assert_eq!(plan["changed"], serde_json::json!(["s3://bucket/data/log_data/1.json"]));
    let summary = run(&server, folder.path(), &[&ETL[..], &["--output", "json"]].concat()).json();
    assert_eq!(summary["objects_read"], 1);
    assert_eq!(asked(folder.path(), "select min(session_id), count(*) from songplays"), "2,2");

    server.remove("data/log_data/2.json");
    run(&server, folder.path(), &[&ETL[..], &["--prune"]].concat()).good();
    assert_eq!(plays(folder.path()), "1");
}

#[test]
fn locations_and_endpoint_can_come_from_the_configuration_file() {
    let (server, folder) = small();
    let endpoint = server.endpoint();
    let file = format!(
        "[S3]\nSONG_DATA='{SONGS}'\nLOG_DATA=\"{LOGS}\"\nENDPOINT_URL={endpoint}\n[AWS]\nKEY={}\nSECRET={}\n",
        super::KEY,
        super::SECRET
    );
    std::fs::write(folder.path().join("dwh.cfg"), file).unwrap();
    super::ended(&mut super::program(folder.path(), ["etl"])).good();
    assert_eq!(plays(folder.path()), "2");
}

#[test]
fn a_play_is_traced_with_a_range_request_and_rejects_are_reprocessed() {
    let (server, folder) = small();
    let many =
        event(5, 0, 5000, "NextSong", "One").repeat(20) + &event(6, 0, 6000, "NextSong", "Two");
    server.put("data/log_data/3.json", many.clone() + "{\"broken\n");
    run(&server, folder.path(), &[&ETL[..], &["--max-reject-share", "50%"]].concat()).good();
    server.take_requests();
    let arguments = ["trace", "--session", "6", "--item", "0", "--output", "json"];
    let traced = run(&server, folder.path(), &arguments).json();
    let origin = &traced[0]["events"][0];
    assert_eq!(origin["object_state"], "as_loaded", "{traced}");
    let raw = origin["raw"].as_str().or(origin["bytes"].as_str()).unwrap_or_default();
    assert!(raw.is_empty() || raw.contains("\"sessionId\":6"), "{origin}");
    let offset = many.len() - event(6, 0, 6000, "NextSong", "Two").len();
    let range = format!("range: bytes={offset}-");
    let requests = server.take_requests();
    assert!(requests.iter().any(|line| line.contains(&range)), "{requests:#?}");

    server.put("data/log_data/3.json", many);
    let traced = run(&server, folder.path(), &arguments).json();
    assert_eq!(traced[0]["events"][0]["object_state"], "changed");
    run(&server, folder.path(), &["rejects", "replay"]).good();
    assert_eq!(asked(folder.path(), "select count(*) from etl_rejects"), "0");

    server.remove("data/log_data/3.json");
    let traced = run(&server, folder.path(), &arguments).json();
    assert_eq!(traced[0]["events"][0]["object_state"], "gone");
}

#[test]
fn ctrl_c_and_termination_cancel_a_load() {
    let (server, folder) = small();
    run(&server, folder.path(), &ETL).good();
    for number in 0..300 {
        let event = event(100 + number, 0, 9000, "NextSong", "One");
        server.put(&format!("data/log_data/late/{number}.json"), event);
    }
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        server.hold_until("GET /bucket/data/log_data/late/", 10, usize::MAX);
        let mut command = signed(&server, folder.path(), ETL);
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        server.wait_for_held(1);
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert!(stderr.any(|line| line.starts_with("cancelling the load")));
        server.release();
        assert_eq!(child.wait().unwrap().code(), Some(code));
        let rest: Vec<String> = stderr.collect();
        assert_eq!(rest[0], "error: the load was cancelled: nothing was published");
        assert_eq!(plays(folder.path()), "2");
    }
    run(&server, folder.path(), &ETL).good();
    assert_eq!(plays(folder.path()), "302");
    let outcomes = "select string_agg(outcome, ' ' order by load_id) from etl_loads";
    assert_eq!(query_value(folder.path(), outcomes), "published failed failed published");
}

#[test]
fn a_killed_load_leaves_the_published_data() {
    let (server, folder) = small();
    run(&server, folder.path(), &ETL).good();
    for number in 0..300 {
        let event = event(100 + number, 0, 9000, "NextSong", "One");
        server.put(&format!("data/log_data/late/{number}.json"), event);
    }
    // Kills the load after it has read some of the new objects.
    for passed in [0, 10, 100, 299] {
        server.hold_until("GET /bucket/data/log_data/late/", passed, usize::MAX);
        let mut command = signed(&server, folder.path(), ETL.into_iter().chain(["-v"]));
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        assert!(stderr.any(|line| line.unwrap().ends_with("INFO stage events")));
        server.wait_for_held(1);
        child.kill().unwrap();
        child.wait().unwrap();
        server.wait_until_none_held();
        server.release();
        assert_eq!(plays(folder.path()), "2", "killed after {passed} objects");
    }
    run(&server, folder.path(), &ETL).good();
    assert_eq!(plays(folder.path()), "302");
}
