//! Parallel range requests for one large object: same bytes, bounded by the limits on requests and
//! memory.
//!
//! `Server::require_parallel` makes the reader wait for its first stream, so that it opens ranges
//! independently of the speed of the machine.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use sparkify_config::{Flags, S3Flags, Settings};
use sparkify_source::{Content, Object, Prefetch, Sources};

use super::{asked, run};
use crate::support::{self, event};
use s3_emulator::{Server, TRICKLE};

pub(super) const LOAD: [&str; 3] = ["etl", "--log-data", super::LOGS];
const LARGE: &str = "data/log_data/large.json";
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 -";
/// Size of a range request.
pub(super) const PART: usize = 4 << 20;
/// Ranges of one object with the default memory limit of 512 MB.
const MOST_PARTS: usize = 8;
/// Settings for withheld responses: on a slow machine they may come late.
const PATIENT: &str = "[S3]\nREAD_TIMEOUT=600\n";
/// Bandwidth of a download, in bytes per second, at which a reader usually waits.
pub(super) const SLOW: u64 = 20 << 20;

/// Events with incompressible text, of at least `bytes` bytes.
pub(super) fn events(bytes: usize) -> String {
    let mut log = String::with_capacity(bytes + 1000);
    let mut noise = 1_u64;
    for number in 0.. {
        let letter = |_| {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
            char::from(LETTERS[usize::try_from(noise >> 58).unwrap()])
        };
        let text: String = (0..320).map(letter).collect();
        log += &event(number, 0, 1000 + u64::from(number), "Home", &text);
        if log.len() >= bytes {
            return log;
        }
    }
    log
}

/// A bucket with one object.
fn bucket(key: &str, bytes: impl Into<Vec<u8>>) -> (Server, tempfile::TempDir) {
    let server = Server::start();
    server.put(key, bytes.into());
    (server, tempfile::tempdir().unwrap())
}

/// Returns the fingerprint of the large object in the ledger.
pub(super) fn fingerprint(folder: &std::path::Path) -> String {
    asked(folder, "select fingerprint from etl_objects where object_key like '%large%'")
}

/// Returns the fingerprint in the ledger of these bytes after a load from a local file.
pub(super) fn fingerprint_here(name: &str, bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    support::put(folder.path(), &format!("log_data/{name}"), bytes);
    support::run(folder.path(), ["etl", "--log-data", "log_data"]).good();
    fingerprint(folder.path())
}

/// Returns the values of the `range` headers.
pub(super) fn ranges(requests: &[String]) -> Vec<&str> {
    let found = requests.iter().filter_map(|line| line.split_once(" range: bytes="));
    found.map(|(_, rest)| rest.split(' ').next().unwrap_or(rest)).collect()
}

#[test]
fn parallel_ranges_give_the_same_bytes() {
    let plain = events(30 << 20).into_bytes();
    let cases = [
        ("large.json", plain.clone()),
        ("large.json.gz", support::gzip(&plain)),
        ("large.json.zst", zstd::encode_all(&plain[..], 1).unwrap()),
    ];
    for (name, bytes) in cases {
        let key = format!("data/log_data/{name}");
        let (server, folder) = bucket(&key, bytes.clone());
        server.require_parallel(&key, 4);
        std::fs::write(folder.path().join("dwh.cfg"), PATIENT).unwrap();
        run(&server, folder.path(), &LOAD).good();
        assert_eq!(fingerprint(folder.path()), fingerprint_here(name, &bytes), "{name}");
        let requests = server.take_requests();
        let (transfers, requested) = (server.transfers(&key), ranges(&requests));
        assert!((4..=MOST_PARTS + 1).contains(&transfers.max_active), "{name}: {transfers:?}");
        // No byte is read twice.
        let size = bytes.len() as u64;
        assert_eq!(transfers.bytes, size, "{name}: {transfers:?}");
        let parts = requested.iter().filter(|range| !range.ends_with('-')).count();
        assert!(parts >= bytes.len() / PART - 2, "{name}: {requested:?}");
        for line in requests.iter().filter(|line| line.contains("range: ")) {
            assert!(line.contains(" if-match: "), "{line}");
        }
        println!("{name}, {size} bytes: {transfers:?}, {requested:?}");
    }
}

#[test]
fn one_get_if_concurrency_or_memory_or_the_object_is_small() {
    let large = events(3 * PART);
    let small = events(2 * PART - 2000);
    assert!(small.len() < 2 * PART);
    for (text, more) in [
        (&large, ["--concurrency", "1"]),
        (&large, ["--memory", "64MB"]),
        (&small, ["--memory", "512MB"]),
    ] {
        let (server, folder) = bucket(LARGE, text.as_bytes());
        server.limit_bandwidth(SLOW);
        run(&server, folder.path(), &[&LOAD[..], &more].concat()).good();
        let (transfers, requests) = (server.transfers(LARGE), server.take_requests());
        assert_eq!((transfers.max_active, transfers.bytes), (1, text.len() as u64), "{more:?}");
        assert!(ranges(&requests).is_empty(), "{more:?}: {requests:#?}");
    }
}

