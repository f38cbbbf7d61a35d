//! Zip archives as source: the same tables as from folders, incremental, and safe.

use std::io::{Cursor, Write as _};
use std::path::Path;

use serde_json::{Value, json};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::data::{DataSet, on_each_data_set};
use crate::support::{event, gzip, put, query_value, run, song, walk};

/// Creates an archive of these members, compressed with deflate.
pub(crate) fn zipped<N: ToString>(
    members: impl IntoIterator<Item = (N, impl AsRef<[u8]>)>,
) -> Vec<u8> {
    let deflate = SimpleFileOptions::default().compression_method(CompressionMethod::DEFLATE);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        writer.start_file(name, deflate).unwrap();
        writer.write_all(content.as_ref()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Creates an archive of every file below a folder.
pub(crate) fn zipped_folder(folder: &Path) -> Vec<u8> {
    zipped(walk(folder).into_iter().map(|path| {
        let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
        (name, std::fs::read(&path).unwrap())
    }))
}

on_each_data_set!(an_archive_gives_the_tables_of_the_folder);

fn an_archive_gives_the_tables_of_the_folder(data: &DataSet) {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    put(here, "data.zip", zipped_folder(&data.folder()));
    let [songs, logs] = ["song_data", "log_data"].map(|part| data.folder().join(part));
    let of_folder = ["--song-data", songs.to_str().unwrap(), "--log-data", logs.to_str().unwrap()];
    let of_archive = ["--song-data", "data.zip!/song_data", "--log-data", "data.zip!/log_data/"];
    for (warehouse, locations) in [("duckdb:a.duckdb", of_folder), ("duckdb:b.duckdb", of_archive)]
    {
        let etl = ["etl", "--output", "json", "--warehouse", warehouse];
        for (outcome, read) in [("published", data.objects()), ("unchanged", 0)] {
            let summary = run(here, etl.iter().chain(&locations)).json();
            assert_eq!(
                (&summary["outcome"], &summary["objects_read"]),
                (&json!(outcome), &json!(read))
            );
            for (table, rows) in data.tables {
                assert_eq!(summary["tables"][table], rows, "{table}");
            }
        }
        run(here, ["check", "--warehouse", warehouse]).good();
    }
    run(here, ["diff", "duckdb:a.duckdb", "duckdb:b.duckdb"]).good();
}

const LOGS: [&str; 5] = ["etl", "--log-data", "logs", "--output", "json"];

fn etl(folder: &Path, more: &[&str]) -> Value {
    run(folder, LOGS.iter().chain(more)).json()
}

/// One play in the session with this number.
fn play(session: u32) -> String {
    event(session, 0, 1000 + u64::from(session), "NextSong", "One")
}

fn sessions(folder: &Path) -> String {
    query_value(
        folder,
        "select string_agg(session_id, ' ' order by session_id) as sessions from songplays",
    )
}

fn keys(folder: &Path) -> String {
    let root = folder.canonicalize().unwrap().join("logs").display().to_string();
    let keys = "select string_agg(object_key, ' ' order by object_key) as keys from etl_objects";
    query_value(folder, keys).replace(&format!("{root}/"), "")
}

#[test]
fn archives_lie_among_files_and_hold_what_files_hold() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    put(here, "logs/1.json", play(1));
    put(here, "logs/deep/er/Export.ZIP", zipped([("a/2.json", play(2)), ("3.jsonl", play(3))]));
    let compressed = zstd::encode_all(play(5).as_bytes(), 1).unwrap();
    put(
        here,
        "logs/export.zip",
        zipped([
            ("Spotify Extended Streaming History/4.json.gz", gzip(play(4).as_bytes())),
            ("5.json.zst", compressed),
            ("__MACOSX/._4.json", vec![0, 5, 22, 7]),
            ("__MACOSX/._5.json", vec![0, 5, 22, 7]),
            (".DS_Store", vec![0]),
            ("empty.json", Vec::new()),
        ]),
    );
    put(here, "logs/_skipped.zip", "not an archive");
    put(here, "logs/empty.zip", "");
    let summary = etl(here, &[]);
    assert_eq!(sessions(here), "1 2 3 4 5");
    assert_eq!(
        keys(here),
        "1.json deep/er/Export.ZIP!/3.jsonl deep/er/Export.ZIP!/a/2.json empty.zip \
         export.zip!/5.json.zst export.zip!/Spotify Extended Streaming History/4.json.gz \
         export.zip!/empty.json"
    );
    assert_eq!(summary["objects_ignored"].as_array().unwrap().len(), 3, "{summary}");
    assert!(summary["objects_ignored"].to_string().contains("export.zip!/__MACOSX\""));
    assert_eq!(etl(here, &[])["outcome"], "unchanged");
}

#[test]
fn an_archive_in_an_archive_is_a_rejected_record() {
    let folder = tempfile::tempdir().unwrap();
    let inner = zipped([("1.json", play(1))]);
    put(
        folder.path(),
        "logs/x.zip",
        zipped([("inner.zip", &inner[..]), ("a.pdf", b"%PDF-1.7\n{")]),
    );
    let summary = etl(folder.path(), &["--max-reject-share", "100%"]);
    assert_eq!((&summary["events_staged"], &summary["objects_read"]), (&json!(0), &json!(2)));
    let rejects = run(folder.path(), ["rejects", "list"]).good();
    assert!(rejects.contains("a zip archive") && rejects.contains("a PDF document"), "{rejects}");
}

#[test]
fn a_rewritten_archive_reloads_only_what_changed() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let write = |members: &[(&str, String)]| {
        let members = members.iter().map(|(name, text)| (name.to_string(), text.clone()));
        put(here, "logs/x.zip", zipped(members));
    };
    write(&[("1.json", play(1)), ("2.json", play(2))]);
    assert_eq!(etl(here, &[])["objects_read"], 2);
    // The same members, in another order and with another one that changed and one that is new.
    write(&[("3.json", play(3)), ("2.json", play(4)), ("1.json", play(1))]);
    let plan = run(here, ["plan", "--log-data", "logs", "--output", "json"]).json();
    let key = |name: &str| here.canonicalize().unwrap().join("logs/x.zip!").join(name);
    assert_eq!(
        (&plan["new"], &plan["changed"], &plan["unchanged"]),
        (&json!([key("3.json")]), &json!([key("2.json")]), &json!(1))
    );
    let summary = etl(here, &[]);
    assert_eq!((&summary["objects_read"], &summary["objects_changed"]), (&json!(2), &json!(1)));
    assert_eq!(sessions(here), "1 3 4");
    assert_eq!(etl(here, &[])["outcome"], "unchanged");
    // A member that is no longer there keeps its rows until it is pruned.
    write(&[("3.json", play(3)), ("2.json", play(4))]);
    let summary = etl(here, &[]);
    assert_eq!(summary["objects_vanished"], json!([key("1.json")]));
    assert_eq!(sessions(here), "1 3 4");
    etl(here, &["--prune"]);
    assert_eq!(sessions(here), "3 4");
    run(here, ["check"]).good();
}

