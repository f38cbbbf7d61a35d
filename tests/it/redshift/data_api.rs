//! The same cluster through the Data API: no port and no password, only signed requests.

use std::time::Duration;

use redshift_emulator::{Fault, Report, When};

use super::{Cluster, ETL};
use crate::support::{event, put, run};

const URL: &str = "redshift:workgroup/emulator/dev";

#[test]
fn a_load_through_the_data_api_makes_the_same_tables() {
    let cluster = Cluster::with_data();
    let here = cluster.folder.path();
    let through = |arguments: &[&str]| {
        let mut command = cluster.command(arguments);
        command.env("SPARKIFY_WAREHOUSE", URL);
        super::ended(&mut command)
    };
    through(&["create-tables"]).good();
    cluster.emulator.throttle_data_api(2);
    through(&ETL).good();
    cluster.assert_whole(1, 2);
    assert!(cluster.emulator.log().statements().iter().any(|statement| statement.data_api));
    let title = "select song_title from songplays order by item_in_session desc limit 1";
    let out = through(&["query", "--format", "csv", title]).good();
    assert_eq!(out.lines().nth(1), Some("It's \\ two"));
    run(here, ETL.into_iter().chain(["--warehouse", "duckdb:same.duckdb"])).good();
    through(&["diff", "duckdb:same.duckdb", URL]).good();
    through(&["check"]).good();
    let calls = cluster.emulator.data_api_calls();
    assert!(calls.iter().any(|call| call.contains("GetStatementResult")), "{calls:?}");
    assert_eq!(cluster.emulator.data_api_sessions(), 0, "a session is left to expire");
}

/// A row of a result has at most 64 KB, and a statement at most 100 KB.
#[test]
fn a_warehouse_with_long_rejects_is_transferred_there_and_back() {
    let cluster = Cluster::with_data();
    let here = cluster.folder.path();
    put(here, "data/log_data/long.json", format!("{{\"page\":\"{}\"}}", "y".repeat(200_000)));
    let local = ["--max-reject-share", "100%", "--warehouse", "duckdb:same.duckdb"];
    run(here, ETL.into_iter().chain(local)).good();
    for [from, to] in [["duckdb:same.duckdb", URL], [URL, "duckdb:back.duckdb"]] {
        let mut command = cluster.command(["transfer", from, to]);
        super::ended(command.env_remove("SPARKIFY_WAREHOUSE")).good();
    }
    assert_eq!(cluster.emulator.data_api_sessions(), 0, "a session is left to expire");
    run(here, ["diff", "duckdb:same.duckdb", "duckdb:back.duckdb"]).good();
    for name in ["same", "back"] {
        let warehouse = format!("duckdb:{name}.duckdb");
        let sql = "select md5(\"raw\"), octet_length(\"raw\") from etl_rejects";
        let csv = run(here, ["query", "--format", "csv", sql, "--warehouse", &warehouse]).good();
        assert!(csv.contains(",200011"), "{name}: {csv}");
    }
}

/// A transaction of its own is one request and atomic. A session ends with its connection,
/// after a failure too.
#[test]
fn missing_tables_are_created_atomically() {
    let cluster = Cluster::with_data();
    let through = |arguments: &[&str]| {
        let mut command = cluster.command(arguments);
        command.env("SPARKIFY_WAREHOUSE", URL);
        super::ended(&mut command)
    };
    // By the load, and before it is recorded as failed.
    for time in 1..=2 {
        let last = When::Containing("create table if not exists time".into(), time);
        let denied = Report::error("42501", "permission denied for schema public");
        cluster.emulator.faults().arm(last, Fault::Error(denied));
    }
    let words = through(&ETL).bad(2);
    assert_eq!(cluster.emulator.faults().left(), 0);
    assert!(words.contains("error: permission denied for schema public"), "{words}");
    let words = through(&["check"]).bad(2);
    assert!(words.contains("has no table `etl_loads`"), "the first table was made: {words}");
    assert_eq!(cluster.emulator.data_api_sessions(), 0, "a session is left to expire");
    through(&ETL).good();
    cluster.assert_whole(1, 2);
    let calls = cluster.emulator.data_api_calls();
    let together = calls.iter().filter(|call| *call == "BatchExecuteStatement").count();
    // Functions and tables, and both again, since the first attempt created no tables; then the
    // comments of each table, and the keys.
    assert_eq!(together, 4 + 13 + 1, "{calls:?}");
}

