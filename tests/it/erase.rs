//! Erasure of a person: every byte, every engine, every later load.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{Ended, duckdb, etl_of, event, put, query_value, run, song, sparkify, walk};

const KEY: &str = "a secret of at least thirty-two characters";
const PERSON: &str = "4711";
/// Texts that only the erased person's records have, as logged and as they are in an export.
const NEEDLES: [&str; 5] =
    ["Zyxeline", "Quorndale", "Needleworth, ZZ", "Agent of Zyxeline/4.7", "Zyxeline Song"];

/// Returns an event of the person.
fn personal(session: u32, item: u32, ts: u64, page: &str) -> String {
    event(session, item, ts, page, "Zyxeline Song")
        .replace("\"Ada\"", "\"Zyxeline\"")
        .replace("\"Day\"", "\"Quorndale\"")
        .replace("\"Here\"", "\"Needleworth, ZZ\"")
        .replace("\"x\"", "\"Agent of Zyxeline/4.7\"")
        .replace("\"userId\":\"7\"", &format!("\"userId\":\"{PERSON}\""))
}

/// Writes input: `all` with the person, `others` without.
fn input(here: &Path) {
    for folder in ["all", "others"] {
        put(here, &format!("{folder}/song_data/a.json"), song("SO1", "One", 200.5));
        put(
            here,
            &format!("{folder}/song_data/z.json"),
            song("SO2", "Zyxeline Song", 1.0).replace("Zyxeline", "Other"),
        );
    }
    let shared = event(1, 0, 1_541_376_000_796, "NextSong", "One");
    let later = event(1, 1, 1_541_376_400_000, "Home", "");
    let mine = [
        personal(2, 0, 1_541_376_000_796, "NextSong"),
        personal(2, 1, 1_541_376_100_000, "NextSong").replace("free", "paid"),
        personal(2, 2, 1_541_376_200_000, "Logout"),
    ];
    put(here, "all/log_data/a.json", format!("{shared}{}{later}", mine.concat()));
    put(here, "others/log_data/a.json", format!("{shared}{later}"));
    // Rejected records: a wrong type, a damaged one, and one without keys.
    let wrong = personal(2, 3, 0, "Home").replace("\"ts\":0", "\"ts\":null");
    let cut = personal(2, 4, 0, "Home");
    let cut = &cut[..cut.find("\"level\"").unwrap()];
    let bare = "{\"page\": oops, \"Zyxeline\", \"Quorndale\"}\n";
    let other = "{\"page\":\"Home\"}\n";
    put(here, "all/log_data/b.json", format!("{wrong}{cut}\n{bare}{other}"));
    put(here, "others/log_data/b.json", other);
}

fn etl(folder: &str, here: &Path) -> Vec<String> {
    let mut arguments = etl_of(&here.join(folder));
    arguments.extend(["--max-reject-share", "100%"].map(str::to_owned));
    arguments
}

/// Returns the arguments of a load into another warehouse.
fn etl_into(folder: &str, here: &Path, url: &str) -> Vec<String> {
    let warehouse = ["--warehouse".to_owned(), url.to_owned()];
    etl(folder, here).into_iter().chain(warehouse).collect()
}

fn keyed<S: AsRef<std::ffi::OsStr>>(here: &Path, arguments: impl IntoIterator<Item = S>) -> Ended {
    Ended::from(sparkify(here, arguments).env("SPARKIFY_ERASURE_KEY", KEY).output().unwrap())
}

