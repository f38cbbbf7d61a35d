//! Direct loads: the cluster copies the objects of the bucket, and sparkify reads those that COPY
//! rejects.

mod faults;
mod formats;
mod histories;

use std::process::Command;

use redshift_emulator::Behavior;
use s3_emulator::{BUCKET, KEY, SECRET};

use super::{Cluster, ROLE, ended};
use crate::data::{DataSet, on_each_data_set};
use crate::support::{Ended, JSON_PATHS, event, gzip, put, run, song, walk};

/// How COPY selects objects.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum By {
    /// Key prefixes.
    Prefixes,
    /// Manifests.
    Lists,
}

impl Cluster {
    /// Returns a direct load of the objects in the bucket.
    pub(super) fn direct(&self, by: By, more: &[&str]) -> Command {
        let songs = format!("s3://{BUCKET}/data/song_data");
        let logs = format!("s3://{BUCKET}/data/log_data");
        let etl = ["etl", "--output", "json", "--song-data", &songs, "--log-data", &logs];
        let mut command = self.command(etl.into_iter().chain(more.iter().copied()));
        command.env_remove("SPARKIFY_STAGING");
        if by == By::Lists {
            command.env("SPARKIFY_MANIFEST", format!("s3://{BUCKET}/lists"));
        }
        command
    }

    fn load(&self, by: By) -> Ended {
        ended(&mut self.direct(by, &[]))
    }

    fn log(&self, name: &str, events: &[String]) {
        self.store.put(&format!("data/log_data/2018/11/{name}"), events.concat());
    }

    /// Asserts that a load of the same objects into DuckDB gives the same tables.
    fn assert_same(&self, more: &[&str]) {
        let mut command = self.direct(By::Prefixes, more);
        command.env("SPARKIFY_WAREHOUSE", "duckdb:same.duckdb");
        ended(&mut command).good();
        self.run(["diff", "duckdb:same.duckdb", &self.url()]).good();
        let rejects = ["query", "--format", "csv", "select count(*) as rejects from etl_rejects"];
        let in_duckdb = rejects.into_iter().chain(["--warehouse", "duckdb:same.duckdb"]);
        assert_eq!(self.run(rejects).good(), self.run(in_duckdb).good(), "rejects");
        self.run(["check"]).good();
    }

    fn copies(&self) -> Vec<String> {
        self.sent().into_iter().filter(|statement| statement.starts_with("copy ")).collect()
    }

    /// Asserts that sparkify left no objects in the bucket.
    fn assert_tidy(&self) {
        let leftovers = self.store.keys(BUCKET).into_iter().filter(|key| !key.starts_with("data/"));
        assert_eq!(leftovers.collect::<Vec<_>>(), Vec::<String>::new());
    }
}

/// Creates a cluster and a bucket with two songs and a day of two plays.
fn small() -> Cluster {
    small_without(Vec::new())
}

/// Creates the same with a cluster without some of Redshift's behaviors.
fn small_without(without: Vec<Behavior>) -> Cluster {
    let cluster = Cluster::without(without);
    cluster.store.put("data/song_data/A/a.json", song("SO1", "One", 200.5));
    cluster.store.put("data/song_data/A/b.json", song("SO2", "It's \\\\ two", 100.0));
    cluster.store.put("data/song_data/_SUCCESS", "");
    cluster.log(
        "2018-11-05-events.json",
        &[
            event(1, 0, 1_541_376_000_796, "NextSong", "One"),
            event(1, 1, 1_541_376_001_000, "Home", ""),
            event(1, 2, 1_541_376_002_123, "NextSong", "It's \\\\ two"),
        ],
    );
    cluster
}

on_each_data_set!(a_direct_load_gives_the_figures_and_the_same_rows_as_duckdb);

fn a_direct_load_gives_the_figures_and_the_same_rows_as_duckdb(data: &DataSet) {
    let cluster = Cluster::start();
    let folder = data.folder();
    for file in walk(&folder) {
        let key = file.strip_prefix(&folder).unwrap().to_str().unwrap();
        cluster.store.put(&format!("data/{key}"), std::fs::read(&file).unwrap());
    }
    let paths = format!("s3://{BUCKET}/data/log_json_path.json");
    let more = ["--log-jsonpath", &paths];
    for (outcome, read) in [("published", data.objects()), ("unchanged", 0)] {
        let summary = ended(&mut cluster.direct(By::Prefixes, &more)).json();
        assert_eq!(
            (&summary["outcome"], &summary["objects_read"]),
            (&outcome.into(), &read.into())
        );
        assert_eq!(summary["objects_copied"], read);
        for (table, rows) in data.tables {
            assert_eq!(summary["tables"][table], rows, "{table}");
        }
    }
    assert_eq!(cluster.copies().len(), 2);
    // Repaired text is the same as in DuckDB.
    cluster.assert_same(&more);
    let repaired = "select sum(repairs) from etl_loads";
    assert_eq!(
        cluster.asked(repaired),
        cluster
            .run(["query", "--format", "csv", repaired, "--warehouse", "duckdb:same.duckdb"])
            .good()
            .lines()
            .nth(1)
            .unwrap()
    );
    assert_ne!(cluster.asked(repaired), "0");
    cluster.run(["verify", "--profile", "strict"]).good();
}