#[test]
fn a_missing_workgroup_is_named() {
    let cluster = Cluster::with_data();
    let mut command = cluster.command(["check", "--warehouse", "redshift:workgroup/nobody/dev"]);
    let words = super::ended(&mut command).bad(2);
    assert!(words.contains("redshift:workgroup/nobody/dev") && words.contains("hint: "), "{words}");
}

/// Writing files takes longer than a session lives without a statement.
#[test]
fn a_session_is_kept_alive_while_files_are_written() {
    let cluster = Cluster::with_data();
    let etl = || {
        let mut command = cluster.command(ETL);
        command.env("SPARKIFY_WAREHOUSE", format!("{URL}?session=2"));
        command
    };
    cluster.run(["create-tables"]).good();
    let beats = || cluster.sent().iter().filter(|text| *text == "select 1 as alive").count();
    cluster.store.hold("PUT *.json.gz");
    std::thread::scope(|scope| {
        let load = scope.spawn(|| super::ended(&mut etl()));
        cluster.store.wait_for_held(1);
        while beats() < 2 && !load.is_finished() {
            std::thread::sleep(Duration::from_millis(20));
        }
        cluster.store.release();
        load.join().unwrap().good();
    });
    cluster.assert_whole(1, 2);
    assert!(beats() >= 2, "{}", beats());
    // A killed program leaves a session that holds the load lock until it expires.
    put(
        cluster.folder.path(),
        "data/log_data/more.json",
        event(9, 0, 1_541_476_000_000, "NextSong", "One"),
    );
    cluster.store.hold("PUT *.json.gz");
    let mut killed = etl().spawn().unwrap();
    cluster.store.wait_for_held(1);
    killed.kill().unwrap();
    killed.wait().unwrap();
    cluster.store.wait_until_none_held();
    assert_eq!(cluster.emulator.data_api_sessions(), 1);
    cluster.store.release();
    super::ended(&mut etl()).good();
    cluster.assert_whole(2, 3);
}

/// Bytes beyond the limits of a statement and of a result row are written and read completely.
#[test]
fn a_reject_of_any_length_is_kept_as_on_other_engines() {
    let cluster = Cluster::with_data();
    let here = cluster.folder.path();
    let junk = |length: usize| {
        let bytes: Vec<u8> = (0..length).map(|at| b"ab'\\ $1;\xff"[at % 9]).collect();
        [&b"!"[..], &bytes, b"\n"].concat()
    };
    for length in [9, 43_000, 100_000, 1_100_000] {
        put(here, &format!("data/log_data/junk{length}.json"), junk(length));
    }
    let etl: Vec<&str> = ETL.into_iter().chain(["--max-reject-share", "100%"]).collect();
    let through = |arguments: &[&str]| {
        let mut command = cluster.command(arguments);
        command.env("SPARKIFY_WAREHOUSE", URL);
        super::ended(&mut command)
    };
    through(&etl).good();
    run(here, etl.iter().copied().chain(["--warehouse", "duckdb:same.duckdb"])).good();
    let lines = |out: String| -> Vec<serde_json::Value> {
        let line = |line: &str| {
            let mut reject: serde_json::Value = serde_json::from_str(line).unwrap();
            reject["loaded_at"].take();
            reject
        };
        out.lines().map(line).collect()
    };
    let export = ["rejects", "export", "-"];
    let kept = lines(through(&export).good());
    assert_eq!(kept.len(), 4);
    let same = export.into_iter().chain(["--warehouse", "duckdb:same.duckdb"]);
    assert!(kept == lines(run(here, same).good()), "the bytes differ");
    let cut = kept.iter().filter(|reject| reject["truncated"] == true).count();
    assert_eq!(cut, 1, "the first MiB is kept everywhere");
    for reject in &kept {
        let id = reject["id"].as_str().unwrap();
        let shown = through(&["rejects", "show", id, "--output", "json"]).json();
        assert!(
            shown[0]["raw_hex"].is_string() && shown[0]["raw_hex"] == reject["raw_hex"],
            "{id}"
        );
    }
    let listed = through(&["rejects", "list", "--output", "json"]).json();
    assert_eq!(listed["total"], 4);
    // Over the wire, the same rows.
    assert!(kept == lines(cluster.run(export).good()), "the wire tells other bytes");
    let longest = cluster.sent().iter().map(String::len).max();
    assert!(longest.is_some_and(|length| length <= 98_000), "{longest:?}");
    let appended =
        cluster.sent().iter().filter(|text| text.starts_with("update \"etl_rejects\"")).count();
    assert_eq!(appended, 1 + 2 + 24, "pieces behind the first ones");
}

