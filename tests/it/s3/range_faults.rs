//! What goes wrong with one range of a large object, while others of it are under way: it is asked for again, or the load ends and publishes nothing.

use super::ranges::{LOAD, PART, SLOW, events, fingerprint, fingerprint_here, ranges};
use super::{asked, ended, run, signed};
use crate::support::event;
use s3_emulator::{Fault, Server};

const KEY: &str = "data/log_data/large.json";
/// The third part, by where it begins.
const THIRD: &str = "large.json* range: bytes=8388608-";

fn bucket() -> (Server, tempfile::TempDir, String) {
    let server = Server::start();
    let text = events(4 * PART - 1_000_000);
    server.put(KEY, text.clone());
    server.throttle(SLOW);
    (server, tempfile::tempdir().unwrap(), text)
}

#[test]
fn a_range_that_fails_for_a_moment_is_asked_for_again() {
    let faults = [
        ("500", Fault::Refused(500, "InternalError"), 3),
        ("503", Fault::Refused(503, "SlowDown"), 4),
        ("429", Fault::Refused(429, ""), 2),
        ("reset", Fault::Reset, 3),
        ("cut at the start", Fault::CutAt(0), 2),
        ("cut in the middle", Fault::CutAt(1 << 20), 1),
        ("cut before the end", Fault::CutAt(PART - 1), 1),
        ("a length that is too small", Fault::LengthOff(-9), 1),
        ("a length that is too large", Fault::LengthOff(7), 1),
        ("silence at the start", Fault::StallAt(0), 1),
        ("silence in the middle", Fault::StallAt(1 << 20), 1),
        ("a range that begins later", Fault::RangeOff(5), 2),
        ("a range that begins earlier", Fault::RangeOff(-5), 2),
    ];
    let (_, _, text) = bucket();
    let here = fingerprint_here("large.json", text.as_bytes());
    for (what, fault, times) in faults {
        let (server, folder, _) = bucket();
        server.fail(THIRD, fault.clone(), times);
        let mut command = signed(&server, folder.path(), LOAD);
        ended(command.env("SPARKIFY_READ_TIMEOUT", "0.8")).good();
        assert_eq!(server.faults_left(), 0, "{what} never happened");
        assert_eq!(fingerprint(folder.path()), here, "{what}");
        let requests = server.requested();
        // What came of it before it broke is not asked for again.
        let in_part = |range: &&&str| {
            let start = range.split('-').next().and_then(|start| start.parse().ok());
            start.is_some_and(|start| (2 * PART + 1..3 * PART).contains(&start))
        };
        let carried_on = ranges(&requests).iter().filter(in_part).count();
        let breaks =
            matches!(fault, Fault::CutAt(1..) | Fault::StallAt(1..) | Fault::LengthOff(..0));
        assert_eq!(carried_on, usize::from(breaks), "{what}: {requests:#?}");
    }
}

#[test]
fn a_range_that_does_not_come_ends_the_load_and_publishes_nothing() {
    let faults = [
        (Fault::Refused(500, "InternalError"), "failed (InternalError, HTTP 500); tried 3 times"),
        (Fault::Refused(503, "SlowDown"), "is throttling requests (SlowDown, HTTP 503); tried 3 times"),
        (Fault::StallAt(5), "sent no data for 0.8 s; tried 3 times"),
        (Fault::CutAt(0), "tried 3 times"),
        (Fault::RangeOff(1), "the response has another range; tried 3 times"),
        (Fault::Refused(403, "AccessDenied"), "access is denied (AccessDenied, HTTP 403)"),
        (Fault::Rewritten("{}"), "large.json` changed while it was read"),
        (Fault::Removed, "large.json` was removed after it was listed"),
    ];
    for (fault, says) in faults {
        let (server, folder, _) = bucket();
        let earlier = ["etl", "--log-data", "s3://bucket/earlier"];
        server.put("earlier/a.json", event(1, 0, 1000, "Home", ""));
        run(&server, folder.path(), &earlier).good();
        server.fail(THIRD, fault.clone(), 50);
        // A broken part is asked for from where it broke.
        server.fail("large.json* range: bytes=83886", fault.clone(), 50);
        let mut command = signed(&server, folder.path(), LOAD);
        command.env("AWS_MAX_ATTEMPTS", "3").env("SPARKIFY_READ_TIMEOUT", "0.8");
        let words = ended(&mut command).bad(2);
        assert!(words.contains(says), "{fault:?}: {words}");
        assert!(words.contains("`s3://bucket/data/log_data/large.json`"), "{fault:?}: {words}");
        assert!(words.contains("hint: "), "{words}");
        assert_eq!(asked(folder.path(), "select count(*) from staging_events"), "1", "{fault:?}");
    }
}

#[test]
fn a_server_that_knows_no_ranges_gives_each_object_once() {
    let (server, folder, text) = bucket();
    server.put("data/log_data/more.json", text.clone());
    server.fail(".json", Fault::Whole, 1000);
    run(&server, folder.path(), &LOAD).good();
    assert_eq!(fingerprint(folder.path()), fingerprint_here("large.json", text.as_bytes()));
    for key in [KEY, "data/log_data/more.json"] {
        let traffic = server.traffic(key);
        assert_eq!((traffic.bytes, traffic.most), (text.len() as u64, 1), "{key}");
    }
}

#[test]
fn a_server_that_stops_to_know_ranges_gives_an_object_twice_at_most() {
    let (server, folder, text) = bucket();
    server.fail(THIRD, Fault::Whole, 1000);
    run(&server, folder.path(), &LOAD).good();
    assert_eq!(fingerprint(folder.path()), fingerprint_here("large.json", text.as_bytes()));
    let (traffic, requests) = (server.traffic(KEY), server.requested());
    println!("{traffic:?}: {:?}", ranges(&requests));
    assert!(traffic.bytes < 2 * text.len() as u64 + (4 << 20), "{traffic:?}");
    assert!(ranges(&requests).contains(&"8388608-"), "{requests:#?}");
}
