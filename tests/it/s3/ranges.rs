//! A large object comes in several ranges at once, as far as requests and memory allow, and is the same bytes.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use sparkify_config::{Flags, S3Flags, Settings};
use sparkify_source::{Content, Object, Prefetch, Sources};

use super::{asked, run, signed};
use crate::support::{self, event, peak_of};
use s3_emulator::Server;

pub(super) const LOAD: [&str; 3] = ["etl", "--log-data", super::LOGS];
const LARGE: &str = "data/log_data/large.json";
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 -";
/// What ranges are cut at.
pub(super) const PART: usize = 4 << 20;
/// Bytes a second of one answer: so slow that a reader waits.
pub(super) const SLOW: u64 = 20 << 20;

/// Events with texts that no compression makes small, of at least so many bytes.
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

/// A bucket with one slow object of these bytes.
fn bucket(key: &str, bytes: impl Into<Vec<u8>>) -> (Server, tempfile::TempDir) {
    let server = Server::start();
    server.put(key, bytes.into());
    server.throttle(SLOW);
    (server, tempfile::tempdir().unwrap())
}

/// What the ledger says of the one object's content.
pub(super) fn fingerprint(folder: &std::path::Path) -> String {
    asked(folder, "select fingerprint from etl_objects where object_key like '%large%'")
}

/// What the ledger says of these bytes when they lie in a folder.
pub(super) fn fingerprint_here(name: &str, bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    support::put(folder.path(), &format!("log_data/{name}"), bytes);
    support::run(folder.path(), ["etl", "--log-data", "log_data"]).good();
    fingerprint(folder.path())
}

/// The ranges that were asked for, as they were sent.
pub(super) fn ranges(requests: &[String]) -> Vec<&str> {
    let found = requests.iter().filter_map(|line| line.split_once(" range: bytes="));
    found.map(|(_, rest)| rest.split(' ').next().unwrap_or(rest)).collect()
}

#[test]
fn several_ranges_of_one_object_are_under_way_at_once_and_are_the_same_bytes() {
    let plain = events(30 << 20).into_bytes();
    let cases = [
        ("large.json", plain.clone()),
        ("large.json.gz", support::gzip(&plain)),
        ("large.json.zst", zstd::encode_all(&plain[..], 1).unwrap()),
    ];
    for (name, bytes) in cases {
        let key = format!("data/log_data/{name}");
        let (server, folder) = bucket(&key, bytes.clone());
        run(&server, folder.path(), &LOAD).good();
        assert_eq!(fingerprint(folder.path()), fingerprint_here(name, &bytes), "{name}");
        let requests = server.requested();
        let (traffic, asked) = (server.traffic(&key), ranges(&requests));
        assert!((4..=9).contains(&traffic.most), "{name}: {traffic:?}");
        // Each byte once, but for what was on its way when the first stream was cut.
        let size = bytes.len() as u64;
        assert!((size..size + (4 << 20)).contains(&traffic.bytes), "{name}: {size}, {traffic:?}");
        let parts = asked.iter().filter(|range| !range.ends_with('-')).count();
        assert!(parts >= bytes.len() / PART - 2, "{name}: {asked:?}");
        for line in requests.iter().filter(|line| line.contains("range: ")) {
            assert!(line.contains(" if-match: "), "{line}");
        }
        println!("{name}, {size} bytes: {traffic:?}, {asked:?}");
    }
}

#[test]
fn one_request_at_once_or_little_memory_or_a_small_object_is_one_get() {
    let large = events(3 * PART);
    let small = events(2 * PART - 2000);
    assert!(small.len() < 2 * PART);
    for (text, more) in [
        (&large, ["--concurrency", "1"]),
        (&large, ["--memory", "64MB"]),
        (&small, ["--memory", "512MB"]),
    ] {
        let (server, folder) = bucket(LARGE, text.as_bytes());
        run(&server, folder.path(), &[&LOAD[..], &more].concat()).good();
        let (traffic, requests) = (server.traffic(LARGE), server.requested());
        assert_eq!((traffic.most, traffic.bytes), (1, text.len() as u64), "{more:?}");
        assert!(ranges(&requests).is_empty(), "{more:?}: {requests:#?}");
    }
}