/// New objects beside loaded, skipped and differently compressed ones.
#[test]
fn only_new_objects_are_copied_by_prefix_or_manifest() {
    for by in [By::Prefixes, By::Lists] {
        let cluster = small();
        assert_eq!(cluster.load(by).json()["records"], 5, "{by:?}");
        cluster.emulator.log().clear();
        assert_eq!(cluster.load(by).json()["outcome"], "unchanged");
        assert_eq!(cluster.copies().len(), 0);
        cluster.log("2018-11-06-events.json", &[event(2, 0, 1_541_476_000_000, "NextSong", "One")]);
        let packed =
            zstd::encode_all(event(3, 0, 1_541_576_000_000, "NextSong", "One").as_bytes(), 1)
                .unwrap();
        cluster.store.put("data/log_data/2018/11/2018-11-07-events.json.zst", packed);
        let gzip = gzip(event(4, 0, 1_541_676_000_000, "NextSong", "One").as_bytes());
        cluster.store.put("data/log_data/2018/11/2018-11-08-events.json.gz", gzip);
        cluster
            .store
            .put("data/log_data/2018/11/.ipynb_checkpoints/2018-11-09-events.json", "junk");
        cluster.store.put("data/log_data/2018/11/2018-11-09-events.json", "");
        let summary = cluster.load(by).json();
        assert_eq!(
            (&summary["records"], &summary["objects_copied"]),
            (&3.into(), &3.into()),
            "{by:?}"
        );
        assert_eq!(cluster.copies().len(), 3);
        assert_eq!(cluster.asked("select count(*) from songplays"), "5");
        cluster.assert_same(&[]);
        cluster.assert_tidy();
    }
}

/// COPY would omit these records. Each becomes a row or a reject with its position and bytes, as in
/// DuckDB.
#[test]
fn records_that_copy_rejects_are_read_by_sparkify() {
    for by in [By::Prefixes, By::Lists] {
        let cluster = small();
        let good = event(2, 0, 1_541_476_000_000, "NextSong", "One");
        let bad = event(2, 1, 1_541_476_001_000, "NextSong", "One")
            .replace("\"userId\":\"", "\"userId\":\"x");
        assert_ne!(bad, event(2, 1, 1_541_476_001_000, "NextSong", "One"));
        let array = format!(
            "[{},{}]",
            good.trim().replace(":2,", ":7,"),
            good.trim().replace(":2,", ":8,")
        );
        cluster.log("2018-11-06-events.json", &[good.clone(), bad.clone(), "#!/bin/sh\n".into()]);
        cluster.log("2018-11-07-events.json", &[array]);
        cluster.log(
            "2018-11-08-events.json",
            &[event(5, 0, 1_541_486_000_000, "NextSong", "One")
                .replace("\"page\":\"NextSong\",", "")],
        );
        let more = ["--max-reject-share", "50%"];
        let summary = ended(&mut cluster.direct(by, &more)).json();
        assert_eq!(summary["objects_parsed_after_copy"], 3, "{by:?}: {summary:#}");
        assert_eq!(summary["objects_copied"], 3);
        let rejects = cluster.run(["rejects", "list", "--output", "json"]).good();
        let list: serde_json::Value = serde_json::from_str(&rejects).unwrap();
        let reject = &list["rejects"][0];
        assert_eq!(reject["position"], good.len());
        assert!(reject["object"].as_str().unwrap().ends_with("/2018-11-06-events.json"));
        cluster.assert_same(&more);
        let theirs = run(
            cluster.folder.path(),
            ["rejects", "list", "--output", "json", "--warehouse", "duckdb:same.duckdb"],
        )
        .good();
        let reasons = |text: &str| {
            let list: serde_json::Value = serde_json::from_str(text).unwrap();
            let key = |reject: &serde_json::Value| {
                (
                    reject["object"].to_string(),
                    reject["position"].to_string(),
                    reject["reason"].to_string(),
                    reject["excerpt"].to_string(),
                )
            };
            list["rejects"].as_array().unwrap().iter().map(key).collect::<Vec<_>>()
        };
        assert_eq!(reasons(&rejects), reasons(&theirs));
        assert_eq!(reasons(&rejects).len(), 3);
        cluster.assert_tidy();
        // With more rejects than the limit, nothing is published.
        cluster.log("2018-11-10-events.json", &["{}\n".into()]);
        let message = ended(&mut cluster.direct(by, &[])).bad(1);
        assert!(message.contains("too many rejected records"), "{message}");
        assert_eq!(
            cluster.asked("select count(*) from etl_loads where outcome = 'published'"),
            "1"
        );
    }
}

