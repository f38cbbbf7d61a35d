//! Faults of direct loads: a load is committed once and completely, or not at all.

use std::time::Duration;

use redshift_emulator::{Behavior, Fault, When};
use s3_emulator::{BUCKET, Fault as StoreFault};

use super::{By, small, small_without};
use crate::archives::zipped;
use crate::redshift::ended;
use crate::support::{event, gzip, open, put, song};
use sparkify_warehouse::Access;

#[test]
fn a_changed_or_deleted_object_reloads_its_group() {
    let cluster = small();
    cluster.log("2018-11-06-events.json", &[event(2, 0, 1_541_476_000_000, "NextSong", "One")]);
    cluster.load(By::Prefixes).good();
    cluster.log("2018-11-07-events.json", &[event(3, 0, 1_541_576_000_000, "NextSong", "One")]);
    cluster.load(By::Prefixes).good();
    let plan = ended(cluster.direct(By::Prefixes, &[]).arg("--since=2000-01-01")).good();
    assert!(plan.contains("unchanged"), "{plan}");
    cluster.log("2018-11-05-events.json", &[event(1, 0, 1_541_376_000_796, "NextSong", "Other")]);
    let summary = cluster.load(By::Prefixes).json();
    assert_eq!(
        [
            &summary["objects_read"],
            &summary["objects_changed"],
            &summary["objects_recopied"],
            &summary["objects_skipped"]
        ],
        [2, 1, 1, 3].map(serde_json::Value::from).each_ref()
    );
    cluster.assert_same(&[]);
    // Rows of a deleted object cannot be kept without it.
    cluster.store.remove("data/log_data/2018/11/2018-11-06-events.json");
    assert_eq!(cluster.load(By::Prefixes).json()["outcome"], "unchanged");
    cluster.log("2018-11-05-events.json", &[event(1, 0, 1_541_376_000_796, "NextSong", "Third")]);
    let message = cluster.load(By::Prefixes).bad(2);
    assert!(
        message.contains("2018-11-06-events.json` was removed") && message.contains("--prune"),
        "{message}"
    );
    assert_eq!(cluster.asked("select count(*) from songplays"), "3");
    ended(&mut cluster.direct(By::Prefixes, &["--prune"])).good();
    assert_eq!(cluster.asked("select count(*) from songplays"), "2");
    std::fs::remove_file(cluster.folder.path().join("same.duckdb")).unwrap();
    cluster.assert_same(&[]);
}

#[test]
fn keys_that_no_prefix_distinguishes_need_a_manifest() {
    let cluster = small();
    let packed = gzip(event(2, 0, 1_541_476_000_000, "NextSong", "One").as_bytes());
    cluster.store.put("data/log_data/2018/11/2018-11-05-events.json.gz", packed);
    let message = cluster.load(By::Prefixes).bad(2);
    assert!(
        message.contains("no key prefix matches the object") && message.contains("--manifest"),
        "{message}"
    );
    assert_eq!(cluster.asked("select count(*) from songplays"), "0");
    cluster.load(By::Lists).good();
    cluster.assert_same(&[]);
    cluster.assert_tidy();
}

#[test]
fn objects_deleted_or_denied_during_copy_fail_the_load() {
    for (by, fault, expected) in [
        (By::Lists, StoreFault::Deleted, "NoSuchKey"),
        (By::Prefixes, StoreFault::Deleted, "2018-11-05-events.json"),
        (By::Prefixes, StoreFault::Status(403, "AccessDenied"), "AccessDenied"),
        (By::Prefixes, StoreFault::TruncateAt(40), "partial file"),
    ] {
        let cluster = small();
        cluster.run(["create-tables"]).good();
        cluster.store.fail(
            "GET /bucket/data/log_data/2018/11/2018-11-05-events.json",
            fault.clone(),
            100,
        );
        let message = cluster.load(by).bad(2);
        assert!(message.contains(expected), "{by:?} {fault:?}: {message}");
        cluster.store.clear_faults();
        assert_eq!(cluster.asked("select count(*) from songplays"), "0");
        cluster.assert_tidy();
    }
}

#[test]
fn a_load_is_retried_after_a_transient_error() {
    for (when, fault) in [
        (When::Copy(2), Fault::Serializable),
        (When::Copy(1), Fault::Disconnect),
        (When::Commit(1), Fault::Disconnect),
    ] {
        let cluster = small();
        cluster.run(["create-tables"]).good();
        cluster.emulator.faults().arm(when.clone(), fault);
        let summary = cluster.load(By::Lists).json();
        assert_eq!(cluster.emulator.faults().left(), 0, "{when:?}");
        assert_eq!(summary["retries"].as_array().map(Vec::len), Some(1));
        cluster.assert_same(&[]);
        cluster.assert_tidy();
    }
    let cluster = small();
    cluster.store.fail("GET /bucket/data/", StoreFault::Status(503, "SlowDown"), 3);
    cluster.load(By::Prefixes).good();
    assert_eq!(cluster.store.faults_left(), 0);
    cluster.assert_same(&[]);
}