/// Counts the bytes of all files but the input; asserts that none of them holds a needle.
fn search(here: &Path, when: &str) -> u64 {
    let mut searched = 0;
    for path in walk(here) {
        let name = path.strip_prefix(here).unwrap().to_str().unwrap().to_owned();
        if ["all/", "others/", "more/"].iter().any(|input| name.starts_with(input)) {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        searched += bytes.len() as u64;
        for needle in NEEDLES {
            let found = memchr::memmem::find(&bytes, needle.as_bytes());
            assert_eq!(found, None, "{needle} in {name}, {when}");
        }
    }
    searched
}

/// Loads the input, makes two exports and erases the person. Returns the folder and the receipt.
fn erased() -> (tempfile::TempDir, Value) {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    input(here);
    run(here, etl("all", here)).good();
    run(here, etl_into("others", here, "duckdb:fresh.duckdb")).good();
    run(here, ["export", "out", "--format", "json"]).good();
    let csv = ["--format", "csv", "--tables", "users", "--escape-formulas"];
    run(here, ["export", "csv"].into_iter().chain(csv)).good();
    let bytes = std::fs::read(here.join("sparkify.duckdb")).unwrap();
    assert!(memchr::memmem::find(&bytes, b"Zyxeline").is_some(), "the search can find it");
    // Objects of the user are kept.
    let mut warehouse = duckdb(here.join("sparkify.duckdb").to_str().unwrap());
    for sql in [
        "create table notes as select 1 as n",
        "create view named as select first_name from users",
        "comment on table notes is 'mine'",
    ] {
        warehouse.execute(sql).unwrap();
    }
    drop(warehouse);
    let exports = ["--export", "out", "--export", "csv"];
    let erase = ["erase", "--user", PERSON, "--yes", "--receipt", "receipt.json"];
    let erase = erase.into_iter().chain(exports).chain(["--output", "json"]);
    let receipt = keyed(here, erase).json();
    (folder, receipt)
}

#[test]
fn no_byte_of_an_erased_person_is_left_in_files() {
    let (folder, receipt) = erased();
    let here = folder.path();
    let expected = json!(
        { "events": 3, "plays": 2, "users": 1, "levels": 3, "rejects": 3, "messages": 0 }
    );
    assert_eq!(receipt["erased"], expected);
    let written = std::fs::read(here.join("receipt.json")).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&written).unwrap(), receipt);
    println!("searched {} bytes for {} texts", search(here, "at once"), NEEDLES.len());
    let asked = |sql: &str| query_value(here, sql);
    assert_eq!(asked("select (select n from notes) || (select count(*) from named)"), "11");
    let comment = "select comment from duckdb_tables() where table_name";
    assert_eq!(asked(&format!("{comment} = 'notes'")), "mine");
    assert!(asked(&format!("{comment} = 'users'")).contains("One user"));
    // The copy keeps the storage version, and with it the compression.
    let storage = "select tags['storage_version'] from duckdb_databases() where path like";
    let version = asked(&format!("{storage} '%sparkify.duckdb'"));
    let fresh = ["query", "--format", "csv", "--warehouse", "duckdb:fresh.duckdb"];
    let fresh = run(here, fresh.into_iter().chain([format!("{storage} '%fresh.duckdb'").as_str()]));
    assert_eq!(fresh.good().lines().nth(1), Some(version.as_str()), "{version}");
    assert!(version.starts_with('v'), "{version}");
    run(here, ["check"]).good();
    run(here, ["diff", "duckdb:sparkify.duckdb", "duckdb:fresh.duckdb"]).good();
    let counts = "sum(rows_staged) || ' ' || sum(rows_rejected) || ' ' || sum(rows_erased)";
    assert_eq!(asked(&format!("select {counts} from etl_objects")), "4 4 3");
}

#[test]
fn a_plan_counts_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    input(here);
    run(here, etl("all", here)).good();
    let before = std::fs::read(here.join("sparkify.duckdb")).unwrap();
    let plan = run(here, ["erase", "--user", PERSON, "--plan", "--output", "json"]).json();
    let found = json!(
        { "events": 3, "plays": 2, "users": 1, "levels": 3, "rejects": 3, "messages": 0 }
    );
    assert_eq!(plan["found"], found);
    assert!(before == std::fs::read(here.join("sparkify.duckdb")).unwrap());
}

