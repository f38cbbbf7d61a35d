//! Faults between a load and PostgreSQL: terminated sessions, a crashed server, a full disk,
//! concurrent loads.
//!
//! A failed load leaves nothing, and the next run completes. Locks of the test make a load wait at
//! a known statement, so the faults do not depend on timing.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::servers::{Database, Server, psql_command};
use crate::support::{Ended, event, put, run, song, sparkify};

const ETL: [&str; 5] = ["etl", "--song-data", "data/song_data", "--log-data", "data/log_data"];

/// Creates a folder whose first objects are loaded, and others are not.
fn partly_loaded(url: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "data/song_data/a.json", song("SO1", "One", 200.5));
    put(folder.path(), "data/log_data/a.json", event(1, 0, 1_541_376_000_796, "NextSong", "One"));
    run(folder.path(), etl(url)).good();
    let more: String = (0..5000)
        .map(|item| event(2, item, 1_541_376_001_000 + u64::from(item), "NextSong", "One"))
        .collect();
    put(folder.path(), "data/log_data/b.json", more);
    folder
}

fn etl(url: &str) -> impl Iterator<Item = &str> {
    ETL.into_iter().chain(["--warehouse", url])
}

/// Session that locks a table, so that writers wait.
struct Holder {
    child: Child,
    /// Command that terminates the session, as the server does not notice a killed client.
    end: Command,
}

