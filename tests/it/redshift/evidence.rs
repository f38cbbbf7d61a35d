//! `doctor --evidence`: what the file has, and that nothing in it names the account, also after
//! faults.

use redshift_emulator::{Behavior, Fault, Report, When};
use s3_emulator::{BUCKET, KEY, SECRET};
use serde_json::Value as Json;

use super::{Cluster, ETL, ROLE};
use crate::support::Ended;

const FILE: &str = "evidence.json";

fn doctor(cluster: &Cluster, change: impl FnOnce(&mut std::process::Command)) -> Ended {
    let arguments = ["doctor", "--output", "json", "--evidence", FILE];
    let mut command = cluster.command(arguments.into_iter().chain(ETL.into_iter().skip(1)));
    // The control plane of AWS is not tested here.
    command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    change(&mut command);
    super::ended(&mut command)
}

/// Returns the content of the file, which names nothing of this run.
fn evidence(cluster: &Cluster) -> Json {
    let text = std::fs::read_to_string(cluster.folder.path().join(FILE)).expect("the file");
    let lower = text.to_lowercase();
    let url = cluster.emulator.url();
    let (credentials, address) =
        url.trim_start_matches("redshift://").rsplit_once('@').expect("a user");
    let (user, password) = credentials.split_once(':').expect("a password");
    let (host, database) = address.split_once('/').expect("a database");
    let folder = cluster.folder.path().display().to_string();
    for private in [
        user,
        password,
        host,
        host.split(':').next().unwrap(),
        &format!(":{}", host.split(':').nth(1).unwrap()),
        &cluster.store.endpoint(),
        cluster.emulator.data_api_endpoint().as_str(),
        BUCKET,
        KEY,
        SECRET,
        ROLE,
        "role/reader",
        "AbCdEf",
        &folder,
        "s3://",
        "arn:",
        "staging/",
        "data/a.json",
        "log_data",
        "song_data",
        "amazonaws",
        "127.0.0.1",
        "localhost",
        "rdsdbdata",
        "10.20.30.40",
        "someone@",
    ] {
        assert!(!lower.contains(&private.to_lowercase()), "`{private}` is in {text}");
    }
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    for name in [database, "emulator", "000000000000", "123456789012"] {
        assert!(!lower.split(|c| !is_word(c)).any(|word| word == name), "`{name}` is in {text}");
    }
    serde_json::from_str(&text).expect("JSON")
}

fn assert_nothing_remains(cluster: &Cluster) {
    assert_eq!(cluster.staged(), Vec::<String>::new());
    let left = "select count(*) from pg_table_def where tablename like '%probe%' or tablename like 'scope%' or tablename like 'touched%'";
    assert_eq!(cluster.asked(left), "0");
}

/// Returns what became of a value in a column of this type.
fn copied(evidence: &Json, value: &str, column_type: &str) -> String {
    let values = evidence["copy"]["values"].as_array().unwrap();
    let found = values.iter().find(|of| of["value"] == value && of["type"] == column_type);
    let found = found.unwrap_or_else(|| panic!("{value} {column_type}"));
    match found["loaded"].as_str() {
        Some(loaded) => loaded.to_owned(),
        None => format!("refused: {}", found["load_errors"]),
    }
}

#[test]
fn the_file_has_every_answer_and_no_private_word() {
    let cluster = Cluster::with_data();
    cluster.run(ETL).good();
    cluster.emulator.log().clear();
    doctor(&cluster, |_| {});
    let commits = cluster.sent().into_iter().filter(|sent| sent == "commit").count();
    assert_eq!(commits, 0);
    let evidence = evidence(&cluster);
    assert_eq!(evidence["format"], 1);
    assert_eq!(evidence["sparkify"], env!("CARGO_PKG_VERSION"));
    assert!(evidence["server"].as_str().unwrap().contains("Redshift 1.0"), "{evidence}");
    assert_eq!(
        (&evidence["channel"], &evidence["deployment"]),
        (&"wire protocol".into(), &Json::Null)
    );
    assert_eq!(evidence["settings"]["extra_float_digits"], "2");
    assert_eq!(evidence["errors"], serde_json::json!([]));
    let probes = evidence["probes"].as_array().unwrap();
    assert_eq!(probes.len(), super::probes::PROBES);
    assert!(probes.iter().all(|probe| probe["as_documented"] == true));
    let first = &probes[0];
    assert_eq!(first["leader"], first["compute"]);
    assert_eq!(first["leader"], "`2|1541106106|-3` (integer bigint integer)");
    let plans = evidence["plans"].as_array().unwrap();
    assert!(plans.len() > 50 && plans[0]["plan"][0].as_str().unwrap().contains("(cost="));
    assert_eq!(copied(&evidence, "5", "integer"), "5");
    assert_eq!(copied(&evidence, "5.0", "bigint"), "5");
    assert!(copied(&evidence, "2.5", "integer").starts_with("refused: [\"1207|"), "{evidence}");
    assert_eq!(copied(&evidence, "2.5", "varchar(20)"), "2.5");
    let history = &evidence["copy"]["history"];
    for name in ["copy_id_is_query_id", "session_is_process", "rows_agree"] {
        assert_eq!(history[name], true, "{name}");
    }
    assert_eq!(history["statuses"], serde_json::json!(["completed"]));
    assert_nothing_remains(&cluster);
    cluster.assert_whole(1, 2);
}

