//! Staged loads into a cluster: the same tables as in DuckDB, for known and awkward input, and the
//! statements that are sent.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use sparkify_analytics::report::SAVED_QUERIES;

use super::direct::By;
use super::{Cluster, ETL};
use crate::data::{DataSet, on_each_data_set};
use crate::oracle::awkward;
use crate::support::{etl_of, event, open, put, run, song};
use sparkify_load::sql;
use sparkify_warehouse::Access;

on_each_data_set!(a_staged_load_gives_the_figures_and_the_same_rows_as_duckdb);

fn a_staged_load_gives_the_figures_and_the_same_rows_as_duckdb(data: &DataSet) {
    let cluster = Cluster::start();
    let here = cluster.folder.path();
    let etl = etl_of(&data.folder());
    for (outcome, read) in [("published", data.objects()), ("unchanged", 0)] {
        let summary = cluster.run(&etl).json();
        assert_eq!(
            (&summary["outcome"], &summary["objects_read"]),
            (&outcome.into(), &read.into())
        );
        for (table, rows) in data.tables {
            assert_eq!(summary["tables"][table], rows, "{table}");
        }
    }
    let plays = data.rows("songplays");
    cluster.assert_whole(1, plays);
    let same = ["--warehouse", "duckdb:same.duckdb"].map(str::to_owned);
    run(here, etl.into_iter().chain(same)).good();
    cluster.run(["diff", "duckdb:same.duckdb", &cluster.url()]).good();
    let mut compared = 0;
    for query in
        SAVED_QUERIES.iter().filter(|query| !["history", "row_counts"].contains(&query.name))
    {
        let command = ["query", query.name, "--format", "csv"];
        let expected =
            run(here, command.into_iter().chain(["--warehouse", "duckdb:same.duckdb"])).good();
        assert_eq!(cluster.run(command).good(), expected, "{}", query.name);
        compared += 1;
    }
    assert!(compared > 20, "{compared}");
    cluster.run(["verify", "--profile", "strict"]).good();
    // `psql` sees the tables at the same port.
    let url = cluster.url().replacen("redshift://", "postgres://", 1) + "&sslmode=verify-full";
    let counted = Command::new("psql")
        .args(["-X", "-A", "-t", &url, "-c", "select count(*) from songplays"])
        .output();
    assert_eq!(
        String::from_utf8(counted.expect("psql starts").stdout).unwrap(),
        format!("{plays}\n")
    );
}

#[test]
fn awkward_input_gives_the_same_tables_as_duckdb() {
    let cluster = Cluster::start();
    let here = cluster.folder.path();
    let mut runner = TestRunner::deterministic();
    for number in 0..3 {
        let files = awkward::awkward_folder().new_tree(&mut runner).unwrap().current();
        let name = format!("data{number}");
        awkward::write(&files, &here.join(&name));
        let etl = ["etl", "--max-reject-share", "100%"];
        for part in ["song_data", "log_data"] {
            std::fs::create_dir_all(here.join(&name).join(part)).unwrap();
        }
        let paths =
            [format!("--song-data={name}/song_data"), format!("--log-data={name}/log_data")];
        let paths = || paths.iter().map(String::as_str);
        cluster.run(etl.into_iter().chain(paths())).good();
        run(here, etl.into_iter().chain(paths()).chain(["--warehouse", "duckdb:same.duckdb"]))
            .good();
        cluster.run(["diff", "duckdb:same.duckdb", &cluster.url()]).good();
        let rejects = ["rejects", "list", "--limit", "100000", "--output", "json"];
        let in_duckdb =
            run(here, rejects.into_iter().chain(["--warehouse", "duckdb:same.duckdb"])).good();
        assert_eq!(cluster.run(rejects).good().lines().count(), in_duckdb.lines().count());
    }
}

/// The record is rejected with its bytes, and no text is truncated.
#[test]
fn a_text_longer_than_its_column_is_a_reject() {
    let cluster = Cluster::with_data();
    let long = event(2, 0, 1_541_376_005_000, "NextSong", &"é".repeat(1025));
    let fits = event(2, 1, 1_541_376_006_000, "NextSong", &"é".repeat(1024));
    put(cluster.folder.path(), "data/log_data/long.json", long + &fits);
    cluster.run(ETL.into_iter().chain(["--max-reject-share", "50%"])).good();
    let reason = cluster.asked("select reason from etl_rejects");
    assert_eq!(reason, "`song` is longer than 2048 bytes: 2050");
    assert_eq!(cluster.asked("select max(octet_length(song_title)) from songplays"), "2048");
}

