//! Transfers of a whole warehouse between files and engines.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use sparkify_load::transfer::{TransferError, transfer};
use sparkify_reader::Meter;
use sparkify_warehouse::{
    Access, FoundColumn, RowSink, RowSource, Value, Warehouse, WarehouseError,
};

use crate::data::{DataSet, on_each_data_set};
use crate::support::{
    Ended, duckdb, etl_of, event, loaded, open, put, query_value, run, song, sparkify, walk,
};

const FROM: &str = "duckdb:sparkify.duckdb";

/// Tables of load metadata and staging, whose rows a `diff` does not compare.
const OTHER_TABLES: [&str; 5] =
    ["etl_loads", "etl_objects", "etl_rejects", "staging_events", "staging_songs"];

/// Asserts that every table of two warehouses has the same rows.
fn assert_equal(here: &Path, first: &str, second: &str) {
    run(here, ["diff", first, second]).good();
    for table in OTHER_TABLES {
        let rows = |url: &str| {
            let sql = format!("select * from {table}");
            let csv = run(here, ["query", "--format", "csv", "--warehouse", url, &sql]).good();
            let mut lines: Vec<String> = csv.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        let rows = [first, second].map(rows);
        assert!(rows[0].len() > usize::from(table != "etl_rejects"), "{table} has no rows");
        assert_eq!(rows[0], rows[1], "{table} of {first} and {second}");
    }
}

/// Copies the input to `here/data`, with the last day of the log in `here/later`.
#[cfg(feature = "redshift")]
fn split_input(data: &DataSet, here: &Path) {
    let files: Vec<_> =
        ["song_data", "log_data"].iter().flat_map(|part| walk(&data.folder().join(part))).collect();
    let last = files.last().expect("a log").clone();
    for file in files {
        let name = file.strip_prefix(data.folder()).unwrap().to_str().unwrap().to_owned();
        let part = if file == last { "later" } else { "data" };
        put(here, &format!("{part}/{name}"), std::fs::read(&file).unwrap());
    }
    // One rejected record, whose bytes are no text.
    put(here, "data/log_data/damaged.json", b"{\"page\":\"Home\",\"x\":\"\xff\x00\"}\n");
}

#[cfg(feature = "redshift")]
on_each_data_set!(a_warehouse_moves_through_every_engine_and_goes_on_incrementally);

#[cfg(feature = "redshift")]
fn a_warehouse_moves_through_every_engine_and_goes_on_incrementally(data: &DataSet) {
    use crate::redshift::Cluster;
    use crate::servers::Database;
    let cluster = Cluster::start();
    cluster.configure();
    let here = cluster.folder.path();
    split_input(data, here);
    let etl = ["--max-reject-share", "5%"].map(str::to_owned);
    let etl = || etl_of(&here.join("data")).into_iter().chain(etl.clone());
    run(here, etl()).good();
    let postgres = Database::odd();
    let urls = [FROM.into(), postgres.url(), cluster.url(), "duckdb:back.duckdb".to_owned()];
    for pair in urls.windows(2) {
        let [from, to] = [&pair[0], &pair[1]];
        let moved = run(here, ["transfer", from, to, "--output", "json"]).json();
        assert!(moved["tables"]["songplays"].as_u64().unwrap() > 0, "{moved}");
        assert_eq!(moved["tables"]["etl_rejects"], 1);
        assert_eq!(moved["data_tests"], 23);
        assert_equal(here, from, to);
        run(here, ["check", "--warehouse", to]).good();
    }
    // The next day is an incremental load into each of them, with the same result.
    let last = walk(&here.join("later")).remove(0);
    let name = last.strip_prefix(here.join("later")).unwrap().to_str().unwrap().to_owned();
    put(here, &format!("data/{name}"), std::fs::read(&last).unwrap());
    for url in &urls {
        let summary = run(here, etl().chain(["--warehouse".into(), url.clone()])).json();
        assert_eq!(
            (&summary["load_id"], &summary["objects_read"]),
            (&2.into(), &1.into()),
            "{url}"
        );
        run(here, ["diff", FROM, url]).good();
    }
    for (table, rows) in data.tables.iter().filter(|(table, _)| !table.starts_with("etl")) {
        let sql = format!("select count(*) from {table}");
        assert_eq!(query_value(here, &sql), rows.to_string(), "{table}");
    }
}

#[test]
fn a_target_with_rows_is_replaced_only_on_request() {
    let folder = loaded();
    let here = folder.path();
    run(here, ["transfer", FROM, "duckdb:copy.duckdb"]).good();
    put(here, "data/log_data/f.json", event(2, 0, 1_541_400_000_000, "NextSong", "One"));
    run(here, ["etl", "--song-data", "data/song_data", "--log-data", "data/log_data"]).good();
    let refused = run(here, ["transfer", FROM, "duckdb:copy.duckdb"]).bad(2);
    assert!(refused.contains("is not empty") && refused.contains("`--replace`"), "{refused}");
    run(here, ["diff", FROM, "duckdb:copy.duckdb"]).bad(1);
    run(here, ["transfer", FROM, "duckdb:copy.duckdb", "--replace"]).good();
    run(here, ["diff", FROM, "duckdb:copy.duckdb"]).good();
    // Created tables without rows are an empty warehouse.
    run(here, ["create-tables", "--warehouse", "duckdb:empty.duckdb"]).good();
    run(here, ["transfer", FROM, "duckdb:empty.duckdb"]).good();
    run(here, ["diff", FROM, "duckdb:empty.duckdb"]).good();
}

#[test]
fn a_failed_transfer_leaves_the_target_as_it_was() {
    let folder = loaded();
    let here = folder.path();
    let missing = run(here, ["transfer", "duckdb:none.duckdb", "duckdb:new.duckdb"]).bad(2);
    assert!(missing.contains("no warehouse found at `none.duckdb`"), "{missing}");
    let same = run(here, ["transfer", FROM, "duckdb:./sparkify.duckdb"]).bad(2);
    assert!(same.contains("is both the source and the target"), "{same}");
    let option = run(here, ["transfer", FROM, "duckdb:new.duckdb", "--warehouse", FROM]).bad(2);
    assert!(option.contains("omit `--warehouse`"), "{option}");
    run(here, ["transfer", FROM, "duckdb:damaged.duckdb"]).good();
    duckdb(here.join("damaged.duckdb").to_str().unwrap()).execute("delete from users").unwrap();
    let failed = run(here, ["transfer", "duckdb:damaged.duckdb", "duckdb:new.duckdb"]).bad(1);
    assert!(
        failed.contains("data tests failed") && failed.contains("plays_have_their_user"),
        "{failed}"
    );
    run(here, ["transfer", FROM, "duckdb:whole.duckdb"]).good();
    let replace = ["transfer", "duckdb:damaged.duckdb", "duckdb:whole.duckdb", "--replace"];
    run(here, replace).bad(1);
    run(here, ["diff", FROM, "duckdb:whole.duckdb"]).good();
    let names: Vec<_> =
        walk(here).into_iter().filter(|path| path.to_str().unwrap().contains("new")).collect();
    assert_eq!(names, Vec::<std::path::PathBuf>::new(), "a failed transfer leaves no new file");
    duckdb(here.join("damaged.duckdb").to_str().unwrap()).execute("drop table time").unwrap();
    let incomplete = run(here, ["transfer", "duckdb:damaged.duckdb", "duckdb:new.duckdb"]).bad(2);
    assert!(incomplete.contains("has no table `time`"), "{incomplete}");
}

#[test]
fn a_killed_transfer_publishes_nothing_and_can_be_repeated() {
    let folder = loaded();
    let here = folder.path();
    for step in ["copy staging_events", "copy time", "verify etl_loads", "verify time", "check"] {
        let mut command = sparkify(here, ["transfer", FROM, "duckdb:copy.duckdb", "-v"]);
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let ending = format!("INFO {step}");
        assert!(log.any(|line| line.unwrap().trim_end().ends_with(&ending)), "no step `{step}`");
        child.kill().unwrap();
        // The process may have ended just before.
        let completed = child.wait().unwrap().success();
        let repeated = run(here, ["transfer", FROM, "duckdb:copy.duckdb"]);
        assert_eq!(repeated.code, Some(if completed { 2 } else { 0 }), "{step}: {repeated:?}");
        run(here, ["diff", FROM, "duckdb:copy.duckdb"]).good();
        std::fs::remove_file(here.join("copy.duckdb")).unwrap();
    }
}

/// Warehouse that another process changes.
struct Disturbed {
    warehouse: Box<dyn Warehouse>,
    /// Text of a query, before which the change happens, or a table, after whose load it does.
    at: &'static str,
    change: &'static str,
}

impl Warehouse for Disturbed {
    fn engine(&self) -> &'static str {
        self.warehouse.engine()
    }

    fn execute(&mut self, statement: &str) -> Result<u64, WarehouseError> {
        self.warehouse.execute(statement)
    }

    fn query_each(
        &mut self,
        statement: &str,
        parameters: &[Value],
        rows: &mut dyn RowSink,
    ) -> Result<(), WarehouseError> {
        if statement.contains(self.at) {
            self.warehouse.execute(self.change)?;
        }
        self.warehouse.query_each(statement, parameters, rows)
    }

    fn load(&mut self, table: &str, source: Arc<dyn RowSource>) -> Result<u64, WarehouseError> {
        let loaded = self.warehouse.load(table, source)?;
        if table == self.at {
            self.warehouse.execute(self.change)?;
        }
        Ok(loaded)
    }

    fn found_columns(&mut self) -> Result<Vec<FoundColumn>, WarehouseError> {
        self.warehouse.found_columns()
    }
}