/// What no page decides is recorded as the cluster does it.
#[test]
fn the_file_records_undocumented_behavior() {
    let cluster = Cluster::without(vec![
        Behavior::RefusesFractions,
        Behavior::SharedQueryIds,
        Behavior::SessionsAreProcesses,
    ]);
    doctor(&cluster, |_| {});
    let evidence = evidence(&cluster);
    assert_eq!(copied(&evidence, "2.5", "integer"), "2");
    let history = &evidence["copy"]["history"];
    assert_eq!(history["copy_id_is_query_id"], false);
    assert_eq!(history["session_is_process"], false);
    // Nothing was loaded, so there are no plans.
    assert_eq!(evidence["plans"], serde_json::json!([]));
    assert_nothing_remains(&cluster);
}

/// A message of the server may name anything.
#[test]
fn messages_of_faults_name_nothing_private() {
    let message = format!(
        "cannot read s3://{BUCKET}/staging/x/data/a.json as {ROLE} for awsuser (someone@example.com) of dev at 10.20.30.40:5439 with {KEY} {SECRET}, account 123456789012, /rdsdbdata/x"
    );
    let probes_with_copy = 16;
    for (when, fault, is_lost) in [
        (When::Copy(3), Fault::Error(Report::error("XX000", message.clone())), false),
        (
            When::Copy(probes_with_copy + 7),
            Fault::Error(Report::error("XX000", message.clone())),
            false,
        ),
        (
            When::Containing("show ".into(), 2),
            Fault::Error(Report::error("42704", message.clone())),
            false,
        ),
        (
            When::Containing("from sys_load_history where strpos".into(), 1),
            Fault::Error(Report::error("XX000", message.clone())),
            false,
        ),
        (When::Copy(4), Fault::Disconnect, true),
        (When::Copy(probes_with_copy + 5), Fault::Disconnect, true),
        (
            When::Containing("explain insert into songplays".into(), 1),
            Fault::Error(Report::error("XX000", message.clone())),
            true,
        ),
    ] {
        let cluster = Cluster::with_data();
        cluster.run(ETL).good();
        cluster.emulator.faults().arm(when.clone(), fault);
        doctor(&cluster, |_| {});
        assert_eq!(cluster.emulator.faults().left(), 0, "{when:?}");
        let evidence = evidence(&cluster);
        let has_errors = !evidence["errors"].as_array().unwrap().is_empty();
        assert_eq!(has_errors, is_lost, "{when:?}: {}", evidence["errors"]);
        assert!(evidence.to_string().contains("<removed>"), "{when:?}");
        assert_nothing_remains(&cluster);
        cluster.assert_whole(1, 2);
    }
}

#[test]
fn the_file_is_written_over_the_data_api() {
    let cluster = Cluster::with_data();
    doctor(&cluster, |command| {
        command.env("SPARKIFY_WAREHOUSE", "redshift:workgroup/emulator/dev");
    });
    let evidence = evidence(&cluster);
    assert_eq!(
        (&evidence["channel"], &evidence["deployment"]),
        (&"Data API".into(), &"serverless".into())
    );
    assert_eq!(evidence["errors"], serde_json::json!([]));
    assert_eq!(evidence["copy"]["history"]["rows_agree"], true);
    assert_nothing_remains(&cluster);
}

#[test]
fn without_a_staging_prefix_the_file_has_no_copies() {
    let cluster = Cluster::with_data();
    doctor(&cluster, |command| {
        command.env_remove("SPARKIFY_STAGING");
    });
    let evidence = evidence(&cluster);
    assert_eq!(evidence["copy"], serde_json::json!({ "values": [], "history": null }));
    assert_eq!(evidence["probes"].as_array().unwrap().len(), super::probes::WITHOUT_FILES);
}

#[test]
fn without_a_connection_no_file_is_written() {
    let cluster = Cluster::with_data();
    let ended = doctor(&cluster, |command| {
        command.env("SPARKIFY_WAREHOUSE", "redshift://nobody@127.0.0.1:9/dev");
    });
    assert_eq!(ended.code, Some(1));
    let report: Json = serde_json::from_str(&ended.out).unwrap();
    let lines = report["lines"].as_array().unwrap();
    let line = lines.iter().find(|line| line["what"] == "evidence").expect("a line");
    assert_eq!(line["said"], "not written: the warehouse cannot be examined");
    assert!(!cluster.folder.path().join(FILE).exists());
}