/// The statements of one load, in order.
#[test]
fn a_small_load_sends_these_statements() {
    let cluster = Cluster::with_data();
    cluster.run(["create-tables"]).good();
    cluster.emulator.log().clear();
    cluster.run(ETL).good();
    let statements =
        cluster.sent().iter().map(|statement| shortened(statement)).collect::<Vec<_>>().join("\n");
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false, filters => vec![
        (r"sparkify-load-\d+-[0-9a-f]+", "sparkify-load-[TIME]-[RANDOM]"),
        (r"'/[^']*/data/", "'[FOLDER]/data/"),
        (r"timestamp '[^']*'", "timestamp '[TIME]'"),
        (&format!("'{}'", env!("CARGO_PKG_VERSION")), "'[VERSION]'"),
        (r"\b1[5-9]\d{17}\b", "[NS]"),
    ] }, { insta::assert_snapshot!("redshift_load", statements) });
}

/// Shortens a long statement to its first line and the number of lines.
fn shortened(statement: &str) -> String {
    let lines: Vec<&str> = statement.lines().collect();
    match lines.as_slice() {
        [] => String::new(),
        [one] => format!("{one};"),
        [head, .., _] if statement.starts_with("insert into \"") => {
            format!("{head} {} …;", lines[1])
        }
        [head, ..] => format!("{head} … ({} lines);", lines.len()),
    }
}

#[test]
fn missing_settings_are_named() {
    let cluster = Cluster::with_data();
    let mut command = cluster.command(ETL);
    command.env_remove("SPARKIFY_STAGING");
    let message = super::ended(&mut command).bad(2);
    assert!(
        message.contains("no staging prefix is configured") && message.contains("STAGING in [S3]"),
        "{message}"
    );
    let mut command = cluster.command(ETL);
    command.env_remove("SPARKIFY_IAM_ROLE");
    let message = super::ended(&mut command).bad(2);
    assert!(message.contains("IAM role") && message.contains("ARN in [IAM_ROLE]"), "{message}");
    let mut command = cluster.command(ETL);
    command.env("SPARKIFY_IAM_ROLE", "arn:aws:iam::000000000000:role/stranger");
    let message = super::ended(&mut command).bad(2);
    assert!(message.contains("stranger"), "{message}");
    assert_eq!(cluster.staged(), Vec::<String>::new());
}

/// A `dwh.cfg` of the course, unchanged except for HOST.
#[test]
fn a_dwh_cfg_of_the_course_is_sufficient_for_a_staged_load() {
    let cluster = Cluster::with_data();
    let config = format!(
        "[CLUSTER]\nHOST=localhost\nDB_NAME=dev\nDB_USER=awsuser\nDB_PASSWORD=Emulator-1\nDB_PORT={}\n\n[IAM_ROLE]\nARN='{}'\n\n\
         [S3]\nLOG_DATA='data/log_data'\nLOG_JSONPATH='s3://udacity-dend/log_json_path.json'\nSONG_DATA='data/song_data'\n",
        cluster.emulator.port(),
        super::ROLE,
    );
    put(cluster.folder.path(), "dwh.cfg", config);
    let ca = cluster.folder.path().join("ca.pem");
    for arguments in [["create-tables"], ["etl"]] {
        let mut command = cluster.command(arguments);
        command.env_remove("SPARKIFY_WAREHOUSE").env_remove("SPARKIFY_IAM_ROLE");
        command.env("PGSSLROOTCERT", &ca);
        super::ended(&mut command).good();
    }
    cluster.assert_whole(1, 2);
}