#[test]
fn a_source_that_changes_during_the_transfer_is_an_error() {
    let folder = loaded();
    let from = format!("duckdb:{}", folder.path().join("sparkify.duckdb").display());
    let mut target = duckdb(":memory:");
    let source = || -> Result<Box<dyn Warehouse>, WarehouseError> {
        let warehouse = open(&from, Access::Write)?;
        let change = "update etl_objects set rows_staged = rows_staged + 1";
        Ok(Box::new(Disturbed { warehouse, at: "\"time\"", change }))
    };
    let moved = transfer(&source, target.as_mut(), false, &Meter::default());
    assert!(matches!(moved, Err(TransferError::SourceChanged)), "{moved:?}");
    let tables =
        target.query("select count(*) from duckdb_tables() where table_name = 'users'", &[], 1);
    assert_eq!(tables.unwrap().scalar(), Some(&Value::Int(0)), "rolled back");
}

#[test]
fn a_target_that_returns_other_rows_is_an_error() {
    let folder = loaded();
    let from = format!("duckdb:{}", folder.path().join("sparkify.duckdb").display());
    let change = "update staging_events set status = 201 where item_in_session = 3";
    let warehouse = duckdb(":memory:");
    let mut target = Disturbed { warehouse, at: "staging_events", change };
    let source = || open(&from, Access::Read);
    let moved = transfer(&source, &mut target, false, &Meter::default());
    assert!(
        matches!(moved, Err(TransferError::Differs { table: "staging_events", sent: 4, read: 4 })),
        "{moved:?}"
    );
}

