//! The first load of a warehouse: what a killed one leaves, and warehouses that cannot be used.

use crate::support::{duckdb, event, loaded, put, run};

const ETL: [&str; 3] = ["etl", "--log-data", "log_data"];

#[test]
fn what_a_killed_creation_left_is_removed_by_the_next_load() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    put(here, "log_data/e.json", event(1, 0, 1000, "NextSong", "One"));
    let left = ".sparkify.duckdb.creating";
    // Killed before the file had its name, and after that.
    for read in ["1 read", "nothing to load"] {
        put(here, &format!("{left}/made"), "a part of a file");
        put(here, &format!("{left}/made.wal"), "");
        assert!(run(here, ETL).good().contains(read));
        assert!(!here.join(left).exists(), "{read}");
    }
    let entries = std::fs::read_dir(here).unwrap().map(|entry| entry.unwrap().file_name());
    let mut entries: Vec<_> = entries.collect();
    entries.sort();
    assert_eq!(entries, ["log_data", "sparkify.duckdb"]);
}

#[test]
fn a_folder_that_another_process_creates_in_is_left_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    put(here, "log_data/e.json", event(1, 0, 1000, "NextSong", "One"));
    let left = here.join(".sparkify.duckdb.creating");
    std::fs::create_dir(&left).unwrap();
    let lock = std::fs::File::open(&left).unwrap();
    lock.lock().unwrap();
    run(here, ETL).good();
    assert!(left.exists());
}

#[test]
fn create_tables_names_another_way_out_than_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.duckdb");
    duckdb(path.to_str().unwrap()).execute("create table songs (id integer)").unwrap();
    let arguments = ["create-tables", "--yes", "--warehouse", "duckdb:other.duckdb"];
    let words = run(folder.path(), arguments).bad(2);
    assert!(words.contains("table `songs` was not created by sparkify"), "{words}");
    assert!(words.contains("hint: this command drops no table of another program"), "{words}");
    assert!(!words.contains("`sparkify create-tables`"), "{words}");
}

#[test]
fn a_folder_without_room_for_the_log_is_named() {
    let folder = loaded();
    let here = folder.path();
    put(here, "data/log_data/f.json", event(2, 0, 1000, "NextSong", "One"));
    // As in a folder without write permission, which does not stop a superuser.
    std::os::unix::fs::symlink("missing/log", here.join("sparkify.duckdb.wal")).unwrap();
    let words = run(here, ["etl", "--log-data", "data/log_data"]).bad(2);
    assert!(words.starts_with("error: cannot write `"), "{words}");
    assert!(words.contains("sparkify.duckdb.wal`: No such file or directory"), "{words}");
    assert!(words.contains("hint: check that the folder of the warehouse is writable"), "{words}");
}

#[test]
fn an_empty_warehouse_url_is_named_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let words = run(folder.path(), ["check", "--warehouse", ""]).bad(2);
    assert!(words.contains("hint: it is empty; name a file, for example `duckdb:"), "{words}");
}

#[test]
fn one_absurd_length_leaves_the_hours_finite() {
    let folder = loaded();
    let here = folder.path();
    let absurd =
        |item: u32, length: &str| event(2, item, 1000, "NextSong", "One").replace("200.5", length);
    let events = absurd(0, "1.7e308") + &absurd(1, "1.7e308") + &absurd(2, "-9e307");
    put(here, "data/log_data/f.json", events);
    run(here, ["etl", "--song-data", "data/song_data", "--log-data", "data/log_data"]).good();
    let answer = run(here, ["query", "listening_time", "--output", "json"]).json();
    let counts = ["plays", "plays_with_length"].map(|column| &answer[0][column]);
    assert_eq!(counts, [7, 4], "{answer}");
    // Four plays of 200.5 s.
    assert_eq!(answer[0]["hours"], 0.22, "{answer}");
    for query in [
        "overview",
        "browsers",
        "gender",
        "locations",
        "operating_systems",
        "plays_by_day",
        "plays_by_level",
        "plays_by_week",
        "states",
        "top_artists",
        "top_songs",
        "top_users",
    ] {
        let answer = run(here, ["query", query, "--format", "csv"]).good();
        assert!(!answer.contains("inf") && !answer.contains("e30"), "{query}: {answer}");
    }
}