/// COPY accepts times out of range, and records without required fields. The rules reject them.
#[test]
fn records_that_only_the_rules_reject_are_rejects() {
    let cluster = small();
    let good = event(2, 0, 1_541_476_000_000, "NextSong", "One");
    let late = event(2, 1, 999_999_999_999_999, "NextSong", "One");
    cluster.log("2018-11-06-events.json", &[good.clone(), late.clone()]);
    let without =
        event(3, 0, 1_541_476_000_000, "NextSong", "One").replace("\"page\":", "\"pages\":");
    cluster.log("2018-11-07-events.json", std::slice::from_ref(&without));
    cluster.store.put(
        "data/song_data/A/c.json",
        song("SO3", "Three", 1.0).replace("\"song_id\"", "\"song\""),
    );
    let more = ["--max-reject-share", "50%"];
    let summary = ended(&mut cluster.direct(By::Prefixes, &more)).json();
    let counts = ["records", "rejected", "objects_copied", "objects_parsed_after_copy"]
        .map(|key| summary[key].as_u64().unwrap());
    assert_eq!(counts, [9, 3, 3, 3]);
    let listed = cluster.run(["rejects", "list", "--output", "json"]).good();
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let reject = listed["rejects"]
        .as_array()
        .unwrap()
        .iter()
        .find(|reject| reject["reason"] == "ts is out of range");
    let reject = reject.unwrap_or_else(|| panic!("{listed:#}"));
    assert_eq!(
        (&reject["position"], &reject["length"]),
        (&good.len().into(), &late.trim_end().len().into())
    );
    cluster.assert_same(&more);
}

/// COPY does not report which object of a group a row came from.
#[test]
fn a_play_is_traced_to_its_group_or_to_its_bytes() {
    let cluster = small();
    cluster.log(
        "2018-11-06-events.json",
        &[event(2, 0, 1_541_476_000_000, "NextSong", "One"), "{\n".into()],
    );
    ended(&mut cluster.direct(By::Prefixes, &["--max-reject-share", "50%"])).good();
    let traced = cluster.run(["trace", "--session", "1", "--item", "0"]).good();
    assert!(
        traced.contains("was copied by the warehouse, which reports no byte position"),
        "{traced}"
    );
    assert!(traced.contains("with 1 others; the record may be in any of them"), "{traced}");
    let traced = cluster.run(["trace", "--session", "2", "--item", "0"]).good();
    assert!(
        traced.contains("2018-11-06-events.json at byte 0") && traced.contains("\"sessionId\""),
        "{traced}"
    );
    // The rejected record is fixed in the bucket, and reprocessed.
    cluster.log(
        "2018-11-06-events.json",
        &[
            event(2, 0, 1_541_476_000_000, "NextSong", "One"),
            event(2, 1, 1_541_476_009_000, "NextSong", "One"),
        ],
    );
    let mut replay = cluster.command(["rejects", "replay"]);
    ended(replay.env_remove("SPARKIFY_STAGING")).good();
    assert_eq!(cluster.asked("select count(*) from etl_rejects"), "0");
    assert_eq!(cluster.asked("select count(*) from songplays"), "4");
}