#[cfg(feature = "redshift")]
#[test]
fn text_that_is_too_long_for_redshift_is_an_error() {
    let cluster = crate::redshift::Cluster::start();
    let here = cluster.folder.path();
    put(here, "data/song_data/a.json", song("SO1", "One", 200.5));
    put(here, "data/log_data/e.json", event(1, 0, 0, "NextSong", &"x".repeat(3000)));
    let duckdb = ["--warehouse".to_owned(), FROM.to_owned()];
    run(here, etl_of(&here.join("data")).into_iter().chain(duckdb)).good();
    let mut command = cluster.command(["transfer", FROM, &cluster.url()]);
    command.env_remove("SPARKIFY_WAREHOUSE");
    let failed = Ended::from(command.output().unwrap()).bad(2);
    assert!(failed.contains("staging_events") || failed.contains("`song`"), "{failed}");
    assert!(failed.contains("hint:"), "{failed}");
    command = cluster.command(["query", "select count(*) from staging_songs"]);
    assert_eq!(Ended::from(command.output().unwrap()).code, Some(0));
    assert_eq!(cluster.store.keys(s3_emulator::BUCKET), Vec::<String>::new());
}

#[test]
fn values_at_the_limits_of_their_types_are_transferred() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    put(here, "data/song_data/a.json", song("SO1", "One \u{1f3b5}", 1e-300));
    let long = "x".repeat(100_000);
    let events = [
        event(1, 0, 0, "NextSong", &long),
        event(2_147_483_647, 1, 253_402_300_799_999, "NextSong", "quo\\\"te, \\n line"),
    ];
    put(here, "data/log_data/e.json", events.concat());
    put(here, "data/log_data/r.json", format!("{{\"page\":\"{}\"}}", "y".repeat(2_000_000)));
    run(
        here,
        etl_of(&here.join("data")).into_iter().chain(["--max-reject-share".into(), "100%".into()]),
    )
    .good();
    run(here, ["transfer", FROM, "duckdb:copy.duckdb"]).good();
    assert_equal(here, FROM, "duckdb:copy.duckdb");
}