#[test]
fn members_that_vanish_from_a_location_that_is_an_archive_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let etl = |more: &[&str]| {
        let etl = ["etl", "--log-data", "x.zip", "--output", "json"];
        run(here, etl.iter().chain(more)).json()
    };
    put(here, "x.zip", zipped([("1.json", play(1)), ("2.json", play(2))]));
    etl(&[]);
    put(here, "x.zip", zipped([("2.json", play(2))]));
    assert_eq!(etl(&[])["objects_vanished"].as_array().unwrap().len(), 1);
    etl(&["--prune"]);
    assert_eq!(sessions(here), "2");
    let error = run(here, ["etl", "--log-data", "x.zip!/none"]).bad(2);
    assert!(error.contains("no objects found at `x.zip!/none`"), "{error}");
    assert!(error.contains("check the name of the folder in the archive"), "{error}");
}

#[test]
fn files_that_are_moved_into_an_archive_keep_their_rows() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    put(here, "logs/1.json", play(1));
    put(here, "logs/deep/2.json", play(2));
    etl(here, &[]);
    put(here, "logs.zip", zipped_folder(&here.join("logs")));
    std::fs::remove_dir_all(here.join("logs")).unwrap();
    let etl = |more: &[&str]| {
        let etl = ["etl", "--log-data", "logs.zip", "--output", "json"];
        run(here, etl.iter().chain(more)).json()
    };
    let plan = run(here, ["plan", "--log-data", "logs.zip", "--output", "json"]).json();
    assert_eq!(plan["moved"][0]["objects"], 2, "{plan}");
    let summary = etl(&["--relocate", "logs=logs.zip!"]);
    assert_eq!((&summary["objects_read"], &summary["objects_relocated"]), (&json!(0), &json!(2)));
    assert_eq!(etl(&[])["outcome"], "unchanged");
    assert_eq!(sessions(here), "1 2");
}

