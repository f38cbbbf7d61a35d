//! What goes wrong between a load and its server: a session is ended, the server dies, another load is under way. Afterwards the load is there whole or
//! not at all, and the next run completes.
//!
//! Where a load is caught is no chance: a lock that the test holds makes it wait there.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::servers::{Database, Server, psql_command};
use crate::support::{Ended, event, put, run, song, sparkify};

const ETL: [&str; 5] = ["etl", "--song-data", "data/song_data", "--log-data", "data/log_data"];

/// A folder whose first objects are loaded, and others not yet.
fn begun(url: &str) -> tempfile::TempDir {
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

/// Somebody who holds a table, so that whoever wants to write to it waits.
struct Holder {
    child: Child,
    /// What ends the session: the server does not look whether its client is still there.
    end: Command,
}

impl Holder {
    fn new(server: &Server, database: &str, table: &str) -> Self {
        let lock = format!("lock table {table} in share mode");
        let statements = ["begin", &lock, "select pg_backend_pid()", "select pg_sleep(600)"];
        let mut command = psql_command(server, database, "");
        // Statements one by one: the answer to each is seen at once.
        command.args(statements.iter().flat_map(|statement| ["-c", statement]));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let pid: u32 = said.next().expect("it holds the table").unwrap().parse().unwrap();
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

/// Waits until `sql` answers `expected`.
fn until(database: &Database, sql: &str, expected: &str) {
    let started = Instant::now();
    while database.psql(sql) != expected {
        assert!(started.elapsed() < Duration::from_mins(1), "{sql} is not {expected}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

const WAITING: &str = "select count(*) from pg_stat_activity
    where application_name = 'sparkify' and datname = current_database() and wait_event_type = 'Lock' and wait_event = 'relation'";
const END: &str = "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'sparkify' and datname = current_database()";

fn start(folder: &Path, url: &str) -> Child {
    let mut command = sparkify(folder, etl(url));
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn a_session_that_is_ended_takes_its_load_with_it() {
    for table in ["staging_events", "songplays", "time", "etl_loads"] {
        let database = Database::new();
        let url = database.url();
        let folder = begun(&url);
        let holder = Holder::new(&database.server, &database.name, table);
        let child = start(folder.path(), &url);
        until(&database, WAITING, "1");
        database.psql(END);
        // It says so in the history, which the holder must let it do.
        drop(holder);
        let said = Ended::from(child.wait_with_output().unwrap()).bad(2);
        assert!(
            said.contains("the connection to `postgres://postgres@localhost:")
                && said.contains("was lost: "),
            "{said}"
        );
        assert!(
            said.contains("terminating connection due to administrator command")
                && said.contains("hint: "),
            "{said}"
        );
        assert!(!said.contains(&database.server.password), "{said}");
        assert_eq!(database.psql("select count(*) from songplays"), "1", "at {table}");
        assert_eq!(database.psql("select count(*) from staging_events"), "1", "at {table}");
        assert_eq!(database.psql("select load_id, outcome, message like '%was lost%' from etl_loads order by load_id offset 1"), "2|failed|t");
        run(folder.path(), ["check", "--warehouse", &url]).good();
        run(folder.path(), etl(&url)).good();
        assert_eq!(database.psql("select count(*) from songplays"), "5001", "at {table}");
    }
}

/// A server of a test's own, which may die.
struct Private(tempfile::TempDir);

impl Private {
    /// Started by `sh -c`, in whose words `"$@"` starts it.
    fn start(how: &str) -> Self {
        let private = Self(tempfile::tempdir().unwrap());
        // The server runs as another user, who must get there.
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

    fn ask(&self, sql: &str) -> String {
        let ended = psql_command(&Server::of(&self.url()), "postgres", sql).output().unwrap();
        assert!(ended.status.success(), "{sql}: {ended:?}");
        String::from_utf8(ended.stdout).unwrap().trim().to_owned()
    }
}

const AS_IT_IS: &str = "exec \"$@\"";

impl Drop for Private {
    fn drop(&mut self) {
        self.script("stop", AS_IT_IS);
    }
}

#[test]
fn a_server_that_dies_in_the_middle_of_a_load_has_nothing_of_it() {
    let private = Private::start(AS_IT_IS);
    let url = private.url();
    let folder = begun(&url);
    let holder = Holder::new(&Server::of(&url), "postgres", "songplays");
    let child = start(folder.path(), &url);
    while private.ask(WAITING) != "1" {
        std::thread::sleep(Duration::from_millis(20));
    }
    private.script("stop", AS_IT_IS);
    drop(holder);
    let said = Ended::from(child.wait_with_output().unwrap()).bad(2);
    assert!(said.contains("was lost") && said.contains("hint: "), "{said}");
    let said = run(folder.path(), etl(&url)).bad(2);
    assert!(said.contains("no server listens on port"), "{said}");
    private.script("resume", AS_IT_IS);
    assert_eq!(private.ask("select count(*) from songplays"), "1");
    run(folder.path(), ["check", "--warehouse", &url]).good();
    run(folder.path(), etl(&url)).good();
    assert_eq!(private.ask("select count(*) from songplays"), "5001");
}

/// No file of the server's may grow beyond 20 MiB and half a page: the write that crosses it is cut short, as on a disk that is full, and the server says the same.
#[test]
fn a_full_disk_of_the_server_publishes_nothing_and_says_so() {
    let private = Private::start("ulimit -f 20484; exec \"$@\"");
    let url = private.url();
    let folder = begun(&url);
    let more: String = (0..200_000)
        .map(|item| event(3, item, 1_541_376_001_000 + u64::from(item), "NextSong", "One"))
        .collect();
    put(folder.path(), "data/log_data/c.json", more);
    let said = run(folder.path(), etl(&url)).bad(2);
    assert!(said.contains("error: no space left for the warehouse: could not extend"), "{said}");
    assert!(said.contains("hint: free some space and retry"), "{said}");
    assert_eq!(private.ask("select count(*) from songplays"), "1");
    assert_eq!(private.ask("select count(*) from staging_events"), "1");
    assert_eq!(
        private.ask(
            "select outcome, message like 'no space left%' from etl_loads order by load_id offset 1"
        ),
        "failed|t"
    );
    run(folder.path(), ["check", "--warehouse", &url]).good();
    // The disk has room again.
    private.script("stop", AS_IT_IS);
    private.script("resume", AS_IT_IS);
    run(folder.path(), etl(&url)).good();
    assert_eq!(private.ask("select count(*) from songplays"), "205001");
}

/// Rows have come to the server, and more are to come, when the session is ended: the last object gives some bytes and then none, until that has happened.
#[cfg(feature = "s3")]
#[test]
fn a_session_that_is_ended_while_rows_come_in_takes_them_with_it() {
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
    until(&database, &format!("select count(*) {copying}"), "1");
    let asked = store.take_requests();
    assert!(asked.iter().any(|request| request.contains("b.json")), "{asked:?}");
    assert_eq!(database.psql(&format!("select count(pg_terminate_backend(pid)) {copying}")), "1");
    let said = ended(child).bad(2);
    assert!(said.contains("was lost") && said.contains("hint: "), "{said}");
    assert_eq!(database.psql("select count(*) from staging_events"), "1");
    assert_eq!(database.psql("select count(*) from songplays"), "1");
    let failed = "select load_id, outcome, message like '%was lost%' from etl_loads order by load_id offset 1";
    assert_eq!(database.psql(failed), "2|failed|t");
    ended(load()).good();
    assert_eq!(database.psql("select count(*) from songplays"), "40001");
}

#[test]
fn two_loads_at_once_are_one_after_the_other_and_the_second_finds_nothing_new() {
    let database = Database::new();
    let url = database.url();
    let folder = begun(&url);
    let holder = Holder::new(&database.server, &database.name, "songplays");
    let first = start(folder.path(), &url);
    until(&database, WAITING, "1");
    let mut second = start(folder.path(), &url);
    let mut said = BufReader::new(second.stderr.take().unwrap()).lines();
    assert_eq!(said.next().unwrap().unwrap(), "waiting for another load of this warehouse to end");
    // Who reads does not wait, and sees what was published.
    let reads =
        ["query", "--format", "csv", "select count(*) as n from songplays", "--warehouse", &url];
    assert_eq!(run(folder.path(), reads).good(), "n\n1\n");
    // A warehouse in another schema is another warehouse.
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
fn a_load_that_fails_is_noted_and_leaves_the_tables_as_they_were() {
    let database = Database::new();
    let url = database.url();
    let folder = begun(&url);
    put(folder.path(), "data/log_data/c.json", "{\"page\":1}\n".repeat(2000));
    let said = run(folder.path(), etl(&url)).bad(1);
    assert!(said.contains("too many rejected records"), "{said}");
    // A view of somebody stands on a table: the tables stay all, or go all.
    database.psql("create view mine as select * from users");
    let said = run(folder.path(), ["create-tables", "--yes", "--warehouse", &url]).bad(2);
    assert!(said.contains("cannot drop table users because other objects depend on it"), "{said}");
    assert_eq!(database.psql("select count(*) from songplays"), "1");
    let history = run(folder.path(), ["history", "--output", "json", "--warehouse", &url]).json();
    assert_eq!(
        (&history[0]["outcome"], &history[1]["outcome"]),
        (&"failed".into(), &"published".into())
    );
    // A table that is not ours is left alone.
    let other = format!("{url}?schema=theirs");
    database.psql("create schema theirs create table songs (a integer)");
    let said = run(folder.path(), etl(&other)).bad(2);
    assert!(said.contains("table `songs` was not created by sparkify"), "{said}");
    std::fs::remove_file(folder.path().join("data/log_data/c.json")).unwrap();
    run(folder.path(), etl(&url)).good();
}