#[test]
fn one_get_without_an_etag_which_would_tie_ranges_to_one_version() {
    let (server, folder) = bucket(LARGE, events(3 * PART));
    server.limit_bandwidth(SLOW);
    server.state.omits_etags.store(true, Ordering::Relaxed);
    run(&server, folder.path(), &LOAD).good();
    let requests = server.take_requests();
    assert!(ranges(&requests).is_empty(), "{requests:#?}");
    assert_eq!(server.transfers(LARGE).max_active, 1);
}

#[test]
fn ranges_count_towards_the_concurrency_limit() {
    // Four threads read, three of them large objects, with two requests for all of them, and memory
    // for two parts and for eight.
    for memory in ["128MB", "512MB"] {
        let (server, folder) = bucket(LARGE, events(5 * PART));
        for number in 0..3 {
            server.put(&format!("data/log_data/other-{number}.json"), events(3 * PART));
            server.put(&format!("data/log_data/small-{number}.json"), event(1, 0, 1, "Home", ""));
        }
        server.limit_bandwidth(SLOW);
        let more = ["--concurrency", "2", "--threads", "4", "--memory", memory];
        run(&server, folder.path(), &[&LOAD[..], &more].concat()).good();
        assert_eq!(asked(folder.path(), "select count(*) from etl_objects"), "7");
        let requests = server.take_requests();
        assert!(ranges(&requests).len() > 3, "{requests:#?}");
        // A stream that waits for its reader returns its permit, so two others may be active.
        let most = server.transfers(LARGE).max_active;
        assert!(most <= 3, "{most} at once");
    }
}

#[test]
fn a_store_that_allows_one_request_at_once_delivers_a_large_object() {
    let (server, folder) = bucket(LARGE, events(4 * PART));
    server.limit_bandwidth(SLOW);
    server.state.max_concurrent.store(1, Ordering::Relaxed);
    run(&server, folder.path(), &LOAD).good();
    assert_eq!(
        fingerprint(folder.path()),
        fingerprint_here("large.json", &server.get(LARGE).unwrap())
    );
}

/// Lists the objects of the bucket with these limits.
fn listed(server: &Server, concurrency: &str, memory: &str) -> Arc<[Object]> {
    server.state.is_public.store(true, Ordering::Relaxed);
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("dwh.cfg");
    std::fs::write(&config, PATIENT).unwrap();
    let s3 = S3Flags {
        endpoint_url: Some(server.endpoint()),
        no_sign_request: true,
        concurrency: Some(concurrency.into()),
        ..S3Flags::default()
    };
    let flags = Flags { config: Some(config), memory: Some(memory.into()), s3, ..Flags::default() };
    let settings = Settings::resolve(&flags).unwrap();
    // The threads of the source live as long as it.
    let sources: &'static Sources = Box::leak(Box::new(Sources::new(&settings.s3)));
    Arc::from(sources.list("s3://bucket/data").unwrap().objects)
}

/// Reads `bytes` bytes, or up to the end.
fn take(content: &mut Content, bytes: usize) -> Vec<u8> {
    let mut taken = vec![0; bytes];
    let mut filled = 0;
    while filled < bytes {
        match content.read(&mut taken[filled..]).unwrap() {
            0 => break,
            read => filled += read,
        }
    }
    taken.truncate(filled);
    taken
}

/// Waits until no download of the large object is active.
fn wait_until_idle(server: &Server) {
    server.wait_for_transfers(LARGE, |transfers| transfers.active == 0);
}

#[test]
fn bytes_ahead_of_a_reader_are_bounded_by_the_memory_limit() {
    let text = events(60 << 20);
    for (memory, parts) in [("128MB", 2), ("512MB", MOST_PARTS)] {
        let (server, _folder) = bucket(LARGE, text.as_bytes());
        server.require_parallel(LARGE, parts + 1);
        let objects = listed(&server, "64", memory);
        let prefetch = Prefetch::start(&objects);
        let mut content = prefetch.open(0, &objects[0]).unwrap();
        // The reader pauses after the first stream: all its ranges end, and no other begins.
        take(&mut content, PART + 1);
        wait_until_idle(&server);
        let transfers = server.transfers(LARGE);
        assert_eq!(transfers.max_active, parts + 1, "{memory}: {transfers:?}");
        assert_eq!(transfers.bytes, ((parts + 1) * PART) as u64, "{memory}: {transfers:?}");
    }
}

