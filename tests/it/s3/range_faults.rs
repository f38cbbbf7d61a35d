//! Faults of one range of a large object while others are active: the load retries it, or fails and
//! publishes nothing.

use super::ranges::{LOAD, PART, SLOW, events, fingerprint, fingerprint_here, ranges};
use super::{asked, ended, run, signed};
use crate::support::event;
use s3_emulator::{Fault, Server};

const KEY: &str = "data/log_data/large.json";
/// Pattern for requests of the third part.
const THIRD: &str = "large.json* range: bytes=8388608-";

/// Time without a byte after which a stalled response is retried, in seconds. Other responses have
/// to arrive in this time.
const TIMEOUT: &str = "4";

/// A bucket with a large object.
fn bucket() -> (Server, tempfile::TempDir, String) {
    let server = Server::start();
    let text = events(4 * PART - 1_000_000);
    server.put(KEY, text.clone());
    (server, tempfile::tempdir().unwrap(), text)
}

/// A bucket with a large object, of which no part gets its bytes before the second and the third
/// one are requested.
fn bucket_for_ranges() -> (Server, tempfile::TempDir, String) {
    let (server, folder, text) = bucket();
    server.require_parallel(KEY, 3);
    (server, folder, text)
}

#[test]
fn a_range_is_retried_after_a_transient_fault() {
    let faults = [
        ("500", Fault::Status(500, "InternalError"), 3),
        ("503", Fault::Status(503, "SlowDown"), 4),
        ("429", Fault::Status(429, ""), 2),
        ("reset", Fault::Reset, 3),
        ("truncated at the start", Fault::TruncateAt(0), 2),
        ("truncated in the middle", Fault::TruncateAt(1 << 20), 1),
        ("truncated before the end", Fault::TruncateAt(PART - 1), 1),
        ("a length that is too small", Fault::WrongLength(-9), 1),
        ("a length that is too large", Fault::WrongLength(7), 1),
        ("stalled at the start", Fault::StallAt(0), 1),
        ("stalled in the middle", Fault::StallAt(1 << 20), 1),
        ("a range that begins later", Fault::WrongRange(5), 2),
        ("a range that begins earlier", Fault::WrongRange(-5), 2),
    ];
    let (_, _, text) = bucket();
    let here = fingerprint_here("large.json", text.as_bytes());
    for (what, fault, times) in faults {
        let (server, folder, _) = bucket_for_ranges();
        server.fail(THIRD, fault.clone(), times);
        let mut command = signed(&server, folder.path(), LOAD);
        if matches!(fault, Fault::StallAt(_)) {
            command.env("SPARKIFY_READ_TIMEOUT", TIMEOUT);
        }
        ended(&mut command).good();
        assert_eq!(server.faults_left(), 0, "{what} never happened");
        assert_eq!(fingerprint(folder.path()), here, "{what}");
        let requests = server.take_requests();
        // Only the rest of the part is requested again.
        let in_part = |range: &&&str| {
            let start = range.split('-').next().and_then(|start| start.parse().ok());
            start.is_some_and(|start| (2 * PART + 1..3 * PART).contains(&start))
        };
        let resumed = ranges(&requests).iter().filter(in_part).count();
        let breaks =
            matches!(fault, Fault::TruncateAt(1..) | Fault::StallAt(1..) | Fault::WrongLength(..0));
        if matches!(fault, Fault::StallAt(1..)) {
            // On a busy machine, the resumed response may come late, too.
            assert!(resumed >= 1, "{what}: {requests:#?}");
        } else {
            assert_eq!(resumed, usize::from(breaks), "{what}: {requests:#?}");
        }
    }
}

#[test]
fn a_range_with_a_permanent_fault_fails_the_load_and_publishes_nothing() {
    let faults = [
        (Fault::Status(500, "InternalError"), "failed (InternalError, HTTP 500); tried 3 times"),
        (
            Fault::Status(503, "SlowDown"),
            "is throttling requests (SlowDown, HTTP 503); tried 3 times",
        ),
        (Fault::StallAt(5), "sent no data for 4 s; tried 3 times"),
        (Fault::TruncateAt(0), "tried 3 times"),
        (Fault::WrongRange(1), "the response has another range; tried 3 times"),
        (Fault::Status(403, "AccessDenied"), "access is denied (AccessDenied, HTTP 403)"),
        (Fault::Overwritten("{}"), "large.json` changed while it was read"),
        (Fault::Deleted, "large.json` was removed after it was listed"),
    ];
    for (fault, expected) in faults {
        let (server, folder, _) = bucket_for_ranges();
        let earlier = ["etl", "--log-data", "s3://bucket/earlier"];
        server.put("earlier/a.json", event(1, 0, 1000, "Home", ""));
        run(&server, folder.path(), &earlier).good();
        server.fail(THIRD, fault.clone(), 50);
        // A retry starts where the part broke.
        server.fail("large.json* range: bytes=83886", fault.clone(), 50);
        let strict = LOAD.iter().chain(&["--strict-listing"]);
        let mut command = signed(&server, folder.path(), strict);
        command.env("AWS_MAX_ATTEMPTS", "3").env("SPARKIFY_READ_TIMEOUT", TIMEOUT);
        let message = ended(&mut command).bad(2);
        assert!(message.contains(expected), "{fault:?}: {message}");
        assert!(message.contains("`s3://bucket/data/log_data/large.json`"), "{fault:?}: {message}");
        assert!(message.contains("hint: "), "{message}");
        assert_eq!(asked(folder.path(), "select count(*) from staging_events"), "1", "{fault:?}");
    }
}

#[test]
fn a_server_without_ranges_sends_each_object_once() {
    let (server, folder, text) = bucket();
    server.put("data/log_data/more.json", text.clone());
    server.limit_bandwidth(SLOW);
    server.fail(".json", Fault::IgnoreRange, 1000);
    run(&server, folder.path(), &LOAD).good();
    assert_eq!(fingerprint(folder.path()), fingerprint_here("large.json", text.as_bytes()));
    for key in [KEY, "data/log_data/more.json"] {
        let transfers = server.transfers(key);
        assert_eq!((transfers.bytes, transfers.max_active), (text.len() as u64, 1), "{key}");
    }
}

#[test]
fn a_server_that_stops_to_support_ranges_sends_an_object_at_most_twice() {
    let (server, folder, text) = bucket();
    server.limit_bandwidth(SLOW);
    server.fail(THIRD, Fault::IgnoreRange, 1000);
    run(&server, folder.path(), &LOAD).good();
    assert_eq!(fingerprint(folder.path()), fingerprint_here("large.json", text.as_bytes()));
    let (transfers, requests) = (server.transfers(KEY), server.take_requests());
    println!("{transfers:?}: {:?}", ranges(&requests));
    assert!(transfers.bytes < 2 * text.len() as u64 + (4 << 20), "{transfers:?}");
    assert!(ranges(&requests).contains(&"8388608-"), "{requests:#?}");
}
