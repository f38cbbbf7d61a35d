//! Faults of stores and networks: throttling, broken and stalled downloads, wrong lengths, changed
//! objects. A load gives the right rows or publishes nothing.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::end_to_end::small;
use super::{ETL, ended, plays, program, run, signed};
use crate::support::{event, song};
use s3_emulator::{Fault, Server};

/// Puts one play per object, with enough objects for many concurrent requests.
fn bucket(objects: u32) -> (Server, tempfile::TempDir) {
    let server = Server::start();
    server.put("data/song_data/a.json", song("SO1", "One", 200.5));
    for number in 0..objects {
        let event = event(number, 0, 1000 + u64::from(number), "NextSong", "One");
        server.put(&format!("data/log_data/{number:04}.json"), event);
    }
    (server, tempfile::tempdir().unwrap())
}

#[test]
fn transient_errors_are_retried_and_rows_loaded_once() {
    let size = event(0, 0, 1000, "NextSong", "One").len();
    let short = i64::try_from(size / 2).unwrap();
    let faults = [
        ("500", Fault::Status(500, "InternalError"), 3),
        ("503", Fault::Status(503, "SlowDown"), 5),
        ("429", Fault::Status(429, ""), 2),
        ("reset", Fault::Reset, 3),
        ("cut at the start", Fault::TruncateAt(0), 2),
        ("cut in the middle", Fault::TruncateAt(size / 2), 2),
        ("cut before the end", Fault::TruncateAt(size - 1), 1),
        ("a length that is too small", Fault::WrongLength(-short), 2),
        ("a length that is too large", Fault::WrongLength(7), 2),
        ("silence at the start", Fault::StallAt(0), 1),
        ("silence in the middle", Fault::StallAt(size / 2), 1),
    ];
    for (what, fault, times) in faults {
        let (server, folder) = bucket(12);
        server.fail("0003.json", fault.clone(), times);
        server.fail("list-type=2", Fault::Status(503, "SlowDown"), 1);
        let mut command = signed(&server, folder.path(), ETL);
        if matches!(fault, Fault::StallAt(_)) {
            command.env("SPARKIFY_READ_TIMEOUT", "1");
        }
        let words = ended(&mut command);
        assert_eq!(words.code, Some(0), "{what}: {words:#?}");
        assert_eq!(plays(folder.path()), "12", "{what}");
        assert_eq!(server.faults_left(), 0, "{what} never happened");
    }
}

#[test]
fn a_truncated_listing_page_is_retried() {
    for fault in [Fault::TruncateAt(300), Fault::WrongLength(-200), Fault::Reset] {
        let (server, folder) = bucket(30);
        server.fail("list-type=2", fault, 2);
        run(&server, folder.path(), &ETL).good();
        assert_eq!(plays(folder.path()), "30");
        assert_eq!(server.faults_left(), 0);
    }
}

#[test]
fn a_broken_download_resumes_where_it_broke() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let mut log = String::new();
    for number in 0..30_000 {
        log += &event(number, 0, 1000 + u64::from(number), "Home", "");
    }
    let size = log.len();
    server.put("data/log_data/large.json", log);
    for at in [1 << 20, 3 << 20, 100] {
        server.fail("large.json", Fault::TruncateAt(at), 1);
    }
    let arguments = ["etl", "--log-data", super::LOGS, "--memory", "64MB"];
    run(&server, folder.path(), &arguments).good();
    assert_eq!(super::asked(folder.path(), "select count(*) from staging_events"), "30000");
    let requests = server.take_requests();
    let ranges: Vec<_> = requests.iter().filter(|line| line.contains("range: bytes=")).collect();
    assert_eq!(ranges.len(), 3, "{requests:#?}");
    assert!(ranges.iter().all(|line| line.contains("if-match: ")), "{ranges:#?}");
    println!("{size} bytes, broken three times: {ranges:#?}");
}