#[test]
fn an_object_without_an_etag_is_one_get_since_nothing_holds_two_to_one_version() {
    let (server, folder) = bucket(LARGE, events(3 * PART));
    server.state.tells_no_etag.store(true, Ordering::Relaxed);
    run(&server, folder.path(), &LOAD).good();
    let requests = server.requested();
    assert!(ranges(&requests).is_empty(), "{requests:#?}");
    assert_eq!(server.traffic(LARGE).most, 1);
}

#[test]
fn ranges_are_requests_like_others_and_never_more_than_allowed_at_once() {
    let (server, folder) = bucket(LARGE, events(5 * PART));
    for number in 0..3 {
        server.put(&format!("data/log_data/other-{number}.json"), events(3 * PART));
        server.put(&format!("data/log_data/small-{number}.json"), event(1, 0, 1, "Home", ""));
    }
    // Four threads read, three of them at large objects, with two requests for all of them, and room for two parts and for eight.
    for memory in ["128MB", "512MB"] {
        let more = ["--full-refresh", "--concurrency", "2", "--threads", "4", "--memory", memory];
        run(&server, folder.path(), &[&LOAD[..], &more].concat()).good();
        assert_eq!(asked(folder.path(), "select count(*) from etl_objects"), "7");
        let requests = server.requested();
        assert!(ranges(&requests).len() > 3, "{requests:#?}");
        // A place is given back by whoever waits for its reader, and then another answer may begin.
        let most = server.traffic(LARGE).most;
        assert!(most <= 3, "{most} at once");
    }
}

#[test]
fn a_store_that_bears_one_at_once_gives_a_large_object_too() {
    let (server, folder) = bucket(LARGE, events(4 * PART));
    server.state.at_once.store(1, Ordering::Relaxed);
    run(&server, folder.path(), &LOAD).good();
    assert_eq!(
        fingerprint(folder.path()),
        fingerprint_here("large.json", &server.get(LARGE).unwrap())
    );
}

#[test]
fn what_is_held_of_a_large_object_is_bounded() {
    let (server, folder) = bucket(LARGE, events(96 << 20));
    server.throttle(60 << 20);
    let load = |concurrency: &str, memory: &str| {
        let more = ["--full-refresh", "--concurrency", concurrency, "--memory", memory];
        server.requested();
        let (peak, ended) = peak_of(signed(&server, folder.path(), LOAD.into_iter().chain(more)));
        assert!(ended.status.success(), "{ended:?}");
        peak / 1024
    };
    // With 128 MB there is room for two parts; with more, for as many as an object may have.
    let [one, two, eight] =
        [("1", "128MB"), ("64", "128MB"), ("64", "512MB")].map(|(n, m)| load(n, m));
    let most = server.traffic(LARGE).most;
    println!(
        "96 MB: {one} MiB at most by one stream, {two} by two parts, {eight} by eight; {most} at once"
    );
    assert!(two < one + 32, "{one} MiB, then {two} MiB");
    assert!((5..=9).contains(&most), "{most} at once");
}

/// The bucket's objects, as a program of ours lists them, and what its settings say.
fn listed(server: &Server, concurrency: &str) -> Arc<[Object]> {
    server.state.is_public.store(true, Ordering::Relaxed);
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("dwh.cfg");
    std::fs::write(&config, "").unwrap();
    let s3 = S3Flags {
        endpoint_url: Some(server.endpoint()),
        no_sign_request: true,
        concurrency: Some(concurrency.into()),
        ..S3Flags::default()
    };
    let settings =
        Settings::resolve(&Flags { config: Some(config), s3, ..Flags::default() }).unwrap();
    // Its threads live as long as it does.
    let sources: &'static Sources = Box::leak(Box::new(Sources::new(&settings.s3)));
    Arc::from(sources.list("s3://bucket/data").unwrap().objects)
}

/// Reads so many bytes.
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

