//! Limit of rejected records and bytes, and the objects that lost most.

use std::fmt::Write as _;

use serde_json::Value;

use crate::support::{Ended, event, put, query_value, run, song};

const ETL: [&str; 3] = ["etl", "--log-data", "log_data"];

/// A day of a thousand events, as a text.
fn day(session: u32) -> String {
    (0..1000).map(|item| event(session, item, 1000 + u64::from(item), "Home", "")).collect()
}

/// Loads a good day beside another file.
fn beside(name: &str, content: impl AsRef<[u8]>, more: &[&str]) -> (tempfile::TempDir, Ended) {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "log_data/2018-11-01.json", day(1));
    put(folder.path(), &format!("log_data/{name}"), content);
    let ended = run(folder.path(), ETL.iter().chain(more));
    (folder, ended)
}

/// A CSV file of this many rows: one reject, whatever its size.
fn csv(rows: usize) -> String {
    let mut text = "artist,auth,firstName,gender,itemInSession\n".to_owned();
    for row in 0..rows {
        let _ = writeln!(text, "Band,Logged In,Ada,F,{row}");
    }
    text
}

#[test]
fn a_file_that_is_lost_as_one_record_fails_the_load_by_its_bytes() {
    let (folder, ended) = beside("2018-11-02.json", csv(400), &[]);
    let words = ended.bad(1);
    assert!(words.starts_with("error: too many rejected bytes: "), "{words}");
    assert!(words.contains(" in 1 record; the limit is 1.00 %"), "{words}");
    // The object is named before the records.
    let damaged = words.lines().nth(1).unwrap();
    assert!(damaged.contains("log_data/2018-11-02.json`: 0 records staged"), "{words}");
    assert!(damaged.ends_with("99.99 % of its bytes: not JSON: a CSV file"), "{words}");
    assert_eq!(query_value(folder.path(), "select count(*) from etl_objects"), "0");
    let summary = run(folder.path(), ETL.iter().chain(&["--max-reject-share", "20%"])).good();
    assert!(summary.starts_with("damaged: `"), "{summary}");
}

#[test]
fn a_file_that_lost_most_of_its_bytes_is_named_and_a_small_loss_is_not() {
    let (_folder, ended) = beside("2018-11-02.json", format!("{}{}", day(2), csv(10)), &[]);
    let summary = ended.good();
    assert!(!summary.contains("damaged"), "{summary}");
    let half = format!("{}{}", event(2, 0, 1, "Home", ""), csv(10));
    let (_folder, ended) = beside("2018-11-02.json", half, &["--output", "json"]);
    let summary = ended.json();
    assert_eq!((&summary["objects_damaged"], &summary["rejected"]), (&1.into(), &1.into()));
    assert_eq!(summary["damaged"][0]["staged"], 1);
    assert!(summary["damaged"][0]["object"].as_str().unwrap().ends_with("2018-11-02.json"));
}

#[test]
fn one_damaged_byte_in_a_file_without_newlines_loses_one_record() {
    let line = day(2).replace('\n', "");
    let at = line.match_indices("\"auth\"").nth(500).unwrap().0;
    let damaged = format!("{}\0{}", &line[..at], &line[at + 1..]);
    let array = format!("[{}]", damaged.replace("}{", "},{"));
    for text in [damaged, array] {
        let (folder, ended) = beside("2018-11-02.json", &text, &["--output", "json"]);
        let summary = ended.json();
        assert_eq!((&summary["rejected"], &summary["events_staged"]), (&1.into(), &1999.into()));
        // The reject, and the record after it, are found by their positions again.
        let ids = run(folder.path(), ["rejects", "list", "--output", "json"]).json();
        let length = usize::try_from(ids["rejects"][0]["length"].as_u64().unwrap()).unwrap();
        assert!((280..290).contains(&length), "{ids}");
    }
}