#[test]
fn dates_rejects_traces_and_history_work_with_members() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let broken = play(1) + "{\"broken\n" + &play(2);
    let members = [
        ("2018/2018-11-01.json", broken),
        ("2018/2018-11-02.json", play(3)),
        ("2018/11/03/x.json", play(4)),
    ];
    put(here, "logs/x.zip", zipped(members.clone()));
    let dates = ["--since", "2018-11-01", "--until", "2018-11-02", "--max-reject-share", "50%"];
    let summary = etl(here, &dates);
    assert_eq!((&summary["objects_read"], &summary["objects_outside"]), (&json!(2), &json!(1)));
    assert_eq!(sessions(here), "1 2 3");

    let key =
        format!("{}/logs/x.zip!/2018/2018-11-01.json", here.canonicalize().unwrap().display());
    let listed =
        run(here, ["rejects", "list", "--output", "json", "--object", "x.zip!/2018/"]).json();
    assert!(listed.to_string().contains(&key), "{listed}");
    run(here, ["rejects", "export", "rejects.jsonl"]).good();
    let export = std::fs::read_to_string(here.join("rejects.jsonl")).unwrap();
    assert!(export.contains(&key) && export.contains("broken"), "{export}");

    let trace = ["trace", "--session", "2", "--item", "0", "--output", "json"];
    let traced = run(here, trace).json();
    let origin = &traced[0]["events"][0];
    assert_eq!((&origin["object"], &origin["object_state"]), (&json!(key), &json!("as_loaded")));
    assert!(origin.to_string().contains("\\\"sessionId\\\":2"), "{origin}");
    assert!(run(here, ["history"]).good().contains("published"));

    // Another member changes, so the archive is another file: the play is still traced.
    let mut fixed = members.clone();
    fixed[2].1 = play(5);
    put(here, "logs/x.zip", zipped(fixed.clone()));
    assert_eq!(run(here, trace).json()[0]["events"][0]["object_state"], "as_loaded");
    fixed[0].1 = play(1) + &play(2);
    put(here, "logs/x.zip", zipped(fixed));
    assert_eq!(run(here, trace).json()[0]["events"][0]["object_state"], "changed");
    run(here, ["rejects", "replay"]).good();
    assert_eq!(query_value(here, "select count(*) from etl_rejects"), "0");
    std::fs::remove_file(here.join("logs/x.zip")).unwrap();
    assert_eq!(run(here, trace).json()[0]["events"][0]["object_state"], "gone");
}

#[test]
fn doctor_reads_a_member() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "x.zip", zipped([("a.json", song("SO1", "One", 200.5))]));
    let found = run(folder.path(), ["doctor", "--song-data", "x.zip"]);
    assert!(found.out.contains("x.zip") || found.err.contains("x.zip"), "{found:?}");
    assert!(!found.out.contains("cannot read"), "{found:?}");
}

/// Offset of the first directory entry.
fn directory(archive: &[u8]) -> usize {
    archive.windows(4).position(|part| part == b"PK\x01\x02").unwrap()
}

#[test]
fn a_damaged_archive_publishes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    put(here, "logs/0.json", play(1));
    let whole = zipped([("1.json", play(2).repeat(50))]);
    let changed = |at: usize, byte: u8| {
        let mut archive = whole.clone();
        let start = directory(&archive);
        archive[start + at] = byte;
        archive
    };
    let again = "hint: fetch the archive again";
    let member = "logs/x.zip!/1.json`: ";
    for (archive, message, hint) in [
        (changed(16, 0xee), format!("{member}its CRC-32 is "), again),
        (changed(24, 1), format!("{member}it is longer than the "), again),
        (
            changed(8, 1),
            format!("{member}it is encrypted"),
            "hint: extract the archive with its password",
        ),
        (
            changed(10, 12),
            format!("{member}its compression method 8"),
            "hint: extract the archive into a folder",
        ),
        (
            changed(27, 0x7f),
            format!("{member}it expands from "),
            "hint: if the archive is trustworthy",
        ),
        (
            whole[..whole.len() - 30].to_vec(),
            "x.zip`: it is not a zip archive, or truncated".into(),
            again,
        ),
        (
            b"<!doctype html>".to_vec(),
            "x.zip`: it is not a zip archive, or truncated".into(),
            again,
        ),
    ] {
        put(here, "logs/x.zip", archive);
        let error = run(here, ["etl", "--log-data", "logs"]).bad(2);
        assert!(error.contains(&message) && error.contains(hint), "{message}: {error}");
    }
    put(here, "logs/x.zip", whole);
    assert_eq!(etl(here, &[])["objects_read"], 2);
    assert_eq!(sessions(here), "1 2");
}

#[test]
fn names_in_an_archive_are_never_paths() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    put(here, "outside.json", play(9));
    let members = [
        ("../outside.json".to_owned(), play(1)),
        ("a/../../outside.json".to_owned(), play(2)),
        ("/etc/outside.json".to_owned(), play(3)),
        ("a\\..\\b.json".to_owned(), play(4)),
    ];
    put(here, "logs/x.zip", zipped(members));
    let summary = etl(here, &[]);
    // The first two are hidden by their `..`, and the others have the content of the archive.
    assert_eq!(sessions(here), "3 4");
    assert_eq!(summary["objects_ignored"].as_array().unwrap().len(), 2, "{summary}");
    assert_eq!(keys(here), "x.zip!//etc/outside.json x.zip!/a\\..\\b.json");
    assert_eq!(std::fs::read_dir(here.join("logs")).unwrap().count(), 1);
    assert_eq!(std::fs::read_to_string(here.join("outside.json")).unwrap(), play(9));
}

#[test]
fn a_link_to_an_archive_is_followed_like_one_to_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    put(here, "elsewhere/x.zip", zipped([("1.json", play(1))]));
    put(here, "logs/0.json", play(2));
    std::os::unix::fs::symlink(here.join("elsewhere/x.zip"), here.join("logs/x.zip")).unwrap();
    etl(here, &["--follow-links"]);
    assert_eq!(sessions(here), "1 2");
    // It may still exist: its members have not vanished.
    let summary = etl(here, &["--prune"]);
    assert_eq!((&summary["objects_pruned"], sessions(here).as_str()), (&json!(0), "1 2"));
}
