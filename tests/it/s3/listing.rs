//! Listings of prefixes: unusual names, no object, one object, many objects.

use std::sync::atomic::Ordering;

use bytes::Bytes;

use super::end_to_end::small;
use super::{ETL, LOGS, ended, plays, run, signed};
use crate::support::event;
use s3_emulator::Server;

/// Keys that need care in URLs, XML documents and path libraries.
const NAMES: [&str; 12] = [
    "a b.json",
    "a+b.json",
    "100%.json",
    "%41.json",
    "Bj\u{f6}rk/\u{1f3b5}.json",
    "q?x=1&y=2#z.json",
    "double//slash.json",
    "/leading.json",
    "amp&<lt>'\"quote.json",
    "comma,semi;colon:at@eq=.json",
    "back\\slash.json",
    "tab\tand\u{1}control.json",
];

#[test]
fn every_object_name_is_read_or_reported_as_skipped() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    for (number, name) in (0..).zip(NAMES) {
        server.put(&format!("data/log_data/{name}"), event(number, 0, 1000, "NextSong", "One"));
    }
    for hidden in
        ["_SUCCESS", ".DS_Store", ".ipynb_checkpoints/1.json", "x/_temporary/2.json", "../up.json"]
    {
        server.put(&format!("data/log_data/{hidden}"), "no data");
    }
    for marker in ["", "2018/", "2018/11/"] {
        server.put(&format!("data/log_data/{marker}"), "");
    }
    server.put("data/log_data2/other.json", event(99, 0, 1000, "NextSong", "One"));
    let arguments = ["etl", "--log-data", LOGS, "--output", "json"];
    let summary = run(&server, folder.path(), &arguments).json();
    assert_eq!(summary["objects_read"], NAMES.len());
    let ignored = serde_json::json!([
        format!("{LOGS}/"),
        format!("{LOGS}/.."),
        format!("{LOGS}/.DS_Store"),
        format!("{LOGS}/.ipynb_checkpoints"),
        format!("{LOGS}/2018/"),
        format!("{LOGS}/2018/11/"),
        format!("{LOGS}/_SUCCESS"),
        format!("{LOGS}/x/_temporary"),
    ]);
    assert_eq!(summary["objects_ignored"], ignored);
    let again = run(&server, folder.path(), &arguments).json();
    assert_eq!(again["objects_read"], 0);
    for (number, name) in NAMES.iter().enumerate() {
        let session = number.to_string();
        let arguments = ["trace", "--session", &session, "--item", "0", "--output", "json"];
        let traced = run(&server, folder.path(), &arguments).json();
        assert_eq!(traced[0]["events"][0]["object_state"], "as_loaded", "{name}");
    }
}

#[test]
fn a_server_that_does_not_encode_its_listings_is_understood() {
    let server = Server::start();
    server.state.encodes_keys.store(false, Ordering::Relaxed);
    let folder = tempfile::tempdir().unwrap();
    for (number, name) in (0..).zip(&NAMES[..11]) {
        server.put(&format!("data/log_data/{name}"), event(number, 0, 1000, "NextSong", "One"));
    }
    run(&server, folder.path(), &["etl", "--log-data", LOGS]).good();
    assert_eq!(plays(folder.path()), "11");
}

#[test]
fn a_prefix_may_be_one_object_and_a_bucket_may_be_empty() {
    let (server, folder) = small();
    let one = "s3://bucket/data/log_data/1.json";
    run(&server, folder.path(), &["etl", "--log-data", one]).good();
    assert_eq!(plays(folder.path()), "1");
    let whole = ["plan", "--log-data", "s3://bucket", "--output", "json"];
    assert_eq!(run(&server, folder.path(), &whole).json()["new"].as_array().unwrap().len(), 3);

    let words =
        run(&server, folder.path(), &["plan", "--log-data", "s3://bucket/data/log_dat"]).bad(2);
    assert!(words.contains("no objects found at `s3://bucket/data/log_dat`"), "{words}");
    assert!(words.contains("did you mean `s3://bucket/data/log_data`?"), "{words}");
    let words = run(&server, folder.path(), &["plan", "--log-data", "s3://other/logs"]).bad(2);
    assert!(words.contains("there is no bucket `other` at `http://localhost"), "{words}");
    for place in ["s3://", "s3:///x", "s3://no bucket/x", "s3://a..b/x", "s3://b?x/y"] {
        let words = run(&server, folder.path(), &["plan", "--log-data", place]).bad(2);
        assert!(words.contains("write it as `s3://BUCKET/PREFIX`"), "{place}: {words}");
    }
    server.keys(s3_emulator::BUCKET).iter().for_each(|key| server.remove(key));
    let none = ["plan", "--log-data", "s3://bucket", "--output", "json"];
    let words = run(&server, folder.path(), &none).bad(2);
    assert!(words.contains("no files found in `s3://bucket`"), "{words}");
    let allowed = [&none[..], &["--allow-empty"]].concat();
    let plan = run(&server, folder.path(), &allowed).json();
    assert_eq!(plan["new"], serde_json::json!([]));
    let empty = ["etl", "--log-data", "s3://bucket/data/log_data"];
    assert!(run(&server, folder.path(), &empty).bad(2).contains("no objects found at"));
}

#[test]
fn a_hundred_thousand_keys_are_listed_in_their_pages() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let body = Bytes::from(event(1, 0, 1000, "NextSong", "One"));
    (0..100_000).for_each(|n| server.put(&format!("flat/{n:06}.json"), body.clone()));
    let branch = |n: u32| format!("deep/{}/{}/{n:06}.json", n % 26, n / 26 % 26);
    (0..20_000).for_each(|n| server.put(&branch(n), body.clone()));
    let keys = |place: &str| {
        server.take_requests();
        let plan = run(&server, folder.path(), &["plan", "--log-data", place, "--output", "json"]);
        (plan.json()["new"].as_array().unwrap().len(), server.take_requests().len())
    };
    assert_eq!(keys("s3://bucket/flat"), (100_000, 100));
    let (found, requests) = keys("s3://bucket/deep");
    assert_eq!(found, 20_000);
    // Pages in sequence would be 20 requests; branches are listed in parallel with a few
    // more.
    assert!(requests <= 60, "{requests} requests");
}

#[test]
fn both_addressing_styles_find_the_bucket() {
    for style in ["path", "virtual"] {
        let (server, folder) = small();
        let arguments = [&ETL[..], &["--addressing-style", style]].concat();
        run(&server, folder.path(), &arguments).good();
        assert_eq!(plays(folder.path()), "2", "{style}");
        let first = server.take_requests().remove(0);
        assert_eq!(first.contains(" /bucket?"), style == "path", "{first}");
    }
}

#[test]
fn the_region_is_detected_unless_configured() {
    let (server, folder) = small();
    "garage".clone_into(&mut server.state.region.lock().unwrap());
    run(&server, folder.path(), &ETL).good();
    assert_eq!(plays(folder.path()), "2");
    run(&server, folder.path(), &[&ETL[..], &["--region", "garage"]].concat()).good();
    let mut command = signed(&server, folder.path(), ETL);
    let words = ended(command.env("AWS_REGION", "eu-west-1")).bad(2);
    assert!(words.contains("is not in the requested region"), "{words}");
    assert!(words.contains("hint: pass `--region garage`"), "{words}");
}
