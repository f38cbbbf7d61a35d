//! Export of the model: the same rows, read with another engine's reader; atomic replacement.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use sparkify_warehouse::Warehouse;

use crate::data::{DataSet, on_each_data_set};
use crate::support::{duckdb, event, load, put, run, song, sparkify};

const TABLES: [&str; 6] = ["songplays", "users", "user_levels", "songs", "artists", "time"];

/// Creates a warehouse with two plays, one of a guest.
fn loaded() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "data/song_data/a.json", song("SO1", "One", 200.5));
    let guest = event(2, 0, 1_541_376_000_005, "NextSong", "a \\\"q\\\", b\\nc")
        .replace("\"userId\":\"7\"", "\"userId\":\"\"");
    let events = event(1, 0, 1_541_376_000_796, "NextSong", "One") + &guest;
    put(folder.path(), "data/log_data/e.json", events);
    let etl = ["etl", "--song-data", "data/song_data", "--log-data", "data/log_data"];
    run(folder.path(), etl).good();
    folder
}

/// Returns every file of a folder with its content.
fn content(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let named = entries.map(|entry| (entry.file_name().into_string().unwrap(), entry.path()));
    named.map(|(name, path)| (name, fs::read(path).unwrap_or_default())).collect()
}

/// Returns rows that are only in the file, and rows that are only in the table.
fn differing(warehouse: &mut dyn Warehouse, table: &str, reader: &str, typed: bool) -> String {
    let columns = warehouse
        .query(&format!("select string_agg(column_name, ', ') from (describe {table})"), &[], 1)
        .unwrap();
    let columns = columns.scalar().unwrap().to_string();
    // The ID of a play is text in files, and in CSV everything is.
    let as_text = |name: &str| !typed || name == "songplay_id";
    let cast = |name: &str| if as_text(name) { format!("{name}::varchar") } else { name.into() };
    let ours: Vec<String> = columns.split(", ").map(cast).collect();
    let ours = format!("select {} from {table}", ours.join(", "));
    let theirs = format!("select {columns} from {reader}");
    let sql = format!(
        "select (select count(*) from ({ours} except all {theirs})) || ' ' || (select count(*) from ({theirs} except all {ours})) \
         || ' of ' || (select count(*) from {table})"
    );
    warehouse.query(&sql, &[], 1).unwrap().scalar().unwrap().to_string()
}

on_each_data_set!(each_form_holds_every_row_of_every_table);

fn each_form_holds_every_row_of_every_table(data: &DataSet) {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let path = here.join("sparkify.duckdb");
    load(duckdb(path.to_str().unwrap()).as_mut(), &data.folder(), 0.0).unwrap();
    for form in ["parquet", "csv", "json"] {
        let out = here.join("out");
        let made = run(here, ["export", "out", "--format", form, "--output", "json"]).json();
        assert_eq!(made["files"].as_array().unwrap().len(), 6);
        let found = content(&out);
        let manifest: serde_json::Value = serde_json::from_slice(&found["_sparkify.json"]).unwrap();
        assert_eq!(manifest, made);
        assert_eq!(found.len(), 7);
        let mut warehouse = duckdb(path.to_str().unwrap());
        for (table, file) in TABLES.iter().zip(made["files"].as_array().unwrap()) {
            assert_eq!(file["table"], *table);
            let place = out.join(format!("{table}.{form}"));
            assert_eq!(file["bytes"], fs::metadata(&place).unwrap().len());
            let place = place.display();
            let reader = match form {
                "parquet" => format!("read_parquet('{place}')"),
                "csv" => {
                    format!("read_csv('{place}', all_varchar = true, allow_quoted_nulls = false)")
                }
                _ => format!(
                    "read_json('{place}', format = 'newline_delimited', maximum_sample_files = 1, sample_size = -1)"
                ),
            };
            let rows = data.rows(table);
            assert_eq!(file["rows"], rows);
            assert_eq!(
                differing(warehouse.as_mut(), table, &reader, form != "csv"),
                format!("0 0 of {rows}")
            );
        }
        drop(warehouse);
        run(here, ["export", "out", "--format", form]).good();
        assert!(content(&out) == found, "the same tables give the same files as {form}");
    }
}