/// Waits until nothing is under way any more of the large object.
fn at_rest(server: &Server) {
    let began = Instant::now();
    while server.traffic(LARGE).now > 0 {
        assert!(began.elapsed() < Duration::from_mins(1), "{:?}", server.traffic(LARGE));
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn who_stops_reading_ends_all_that_was_under_way() {
    let text = events(40 << 20);
    let (server, _folder) = bucket(LARGE, text.as_bytes());
    let objects = listed(&server, "64");
    let prefetch = Prefetch::start(&objects);
    let mut content = prefetch.open(0, &objects[0]).unwrap();
    assert_eq!(take(&mut content, PART / 4), text.as_bytes()[..PART / 4]);
    let before = server.traffic(LARGE);
    drop(content);
    at_rest(&server);
    let after = server.traffic(LARGE);
    // Those that were under way had three quarters of a part to go.
    let left = before.now as u64 * (PART as u64 * 3 / 4);
    assert!(before.now > 6 && after.bytes < before.bytes + left / 2, "{before:?}, {after:?}");
}

#[test]
fn a_reader_that_is_slow_holds_no_place_and_no_more_than_its_room() {
    let text = events(60 << 20);
    let (server, _folder) = bucket(LARGE, text.as_bytes());
    let other = event(1, 0, 1, "Home", "");
    server.put("data/log_data/other.json", other.clone());
    let objects = listed(&server, "2");
    let prefetch = Prefetch::start(&objects);
    let mut content = prefetch.open(0, &objects[0]).unwrap();
    take(&mut content, PART + 1);
    // The reader pauses: all parts that have room come to their end, and another object can be had.
    at_rest(&server);
    let held = server.traffic(LARGE).bytes;
    assert!(held <= (PART as u64) * 10 + (4 << 20), "{held} bytes, and the reader took one part");
    let mut opened = Content::open(&objects[1]).unwrap();
    assert_eq!(take(&mut opened, 1 << 20), other.as_bytes());
    assert!(take(&mut content, text.len()) == text.as_bytes()[PART + 1..]);
    assert_eq!(content.read(&mut [0; 9]).unwrap(), 0);
    content.fingerprint().unwrap();
}

#[test]
fn a_reader_that_does_not_wait_leaves_room_to_others() {
    let text = events(160 << 20);
    let (server, _folder) = bucket(LARGE, text.as_bytes());
    let other = "data/log_data/other.json";
    server.put(other, text.as_bytes()[..12 * PART].to_vec());
    server.throttle(60 << 20);
    let objects = listed(&server, "64");
    let prefetch = Prefetch::start(&objects);
    let mut content = prefetch.open(0, &objects[0]).unwrap();
    take(&mut content, 2 * PART);
    assert!(server.traffic(LARGE).most >= 8, "{:?}", server.traffic(LARGE));
    // From here on what it reads is there already, and less and less is ahead of it. On a busy machine it may wait once, and begins anew.
    let mut read = 2 * PART;
    loop {
        at_rest(&server);
        let ahead = server.traffic(LARGE).bytes - read as u64;
        if ahead < 3 * PART as u64 {
            break;
        }
        assert!(
            read < text.len() - 8 * PART,
            "{ahead} bytes are ahead of a reader that does not wait"
        );
        // What was sent is still to be received.
        std::thread::sleep(Duration::from_millis(250));
        take(&mut content, PART);
        read += PART;
    }
    let mut opened = prefetch.open(1, &objects[1]).unwrap();
    assert!(take(&mut opened, text.len()) == text.as_bytes()[..12 * PART]);
    let most = server.traffic(other).most;
    assert!(most >= 3, "{most} at once of the other");
}

#[test]
fn from_a_place_on_it_is_one_stream() {
    let text = events(5 * PART);
    let (server, _folder) = bucket(LARGE, text.as_bytes());
    let objects = listed(&server, "64");
    server.requested();
    let mut content = Content::open_at(&objects[0], 7_000_000).unwrap();
    assert!(take(&mut content, text.len()) == text.as_bytes()[7_000_000..]);
    let requests = server.requested();
    assert_eq!(ranges(&requests), ["7000000-"]);
}
