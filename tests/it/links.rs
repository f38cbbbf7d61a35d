//! Symbolic links in a folder of input, and entries that are no files.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{event, put, run};

const ETL: [&str; 3] = ["etl", "--log-data", "log_data"];

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "log_data/e.json", event(1, 0, 1000, "NextSong", "One"));
    folder
}

fn etl(folder: &Path, more: &[&str]) -> Value {
    run(folder, ETL.iter().chain(&["--output", "json"]).chain(more)).json()
}

fn keys(folder: &Path, warehouse: &str) -> Vec<String> {
    let sql = "select object_key from etl_objects order by object_key";
    let warehouse = format!("duckdb:{warehouse}.duckdb");
    let csv = run(folder, ["query", "--format", "csv", "--warehouse", &warehouse, sql]).good();
    let root = folder.canonicalize().unwrap().join("log_data").display().to_string();
    csv.lines().skip(1).map(|key| key.strip_prefix(&root).unwrap().to_owned()).collect()
}

#[test]
fn links_that_lead_out_of_the_folder_are_followed_only_if_asked_for() {
    let folder = folder();
    let here = folder.path();
    put(here, "private/secret.json", event(2, 0, 1000, "NextSong", "One"));
    put(here, "log_database/other.json", event(3, 0, 1000, "NextSong", "One"));
    symlink(here.join("private/secret.json"), here.join("log_data/file.json")).unwrap();
    symlink("../private", here.join("log_data/inside")).unwrap();
    // A name that begins like the folder is not within it.
    symlink("../log_database", here.join("log_data/similar")).unwrap();
    let summary = etl(here, &[]);
    assert_eq!(summary["objects_read"], 1);
    let note = summary["notes"][0].as_str().unwrap();
    assert!(note.starts_with("symbolic links that lead out of `"), "{note}");
    assert!(note.contains("` are not followed: 3, the first is `"), "{note}");
    assert!(note.contains("/log_data/file.json`; `--follow-links` follows them"), "{note}");
    assert_eq!(keys(here, "sparkify"), ["/e.json"]);

    assert_eq!(etl(here, &["--follow-links"])["objects_read"], 3);
    let followed = ["/e.json", "/file.json", "/inside/secret.json", "/similar/other.json"];
    assert_eq!(keys(here, "sparkify"), followed);
    // What was loaded through a link that is no longer followed has not vanished.
    let summary = etl(here, &["--prune"]);
    assert_eq!((&summary["objects_read"], &summary["objects_pruned"]), (&0.into(), &0.into()));
    assert_eq!(keys(here, "sparkify"), followed);
}

#[test]
fn links_within_the_folder_are_followed() {
    let folder = folder();
    let here = folder.path();
    put(here, "log_data/..data/hidden.json", event(2, 0, 1000, "NextSong", "One"));
    symlink("..data/hidden.json", here.join("log_data/linked.json")).unwrap();
    symlink("..data", here.join("log_data/shown")).unwrap();
    assert_eq!(etl(here, &[])["objects_read"], 3);
    assert_eq!(keys(here, "sparkify"), ["/e.json", "/linked.json", "/shown/hidden.json"]);
    assert_eq!(etl(here, &[])["objects_read"], 0);
    let traced = run(here, ["trace", "--session", "2", "--item", "0", "--output", "json"]).json();
    assert_eq!(traced[0]["events"][0]["object_state"], "as_loaded");
}

#[test]
fn a_link_to_a_folder_that_is_listed_already_reads_nothing_twice() {
    let folder = folder();
    let here = folder.path();
    put(here, "log_data/2018/11/f.json", event(2, 0, 1000, "NextSong", "One"));
    put(here, "other/g.json", event(3, 0, 1000, "NextSong", "One"));
    for (link, target) in [
        ("log_data/again", "2018"),
        ("log_data/2018/up", ".."),
        ("log_data/2018/out", "../.."),
        ("log_data/other", "../other"),
        ("log_data/same", "../other"),
    ] {
        symlink(target, here.join(link)).unwrap();
    }
    let summary = etl(here, &["--follow-links", "--warehouse", "duckdb:within.duckdb"]);
    assert_eq!(summary["objects_read"], 3, "{summary}");
    let ignored = summary["objects_ignored"].to_string();
    assert!(ignored.contains("/log_data/2018/up (a link back to "), "{ignored}");
    // Of several links to a folder, the first one in the order of their paths counts.
    assert!(ignored.contains("/log_data/other (a link back to "), "{ignored}");
    assert_eq!(keys(here, "within"), ["/2018/11/f.json", "/2018/out/other/g.json", "/e.json"]);
    // The ancestor's folder holds the warehouse, which is no input.
    assert_eq!(
        etl(here, &["--follow-links", "--warehouse", "duckdb:within.duckdb"])["objects_read"],
        0
    );
}

/// Makes an entry of a folder at this path.
type Make = fn(&Path);

#[test]
fn entries_that_cannot_be_read_are_named_as_what_they_are() {
    let cases: [(Make, &str, &str); 4] = [
        (
            |path| symlink("nowhere", path).unwrap(),
            "is a symbolic link to `nowhere`, which does not exist",
            "hint: remove the link",
        ),
        (
            |path| symlink("odd.json", path).unwrap(),
            "is a symbolic link that leads back to itself",
            "hint: remove the link",
        ),
        (
            |path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success()),
            "is a named pipe (FIFO), not a file",
            "is skipped if its name starts with `_`",
        ),
        (
            |path| drop(std::os::unix::net::UnixListener::bind(path).unwrap()),
            "is a socket, not a file",
            "is skipped if its name starts with `_`",
        ),
    ];
    for (make, says, hint) in cases {
        let folder = folder();
        make(&folder.path().join("log_data/odd.json"));
        let words = run(folder.path(), ETL).bad(2);
        assert!(words.contains("/log_data/odd.json` ") && words.contains(says), "{words}");
        assert!(words.contains(hint), "{words}");
    }
    let folder = folder();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let words = run(folder.path(), ["etl", "--log-data", "pipe"]).bad(2);
    assert!(words.contains("is a named pipe (FIFO), not a file"), "{words}");
}