#[test]
fn later_loads_bring_no_byte_of_an_erased_person_back() {
    let (folder, _) = erased();
    let here = folder.path();
    let again = |more: &[&str]| {
        let arguments = etl("all", here).into_iter();
        keyed(here, arguments.chain(more.iter().map(|it| (*it).to_owned()))).json()
    };
    let summary = again(&["--full-refresh"]);
    for (count, expected) in [("erased", 3), ("events_staged", 2), ("rejected", 4), ("records", 11)]
    {
        assert_eq!(summary[count], expected, "{count}");
    }
    let mut searched = search(here, "after a full refresh");
    keyed(here, ["rejects", "replay", "--output", "json"]).bad(1);
    searched += search(here, "after a replay");
    let text = std::fs::read_to_string(here.join("all/log_data/a.json")).unwrap();
    let changed = personal(3, 0, 1_541_376_500_000, "NextSong");
    put(here, "all/log_data/a.json", format!("{text}{changed}"));
    // Nearly every record takes the fast path.
    let many = (0..5000).map(|item| personal(9, item, 1_541_376_600_000, "NextSong"));
    put(here, "all/log_data/c.json", many.collect::<String>());
    let summary = again(&[]);
    assert_eq!((&summary["erased"], &summary["events_staged"]), (&5004.into(), &2.into()));
    searched += search(here, "after an incremental load");
    run(here, ["diff", "duckdb:sparkify.duckdb", "duckdb:fresh.duckdb"]).good();
    run(here, ["check"]).good();
    println!("searched {searched} bytes for {} texts", NEEDLES.len());
}

#[test]
fn loads_need_the_key_of_the_erasures() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    input(here);
    run(here, etl("all", here)).good();
    let short = sparkify(here, ["erase", "--user", PERSON, "--yes"])
        .env("SPARKIFY_ERASURE_KEY", "short")
        .output()
        .unwrap();
    let short = Ended::from(short).bad(2);
    assert!(
        short.contains("at least 32 random characters") && !short.contains("`short`"),
        "{short}"
    );
    let without = run(here, ["erase", "--user", PERSON, "--yes"]).bad(2);
    assert!(without.contains("no erasure key is configured"), "{without}");
    let unconfirmed = keyed(here, ["erase", "--user", PERSON]).bad(2);
    assert!(
        unconfirmed.contains("3 events of user 4711") && unconfirmed.contains("`--yes`"),
        "{unconfirmed}"
    );
    let foreign = keyed(here, ["erase", "--user", PERSON, "--yes", "--export", "all"]).bad(2);
    assert!(foreign.contains("is not an export"), "{foreign}");
    assert_eq!(query_value(here, "select count(*) from users"), "2");
    keyed(here, ["erase", "--user", PERSON, "--yes"]).good();
    put(here, "all/log_data/more.json", event(5, 0, 1_541_376_700_000, "NextSong", "One"));
    let missing = run(here, etl("all", here)).bad(2);
    assert!(missing.contains("no erasure key is configured"), "{missing}");
    put(here, "dwh.cfg", format!("[WAREHOUSE]\nERASURE_KEY={}\n", KEY.to_uppercase()));
    let wrong = run(here, etl("all", here)).bad(2);
    assert!(wrong.contains("under another erasure key"), "{wrong}");
    let wrong = run(here, ["erase", "--user", "7", "--yes"]).bad(2);
    assert!(wrong.contains("under another erasure key"), "{wrong}");
    assert_eq!(query_value(here, "select count(*) from songplays"), "1");
    put(here, "dwh.cfg", format!("[WAREHOUSE]\nERASURE_KEY={KEY}\n"));
    run(here, etl("all", here)).good();
    assert_eq!(query_value(here, "select count(*) from songplays"), "2");
    // Again, and a user without rows.
    for user in [PERSON, "99", "-1"] {
        let receipt = run(here, ["erase", "--user", user, "--yes", "--output", "json"]).json();
        assert_eq!(receipt["erased"]["events"], 0);
    }
    assert_eq!(query_value(here, "select count(*) from etl_erasures where kind = 'user'"), "3");
    put(
        here,
        "all/log_data/more.json",
        personal(6, 0, 1_541_376_800_000, "NextSong").replace(PERSON, "99"),
    );
    assert_eq!(run(here, etl("all", here)).json()["erased"], 1);
    // A copy of the warehouse keeps them out, too.
    run(here, ["transfer", "duckdb:sparkify.duckdb", "duckdb:copy.duckdb"]).good();
    let copy = ["--full-refresh", "--warehouse", "duckdb:copy.duckdb"].map(str::to_owned);
    assert_eq!(run(here, etl("all", here).into_iter().chain(copy)).json()["erased"], 4);
}

