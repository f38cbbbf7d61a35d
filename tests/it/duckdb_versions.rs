//! Warehouse files and other versions of `DuckDB`: Python's `DuckDB` 1.5 and 2.0, from environments
//! of `scripts/python.sh`.

use std::path::Path;
use std::process::{Command, Output};

use crate::data::repository;
use crate::support::{Ended, event, loaded, put, query_value, run};

const READ: &str = "
import duckdb, sys
warehouse = duckdb.connect('sparkify.duckdb', read_only=True)
warehouse.execute(open(sys.argv[1]).read())
print(duckdb.__version__.rsplit('.', 1)[0])
print(*warehouse.execute('select count(*), f_percent(1, 2) from songplays').fetchone())
for table, in warehouse.execute('select table_name from duckdb_tables() order by 1').fetchall():
    print(table, warehouse.execute(f'select count(*) from {table}').fetchone()[0])
";
const CHANGE: &str = "
import duckdb
warehouse = duckdb.connect('sparkify.duckdb')
warehouse.execute('create table notes as select songplay_id, title from songplays join songs using (song_id)')
warehouse.execute('update notes set title = upper(title)')
warehouse.execute('checkpoint')
";
/// Copies a database into `COPY`, with a storage version of the newer library or the older one.
const COPY: &str = "
import duckdb, sys
source, copy, options = sys.argv[1:]
connection = duckdb.connect()
connection.execute(f\"attach '{source}' as source (read_only)\")
connection.execute(f\"attach '{copy}' as copy {options}\")
connection.execute('copy from database source to copy')
";

fn python(folder: &Path, environment: &str, script: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(repository().join("scripts/python.sh"));
    command.args([environment, "-c", script]).args(arguments).current_dir(folder);
    // A library of the tests is not the library of Python.
    let output: Output = command.env_remove("LD_LIBRARY_PATH").output().expect("Python starts");
    Ended::from(output).good()
}

#[test]
fn python_reads_a_warehouse_with_duckdb_1_5_and_2_0() {
    let folder = loaded();
    let prelude = repository().join("sql/dialect/duckdb/prelude.sql");
    let read = |environment| python(folder.path(), environment, READ, &[prelude.to_str().unwrap()]);
    let [old, new] = ["duckdb15", "duckdb20"].map(read);
    let (old_version, old_rows) = old.split_once('\n').unwrap();
    let (new_version, new_rows) = new.split_once('\n').unwrap();
    assert_eq!([old_version, new_version], ["1.5", "2.0"]);
    assert!(old_rows.starts_with("4 50.0\n") && old_rows.contains("\nsongs 1\n"), "{old_rows}");
    assert_eq!(old_rows, new_rows);
}

/// `DuckDB` 2.0 keeps the storage version of a file that it changes.
#[test]
fn a_warehouse_that_duckdb_2_0_has_changed_is_loaded_and_read_as_before() {
    let folder = loaded();
    let here = folder.path();
    python(here, "duckdb20", CHANGE, &[]);
    assert_eq!(query_value(here, "select count(*) || min(title) from notes"), "4ONE");
    put(here, "data/log_data/f.json", event(2, 0, 1_541_463_000_796, "NextSong", "One"));
    run(here, ["etl", "--song-data", "data/song_data", "--log-data", "data/log_data"]).good();
    assert_eq!(query_value(here, "select count(*) from songplays"), "5");
    run(here, ["check"]).good();
    python(
        here,
        "duckdb20",
        CHANGE.replace("create table", "create or replace table").as_str(),
        &[],
    );
    assert_eq!(query_value(here, "select count(*) from notes"), "5");
}

#[test]
fn a_copy_in_the_format_of_duckdb_2_0_is_refused_with_the_way_back() {
    let folder = loaded();
    let here = folder.path();
    python(here, "duckdb20", COPY, &["sparkify.duckdb", "new.duckdb", ""]);
    let before = std::fs::read(here.join("new.duckdb")).unwrap();
    if !run(here, ["--version"]).good().contains("DuckDB v1.") {
        // `DUCKDB_LIB_DIR` names a library that reads its own format.
        run(here, ["check", "--warehouse", "duckdb:new.duckdb"]).good();
        return;
    }
    for command in
        [&["check"][..], &["etl", "--log-data", "data/log_data"], &["query", "top_songs"]]
    {
        let refused = run(here, [command, &["--warehouse", "duckdb:new.duckdb"]].concat()).bad(2);
        for text in [
            "cannot open the warehouse `new.duckdb`: its storage format is newer than DuckDB ",
            "hint: convert it with the newer DuckDB: `attach 'copy.duckdb' (storage_version 'v1.3.0')`",
        ] {
            assert!(refused.contains(text), "{refused}");
        }
    }
    assert_eq!(std::fs::read(here.join("new.duckdb")).unwrap(), before);

    python(here, "duckdb20", COPY, &["new.duckdb", "back.duckdb", "(storage_version 'v1.3.0')"]);
    run(here, ["diff", "duckdb:back.duckdb", "duckdb:sparkify.duckdb"]).good();
    let etl = ["etl", "--song-data", "data/song_data", "--log-data", "data/log_data"];
    let again = run(here, etl.into_iter().chain(["--warehouse", "duckdb:back.duckdb"])).good();
    assert!(again.contains("2 loaded already"), "{again}");
}