#[test]
fn usual_mistakes_are_named() {
    let utf16: Vec<u8> = day(2)[..3000].encode_utf16().flat_map(u16::to_le_bytes).collect();
    let cases: [(&str, Vec<u8>, &str); 6] = [
        ("archive.json", b"PK\x03\x04\x14\0\0\0\x08\0{\"\x01}\n{zipped".repeat(9), "a zip archive"),
        (
            "pointer.json",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n".to_vec(),
            "a Git LFS pointer, not the file itself",
        ),
        (
            "page.json",
            b"<!DOCTYPE html>\n<html><script>{}</script></html>".to_vec(),
            "an HTML page",
        ),
        ("rows.csv", csv(9).into_bytes(), "a CSV file"),
        ("utf16.json", [b"\xff\xfe", &*utf16].concat(), "UTF-16 text"),
        ("utf16-without-mark.json", utf16, "UTF-16 text"),
    ];
    for (name, content, what) in cases {
        let (_folder, ended) =
            beside(name, content, &["--max-reject-share", "100%", "--output", "json"]);
        let summary = ended.json();
        let reasons = summary["rejects"].as_object().unwrap();
        assert!(reasons.contains_key(&format!("not JSON: {what}")), "{name}: {reasons:?}");
        assert_eq!(summary["events_staged"], 1000, "{name}");
    }
    // A name that promises compression is an error, which names the mistake too.
    let (_folder, ended) = beside("a.json.gz", b"PK\x03\x04{}", &[]);
    let words = ended.bad(2);
    assert!(words.contains("not in the format of `.gz`: it is a zip archive"), "{words}");
}

#[test]
fn swapped_locations_are_noticed_at_the_first_records() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    put(here, "log_data/e.json", day(1));
    put(here, "song_data/a.json", song("SO1", "One", 200.5));
    let swapped = ["etl", "--log-data", "song_data", "--song-data", "log_data"];
    let message = run(here, swapped).bad(2);
    assert!(message.contains("the song data `log_data` holds events, in `"), "{message}");
    assert!(message.contains("are not swapped"), "{message}");
    let message = run(here, ["etl", "--log-data", "song_data"]).bad(2);
    assert!(message.contains("the log data `song_data` holds songs, in `"), "{message}");
    let outcome = "select string_agg(distinct outcome) || ' ' || count(*) from etl_loads";
    assert_eq!(query_value(here, outcome), "failed 2");
    assert_eq!(query_value(here, "select count(*) from staging_events"), "0");
    // A misplaced file among others is a matter of the limit of rejects.
    put(here, "song_data/0.json", day(1));
    let etl = ["etl", "--log-data", "log_data", "--song-data", "song_data"];
    let message = run(here, etl).bad(1);
    assert!(message.contains("an event in the song data"), "{message}");
    run(here, etl.into_iter().chain(["--max-reject-share", "100%"])).good();
}

#[test]
fn many_rejects_of_one_object_are_counted_and_the_first_and_last_are_kept() {
    let (folder, ended) = beside(
        "braces.json",
        "{\n".repeat(30_000),
        &["--max-reject-share", "100%", "--output", "json"],
    );
    assert_eq!(ended.json()["rejected"], 30_000);
    let here = folder.path();
    assert_eq!(query_value(here, "select max(rows_rejected) from etl_objects"), "30000");
    let kept = "select count(*) || ' ' || min(byte_offset) || ' ' || max(byte_offset) || ' ' ||
        count(*) filter (where byte_offset < 1000) from etl_rejects";
    assert_eq!(query_value(here, kept), "1000 0 59998 500");
    run(here, ["check"]).good();
    run(here, ["verify"]).good();
    let listed = run(here, ["rejects", "list", "--limit", "1"]).good();
    assert!(listed.contains("29,000 more are counted, but not kept"), "{listed}");
    let listed: Value = run(here, ["rejects", "list", "--output", "json", "--limit", "1"]).json();
    assert_eq!((&listed["total"], &listed["not_kept"]), (&1000.into(), &29_000.into()));
    // Mended, the object has none left.
    put(here, "log_data/braces.json", event(2, 0, 1, "Home", ""));
    let summary = run(here, ETL.iter().chain(&["--output", "json"])).json();
    assert_eq!((&summary["objects_changed"], &summary["rejected"]), (&1.into(), &0.into()));
    assert_eq!(query_value(here, "select count(*) from etl_rejects"), "0");
}