#[test]
fn a_reader_that_stops_ends_all_its_downloads() {
    let text = events(40 << 20);
    let (server, _folder) = bucket(LARGE, text.as_bytes());
    // Never reached: the first stream trickles for as long as the reader opens ranges.
    server.require_parallel(LARGE, usize::MAX);
    let objects = listed(&server, "64", "512MB");
    let prefetch = Prefetch::start(&objects);
    let mut content = prefetch.open(0, &objects[0]).unwrap();
    let trickled = (MOST_PARTS + 1) * usize::try_from(TRICKLE).unwrap();
    assert_eq!(take(&mut content, trickled), text.as_bytes()[..trickled]);
    let before = server.transfers(LARGE);
    drop(content);
    wait_until_idle(&server);
    let after = server.transfers(LARGE);
    assert_eq!(before.active, MOST_PARTS + 1, "{before:?}");
    assert_eq!(after.bytes, before.bytes, "{before:?}, {after:?}");
}

#[test]
fn a_slow_reader_holds_no_permit_and_bounded_memory() {
    let text = events(60 << 20);
    let (server, _folder) = bucket(LARGE, text.as_bytes());
    let other = event(1, 0, 1, "Home", "");
    server.put("data/log_data/other.json", other.clone());
    server.require_parallel(LARGE, 2);
    let objects = listed(&server, "2", "512MB");
    let prefetch = Prefetch::start(&objects);
    let mut content = prefetch.open(0, &objects[0]).unwrap();
    take(&mut content, PART + 1);
    // The reader pauses: all ranges end, and a permit for another object is free.
    wait_until_idle(&server);
    let held = server.transfers(LARGE).bytes;
    assert!(held <= ((MOST_PARTS + 1) * PART) as u64, "{held} bytes after reading one part");
    let mut opened = Content::open(&objects[1]).unwrap();
    assert_eq!(take(&mut opened, 1 << 20), other.as_bytes());
    assert!(take(&mut content, text.len()) == text.as_bytes()[PART + 1..]);
    assert_eq!(content.read(&mut [0; 9]).unwrap(), 0);
    content.fingerprint().unwrap();
}

/// Blocks until all other downloads are received and ready for their reader.
///
/// A download returns its permit when its last byte is received. So the permits are free when
/// requests for as many other objects, the probes, are held at once.
fn wait_until_received(server: &Server, probes: &[Object]) {
    server.hold_until("GET *probe", 0, probes.len());
    std::thread::scope(|scope| {
        for probe in probes {
            scope.spawn(|| take(&mut Content::open(probe).unwrap(), 100));
        }
    });
}

#[test]
fn a_reader_that_never_waits_leaves_memory_to_others() {
    const PERMITS: usize = 12;
    let text = events(160 << 20);
    let (server, _folder) = bucket(LARGE, text.as_bytes());
    let other = "data/log_data/other.json";
    server.put(other, text.as_bytes()[..12 * PART].to_vec());
    for number in 0..PERMITS - 1 {
        server.put(&format!("data/log_data/probe-{number:02}.json"), "{}");
    }
    server.require_parallel(LARGE, MOST_PARTS + 1);
    // With three downloads at once, the other reader has at least two ranges. Until it opens them,
    // its first stream holds a permit.
    server.require_parallel(other, 3);
    let objects = listed(&server, &PERMITS.to_string(), "512MB");
    let prefetch = Prefetch::start(&Arc::from(&objects[..2]));
    let mut content = prefetch.open(0, &objects[0]).unwrap();
    take(&mut content, 2 * PART);
    assert_eq!(server.transfers(LARGE).max_active, MOST_PARTS + 1);
    // From here on the reader finds all bytes received, and opens fewer and fewer ranges.
    let mut read = 2 * PART;
    loop {
        wait_until_received(&server, &objects[2..]);
        let ahead = server.transfers(LARGE).bytes - read as u64;
        if ahead < 3 * PART as u64 {
            break;
        }
        assert!(
            read < text.len() - 8 * PART,
            "{ahead} bytes are ahead of a reader that does not wait"
        );
        take(&mut content, PART);
        read += PART;
    }
    let mut opened = prefetch.open(1, &objects[1]).unwrap();
    assert!(take(&mut opened, text.len()) == text.as_bytes()[..12 * PART]);
    let most = server.transfers(other).max_active;
    assert!(most >= 3, "{most} at once of the other");
}

#[test]
fn reading_from_an_offset_uses_one_stream() {
    let text = events(5 * PART);
    let (server, _folder) = bucket(LARGE, text.as_bytes());
    server.limit_bandwidth(SLOW);
    let objects = listed(&server, "64", "512MB");
    server.take_requests();
    let mut content = Content::open_at(&objects[0], 7_000_000).unwrap();
    assert!(take(&mut content, text.len()) == text.as_bytes()[7_000_000..]);
    let requests = server.take_requests();
    assert_eq!(ranges(&requests), ["7000000-"]);
}
