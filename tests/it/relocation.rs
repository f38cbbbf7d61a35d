//! Moved data: the loaded objects get their new keys, and nothing is loaded twice.

use std::path::Path;

use serde_json::Value;

use crate::support::{event, put, query_value, run, song};

/// A folder with three loaded objects in `old`.
fn loaded() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "old/song_data/a.json", song("SO1", "One", 200.5));
    for day in ["2018-11-01", "2018-11-02"] {
        let events = event(u32::from(day.as_bytes()[9]), 0, 1000, "NextSong", "One");
        put(folder.path(), &format!("old/log_data/2018/{day}.json"), events);
    }
    let summary = etl(folder.path(), "old", &[]);
    assert_eq!(summary["objects_read"], 3);
    folder
}

fn command(folder: &Path, command: &str, data: &str, more: &[&str]) -> Value {
    let [songs, logs] = ["song_data", "log_data"].map(|part| format!("{data}/{part}"));
    let arguments = [command, "--song-data", &songs, "--log-data", &logs, "--output", "json"];
    run(folder, arguments.iter().chain(more)).json()
}

fn etl(folder: &Path, data: &str, more: &[&str]) -> Value {
    command(folder, "etl", data, more)
}

/// Numbers of staged rows and of objects.
fn staged(folder: &Path) -> String {
    let sql = "select (select count(*) from staging_events) || ' ' ||
        (select count(*) from staging_songs) || ' ' || (select count(*) from etl_objects) as rows";
    query_value(folder, sql)
}

#[test]
fn a_moved_folder_is_noticed_and_keeps_its_rows() {
    let folder = loaded();
    let here = folder.path();
    std::fs::rename(here.join("old"), here.join("new")).unwrap();
    let plan = command(here, "plan", "new", &[]);
    let root = here.canonicalize().unwrap();
    let [from, to] = ["old", "new"].map(|part| root.join(part).display().to_string());
    let moved = serde_json::json!([
        { "from": from, "to": to, "objects": 1 },
        { "from": from, "to": to, "objects": 2 },
    ]);
    assert_eq!(plan["moved"], moved);
    let note = plan["notes"][0].as_str().unwrap();
    assert!(note.contains(&format!("`--relocate {from}={to}` keeps their rows")), "{note}");

    let plan = command(here, "plan", "new", &["--relocate", "old=new"]);
    assert_eq!((&plan["relocated"], &plan["new"]), (&3.into(), &Value::Array(Vec::new())));
    let words = run(here, ["plan", "--song-data", "new/song_data", "--relocate", "elsewhere=new"]);
    let words = words.bad(2);
    assert!(words.contains("nothing to relocate from `"), "{words}");

    let summary = etl(here, "new", &["--relocate", &format!("{from}/={to}/")]);
    assert_eq!((&summary["objects_read"], &summary["objects_relocated"]), (&0.into(), &3.into()));
    assert_eq!(staged(here), "2 1 3");
    let summary = etl(here, "new", &[]);
    assert_eq!(
        (&summary["objects_skipped"], &summary["outcome"]),
        (&3.into(), &"unchanged".into())
    );
    run(here, ["check"]).good();
    let traced = run(here, ["trace", "--session", "50", "--item", "0", "--output", "json"]).json();
    assert_eq!(traced[0]["events"][0]["object_state"], "as_loaded");
}

#[test]
fn an_object_that_changed_after_it_was_moved_is_loaded_again() {
    let folder = loaded();
    let here = folder.path();
    std::fs::rename(here.join("old"), here.join("new")).unwrap();
    put(here, "new/log_data/2018/2018-11-02.json", event(7, 0, 1000, "NextSong", "One"));
    let summary = etl(here, "new", &["--relocate", "old=new"]);
    let counts = ["objects_read", "objects_changed", "objects_relocated"].map(|key| &summary[key]);
    assert_eq!(counts, [&Value::from(1), &Value::from(1), &Value::from(3)]);
    assert_eq!(staged(here), "2 1 3");
    run(here, ["check"]).good();
}

#[test]
fn data_that_was_loaded_from_both_places_is_kept_once() {
    let folder = loaded();
    let here = folder.path();
    std::fs::rename(here.join("old"), here.join("new")).unwrap();
    let summary = etl(here, "new", &[]);
    assert_eq!(summary["objects_read"], 3);
    assert!(summary["notes"][0].as_str().unwrap().contains("--relocate"), "{summary}");
    assert_eq!(staged(here), "4 2 6");
    let plan = command(here, "plan", "new", &["--relocate", "old=new"]);
    assert_eq!(plan["rows_retired"], 3);
    let deleted = ["the rows of 3 objects that were loaded twice are deleted"];
    assert_eq!(plan["destructive"], serde_json::json!(deleted));
    let summary = etl(here, "new", &["--relocate", "old=new"]);
    assert_eq!((&summary["objects_read"], &summary["objects_relocated"]), (&0.into(), &3.into()));
    assert_eq!(staged(here), "2 1 3");
    run(here, ["check"]).good();
}

#[test]
fn objects_that_are_still_at_their_old_place_keep_their_keys() {
    let folder = loaded();
    let here = folder.path();
    // One of the two days is moved into a folder of the old location.
    std::fs::create_dir(here.join("old/log_data/2018/11")).unwrap();
    let day = "2018-11-01.json";
    let [from, to] = ["old/log_data/2018", "old/log_data/2018/11"];
    std::fs::rename(here.join(from).join(day), here.join(to).join(day)).unwrap();
    let summary = etl(here, "old", &["--relocate", &format!("{from}={to}")]);
    assert_eq!((&summary["objects_read"], &summary["objects_relocated"]), (&0.into(), &1.into()));
    assert_eq!(summary["objects_vanished"], serde_json::json!([]));
    assert_eq!(staged(here), "2 1 3");
}

#[test]
fn a_malformed_relocation_is_refused() {
    let folder = loaded();
    for written in ["old", "=new", "old="] {
        let arguments = ["plan", "--log-data", "old/log_data", "--relocate", written];
        let words = run(folder.path(), arguments).bad(2);
        assert!(words.contains(&format!("`{written}` is not a relocation")), "{words}");
    }
}