/// A `dwh.cfg` of the course, unchanged except for HOST.
#[test]
fn a_dwh_cfg_of_the_course_is_sufficient_for_a_direct_load() {
    let cluster = small();
    cluster.store.put("data/log_json_path.json", JSON_PATHS);
    let config = format!(
        "[CLUSTER]\nHOST='localhost'\nDB_NAME='dev'\nDB_USER='awsuser'\nDB_PASSWORD='Emulator-1'\nDB_PORT='{}'\n\n[IAM_ROLE]\nARN='{ROLE}'\n\n\
         [S3]\nLOG_DATA='s3://{BUCKET}/data/log_data'\nLOG_JSONPATH='s3://{BUCKET}/data/log_json_path.json'\nSONG_DATA='s3://{BUCKET}/data/song_data'\n\n\
         [AWS]\nKEY={KEY}\nSECRET={SECRET}\n",
        cluster.emulator.port(),
    );
    put(cluster.folder.path(), "dwh.cfg", config);
    let mut output = String::new();
    for arguments in ["create-tables", "etl"] {
        let mut command = cluster.command([arguments]);
        for name in [
            "SPARKIFY_WAREHOUSE",
            "SPARKIFY_IAM_ROLE",
            "SPARKIFY_STAGING",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
        ] {
            command.env_remove(name);
        }
        command.env("PGSSLROOTCERT", cluster.folder.path().join("ca.pem"));
        output = ended(&mut command).good();
    }
    assert!(cluster.copies().iter().any(|copy| copy.contains("log_json_path.json")));
    assert!(output.contains("copied by the warehouse"), "{output}");
    assert!(output.contains("3 limitations of a direct COPY; `-v` lists them"), "{output}");
    cluster.assert_same(&[]);
    let url = cluster.url().replacen("redshift://", "postgres://", 1) + "&sslmode=verify-full";
    let counted = Command::new("psql")
        .args(["-X", "-A", "-t", &url, "-c", "select count(*) from songplays"])
        .output();
    assert_eq!(String::from_utf8(counted.expect("psql starts").stdout).unwrap(), "2\n");
}

/// Statements and objects of a direct and of a staged load: the table in docs/explanation/redshift-loads.md.
#[test]
fn requests_of_direct_and_staged_loads_of_small_objects() {
    const SONGS: usize = 14_896;
    let mut table = Vec::new();
    for staged in [false, true] {
        let cluster = Cluster::start();
        for number in 0..SONGS {
            let key = format!("data/song_data/{}/{}/TR{number:05}.json", number % 26, number % 7);
            cluster
                .store
                .put(&key, song(&format!("SO{number}"), &format!("Title {number}"), 200.5));
        }
        let plays = (0..1000)
            .map(|item| event(1, item, 1_541_376_000_000 + u64::from(item), "NextSong", "Title 7"));
        cluster.log("2018-11-05-events.json", &plays.collect::<Vec<_>>());
        cluster.run(["create-tables"]).good();
        cluster.emulator.log().clear();
        cluster.store.take_requests();
        let mut load = cluster.direct(By::Prefixes, &[]);
        if staged {
            load.env("SPARKIFY_STAGING", format!("s3://{BUCKET}/staging"));
        }
        let summary = ended(&mut load).json();
        assert_eq!(summary["tables"]["staging_songs"], SONGS);
        assert_eq!(summary["tables"]["songplays"], 1000);
        let requested = cluster.store.take_requests();
        let count = |part: &str| requested.iter().filter(|line| line.contains(part)).count();
        let objects = count("GET /bucket/data/");
        let (by_sparkify, by_cluster) =
            if staged { (objects, count("GET /bucket/staging/")) } else { (0, objects) };
        assert_eq!(objects, SONGS + 1);
        table.push([
            cluster.sent().len(),
            cluster.copies().len(),
            count("list-type=2"),
            count("PUT "),
            by_sparkify,
            by_cluster,
        ]);
        cluster.assert_tidy();
    }
    let names = [
        "statements",
        "of these COPY",
        "listings (pages, both)",
        "files written",
        "objects that sparkify reads",
        "objects that the cluster reads",
    ];
    println!("| | direct | staged |\n|---|---|---|");
    for (at, name) in names.iter().enumerate() {
        println!("| {name} | {} | {} |", table[0][at], table[1][at]);
    }
    println!("| rows staged | {0} | {0} |", SONGS + 1000);
    // In staged mode, the entries of so many objects are a COPY, too.
    assert_eq!((table[0][1], table[1][1]), (2, 3));
    assert!(table[1][5] < 20, "{table:?}");
}

/// The same with the Data API.
#[test]
fn direct_loads_work_with_the_data_api() {
    let cluster = small();
    cluster.log(
        "2018-11-06-events.json",
        &[event(2, 0, 1_541_476_000_000, "NextSong", "BjÃ¶rk"), "{\n".into()],
    );
    cluster.log("2018-11-07-events.json", &[event(3, 0, 1_541_576_000_000, "NextSong", "BjÃ¶rk")]);
    let more = ["--max-reject-share", "50%"];
    let mut load = cluster.direct(By::Prefixes, &more);
    let summary = ended(load.env("SPARKIFY_WAREHOUSE", "redshift:workgroup/emulator/dev")).json();
    assert_eq!(summary["repairs"], serde_json::json!({ "events.song": 2 }));
    assert!(cluster.emulator.log().statements().iter().any(|statement| statement.data_api));
    cluster.assert_same(&more);
}