#[test]
fn invalid_options_are_rejected() {
    let cluster = small();
    put(cluster.folder.path(), "here/a.json", song("SO1", "One", 200.5));
    let mut command = cluster.command(["etl", "--song-data", "here"]);
    let message = ended(command.env_remove("SPARKIFY_STAGING")).bad(2);
    assert!(message.contains("no staging prefix is configured"), "{message}");
    let mut command = cluster.direct(By::Prefixes, &[]);
    let message = ended(command.env_remove("SPARKIFY_IAM_ROLE")).bad(2);
    assert!(message.contains("ARN in [IAM_ROLE]"), "{message}");
    cluster.store.put("data/paths.json", r#"{"jsonpaths": ["$['tag']"]}"#);
    let paths = format!("s3://{BUCKET}/data/paths.json");
    let message = ended(&mut cluster.direct(By::Prefixes, &["--log-jsonpath", &paths])).bad(2);
    assert!(
        message.contains("it has 1 paths for the 18 columns") && message.contains("LOG_JSONPATH"),
        "{message}"
    );
    let own = sparkify_reader::RecordKind::Events.keys().iter().map(|key| format!("$['{key}']"));
    let own = serde_json::json!({ "jsonpaths": own.collect::<Vec<_>>() });
    put(cluster.folder.path(), "paths.json", own.to_string());
    let message =
        ended(&mut cluster.direct(By::Prefixes, &["--log-jsonpath", "paths.json"])).bad(2);
    assert!(message.contains("`paths.json`: it is not in S3"), "{message}");
    let mut command = cluster.direct(By::Prefixes, &[]);
    command.env("SPARKIFY_IAM_ROLE", "arn:aws:iam::000000000000:role/stranger");
    let message = ended(&mut command).bad(2);
    assert!(message.contains("stranger"), "{message}");
}

#[test]
fn an_object_that_arrives_during_copy_is_detected_or_not_loaded() {
    for by in [By::Prefixes, By::Lists] {
        let cluster = small();
        cluster.log("2018-11-06-events.json", &[event(2, 0, 1_541_476_000_000, "NextSong", "One")]);
        cluster.run(["create-tables"]).good();
        cluster.emulator.faults().arm(When::Copy(2), Fault::Slow(Duration::from_secs(2)));
        let mut load = cluster.direct(by, &[]);
        let load = std::thread::scope(|scope| {
            let load = scope.spawn(|| ended(&mut load));
            while cluster.copies().is_empty() {
                std::thread::sleep(Duration::from_millis(5));
            }
            cluster.log(
                "2018-11-07-events.json",
                &[event(3, 0, 1_541_576_000_000, "NextSong", "One")],
            );
            load.join().unwrap()
        });
        if by == By::Prefixes {
            let message = load.bad(2);
            assert!(
                message.contains("2018-11-07-events.json` arrived")
                    || message.contains("3 objects"),
                "{message}"
            );
            assert_eq!(cluster.asked("select count(*) from songplays"), "0");
        } else {
            assert_eq!(load.json()["objects_read"], 4);
        }
        cluster.load(by).good();
        cluster.assert_same(&[]);
        cluster.assert_tidy();
    }
}

#[test]
fn an_object_rewritten_during_copy_is_loaded_again() {
    let cluster = small();
    let other = event(1, 0, 1_541_376_000_796, "NextSong", "Two").leak();
    cluster.store.fail("GET /bucket/data/log_data/", StoreFault::Overwritten(other), 1);
    cluster.load(By::Prefixes).good();
    assert_eq!(cluster.store.faults_left(), 0);
    assert_eq!(cluster.load(By::Prefixes).json()["objects_changed"], 1);
    assert_eq!(cluster.load(By::Prefixes).json()["outcome"], "unchanged");
    cluster.assert_same(&[]);
}

/// Each way in which a cluster may number and publish the entries of its load history.
#[test]
fn a_copy_is_found_in_every_kind_of_load_history() {
    use Behavior::{SessionsAreProcesses, SharedQueryIds};
    for without in [
        vec![],
        vec![SharedQueryIds],
        vec![SessionsAreProcesses],
        vec![SharedQueryIds, SessionsAreProcesses],
    ] {
        for by in [By::Prefixes, By::Lists] {
            let cluster = small_without(without.clone());
            cluster.log("2018-11-06-events.json", &["{\n".into()]);
            cluster.run(["create-tables"]).good();
            // The first read is that of the entry before the COPY.
            cluster.emulator.delay_load_views(3);
            cluster.emulator.show_loads_as_running(2);
            let more = ["--max-reject-share", "50%"];
            let summary = ended(&mut cluster.direct(by, &more)).json();
            assert_eq!(
                (&summary["rejected"], &summary["objects_parsed_after_copy"]),
                (&1.into(), &1.into()),
                "{without:?}"
            );
            cluster.assert_same(&more);
        }
    }
}

/// A user may have tables with the names of the landing tables in the same schema.
#[test]
fn tables_with_the_names_of_landing_tables_are_kept() {
    let cluster = small();
    cluster.run(["create-tables"]).good();
    cluster.configure();
    let mut warehouse = open(&cluster.url(), Access::Write).unwrap();
    let tables = ["landing_events", "landing_songs", "landing_repairs"];
    for table in tables {
        warehouse.execute(&format!("create table {table} (mine integer)")).unwrap();
    }
    drop(warehouse);
    let damaged = event(2, 0, 1_541_476_000_000, "NextSong", "BjÃ¶rk");
    cluster.log("2018-11-06-events.json", &[damaged]);
    let summary = cluster.load(By::Prefixes).json();
    assert_eq!(summary["repairs"]["events.song"], 1, "{summary:#}");
    for table in tables {
        assert_eq!(cluster.asked(&format!("select count(mine) from {table}")), "0");
    }
}

#[test]
fn keys_may_contain_special_characters() {
    for by in [By::Prefixes, By::Lists] {
        let cluster = small();
        for (number, name) in [
            "it's.json",
            "back\\\\slash.json",
            "100%+ &é日🎵.json",
            "\"quoted\" $1.json",
            "a//b .json",
        ]
        .iter()
        .enumerate()
        {
            let ts = 1_541_476_000_000 + number as u64;
            cluster.log(
                name,
                &[
                    event(10 + u32::try_from(number).unwrap(), 0, ts, "NextSong", "One"),
                    "{\n".into(),
                ],
            );
            cluster.log(
                &format!("{name}.good"),
                &[event(30 + u32::try_from(number).unwrap(), 0, ts, "NextSong", "One")],
            );
        }
        let more = ["--max-reject-share", "50%"];
        let summary = ended(&mut cluster.direct(by, &more)).json();
        assert_eq!(summary["objects_parsed_after_copy"], 5, "{summary:#}");
        cluster.assert_same(&more);
    }
}

/// COPY takes the compression from the statement, which is derived from the name.
#[test]
fn a_wrong_compression_extension_loses_no_record() {
    let cluster = small();
    let packed = gzip(event(2, 0, 1_541_476_000_000, "NextSong", "One").as_bytes());
    cluster.store.put("data/log_data/2018/11/2018-11-06-events.json", packed);
    let summary = cluster.load(By::Prefixes).json();
    assert_eq!(
        (&summary["objects_parsed_after_copy"], &summary["rejected"]),
        (&1.into(), &0.into())
    );
    cluster.assert_same(&[]);
    let plain = event(3, 0, 1_541_576_000_000, "NextSong", "One");
    cluster.store.put("data/log_data/2018/11/2018-11-07-events.json.gz", plain.clone());
    let message = cluster.load(By::Prefixes).bad(2);
    assert!(message.contains("2018-11-07-events.json.gz"), "{message}");
    assert_eq!(cluster.asked("select count(*) from songplays"), "3");
    cluster.store.remove("data/log_data/2018/11/2018-11-07-events.json.gz");
    cluster.store.put("data/log_data/2018/11/2018-11-07-events.json", plain);
    cluster.load(By::Prefixes).good();
    cluster.assert_same(&[]);
}

/// COPY cannot read zip archives.
#[test]
fn archives_are_loaded_with_a_staging_prefix_only() {
    let cluster = small();
    let play = event(2, 0, 1_541_476_000_000, "NextSong", "One");
    cluster.store.put("data/log_data/2018/x.zip", zipped([("1.json", play)]));
    let message = ended(&mut cluster.direct(By::Prefixes, &[])).bad(2);
    assert!(message.contains("no staging prefix is configured"), "{message}");
    assert!(message.contains("except zip archives"), "{message}");
    let staged = || {
        let mut command = cluster.direct(By::Prefixes, &[]);
        command.env("SPARKIFY_STAGING", format!("s3://{BUCKET}/staging"));
        ended(&mut command).json()
    };
    let summary = staged();
    assert_eq!((&summary["objects_read"], &summary["objects_copied"]), (&4.into(), &0.into()));
    assert_eq!(staged()["outcome"], "unchanged");
    cluster.assert_same(&[]);
    cluster.assert_tidy();
}
