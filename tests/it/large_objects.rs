//! Large objects: slices that several threads parse give the same rows, rejects and positions as
//! one thread, which reads a compressed copy.

use std::path::Path;

use serde_json::Value;
use sparkify_sample_data::{Request, generate};

use crate::support::{duckdb, gzip, load, rows, run};

const STAGED: &[&str] = &[
    "byte_offset",
    "artist",
    "item_in_session",
    "last_name",
    "length",
    "registration",
    "session_id",
    "song",
    "ts",
    "user_agent",
    "user_id",
];
const REJECTED: &[&str] = &["byte_offset", "byte_length", "reason", "hex(raw)"];

/// Returns the events of a day, about 15 MB.
fn day(folder: &Path) -> String {
    let request = Request { songs: 20, events: 32_000, days: 1, users: 300, ..Request::default() };
    generate(folder, &request, &mut |_| {}).unwrap();
    let year = folder.join("log_data/2018/11");
    std::fs::read_to_string(year.join("2018-11-01-events.json")).unwrap()
}

/// Loads `text` as the file `name`, and returns the staged rows and the rejects.
fn read(folder: &Path, name: &str, text: &[u8]) -> (Vec<Vec<String>>, Vec<Vec<String>>) {
    let log = folder.join("log_data");
    std::fs::remove_dir_all(&log).unwrap();
    std::fs::create_dir_all(&log).unwrap();
    std::fs::write(log.join(name), text).unwrap();
    let mut warehouse = duckdb(":memory:");
    load(warehouse.as_mut(), folder, 0.5).unwrap();
    (
        rows(warehouse.as_mut(), "staging_events", STAGED),
        rows(warehouse.as_mut(), "etl_rejects", REJECTED),
    )
}

#[test]
fn several_threads_read_the_same_rows_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let day = day(folder.path());
    assert!(day.len() > 10 << 20, "{}", day.len());
    let lines: Vec<&str> = day.lines().collect();
    let middle = lines.len() / 2;
    let with = |at: usize, odd: &str| {
        let mut lines = lines.clone();
        lines.insert(at, odd);
        lines.join("\n")
    };
    let nested = "{\"page\":\"Home\",\"tag\":\n".to_owned()
        + &"{\"a\":\n".repeat(5000)
        + "1"
        + &"}".repeat(5001);
    let array = format!("[{}]", lines.join(",\n"));
    let pretty: Value = serde_json::from_str(lines[0]).unwrap();
    let pretty = serde_json::to_string_pretty(&pretty).unwrap();
    for (layout, text) in [
        ("lines", day.clone()),
        ("damage", with(middle, "{\"page\":\"NextSong\",\"ts\"\nnonsense")),
        (
            "a record that is cut before the next line",
            with(middle, "{\"page\":\"NextSong\",\"ts\":"),
        ),
        ("lines within a record", with(middle, &nested)),
        ("an array", array.clone()),
        ("an array that ends early", array.replacen(",\n", "]\n", middle)),
        ("one line", lines.concat()),
        ("pretty-printed", format!("{pretty}\n").repeat(20_000)),
    ] {
        let (sliced, whole) = (
            read(folder.path(), "day.json", text.as_bytes()),
            read(folder.path(), "day.json.gz", &gzip(text.as_bytes())),
        );
        assert!(
            sliced.0.len() > 10_000 || layout.contains("early"),
            "{layout}: {}",
            sliced.0.len()
        );
        assert!(sliced == whole, "{layout}: {} and {} rows", sliced.0.len(), whole.0.len());
    }
}

#[test]
fn an_unchanged_large_object_is_not_loaded_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let day = day(path);
    let etl = [
        "etl",
        "--song-data",
        "song_data",
        "--log-data",
        "log_data",
        "--threads",
        "4",
        "--output",
        "json",
    ];
    let first = run(path, etl).json();
    assert_eq!(first["events_staged"], 32_000, "{first:#}");
    // The same content with another modification time has the same fingerprint.
    let file = path.join("log_data/2018/11/2018-11-01-events.json");
    std::fs::write(&file, &day).unwrap();
    let again = run(path, etl).json();
    assert_eq!(again["events_staged"], 0, "{again:#}");
    std::fs::write(&file, day.replacen("\"method\":\"PUT\"", "\"method\":\"GET\"", 1)).unwrap();
    let changed = run(path, etl).json();
    assert_eq!(changed["events_staged"], 32_000, "{changed:#}");
}