#[test]
fn permanent_errors_fail_the_load_and_publish_nothing() {
    let (server, folder) = small();
    run(&server, folder.path(), &ETL).good();
    let faults = [
        (Fault::Status(500, "InternalError"), "failed (InternalError, HTTP 500); tried 3 times"),
        (
            Fault::Status(503, "SlowDown"),
            "is throttling requests (SlowDown, HTTP 503); tried 3 times",
        ),
        (Fault::TruncateAt(10), "broke; tried 3 times"),
        (Fault::WrongLength(-9), "bytes, and "),
        (Fault::StallAt(5), "sent no data for 0.3 s; tried 3 times"),
        (Fault::Status(403, "AccessDenied"), "access is denied (AccessDenied, HTTP 403)"),
        (Fault::Status(418, ""), "refused the request (HTTP 418)"),
    ];
    for (fault, says) in faults {
        server.put("data/log_data/3.json", event(9, 0, 9000, "NextSong", "One"));
        server.fail("log_data/3.json", fault.clone(), 50);
        let mut command = signed(&server, folder.path(), ETL);
        command.env("AWS_MAX_ATTEMPTS", "3").env("SPARKIFY_READ_TIMEOUT", "0.3");
        let words = ended(&mut command).bad(2);
        let says = if matches!(fault, Fault::TruncateAt(_)) { "tried 3 times" } else { says };
        assert!(words.contains(says), "{fault:?}: {words}");
        assert!(words.contains("cannot read `s3://bucket/data/log_data/3.json`"), "{words}");
        assert!(words.contains("hint: "), "{words}");
        assert_eq!(plays(folder.path()), "2", "{fault:?}");
        server.clear_faults();
    }
    run(&server, folder.path(), &ETL).good();
    assert_eq!(plays(folder.path()), "3");
}

#[test]
fn an_object_that_changes_between_listing_and_reading_ends_the_load() {
    let (server, folder) = small();
    run(&server, folder.path(), &ETL).good();
    let cases = [
        (Fault::Overwritten("{}"), "`s3://bucket/data/log_data/3.json` changed while it was read"),
        (Fault::Deleted, "`s3://bucket/data/log_data/3.json` was removed after it was listed"),
    ];
    for (fault, says) in cases {
        server.put("data/log_data/3.json", event(9, 0, 9000, "NextSong", "One"));
        server.fail("log_data/3.json", fault, 1);
        let words = run(&server, folder.path(), &STRICT).bad(2);
        assert!(words.contains(says), "{words}");
        assert!(words.contains("this load published nothing"), "{words}");
        assert_eq!(plays(folder.path()), "2");
    }
    // The download breaks, and the object is another one when it is resumed.
    server.put("data/log_data/3.json", event(9, 0, 9000, "NextSong", "One"));
    server.fail("log_data/3.json", Fault::TruncateAt(20), 1);
    server.fail("log_data/3.json", Fault::Overwritten("{\"ts\":1}"), 1);
    let words = run(&server, folder.path(), &STRICT).bad(2);
    assert!(words.contains("changed while it was read"), "{words}");
    assert_eq!(plays(folder.path()), "2");
}

/// A load for which a change of an object is an error.
const STRICT: [&str; 6] =
    ["etl", "--song-data", super::SONGS, "--log-data", super::LOGS, "--strict-listing"];

