//! Files that are rewritten, copied or restored: what a load takes for changed.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::support::{duckdb, event, put, query_value, run};

const ETL: [&str; 5] = ["etl", "--log-data", "log_data", "--output", "json"];
const FILE: &str = "log_data/e.json";

/// A folder with one event file, modified long ago.
fn old_file() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    rewrite(folder.path(), 1);
    folder
}

/// Writes the file with an event of this session, and restores its modification time, as `cp -p`
/// and `rsync -t` do.
fn rewrite(folder: &Path, session: u32) {
    put(folder, FILE, event(session, 0, 1000, "NextSong", "One"));
    let modified = SystemTime::UNIX_EPOCH + Duration::from_hours(400_000);
    File::options().write(true).open(folder.join(FILE)).unwrap().set_modified(modified).unwrap();
}

fn etl(folder: &Path, more: &[&str]) -> Value {
    run(folder, ETL.iter().chain(more)).json()
}

fn sessions(folder: &Path) -> String {
    let sql = "select string_agg(session_id, ' ') as sessions from songplays";
    query_value(folder, sql)
}

/// Changes the ledger, and closes it.
fn change_ledger(folder: &Path, statement: &str) {
    let mut warehouse = duckdb(folder.join("sparkify.duckdb").to_str().unwrap());
    warehouse.execute(statement).unwrap();
}

#[test]
fn a_rewrite_of_the_same_size_and_time_is_loaded() {
    let folder = old_file();
    etl(folder.path(), &[]);
    rewrite(folder.path(), 2);
    let summary = etl(folder.path(), &[]);
    assert_eq!((&summary["objects_read"], &summary["objects_changed"]), (&1.into(), &1.into()));
    assert_eq!(sessions(folder.path()), "2");
}

/// The statement that records the current version of the file, as a load does when its times are
/// old enough.
fn recorded(folder: &Path, fingerprint: &str) -> String {
    use std::os::unix::fs::MetadataExt as _;
    let found = std::fs::metadata(folder.join(FILE)).unwrap();
    let nanoseconds = |seconds: i64, fraction: i64| seconds * 1_000_000_000 + fraction;
    let modified = nanoseconds(found.mtime(), found.mtime_nsec());
    let version =
        format!("ctime={},inode={}", nanoseconds(found.ctime(), found.ctime_nsec()), found.ino());
    format!(
        "update etl_objects set modified_ns = {modified}, etag = '{version}', fingerprint = {fingerprint}"
    )
}

#[test]
fn an_unchanged_version_is_not_read_unless_the_content_is_verified() {
    let folder = old_file();
    etl(folder.path(), &[]);
    // A fingerprint that no content has shows if the content was read.
    let wrong = "'00000000000000000000000000000000'";
    change_ledger(folder.path(), &recorded(folder.path(), wrong));
    assert_eq!(etl(folder.path(), &[])["objects_read"], 0);
    let summary = etl(folder.path(), &["--verify-content"]);
    assert_eq!((&summary["objects_read"], &summary["objects_changed"]), (&1.into(), &1.into()));
    assert_eq!(etl(folder.path(), &["--verify-content"])["objects_read"], 0);
}

#[test]
fn a_change_of_the_inode_alone_costs_no_load() {
    let folder = old_file();
    etl(folder.path(), &[]);
    change_ledger(folder.path(), &recorded(folder.path(), "fingerprint"));
    // A copy and a hard link change inode or ctime, and not the content.
    let (file, copy) = (folder.path().join(FILE), folder.path().join("copy.json"));
    std::fs::hard_link(&file, &copy).unwrap();
    assert_eq!(etl(folder.path(), &[])["objects_skipped"], 1);
    std::fs::remove_file(&copy).unwrap();
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&copy, bytes).unwrap();
    std::fs::rename(&copy, &file).unwrap();
    assert_eq!(etl(folder.path(), &[])["objects_skipped"], 1);
}

#[test]
fn the_version_of_an_unchanged_object_is_recorded_again() {
    let data = crate::data::FIXTURE.folder();
    let data = data.to_str().unwrap();
    let (songs, logs) = (format!("{data}/song_data"), format!("{data}/log_data"));
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["etl", "--song-data", &songs, "--log-data", &logs, "--output", "json"];
    run(folder.path(), arguments).good();
    let versions = || {
        let sql = "select object_key, modified_ns, etag from etl_objects order by object_key";
        run(folder.path(), ["query", "--format", "csv", sql]).good()
    };
    let before = versions();
    assert_eq!(before.matches("ctime=").count(), before.lines().count() - 1, "{before}");
    change_ledger(
        folder.path(),
        "update etl_objects set modified_ns = 1, etag = 'ctime=1,inode=1'",
    );
    let summary = run(folder.path(), arguments).json();
    assert_eq!((&summary["objects_read"], &summary["outcome"]), (&0.into(), &"unchanged".into()));
    assert_eq!(versions(), before);
}

#[test]
fn an_entry_without_a_version_is_trusted_if_the_inode_is_older_than_its_load() {
    let folder = old_file();
    etl(folder.path(), &[]);
    let wrong = "'00000000000000000000000000000000'";
    let entry = recorded(folder.path(), wrong);
    for (started, read) in [("2100-01-01", 0), ("2001-01-01", 1)] {
        change_ledger(folder.path(), &entry);
        change_ledger(folder.path(), "update etl_objects set etag = null");
        change_ledger(folder.path(), &format!("update etl_loads set started_at = '{started}'"));
        assert_eq!(etl(folder.path(), &[])["objects_read"], read, "{started}");
    }
}
