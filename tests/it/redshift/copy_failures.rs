//! Failures of COPY: truncated objects, and rows that the table rejects.
//!
//! The load leaves nothing, the message names the cause, and the same command succeeds afterwards.

use std::process::Command;

use s3_emulator::Fault;

use super::{Cluster, ETL};
use crate::support::{event, put};

/// Requests of the cluster; sparkify itself only sends PUT.
const FILE: &str = "GET *.json.gz";
const MANIFEST: &str = "GET *manifest.json";

/// Creates a cluster with one load, and new input for a second one.
fn loaded() -> Cluster {
    let cluster = Cluster::with_data();
    cluster.run(ETL).good();
    let later = event(9, 0, 1_541_476_000_000, "NextSong", "One");
    put(cluster.folder.path(), "data/log_data/later.json", later);
    cluster
}

/// Asserts that the failed load left no rows and no staged objects.
fn assert_nothing_loaded(cluster: &Cluster) {
    assert_eq!(cluster.asked("select count(*) from songplays"), "2");
    assert_eq!(cluster.asked("select count(*) from staging_events"), "3");
    assert_eq!(cluster.staged(), Vec::<String>::new());
    assert_eq!(cluster.store.open_uploads(), 0);
}

/// The cluster sends each request up to five times.
#[test]
fn an_object_truncated_on_the_way_to_the_cluster_fails_the_load() {
    for (part, fault, expected) in [
        (FILE, Fault::TruncateAt(20), "partial file"),
        (FILE, Fault::WrongLength(7), "partial file"),
        // With a length that is too small, only the end of the stream is missing.
        (FILE, Fault::WrongLength(-7), "cannot be decompressed"),
        (MANIFEST, Fault::TruncateAt(20), "Problem reading manifest file"),
        (MANIFEST, Fault::WrongLength(-7), "is not properly formed"),
    ] {
        let cluster = loaded();
        // An object of the announced length is not requested again.
        let seems_whole = matches!(fault, Fault::WrongLength(..0));
        cluster.store.fail(part, fault.clone(), if seems_whole { 1 } else { 5 });
        let message = cluster.run(ETL).bad(2);
        assert_eq!(cluster.store.faults_left(), 0, "{part}: {fault:?}");
        assert!(message.contains(expected), "{part}: {fault:?}: {message}");
        assert_nothing_loaded(&cluster);
        assert_eq!(cluster.asked("select outcome from etl_loads where load_id = 2"), "failed");
        cluster.run(ETL).good();
        cluster.assert_whole(2, 3);
    }
}

#[test]
fn an_object_truncated_fewer_times_is_retried() {
    let cluster = loaded();
    cluster.store.fail(FILE, Fault::TruncateAt(20), 4);
    cluster.run(ETL).good();
    assert_eq!(cluster.store.faults_left(), 0);
    cluster.assert_whole(2, 3);
}

/// A narrower column than the declared one: COPY rejects a longer value, and the message names
/// file, line and column.
#[test]
fn a_rejected_row_is_reported_with_its_column_and_reason() {
    let cluster = loaded();
    let url = cluster.url().replacen("redshift://", "postgres://", 1) + "&sslmode=verify-full";
    let resize = |bytes: u32| {
        let alter = format!("alter table staging_events alter column song type varchar({bytes})");
        let done = Command::new("psql").args(["-X", "-q", &url, "-c", &alter]).output();
        let done = done.expect("psql starts");
        assert!(done.status.success(), "{done:?}");
    };
    let events = ["One", "Some title of 32 bytes and a few", "Two"];
    let events = (0..)
        .zip(events)
        .map(|(item, song)| event(8, item, 1_541_476_000_000 + u64::from(item), "NextSong", song));
    put(cluster.folder.path(), "data/log_data/later.json", events.collect::<String>());
    resize(12);
    let message = cluster.run(ETL).bad(2);
    assert!(message.contains("Load into table 'staging_events' failed"), "{message}");
    let row =
        message.lines().find(|line| line.starts_with("  `s3://bucket/staging/sparkify-load-"));
    let row = row.unwrap_or_else(|| panic!("no row in: {message}"));
    assert!(row.contains(".json.gz`, line 2, column `song`: "), "{row}");
    assert!(row.ends_with(" (1204)"), "{row}");
    assert_nothing_loaded(&cluster);
    let note = cluster.asked("select message from etl_loads where load_id = 2");
    assert!(note.contains("line 2, column `song`"), "{note}");
    resize(2048);
    cluster.run(ETL).good();
    cluster.assert_whole(2, 5);
}

/// The load history lists running COPY commands too; their counts are not final.
#[test]
fn a_copy_that_is_still_listed_as_running_is_polled() {
    let cluster = loaded();
    cluster.emulator.show_loads_as_running(3);
    let bulk = (0..2000).map(|item| event(20, item, 1_541_476_000_000, "NextSong", "One"));
    put(cluster.folder.path(), "data/log_data/bulk.json", bulk.collect::<Vec<_>>().join("\n"));
    cluster.run(ETL).good();
    assert_eq!(cluster.asked("select count(*) from songplays"), "2003");
}