#[test]
fn an_object_that_changes_while_it_is_read_is_read_again_or_left_for_the_next_run() {
    const KEY: &str = "data/log_data/3.json";
    const GET: &str = "GET *log_data/3.json";
    let changed: &'static str = event(9, 1, 9000, "NextSong", "Two").leak();
    let session = |folder: &Path| {
        super::asked(
            folder,
            "select string_agg(song_title, ' ') from songplays where session_id = 9",
        )
    };
    let (server, folder) = small();
    let here = folder.path();
    run(&server, here, &ETL).good();
    // It changes once: the second reading gets the new content.
    server.put(KEY, event(9, 0, 9000, "NextSong", "One"));
    server.fail(GET, Fault::Overwritten(changed), 1);
    let ended = run(&server, here, &ETL);
    assert!(!ended.err.contains("left for the next run"), "{ended:?}");
    ended.good();
    assert_eq!((plays(here).as_str(), session(here).as_str()), ("3", "Two"));

    // It changes each time: it keeps the rows of its last load, and the others are loaded.
    for fault in [Fault::Overwritten(changed), Fault::Deleted] {
        server.put(KEY, event(9, 2, 9000, "NextSong", "Three"));
        server.put("data/log_data/4.json", event(10, 0, 9000, "NextSong", "One"));
        server.fail(GET, fault.clone(), 2);
        let ended = run(&server, here, &ETL);
        assert!(ended.err.contains("warning: `s3://bucket/data/log_data/3.json` "), "{ended:?}");
        assert!(ended.err.contains(": left for the next run"), "{ended:?}");
        let summary = ended.good();
        assert!(summary.contains(", 1 left for the next run"), "{summary}");
        assert_eq!((plays(here).as_str(), session(here).as_str()), ("4", "Two"), "{fault:?}");
        let history = run(&server, here, &["history", "--limit", "1"]).good();
        assert!(
            history.contains("left for the next run: 1: `s3://bucket/data/log_data/3"),
            "{history}"
        );
        run(&server, here, &["check"]).good();
        server.clear_faults();
    }
    // A first load of nothing else publishes empty tables, and says why.
    let only = ["etl", "--log-data", "s3://bucket/data/log_data/3.json"];
    let first = [&only[..], &["--warehouse", "duckdb:first.duckdb"]].concat();
    server.put(KEY, event(9, 2, 9000, "NextSong", "Three"));
    server.fail(GET, Fault::Overwritten(changed), 2);
    let ended = run(&server, here, &first);
    assert!(ended.err.contains(": left for the next run"), "{ended:?}");
    assert!(ended.good().contains("load 1 is published"));
    assert!(run(&server, here, &first).good().contains("load 2 is published"));

    server.put(KEY, event(9, 2, 9000, "NextSong", "Three"));
    run(&server, here, &ETL).good();
    assert_eq!(session(here), "Three");
    run(&server, here, &["check"]).good();
}

#[test]
fn concurrency_adapts_to_a_throttling_store() {
    let (server, folder) = bucket(600);
    server.set_latency(Duration::from_millis(3));
    server.state.max_concurrent.store(2, Ordering::Relaxed);
    run(&server, folder.path(), &ETL).good();
    assert_eq!(plays(folder.path()), "600");
    let requests = server.state.request_count.load(Ordering::Relaxed);
    println!("600 objects from a store that bears 2 at once: {requests} requests");
    assert!(requests < 1200, "{requests} requests for 600 objects");
}

#[test]
fn requests_run_concurrently_up_to_the_limit() {
    let (server, folder) = bucket(800);
    // The number of permits starts at 16 and doubles after a round of at least 10 ms. So the first
    // requests pass, with a latency. Then all wait until 32 are in flight at once.
    server.set_latency(Duration::from_millis(20));
    server.hold_until("GET *log_data/0", 100, 32);
    run(&server, folder.path(), &[&ETL[..], &["--concurrency", "40"]].concat()).good();
    let most = server.state.max_in_flight.load(Ordering::Relaxed);
    assert!((32..=40).contains(&most), "{most} at once");
}

#[test]
fn an_unreachable_server_is_named() {
    let (server, folder) = small();
    let port = server.address.port();
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let cases = [
        (
            format!("http://localhost:{closed}"),
            "no connection to `http://localhost:",
            "Connection refused",
        ),
        (
            format!("https://localhost:{port}"),
            "it does not speak TLS",
            "hint: if the server uses plain HTTP",
        ),
        ("http://no-such-host.invalid".into(), "its name is not known", "hint: check the name"),
    ];
    for (endpoint, says, also) in cases {
        let mut command = signed(&server, folder.path(), ETL);
        let words = ended(command.env("AWS_ENDPOINT_URL", &endpoint)).bad(2);
        assert!(words.contains(says) && words.contains(also), "{endpoint}: {words}");
    }
    for endpoint in
        ["ftp://x", "http://me:another+secret@host", "http://", "https://h/?x=1", "h:9000"]
    {
        let mut command = program(folder.path(), ETL);
        let words = ended(command.env("AWS_ENDPOINT_URL", endpoint)).bad(2);
        assert!(words.contains("for the endpoint"), "{endpoint}: {words}");
    }
}
