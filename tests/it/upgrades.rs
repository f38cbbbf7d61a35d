//! Upgrades of a `DuckDB` file: crashes, and warehouses that are not of version 0.1.0.
//! `conformance/upgrades.rs` runs on every engine.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use sparkify_load::layout::{self, CURRENT};
use sparkify_load::pipeline;
use sparkify_reader::Meter;
use sparkify_warehouse::Access;

use crate::old_warehouse::{
    Interrupted, Sources, UNDO_MIGRATIONS, catalog, restore, write_sources,
};
use crate::support::{duckdb, loaded, open, query_value, run, sparkify};

/// Copies the file and its log, as they are found after a crash of the program.
fn crash(path: &Path, copy: &Path) {
    let log = |path: &Path| path.with_extension("duckdb.wal");
    std::fs::copy(path, copy).unwrap();
    let _ = std::fs::remove_file(log(copy));
    if log(path).exists() {
        std::fs::copy(log(path), log(copy)).unwrap();
    }
}

#[test]
fn a_crash_at_each_statement_leaves_the_old_layout() {
    let folder = tempfile::tempdir().unwrap();
    write_sources(folder.path(), Sources::Before);
    let [path, copy] = ["old", "copy"].map(|name| folder.path().join(format!("{name}.duckdb")));
    let [url, copied] = [&path, &copy].map(|path| format!("duckdb:{}", path.display()));
    restore(&url, folder.path());
    let before = catalog(open(&url, Access::Write).unwrap().as_mut());
    let mut crashes = 0;
    let mut warehouse = Interrupted::observed(open(&url, Access::Write).unwrap(), || {
        crash(&path, &copy);
        let found = catalog(open(&copied, Access::Write).unwrap().as_mut());
        assert!(found == before, "after {crashes} statements");
        crashes += 1;
    });
    pipeline::upgrade(&mut warehouse, &Meter::default()).unwrap();
    // The commit is in the log.
    crash(&path, &copy);
    drop(warehouse);
    assert!(crashes > 100, "{crashes}");
    let mut upgraded = open(&copied, Access::Write).unwrap();
    assert_eq!(layout::check(upgraded.as_mut()).unwrap(), Some(CURRENT.layout));
    println!("{crashes} crashes: the old layout");
}

/// The program is killed after it has logged some of its statements.
#[test]
fn a_killed_program_leaves_the_old_or_the_new_layout() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_sources(here, Sources::Before);
    let path = here.join("sparkify.duckdb");
    let [url, base] = [&path, &here.join("base")].map(|path| format!("duckdb:{}", path.display()));
    restore(&base, here);
    let state = || catalog(open(&url, Access::Write).unwrap().as_mut());
    let rewind = || {
        let _ = std::fs::remove_file(here.join("sparkify.duckdb.wal"));
        std::fs::copy(here.join("base"), &path).unwrap();
    };
    rewind();
    let before = state();
    run(here, ["upgrade"]).good();
    let after = state();
    for lines in (0..150).step_by(10) {
        rewind();
        let mut command = sparkify(here, ["upgrade", "-vv"]);
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let read = log.lines().take(lines).count();
        child.kill().unwrap();
        child.wait().unwrap();
        let found = state();
        assert!(found == before || found == after, "killed after {read} lines: {found:#?}");
        run(here, ["upgrade"]).good();
        assert!(state() == after, "killed after {read} lines, and upgraded");
    }
}

/// Versions between 0.1.0 and 0.2.0 stored comments, but no layout.
#[test]
fn a_warehouse_of_a_version_between_is_upgraded() {
    let folder = loaded();
    let here = folder.path();
    let path = here.join("sparkify.duckdb");
    let mut warehouse = duckdb(path.to_str().unwrap());
    let fresh = catalog(warehouse.as_mut());
    warehouse.execute_all(&UNDO_MIGRATIONS.map(str::to_owned)).unwrap();
    warehouse.execute("comment on table songplays is 'of another version'").unwrap();
    drop(warehouse);
    assert_eq!(
        run(here, ["upgrade"]).good(),
        format!("the warehouse was upgraded from layout 1 to {}\n", CURRENT.layout)
    );
    assert_eq!(catalog(duckdb(path.to_str().unwrap()).as_mut()), fresh);
    run(here, ["check", "--quiet"]).good();
}

/// A table that was dropped is created in its current form.
#[test]
fn an_upgrade_creates_missing_tables() {
    let folder = loaded();
    let here = folder.path();
    let path = here.join("sparkify.duckdb");
    let mut warehouse = duckdb(path.to_str().unwrap());
    let fresh = catalog(warehouse.as_mut());
    warehouse.execute_all(&UNDO_MIGRATIONS.map(str::to_owned)).unwrap();
    warehouse.execute("drop table time").unwrap();
    drop(warehouse);
    run(here, ["upgrade"]).good();
    assert_eq!(catalog(duckdb(path.to_str().unwrap()).as_mut()), fresh);
    let etl =
        ["etl", "--full-refresh", "--song-data", "data/song_data", "--log-data", "data/log_data"];
    run(here, etl).good();
    assert_eq!(query_value(here, "select count(*) from time"), "4");
}

#[test]
fn a_warehouse_without_tables_is_not_upgraded() {
    let folder = tempfile::tempdir().unwrap();
    let says = run(folder.path(), ["upgrade"]).bad(2);
    assert!(says.contains("no warehouse found"), "{says}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    duckdb(folder.path().join("sparkify.duckdb").to_str().unwrap());
    let says = run(folder.path(), ["upgrade"]).bad(2);
    assert!(
        says.contains("has no tables of sparkify") && says.contains("hint: run `sparkify etl`"),
        "{says}"
    );
}

/// `create-tables` drops the rows of an older layout, after a confirmation.
#[test]
fn an_old_warehouse_can_be_created_again() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_sources(here, Sources::Before);
    restore(&format!("duckdb:{}/sparkify.duckdb", here.display()), here);
    let says = run(here, ["create-tables"]).bad(2);
    assert!(says.contains("rows, which this command would drop"), "{says}");
    assert_eq!(query_value(here, "select count(*) from songplays"), "50");
    run(here, ["create-tables", "--yes"]).good();
    assert_eq!(query_value(here, "select max(layout) from etl_layout"), CURRENT.layout.to_string());
    assert_eq!(query_value(here, "select count(*) from songplays"), "0");
}

#[test]
fn a_new_warehouse_records_its_layout() {
    let folder = loaded();
    let layout = |here: &Path| query_value(here, "select layout || ' ' || version from etl_layout");
    let current = format!("{} {}", CURRENT.layout, CURRENT.version);
    assert_eq!(layout(folder.path()), current);
    run(folder.path(), ["create-tables", "--yes"]).good();
    assert_eq!(layout(folder.path()), current);
}