impl Cluster {
    /// A load through the Data API.
    fn load_by_data_api(&self) -> crate::support::Ended {
        let mut command = self.command(ETL);
        command.env("SPARKIFY_WAREHOUSE", URL);
        super::ended(&mut command)
    }

    /// The number of statements that begin to stage.
    fn begun(&self) -> usize {
        self.sent()
            .iter()
            .filter(|text| text.starts_with("create temp table scope_objects"))
            .count()
    }

    fn called(&self, operation: &str) -> usize {
        self.emulator.data_api_calls().iter().filter(|call| *call == operation).count()
    }
}

/// The service answers the same for a busy session and a closed one. A busy one is waited for.
#[test]
fn a_busy_session_is_retried_and_the_load_goes_on() {
    for lists_sessions in [true, false] {
        let cluster = Cluster::with_data_api(|options| options.lists_sessions = lists_sessions);
        cluster.run(["create-tables"]).good();
        cluster.emulator.keep_data_api_busy(4);
        cluster.load_by_data_api().good();
        assert_eq!(cluster.begun(), 1, "the load was restarted");
        assert!(cluster.called("ListSessions") >= 4);
        cluster.assert_whole(1, 2);
        assert_eq!(cluster.emulator.data_api_sessions(), 0, "a session is left to expire");
    }
}

/// A session that the service reclaimed is lost with its transaction: the load is retried at once.
#[test]
fn a_closed_session_is_noticed_and_the_load_is_retried() {
    let cluster = Cluster::with_data();
    cluster.run(["create-tables"]).good();
    cluster.store.hold("PUT *.json.gz");
    std::thread::scope(|scope| {
        let load = scope.spawn(|| cluster.load_by_data_api());
        cluster.store.wait_for_held(1);
        cluster.emulator.close_data_api_sessions();
        cluster.store.release();
        load.join().unwrap().good();
    });
    assert!(cluster.called("ListSessions") <= 3, "{}", cluster.called("ListSessions"));
    cluster.assert_whole(1, 2);
}

#[test]
fn a_statement_is_polled_if_too_many_requests_wait_for_it() {
    let cluster = Cluster::with_data_api(|options| options.polls = 2);
    cluster.run(["create-tables"]).good();
    cluster.emulator.refuse_data_api_waits(5);
    cluster.load_by_data_api().good();
    assert_eq!(cluster.begun(), 1, "the load was restarted");
    cluster.assert_whole(1, 2);
}

/// The last statement of a session, which rolls back, waits for the end of a cancelled one. Else
/// transaction and lock would live on for the keep-alive.
#[test]
fn a_session_ends_although_its_last_statement_is_still_being_cancelled() {
    let cluster = Cluster::with_data();
    cluster.run(["create-tables"]).good();
    let denied = Report::error("42501", "permission denied");
    let commit = When::Containing("commit".into(), 1);
    cluster.emulator.faults().arm(commit, Fault::Error(denied));
    cluster.emulator.keep_data_api_busy_for("rollback", 3);
    cluster.load_by_data_api().bad(2);
    assert_eq!(cluster.emulator.faults().left(), 0);
    assert_eq!(cluster.emulator.data_api_sessions(), 0, "a session is left to expire");
}