/// sqlfluff parses every statement of a full and of an incremental load.
#[test]
fn an_independent_grammar_parses_all_statements() {
    let cluster = Cluster::with_data();
    cluster.run(ETL).good();
    put(
        cluster.folder.path(),
        "data/log_data/later.json",
        event(3, 0, 1_541_476_000_000, "NextSong", "One"),
    );
    cluster.run(ETL).good();
    cluster.run(["check"]).good();
    // Direct loads by prefix and by manifest, with a rejected record and a double-encoded text.
    cluster.store.put("data/song_data/c.json", song("SO3", "BjÃ¶rk", 100.0));
    for (number, by) in [By::Prefixes, By::Lists].into_iter().enumerate() {
        let log = event(4, 0, 1_541_476_000_000, "NextSong", "BjÃ¶rk");
        cluster.store.put(&format!("data/log_data/{number}.json"), log.clone());
        cluster.store.put(&format!("data/log_data/damaged{number}.json"), log + "{\n");
        super::ended(&mut cluster.direct(by, &["--max-reject-share", "50%"])).good();
    }
    cluster.run(["doctor"]);
    let sent: std::collections::BTreeSet<String> = cluster.sent().into_iter().collect();
    assert!(sent.len() > 100, "{}", sent.len());
    for (number, statement) in sent.iter().enumerate() {
        put(cluster.folder.path(), &format!("sent/{number:03}.sql"), format!("{statement};\n"));
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/sqlfluff.sh");
    let parsed =
        Command::new(script).arg(cluster.folder.path().join("sent")).output().expect("bash starts");
    let not_parsed = String::from_utf8(parsed.stdout).unwrap();
    let shown = |name: &str| {
        std::fs::read_to_string(cluster.folder.path().join("sent").join(name)).unwrap_or_default()
    };
    let not_parsed: Vec<String> = not_parsed.lines().map(shown).collect();
    assert!(
        parsed.status.success() && not_parsed.is_empty(),
        "{}\n{}",
        not_parsed.join("\n"),
        String::from_utf8_lossy(&parsed.stderr)
    );
}

/// `doctor` tests the requirements of a load, and leaves nothing.
#[test]
fn doctor_examines_a_cluster() {
    let cluster = Cluster::with_data();
    let examined = |url: &str| {
        let arguments = ["doctor", "--output", "json", "--warehouse", url];
        let ended = cluster.run(arguments.into_iter().chain(ETL.into_iter().skip(1)));
        let report: serde_json::Value = serde_json::from_str(&ended.out).expect("JSON");
        assert!(!ended.out.contains(s3_emulator::SECRET), "a secret is printed");
        let lines = report["lines"].as_array().expect("lines").clone();
        move |what: &str| {
            let line = lines.iter().find(|line| line["what"] == what);
            line.map(|line| format!("{}: {}", line["state"], line["said"])).unwrap_or_default()
        }
    };
    let found = examined(&cluster.url());
    assert!(found("warehouse").starts_with("\"ok\": "), "{}", found("warehouse"));
    assert!(found("warehouse").contains("Redshift 1.0"), "{}", found("warehouse"));
    assert_eq!(found("rights"), "\"ok\": \"tables can be created, filled and dropped\"");
    assert!(!found("role").is_empty(), "a cluster needs a role");
    let found = examined("redshift:workgroup/nobody/dev");
    assert!(found("warehouse").starts_with("\"failed\": "), "{}", found("warehouse"));
    assert!(!found("warehouse").contains("folder"), "{}", found("warehouse"));
}

/// A load holds its lock until the commit. LOCK excludes queries of the same table, too.
#[test]
fn readers_do_not_wait_for_a_load() {
    let cluster = Cluster::with_data();
    cluster.run(ETL).good();
    cluster.configure();
    let mut load = open(&cluster.url(), Access::Write).unwrap();
    load.run(&sql::load::BEGIN).unwrap();
    load.run(&sql::load::LOCK).unwrap();
    load.execute("update etl_objects set rows_staged = rows_staged").unwrap();
    load.execute("insert into etl_loads select * from etl_loads").unwrap();
    for command in [
        &["history"][..],
        &["check"],
        &["rejects", "list"],
        &["query", "top_songs"],
        &["trace", "--session", "1", "--item", "0"],
        &["plan", "--song-data", "data/song_data", "--log-data", "data/log_data"],
        &["report"],
        &["diff", &cluster.url(), &cluster.url()],
    ] {
        cluster.run(command).good();
    }
    load.run(&sql::load::ROLLBACK).unwrap();
    let locked = cluster.sent().into_iter().filter(|text| text.starts_with("lock table "));
    assert!(
        locked.clone().count() >= 2 && locked.into_iter().all(|text| text == "lock table etl_lock")
    );
}

/// LOCK does not tell that it waits, so sparkify does.
#[test]
fn a_load_says_that_it_waits_for_another_one() {
    let cluster = Cluster::with_data();
    cluster.run(["create-tables"]).good();
    cluster.configure();
    let mut other = open(&cluster.url(), Access::Write).unwrap();
    other.run(&sql::load::LOCK_TABLE).unwrap();
    other.run(&sql::load::BEGIN).unwrap();
    other.run(&sql::load::LOCK).unwrap();
    let mut load = cluster.command(ETL);
    let mut load = load.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(load.stderr.take().unwrap()).lines();
    let waits = "waiting for another load of this warehouse to end";
    assert_eq!(stderr.next().unwrap().unwrap(), waits);
    other.run(&sql::load::ROLLBACK).unwrap();
    assert!(load.wait().unwrap().success());
    cluster.assert_whole(1, 2);
}

/// Literals of a million entries would be thousands of statements.
#[test]
fn entries_of_many_objects_are_copied() {
    let cluster = Cluster::with_data();
    for number in 0..10_000 {
        let id = format!("SO{number:05}");
        put(cluster.folder.path(), &format!("data/song_data/{id}.json"), song(&id, "Many", 1.0));
    }
    cluster.run(ETL).good();
    let sent = |start: &str| cluster.sent().iter().any(|text| text.starts_with(start));
    assert!(sent("copy \"etl_objects\"") && !sent("insert into \"etl_objects\""));
    cluster.assert_whole(1, 2);
    let summary = cluster.run(ETL.into_iter().chain(["--output", "json"])).json();
    assert_eq!(summary["objects_skipped"], 10_003);
}
