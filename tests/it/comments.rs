//! Descriptions of tables and columns as comments of the warehouse, on every engine, and declared
//! keys on Redshift.

use std::path::Path;

use sparkify_load::tables;
use sparkify_warehouse::Opening;

use crate::support::{event, put, query_value, run, song};

/// Returns `TABLE||DESCRIPTION` and `TABLE|COLUMN|DESCRIPTION` of all tables.
fn expected(engine: &'static str) -> Vec<String> {
    let mut lines = Vec::new();
    for table in tables::all() {
        lines.push(format!("{}||{}", table.name, table.headline()));
        let columns = table.columns(Opening::full(engine)).into_iter();
        lines.extend(columns.map(|it| format!("{}|{}|{}", table.name, it.name, it.description)));
    }
    lines.sort();
    lines
}

fn sorted(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn sources(folder: &Path) {
    put(folder, "data/song_data/a.json", song("SO1", "One", 200.5));
    put(folder, "data/log_data/e.json", event(1, 0, 1_541_376_000_796, "NextSong", "One"));
}

const ETL: [&str; 6] =
    ["etl", "--song-data", "data/song_data", "--log-data", "data/log_data", "--quiet"];

/// Comments of `DuckDB`, one per line.
const OF_DUCKDB: &str = "select string_agg(line, chr(10)) from (
    select table_name || '||' || comment as line from duckdb_tables() where comment is not null
    union all
    select table_name || '|' || column_name || '|' || comment from duckdb_columns() where comment is not null
)";

#[test]
fn duckdb_shows_the_descriptions() {
    for command in [&ETL[..], &["create-tables", "--quiet"]] {
        let folder = tempfile::tempdir().unwrap();
        sources(folder.path());
        run(folder.path(), command).good();
        let query = ["query", "--format", "json", "-q", OF_DUCKDB];
        let found = run(folder.path(), query).json();
        let found = found[0].as_object().unwrap().values().next().unwrap();
        assert_eq!(sorted(found.as_str().unwrap()), expected("duckdb"), "{command:?}");
    }
}

#[test]
fn a_warehouse_without_comments_is_loaded_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    sources(here);
    run(here, ETL).good();
    let path = here.join("sparkify.duckdb");
    let mut warehouse = crate::support::duckdb(path.to_str().unwrap());
    warehouse.execute("comment on table songplays is null").unwrap();
    warehouse.execute("comment on column songplays.level is 'mine'").unwrap();
    drop(warehouse);
    put(here, "data/log_data/f.json", event(2, 0, 1_541_376_900_796, "NextSong", "One"));
    run(here, ETL).good();
    let level = "select comment from duckdb_columns() where table_name = 'songplays' and column_name = 'level'";
    assert_eq!(query_value(here, level), "mine");
    assert_eq!(query_value(here, "select count(*) from songplays"), "2");
}

/// Comments of PostgreSQL and of the Redshift emulator, one per line.
#[cfg(feature = "postgres")]
fn of_postgres(schema: &str) -> String {
    format!(
        "select c.relname || '|' || coalesce(a.attname, '') || '|' || d.description
         from pg_description as d
         join pg_class as c on c.oid = d.objoid and d.classoid = 'pg_class'::regclass
         join pg_namespace as n on n.oid = c.relnamespace and n.nspname = '{schema}'
         left join pg_attribute as a on a.attrelid = c.oid and a.attnum = d.objsubid and d.objsubid > 0"
    )
}

#[cfg(feature = "postgres")]
#[test]
fn postgres_shows_the_descriptions() {
    for command in [&ETL[..], &["create-tables", "--quiet"]] {
        let (database, folder) = (crate::servers::Database::new(), tempfile::tempdir().unwrap());
        sources(folder.path());
        let url = database.url();
        run(folder.path(), command.iter().chain(&["--warehouse", url.as_str()])).good();
        let found = database.psql(&of_postgres("public"));
        assert_eq!(sorted(&found), expected("postgres"), "{command:?}");
    }
}

#[test]
fn comments_and_keys_are_documented_redshift_sql() {
    let opening = Opening::full("redshift");
    let comments = tables::all().flat_map(|table| tables::comments(table, opening));
    let keys = tables::declared_keys(opening);
    assert_eq!(keys.len(), 5 + 6, "{keys:#?}");
    assert_eq!(keys[4], "alter table \"time\" add primary key (\"start_time\")");
    assert!(keys.contains(
        &"alter table \"songplays\" add foreign key (\"user_id\") references \"users\" (\"user_id\")".to_owned()
    ));
    for statement in comments.chain(keys) {
        let checked = redshift_lint::check(&statement);
        assert!(checked.is_ok(), "{statement}: {checked:?}");
        // Engines read a backslash in different ways.
        assert!(!statement.contains('\\'), "{statement}");
    }
    // Other engines would enforce keys, with an index that each load has to maintain.
    for engine in ["duckdb", "postgres"] {
        assert_eq!(tables::declared_keys(Opening::full(engine)), Vec::<String>::new());
    }
}