#[test]
fn an_erased_person_stays_out_of_direct_loads() {
    let cluster = small();
    let other = |item: u32| {
        let event = event(2, item, 1_541_376_100_000, "NextSong", "One");
        event.replace("\"userId\":\"7\"", "\"userId\":\"8\"")
    };
    // The second object has a rejected record, so it is parsed here and not copied.
    cluster.log("2018-11-06-events.json", &[other(0), other(1)]);
    cluster
        .log("2018-11-07-events.json", &[other(2), other(3).replace("NextSong\"", "NextSong\",")]);
    let run = |arguments: &[&str]| {
        let mut command = match arguments {
            ["etl", more @ ..] => cluster.direct(By::Prefixes, more),
            other => cluster.command(other),
        };
        ended(command.env("SPARKIFY_ERASURE_KEY", "x".repeat(32)))
    };
    run(&["etl", "--max-reject-share", "100%"]).good();
    let receipt = run(&["erase", "--user", "8", "--yes", "--output", "json"]).json();
    assert_eq!(
        (&receipt["erased"]["events"], &receipt["erased"]["rejects"]),
        (&3.into(), &1.into())
    );
    for (more, erased) in [("--full-refresh", 3), ("--strict-listing", 2)] {
        let summary = run(&["etl", "--max-reject-share", "100%", more]).json();
        assert_eq!(
            (&summary["erased"], &summary["outcome"]),
            (&erased.into(), &"published".into())
        );
        assert_eq!(cluster.asked("select count(*) from staging_events where user_id = 8"), "0");
        assert_eq!(cluster.asked("select count(*) from songplays"), "2");
        cluster.run(["check"]).good();
        // A changed object: its whole group is copied again.
        cluster.log("2018-11-06-events.json", &[other(0), other(4)]);
    }
}

/// Integers land as text, so the result does not depend on what COPY makes of a fraction.
#[test]
fn numbers_are_read_as_the_reader_reads_them() {
    for without in [vec![], vec![Behavior::RefusesFractions]] {
        let cluster = small_without(without);
        let with = |item: u32, from: &str, to: &str| {
            let event = event(3, item, 1_541_376_200_000, "NextSong", "One");
            assert!(event.contains(from), "{from}");
            event.replace(from, to)
        };
        let written = [
            ("\"status\":200", "\"status\":200.0"),
            ("\"userId\":\"7\"", "\"userId\":\"\""),
            ("\"userId\":\"7\"", "\"userId\":8"),
            ("\"ts\":1541376200000", "\"ts\":1541376200000.000"),
            ("\"ts\":1541376200000", "\"ts\":\"1541376200000\""),
            ("\"sessionId\":3", "\"sessionId\":\"3\""),
        ];
        let same = (0..).zip(written).map(|(item, (from, to))| with(item, from, to));
        cluster.log("2018-11-06-events.json", &same.collect::<Vec<_>>());
        let summary = cluster.load(By::Prefixes).json();
        assert_eq!(summary["objects_parsed_after_copy"], 0, "COPY and SQL read all of these");
        cluster.assert_same(&[]);
        // Each of these objects is parsed here.
        let others = [
            ("\"status\":200", "\"status\":2.5"),
            ("\"status\":200", "\"status\":2e2"),
            ("\"status\":200", "\"status\":\"\""),
            ("\"status\":200", "\"status\":\"007\""),
            ("\"status\":200", "\"status\":9999999999"),
            ("\"status\":200", "\"status\":1234567890"),
            ("\"ts\":1541376200000", "\"ts\":1541376200000.5"),
            ("\"userId\":\"7\"", "\"userId\":\" 7\""),
            ("\"userId\":\"7\"", "\"userId\":7.5"),
            ("\"sessionId\":3", "\"sessionId\":true"),
            ("\"sessionId\":3", "\"sessionId\":\"\""),
        ];
        for (item, (from, to)) in (10..).zip(others) {
            cluster.log(&format!("2018-11-{item}-events.json"), &[with(item, from, to)]);
        }
        let more = ["--max-reject-share", "100%"];
        let summary = ended(&mut cluster.direct(By::Prefixes, &more)).json();
        assert_eq!(summary["objects_parsed_after_copy"], others.len() as u64, "{summary}");
        cluster.assert_same(&more);
    }
}