#[test]
fn files_are_typed_sorted_and_quoted() {
    let folder = loaded();
    let here = folder.path();
    run(here, ["export", "out"]).good();
    let types = "select string_agg(column_type, ' ') from (describe from 'out/songplays.parquet')";
    let answer = run(here, ["query", "--allow-files", "--format", "csv", types]).good();
    assert_eq!(
        answer.lines().nth(1).unwrap(),
        "VARCHAR TIMESTAMP BIGINT VARCHAR VARCHAR VARCHAR BIGINT VARCHAR VARCHAR INTEGER VARCHAR VARCHAR DOUBLE VARCHAR"
    );
    let footer = "select distinct compression, created_by from parquet_metadata('out/*.parquet'), parquet_file_metadata('out/time.parquet')";
    let answer = run(here, ["query", "--allow-files", "--format", "csv", footer]).good();
    assert!(answer.lines().nth(1).unwrap().starts_with("ZSTD,sparkify version "), "{answer}");
    run(here, ["export", "out", "--format", "csv", "--tables", "time,songplays"]).good();
    let found = content(&here.join("out"));
    assert_eq!(
        found.keys().map(String::as_str).collect::<Vec<_>>(),
        ["_sparkify.json", "songplays.csv", "time.csv"]
    );
    insta::assert_snapshot!(String::from_utf8_lossy(&found["songplays.csv"]), @r#"
    songplay_id,start_time,user_id,level,song_id,artist_id,session_id,location,user_agent,item_in_session,song_title,artist_name,length,match_method
    c3d961d1-8d39-3761-f994-c40c41e195e2,2018-11-05 00:00:00.005,,free,,,2,Here,x,0,"a ""q"", b
    c",Band,200.5,
    b18a885b-2228-fbd1-b7f7-0c8fff3595fe,2018-11-05 00:00:00.796,7,free,SO1,AR1,1,Here,x,0,One,Band,200.5,exact
    "#);
}

#[test]
fn a_folder_that_is_no_export_is_not_replaced() {
    let folder = loaded();
    let here = folder.path();
    let says = |arguments: &[&str]| {
        let words = run(here, [&["export"], arguments].concat()).bad(2);
        words.replace(&here.canonicalize().unwrap().display().to_string(), "DIR")
    };
    put(here, "mine/notes.txt", "precious");
    insta::assert_snapshot!(says(&["mine"]), @r"
    error: `mine` is not an export of sparkify: it contains `notes.txt` and no `_sparkify.json`
    hint: give another folder, or replace it with `--force`
    ");
    run(here, ["export", "mine", "--force"]).good();
    assert!(!here.join("mine/notes.txt").exists());
    put(here, "mine/notes.txt", "precious");
    insta::assert_snapshot!(says(&["mine"]), @r"
    error: `mine` is not an export of sparkify: it also contains `notes.txt`
    hint: give another folder, or replace it with `--force`
    ");
    put(here, "claims/_sparkify.json", "{\"files\": 3}");
    assert!(says(&["claims"]).contains("is not an export of sparkify"));
    insta::assert_snapshot!(says(&["data/log_data/e.json", "--force"]), @r"
    error: cannot export to `data/log_data/e.json`: not a folder
    hint: give the path of a folder
    ");
    std::os::unix::fs::symlink("mine", here.join("link")).unwrap();
    assert!(says(&["link"]).contains("not a folder"));
    assert!(says(&[".", "--force"]).contains("the path has no folder name"));
    assert!(says(&["no/where"]).contains("the parent folder does not exist"));
    let whole = here.display().to_string();
    assert!(says(&[&whole, "--force"]).contains("it contains the warehouse"));
    insta::assert_snapshot!(says(&["out", "--tables", "user"]), @r"
    error: unknown table `user`
    hint: did you mean `users`?
    ");
    let lock = File::open(here).unwrap();
    lock.try_lock().unwrap();
    insta::assert_snapshot!(says(&["out"]), @r"
    error: another export to the parent folder of `out` is running
    hint: wait for it, or export to another parent folder
    ");
    drop(lock);
    fs::create_dir(here.join("empty")).unwrap();
    run(here, ["export", "empty"]).good();
    let left = fs::read_dir(here).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(!left.into_iter().any(|name| name.to_string_lossy().starts_with(".sparkify")));
}

#[test]
fn a_killed_export_keeps_the_old_files() {
    let folder = loaded();
    let here = folder.path();
    run(here, ["export", "out"]).good();
    let before = content(&here.join("out"));
    let mut warehouse = duckdb(here.join("sparkify.duckdb").to_str().unwrap());
    // Enough rows that the export is still running when it is observed.
    warehouse
        .execute(
            "insert into songplays select uuid(), s.start_time, user_id, level, song_id, artist_id, i, location, user_agent, i, \
             song_title, artist_name, length, match_method from songplays s, range(1000000) r(i)",
        )
        .unwrap();
    drop(warehouse);
    let beside = || {
        let entries = fs::read_dir(here).unwrap().map(|entry| entry.unwrap().path());
        entries.into_iter().find(|path| path.to_string_lossy().contains(".sparkify-export-"))
    };
    let mut child = sparkify(here, ["export", "out"]).spawn().unwrap();
    while beside().is_none() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was seen");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(beside().is_some(), "a killed process cannot tidy up");
    assert!(content(&here.join("out")) == before, "the old export is as it was");
    run(here, ["export", "out"]).good();
    assert_eq!(beside(), None);
    assert!(content(&here.join("out")) != before);
    // Simulates a full disk: the files of the process cannot exceed some kilobytes.
    let after = content(&here.join("out"));
    let limited = std::process::Command::new("bash")
        .args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$0\" export out"])
        .arg(env!("CARGO_BIN_EXE_sparkify"))
        .current_dir(here)
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&limited.stderr).into_owned();
    assert_eq!(limited.status.code(), Some(2), "{words}");
    assert!(words.contains("cannot write the export `out`"), "{words}");
    assert!(content(&here.join("out")) == after && beside().is_none());
}

#[test]
fn an_export_is_replaced_atomically() {
    let folder = loaded();
    let here = folder.path();
    let export = |tables: &str| {
        run(here, ["export", "out", "--format", "csv", "--tables", tables]).good();
    };
    export("songplays");
    let whole = fs::read(here.join("out/songplays.csv")).unwrap();
    let done = AtomicBool::new(false);
    let reads = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut reads = 0_u64;
            while !done.load(Ordering::Relaxed) {
                assert_eq!(fs::read(here.join("out/songplays.csv")).unwrap(), whole);
                reads += 1;
            }
            reads
        });
        for tables in ["songplays,users", "songplays", "songplays,time", "songplays"] {
            export(tables);
        }
        done.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    });
    assert!(reads > 0);
    println!("{reads} reads while the export was replaced four times");
}