impl Holder {
    fn new(server: &Server, database: &str, table: &str) -> Self {
        let lock = format!("lock table {table} in share mode");
        let statements = ["begin", &lock, "select pg_backend_pid()", "select pg_sleep(600)"];
        let mut command = psql_command(server, database, "");
        // With one `-c` per statement, `psql` prints each result at once.
        command.args(statements.iter().flat_map(|statement| ["-c", statement]));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let pid: u32 = stdout.next().expect("a locked table").unwrap().parse().unwrap();
        let end = format!("select pg_terminate_backend({pid}, 10000)");
        Self { child, end: psql_command(server, database, &end) }
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.end.stdout(Stdio::null()).stderr(Stdio::null()).status();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until the result of `sql` is `expected`.
fn wait_until(database: &Database, sql: &str, expected: &str) {
    let started = Instant::now();
    while database.psql(sql) != expected {
        assert!(started.elapsed() < Duration::from_mins(1), "{sql} is not {expected}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

const WAITING_FOR_LOCK: &str = "select count(*) from pg_stat_activity
    where application_name = 'sparkify' and datname = current_database() and wait_event_type = 'Lock' and wait_event = 'relation'";
const TERMINATE: &str = "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'sparkify' and datname = current_database()";

fn start(folder: &Path, url: &str) -> Child {
    let mut command = sparkify(folder, etl(url));
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn a_terminated_session_rolls_back_its_load() {
    for table in ["staging_events", "songplays", "time", "etl_loads"] {
        let database = Database::new();
        let url = database.url();
        let folder = partly_loaded(&url);
        let holder = Holder::new(&database.server, &database.name, table);
        let child = start(folder.path(), &url);
        wait_until(&database, WAITING_FOR_LOCK, "1");
        database.psql(TERMINATE);
        // The load records its failure, for which the lock must be released.
        drop(holder);
        let message = Ended::from(child.wait_with_output().unwrap()).bad(2);
        assert!(
            message.contains("the connection to `postgres://postgres@localhost:")
                && message.contains("was lost: "),
            "{message}"
        );
        assert!(
            message.contains("terminating connection due to administrator command")
                && message.contains("hint: "),
            "{message}"
        );
        assert!(!message.contains(&database.server.password), "{message}");
        assert_eq!(database.psql("select count(*) from songplays"), "1", "at {table}");
        assert_eq!(database.psql("select count(*) from staging_events"), "1", "at {table}");
        assert_eq!(database.psql("select load_id, outcome, message like '%was lost%' from etl_loads order by load_id offset 1"), "2|failed|t");
        run(folder.path(), ["check", "--warehouse", &url]).good();
        run(folder.path(), etl(&url)).good();
        assert_eq!(database.psql("select count(*) from songplays"), "5001", "at {table}");
    }
}

/// PostgreSQL server of one test, which may crash.
struct Private(tempfile::TempDir);

impl Private {
    /// Starts the server with this shell script, in which `"$@"` is the start command.
    fn start(how: &str) -> Self {
        let private = Self(tempfile::tempdir().unwrap());
        // The server runs as another user, who needs access to its folder.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(private.0.path(), open).unwrap();
        private.script("start", how);
        private
    }

    fn script(&self, verb: &str, how: &str) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/postgres.sh");
        let mut command = Command::new("bash");
        command.args(["-c", how, "bash"]).arg(script).arg(verb).arg(self.0.path());
        assert!(command.stdin(Stdio::null()).status().unwrap().success(), "{verb}");
    }

    fn url(&self) -> String {
        std::fs::read_to_string(self.0.path().join("url")).unwrap()
    }

    fn query(&self, sql: &str) -> String {
        let ended = psql_command(&Server::of(&self.url()), "postgres", sql).output().unwrap();
        assert!(ended.status.success(), "{sql}: {ended:?}");
        String::from_utf8(ended.stdout).unwrap().trim().to_owned()
    }
}

const UNCHANGED: &str = "exec \"$@\"";

impl Drop for Private {
    fn drop(&mut self) {
        self.script("stop", UNCHANGED);
    }
}

#[test]
fn a_server_that_crashes_during_a_load_has_none_of_its_rows() {
    let private = Private::start(UNCHANGED);
    let url = private.url();
    let folder = partly_loaded(&url);
    let holder = Holder::new(&Server::of(&url), "postgres", "songplays");
    let child = start(folder.path(), &url);
    while private.query(WAITING_FOR_LOCK) != "1" {
        std::thread::sleep(Duration::from_millis(20));
    }
    private.script("stop", UNCHANGED);
    drop(holder);
    let message = Ended::from(child.wait_with_output().unwrap()).bad(2);
    assert!(message.contains("was lost") && message.contains("hint: "), "{message}");
    let message = run(folder.path(), etl(&url)).bad(2);
    assert!(message.contains("no server listens on port"), "{message}");
    private.script("resume", UNCHANGED);
    assert_eq!(private.query("select count(*) from songplays"), "1");
    run(folder.path(), ["check", "--warehouse", &url]).good();
    run(folder.path(), etl(&url)).good();
    assert_eq!(private.query("select count(*) from songplays"), "5001");
}

/// Limits the files of the server to 20 MiB and half a page. The write that exceeds it is cut
/// short, as on a full disk.
#[test]
fn a_full_disk_of_the_server_publishes_nothing_and_is_reported() {
    let private = Private::start("ulimit -f 20484; exec \"$@\"");
    let url = private.url();
    let folder = partly_loaded(&url);
    let more: String = (0..200_000)
        .map(|item| event(3, item, 1_541_376_001_000 + u64::from(item), "NextSong", "One"))
        .collect();
    put(folder.path(), "data/log_data/c.json", more);
    let message = run(folder.path(), etl(&url)).bad(2);
    assert!(
        message.contains("error: no space left for the warehouse: could not extend"),
        "{message}"
    );
    assert!(message.contains("hint: free some space and retry"), "{message}");
    assert_eq!(private.query("select count(*) from songplays"), "1");
    assert_eq!(private.query("select count(*) from staging_events"), "1");
    assert_eq!(
        private.query(
            "select outcome, message like 'no space left%' from etl_loads order by load_id offset 1"
        ),
        "failed|t"
    );
    run(folder.path(), ["check", "--warehouse", &url]).good();
    // The disk has space again.
    private.script("stop", UNCHANGED);
    private.script("resume", UNCHANGED);
    run(folder.path(), etl(&url)).good();
    assert_eq!(private.query("select count(*) from songplays"), "205001");
}

/// Terminates the session while COPY receives rows: the response of the last object stalls.
#[cfg(feature = "s3")]
#[test]
fn a_session_terminated_during_copy_leaves_no_rows() {
    let database = Database::new();
    let (url, store) = (database.url(), s3_emulator::Server::start());
    let here = tempfile::tempdir().unwrap();
    let events = |session: u32| -> String {
        (0..20_000)
            .map(|item| {
                event(session, item, 1_541_376_001_000 + u64::from(item), "NextSong", "One")
            })
            .collect()
    };
    store.put("logs/first.json", event(1, 0, 1_541_376_000_796, "NextSong", "One"));
    let load = || {
        let etl = ["etl", "--log-data", "s3://bucket/logs", "--warehouse", &url];
        let mut command = crate::s3::signed(&store, here.path(), etl);
        command.env("SPARKIFY_READ_TIMEOUT", "15");
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let ended = |child: Child| Ended::from(child.wait_with_output().unwrap());
    ended(load()).good();
    store.put("logs/a.json", events(2));
    store.put("logs/b.json", events(3));
    store.fail("GET *b.json", s3_emulator::Fault::StallAt(1000), 1);
    let child = load();
    let copying = "from pg_stat_progress_copy where datname = current_database() and relid = 'staging_events'::regclass and tuples_processed > 5000";
    wait_until(&database, &format!("select count(*) {copying}"), "1");
    let requests = store.take_requests();
    assert!(requests.iter().any(|request| request.contains("b.json")), "{requests:?}");
    assert_eq!(database.psql(&format!("select count(pg_terminate_backend(pid)) {copying}")), "1");
    let message = ended(child).bad(2);
    assert!(message.contains("was lost") && message.contains("hint: "), "{message}");
    assert_eq!(database.psql("select count(*) from staging_events"), "1");
    assert_eq!(database.psql("select count(*) from songplays"), "1");
    let failed = "select load_id, outcome, message like '%was lost%' from etl_loads order by load_id offset 1";
    assert_eq!(database.psql(failed), "2|failed|t");
    ended(load()).good();
    assert_eq!(database.psql("select count(*) from songplays"), "40001");
}

#[test]
fn concurrent_loads_run_one_after_the_other_and_the_second_loads_nothing() {
    let database = Database::new();
    let url = database.url();
    let folder = partly_loaded(&url);
    let holder = Holder::new(&database.server, &database.name, "songplays");
    let first = start(folder.path(), &url);
    wait_until(&database, WAITING_FOR_LOCK, "1");
    let mut second = start(folder.path(), &url);
    let mut stderr = BufReader::new(second.stderr.take().unwrap()).lines();
    assert_eq!(
        stderr.next().unwrap().unwrap(),
        "waiting for another load of this warehouse to end"
    );
    // Readers do not wait, and see the published rows.
    let reads =
        ["query", "--format", "csv", "select count(*) as n from songplays", "--warehouse", &url];
    assert_eq!(run(folder.path(), reads).good(), "n\n1\n");
    // Each schema has its own load lock.
    run(folder.path(), etl(&url).chain(["--schema", "other"])).good();
    drop(holder);
    let first = Ended::from(first.wait_with_output().unwrap()).good();
    assert!(first.contains("load 2 is published"), "{first}");
    let second = Ended::from(second.wait_with_output().unwrap()).good();
    assert!(second.contains("nothing to load: 3 files are loaded already"), "{second}");
    assert_eq!(database.psql("select count(*) from songplays"), "5001");
    assert_eq!(database.psql("select count(*) from other.songplays"), "5001");
}

#[test]
fn a_failed_load_is_recorded_and_changes_no_table() {
    let database = Database::new();
    let url = database.url();
    let folder = partly_loaded(&url);
    put(folder.path(), "data/log_data/c.json", "{\"page\":1}\n".repeat(2000));
    let message = run(folder.path(), etl(&url)).bad(1);
    assert!(message.contains("too many rejected records"), "{message}");
    // A view of another user depends on a table, so no table is dropped.
    database.psql("create view mine as select * from users");
    let message = run(folder.path(), ["create-tables", "--yes", "--warehouse", &url]).bad(2);
    assert!(
        message.contains("cannot drop table users because other objects depend on it"),
        "{message}"
    );
    assert_eq!(database.psql("select count(*) from songplays"), "1");
    let history = run(folder.path(), ["history", "--output", "json", "--warehouse", &url]).json();
    assert_eq!(
        (&history[0]["outcome"], &history[1]["outcome"]),
        (&"failed".into(), &"published".into())
    );
    // Tables that sparkify did not create are not changed.
    let other = format!("{url}?schema=theirs");
    database.psql("create schema theirs create table songs (a integer)");
    let message = run(folder.path(), etl(&other)).bad(2);
    assert!(message.contains("table `songs` was not created by sparkify"), "{message}");
    std::fs::remove_file(folder.path().join("data/log_data/c.json")).unwrap();
    run(folder.path(), etl(&url)).good();
}
