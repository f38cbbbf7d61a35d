//! COPY that cannot do what it was told: objects that break off on their way to the cluster, rows that a table does not take. Nothing of the load is there, it is
//! said what was wrong, and the same command succeeds once it is mended.

use std::process::Command;

use s3_emulator::Fault;

use super::{Cluster, ETL};

/// What the cluster requests; the program itself only puts.
const FILE: &str = "GET *.json.gz";
const MANIFEST: &str = "GET *manifest.json";

/// A cluster with one load in it, and a second one to come.
fn loaded() -> Cluster {
    let cluster = Cluster::with_data();
    cluster.run(ETL).good();
    let later = crate::support::event(9, 0, 1_541_476_000_000, "NextSong", "One");
    crate::support::put(cluster.folder.path(), "data/log_data/later.json", later);
    cluster
}

/// Nothing of the load is there, and nothing that it left.
fn assert_as_before(cluster: &Cluster) {
    assert_eq!(cluster.asked("select count(*) from songplays"), "2");
    assert_eq!(cluster.asked("select count(*) from staging_events"), "3");
    assert_eq!(cluster.staged(), Vec::<String>::new());
    assert_eq!(cluster.store.open_uploads(), 0);
}

/// The cluster tries each request five times, and then fails the load.
#[test]
fn an_object_that_breaks_off_on_its_way_to_the_cluster_fails_the_load_whole() {
    for (part, fault, said) in [
        (FILE, Fault::TruncateAt(20), "partial file"),
        (FILE, Fault::WrongLength(7), "partial file"),
        // The store says that it is shorter than it is: only the end of the stream is missing.
        (FILE, Fault::WrongLength(-7), "cannot be decompressed"),
        (MANIFEST, Fault::TruncateAt(20), "Problem reading manifest file"),
        (MANIFEST, Fault::WrongLength(-7), "is not properly formed"),
    ] {
        let cluster = loaded();
        // An object that seems whole is not asked for again.
        let seems_whole = matches!(fault, Fault::WrongLength(..0));
        cluster.store.fail(part, fault.clone(), if seems_whole { 1 } else { 5 });
        let words = cluster.run(ETL).bad(2);
        assert_eq!(cluster.store.faults_left(), 0, "{part}: {fault:?}");
        assert!(words.contains(said), "{part}: {fault:?}: {words}");
        assert_as_before(&cluster);
        assert_eq!(cluster.asked("select outcome from etl_loads where load_id = 2"), "failed");
        cluster.run(ETL).good();
        cluster.assert_whole(2, 3);
    }
}

#[test]
fn an_object_that_breaks_off_fewer_times_is_borne() {
    let cluster = loaded();
    cluster.store.fail(FILE, Fault::TruncateAt(20), 4);
    cluster.run(ETL).good();
    assert_eq!(cluster.store.faults_left(), 0);
    cluster.assert_whole(2, 3);
}

/// A table that somebody has made narrower than ours: COPY refuses what does not fit, and which row of which file that was is said.
#[test]
fn a_row_that_the_cluster_refuses_is_named_with_its_column_and_reason() {
    let cluster = loaded();
    let url = cluster.url().replacen("redshift://", "postgres://", 1) + "&sslmode=verify-full";
    let widen = |bytes: u32| {
        let alter = format!("alter table staging_events alter column song type varchar({bytes})");
        let done = Command::new("psql").args(["-X", "-q", &url, "-c", &alter]).output();
        let done = done.expect("psql starts");
        assert!(done.status.success(), "{done:?}");
    };
    let events = ["One", "Some title of 32 bytes and a few", "Two"];
    let events = (0..).zip(events).map(|(item, song)| {
        crate::support::event(8, item, 1_541_476_000_000 + u64::from(item), "NextSong", song)
    });
    crate::support::put(
        cluster.folder.path(),
        "data/log_data/later.json",
        events.collect::<String>(),
    );
    widen(12);
    let words = cluster.run(ETL).bad(2);
    assert!(words.contains("Load into table 'staging_events' failed"), "{words}");
    let row = words.lines().find(|line| line.starts_with("  `s3://bucket/staging/sparkify-load-"));
    let row = row.unwrap_or_else(|| panic!("no row is named: {words}"));
    assert!(row.contains(".json.gz`, line 2, column `song`: "), "{row}");
    assert!(row.ends_with(" (1204)"), "{row}");
    assert_as_before(&cluster);
    let note = cluster.asked("select message from etl_loads where load_id = 2");
    assert!(note.contains("line 2, column `song`"), "{note}");
    widen(2048);
    cluster.run(ETL).good();
    cluster.assert_whole(2, 5);
}