#[test]
fn a_killed_erasure_can_be_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    input(here);
    run(here, etl("all", here)).good();
    run(here, etl_into("others", here, "duckdb:fresh.duckdb")).good();
    let erase = ["erase", "--user", PERSON, "--yes", "-v"];
    let base = std::fs::read(here.join("sparkify.duckdb")).unwrap();
    for step in ["search rejected records", "erase", "compact the warehouse"] {
        put(here, "sparkify.duckdb", &base);
        let mut command: Command = sparkify(here, erase);
        command.env("SPARKIFY_ERASURE_KEY", KEY);
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let ending = format!("INFO {step}");
        assert!(log.any(|line| line.unwrap().trim_end().ends_with(&ending)), "no step `{step}`");
        child.kill().unwrap();
        child.wait().unwrap();
        run(here, ["check"]).good();
        let users = query_value(here, "select count(*) from users");
        assert!(users == "2" || users == "1", "{step}: {users}");
        keyed(here, erase).good();
        run(here, ["diff", "duckdb:sparkify.duckdb", "duckdb:fresh.duckdb"]).good();
        search(here, step);
    }
}

#[cfg(feature = "redshift")]
#[test]
fn servers_erase_a_person_and_keep_the_person_out() {
    use crate::redshift::Cluster;
    use crate::servers::Database;
    let cluster = Cluster::start();
    cluster.configure();
    let here = cluster.folder.path();
    input(here);
    run(here, etl_into("others", here, "duckdb:fresh.duckdb")).good();
    let postgres = Database::new();
    for url in [postgres.url(), cluster.url()] {
        let at = |arguments: &[&str]| {
            let url = ["--warehouse".to_owned(), url.clone()];
            arguments.iter().map(|it| (*it).to_owned()).chain(url).collect::<Vec<_>>()
        };
        let etl = etl("all", here);
        let etl: Vec<&str> = etl.iter().map(String::as_str).collect();
        run(here, at(&etl)).good();
        let receipt =
            keyed(here, at(&["erase", "--user", PERSON, "--yes", "--output", "json"])).json();
        assert_eq!(
            (&receipt["erased"]["events"], &receipt["erased"]["rejects"]),
            (&3.into(), &3.into())
        );
        run(here, ["diff", &url, "duckdb:fresh.duckdb"]).good();
        run(here, at(&["check"])).good();
        run(here, at(&[&etl[..], &["--full-refresh"]].concat())).bad(2);
        let summary = keyed(here, at(&[&etl[..], &["--full-refresh"]].concat())).json();
        assert_eq!(summary["erased"], 3, "{url}");
        run(here, ["diff", &url, "duckdb:fresh.duckdb"]).good();
        for table in ["staging_events", "songplays", "users", "etl_loads"] {
            let sql = format!("select * from {table}");
            let csv = run(here, at(&["query", "--format", "csv", &sql])).good();
            assert!(NEEDLES.iter().all(|needle| !csv.contains(needle)), "{table}: {csv}");
        }
        let rejects = run(here, at(&["rejects", "list", "--output", "json"])).good();
        assert!(NEEDLES.iter().all(|needle| !rejects.contains(needle)), "{rejects}");
    }
    // Staged files hold the rows of a load.
    assert!(cluster.sent().iter().any(|text| text.starts_with("copy \"staging_events\"")));
    assert_eq!(cluster.store.keys(s3_emulator::BUCKET), Vec::<String>::new());
    // The files of PostgreSQL's tables.
    postgres.psql("checkpoint");
    for table in ["staging_events", "songplays", "users", "user_levels", "etl_rejects"] {
        for needle in ["Zyxeline", "Quorndale", "Needleworth"] {
            let found = postgres.psql(&format!(
                "select position('{needle}'::bytea in pg_read_binary_file(pg_relation_filepath('{table}')))"
            ));
            assert_eq!(found, "0", "{needle} in {table}");
        }
    }
}
