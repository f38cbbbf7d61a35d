//! Compatibility probes of `doctor`: the emulator passes all, each detects a difference, and none
//! leaves an object.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use redshift_emulator::{Behavior, Fault, When};
use s3_emulator::Fault as StoreFault;
use serde_json::Value as Json;
use sparkify_load::doctor::probes::{self, Node};
use sparkify_load::doctor::{Finding, Status};
use sparkify_warehouse::{
    Access, FoundColumn, RemoteCopy, ResultType, RowSink, RowSource, Value, Warehouse,
    WarehouseError,
};

use super::{Cluster, ETL};
use crate::support;

const LIST: &str = include_str!("../../../sql/dialect/redshift/probes.toml");
pub(super) const PROBES: usize = 80;
/// Number of probes that need no file.
pub(super) const WITHOUT_FILES: usize = 64;
/// Number of probes that run on leader and compute nodes.
const ON_BOTH: usize = 33;

/// Returns the message of the summary.
fn summary(equal: usize, tried: usize) -> String {
    format!(
        "{equal} of {tried} results are as documented; {ON_BOTH} probes ran on leader and compute nodes"
    )
}

fn list() -> Vec<toml::Table> {
    let list: toml::Table = LIST.parse().unwrap();
    let probes = list["probe"].as_array().unwrap();
    probes.iter().map(|probe| probe.as_table().unwrap().clone()).collect()
}

/// Returns the lines of `doctor` about a cluster.
fn examined(cluster: &Cluster, change: impl FnOnce(&mut std::process::Command)) -> Vec<Json> {
    let mut command =
        cluster.command(["doctor", "--output", "json"].into_iter().chain(ETL.into_iter().skip(1)));
    // The control plane of AWS is not tested here.
    command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    change(&mut command);
    let ended = super::ended(&mut command);
    let report: Json = serde_json::from_str(&ended.out).expect("JSON");
    report["lines"].as_array().expect("lines").clone()
}

fn found<'a>(lines: &'a [Json], what: &str) -> Vec<&'a Json> {
    lines.iter().filter(|line| line["what"] == what).collect()
}

/// Returns the state and the message of the line with this name.
fn line(lines: &[Json], what: &str) -> (String, String) {
    let line = found(lines, what);
    let value = |name: &str| {
        line.first().and_then(|line| line[name].as_str()).unwrap_or_default().to_owned()
    };
    (value("state"), value("said"))
}

#[test]
fn all_results_are_as_documented_and_nothing_remains() {
    let cluster = Cluster::with_data();
    let lines = examined(&cluster, |_| {});
    assert_eq!(found(&lines, "probe"), Vec::<&Json>::new());
    assert_eq!(line(&lines, "probes"), ("ok".into(), summary(PROBES, PROBES)));
    assert_eq!(cluster.staged(), Vec::<String>::new());
    let sent = cluster.sent();
    // A statement that is not sent would count as an expected failure.
    for probe in list() {
        let statement = probe["ask"].as_str().unwrap();
        let head = statement.split(['$', ':']).next().unwrap();
        let copies = sent.iter().filter(|text| text.starts_with(head)).count();
        let forms = if probe.contains_key("over") { 2 } else { 1 };
        assert!(copies >= forms, "sent {copies} times: {statement}");
    }
    let count = |text: &str| sent.iter().filter(|sent| *sent == text).count();
    assert_eq!(count("begin"), count("rollback"));
    assert_eq!(count("commit"), 0);
    let left = "select count(*) from pg_table_def where tablename like '%probe%'";
    assert_eq!(cluster.asked(left), "0");
    assert_eq!(cluster.asked("select count(*) from pg_proc where proname like 'f_%_ms'"), "0");
}

#[test]
fn the_data_api_runs_the_same_probes() {
    let cluster = Cluster::with_data();
    let lines = examined(&cluster, |command| {
        command.env("SPARKIFY_WAREHOUSE", "redshift:workgroup/emulator/dev");
    });
    assert_eq!(found(&lines, "probe"), Vec::<&Json>::new());
    assert_eq!(line(&lines, "probes"), ("ok".into(), summary(PROBES, PROBES)));
    assert_eq!(found(&lines, "tcp"), Vec::<&Json>::new(), "no connection steps");
    assert!(cluster.emulator.log().statements().iter().all(|statement| statement.data_api));
}

/// The table of probes in the documentation is up to date. `INSTA_UPDATE=always` writes it.
#[test]
fn the_evidence_names_each_probe() {
    let mut table = String::from("| probe | nodes | affects | page |\n|---|---|---|---|\n");
    for probe in list() {
        let value = |name: &str| probe.get(name).and_then(toml::Value::as_str).unwrap_or_default();
        let page = value("page").rsplit('/').next().unwrap().trim_end_matches(".html");
        let assumed = value("assumed");
        let assumed =
            if assumed.is_empty() { String::new() } else { format!("; assumed: {assumed}") };
        let nodes = match (probe.contains_key("over"), value("leader")) {
            (true, _) => "leader, compute".to_owned(),
            (false, "") => "compute".to_owned(),
            (false, reason) => format!("leader: {reason}"),
        };
        let row = format!(
            "| {}{assumed} | {nodes} | {} | [{page}]({}) |\n",
            value("name"),
            value("rests"),
            value("page")
        );
        table.push_str(&row);
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/redshift-evidence.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (begin, end) = ("<!-- probes: written by a test -->\n", "<!-- probes: end -->");
    let (before, rest) = text.split_once(begin).expect("the section's beginning");
    let (_, after) = rest.split_once(end).expect("the section's end");
    let wanted = format!("{before}{begin}\n{table}\n{end}{after}");
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(path, &wanted).unwrap();
    } else {
        assert!(
            text == wanted,
            "docs/reference/redshift-evidence.md differs: INSTA_UPDATE=always writes it"
        );
    }
}

/// Names are unique, pages belong to the guide, and each probe has a result or a failure.
#[test]
fn each_probe_names_its_page() {
    let (mut names, mut relied) = (BTreeSet::new(), 0);
    for probe in list() {
        let name = probe["name"].as_str().unwrap().to_owned();
        let page = probe["page"].as_str().unwrap();
        assert!(
            page.starts_with("https://docs.aws.amazon.com/redshift/latest/dg/")
                && page.strip_suffix(".html").is_some(),
            "{name}: {page}"
        );
        assert!(probe.contains_key("answer") || probe.contains_key("fails"), "{name}");
        relied += usize::from(probe.contains_key("rests"));
        assert!(names.insert(name.clone()), "{name} is not unique");
    }
    assert!(names.len() >= 60 && relied >= 40, "{} {relied}", names.len());
}

/// Only the probes of a missing behavior fail.
#[test]
fn a_cluster_with_other_behavior_is_detected() {
    for (behavior, names, state) in [
        (Behavior::IntegerAverages, &["the average of integers is an integer"][..], "hint"),
        (Behavior::TrailingBlanks, &["comparisons of varchars ignore trailing blanks"], "failed"),
        (
            Behavior::ByteLengths,
            &[
                "the length of a varchar is in bytes",
                "excess trailing blanks are truncated",
                "a cast to a shorter text truncates by bytes without an error",
                "text is varchar(256)",
            ],
            "failed",
        ),
        (
            Behavior::CaseSensitiveKeys,
            &["copy: 'auto' is case-sensitive, and column names are lower case"],
            "failed",
        ),
    ] {
        let cluster = Cluster::without(vec![behavior]);
        let lines = examined(&cluster, |_| {});
        let differences = found(&lines, "probe");
        let messages: Vec<&str> =
            differences.iter().map(|line| line["said"].as_str().unwrap()).collect();
        assert_eq!(messages.len(), names.len(), "{behavior:?}: {messages:#?}");
        for (message, name) in messages.iter().zip(names) {
            assert!(
                message.starts_with(&format!("{name}: expected ")) && message.contains(", got "),
                "{message}"
            );
        }
        let sum = summary(PROBES - names.len(), PROBES);
        assert_eq!(line(&lines, "probes"), (state.into(), sum), "{behavior:?}");
        let hint = differences[0]["hint"].as_str().unwrap();
        assert!(hint.starts_with("sent: create temp table probe_t"), "{hint}");
        assert!(hint.contains("https://docs.aws.amazon.com/redshift/latest/dg/"), "{hint}");
        assert_eq!(hint.contains("affects: "), differences[0]["state"] == "failed", "{hint}");
    }
}

/// Without escapes, strings with backslashes differ.
#[test]
fn a_cluster_without_backslash_escapes_is_detected() {
    let cluster = Cluster::without(vec![Behavior::BackslashEscapes]);
    let lines = examined(&cluster, |_| {});
    let message = found(&lines, "probe")[0]["said"].as_str().unwrap();
    assert!(
        message.starts_with("a backslash escapes in every string: expected `3|it's|3`"),
        "{message}"
    );
    assert_eq!(line(&lines, "probes").0, "failed");
}

#[test]
fn without_a_staging_prefix_the_other_probes_run() {
    let cluster = Cluster::with_data();
    let lines = examined(&cluster, |command| {
        command.env_remove("SPARKIFY_STAGING");
    });
    let sum = found(&lines, "probes")[0];
    assert_eq!(
        (&sum["state"], &sum["said"]),
        (&"hint".into(), &summary(WITHOUT_FILES, WITHOUT_FILES).into())
    );
    let hint = sum["hint"].as_str().unwrap();
    assert!(hint.starts_with("16 more need files") && hint.contains("[S3] STAGING"), "{hint}");
}

#[test]
fn probes_can_be_skipped() {
    let cluster = Cluster::with_data();
    let lines = examined(&cluster, |command| {
        command.arg("--no-probes");
    });
    assert_eq!(line(&lines, "rights").0, "ok");
    assert_eq!(found(&lines, "probes"), Vec::<&Json>::new());
    assert!(!cluster.sent().iter().any(|text| text.contains("probe_t")));
}

#[test]
fn a_read_only_staging_prefix_fails_and_the_other_probes_run() {
    let cluster = Cluster::with_data();
    cluster.store.fail("PUT", StoreFault::ResetAfter, 1);
    cluster.store.fail("PUT", StoreFault::Status(403, "AccessDenied"), 1);
    let lines = examined(&cluster, |_| {});
    let (state, message) = line(&lines, "staging");
    assert!(state == "failed" && message.contains("AccessDenied"), "{message}");
    assert_eq!(line(&lines, "probes").1, summary(WITHOUT_FILES, WITHOUT_FILES));
    assert_eq!((cluster.store.faults_left(), cluster.staged()), (0, Vec::new()));
}

#[test]
fn a_lost_connection_is_reported_and_files_are_deleted() {
    let cluster = Cluster::with_data();
    cluster.emulator.faults().arm(When::Copy(3), Fault::Disconnect);
    let lines = examined(&cluster, |_| {});
    let (state, message) = line(&lines, "probes");
    assert!(state == "failed" && message.contains("was lost"), "{message}");
    assert_eq!((cluster.emulator.faults().left(), cluster.staged()), (0, Vec::new()));
}

/// A conflict with another transaction is retried.
#[test]
fn a_serialization_conflict_is_not_a_difference() {
    let cluster = Cluster::with_data();
    cluster.emulator.faults().arm(When::Copy(1), Fault::Serializable);
    let lines = examined(&cluster, |_| {});
    assert_eq!(line(&lines, "probes"), ("ok".into(), summary(PROBES, PROBES)));
    assert_eq!(cluster.emulator.faults().left(), 0);
}

/// A later load deletes the files of a killed process.
#[test]
fn files_of_a_killed_doctor_are_deleted_by_a_load() {
    let cluster = Cluster::with_data();
    cluster.emulator.faults().arm(When::Copy(1), Fault::Slow(Duration::from_secs(15)));
    let mut command = cluster.command(["doctor"]);
    command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9").stdout(std::process::Stdio::null());
    let mut killed = command.spawn().unwrap();
    let files: usize = list()
        .iter()
        .filter_map(|probe| probe.get("files")?.as_table())
        .map(toml::map::Map::len)
        .sum();
    for _ in 0..1200 {
        if cluster.staged().len() == files {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(cluster.staged().len(), files, "not all files were written");
    killed.kill().unwrap();
    killed.wait().unwrap();
    cluster.emulator.cut_connections();
    let mut command = cluster.command(ETL);
    command.env("SPARKIFY_STAGING_HOURS", "0");
    super::ended(&mut command).good();
    cluster.assert_whole(1, 2);
}

/// Warehouse that returns wrong results.
struct WrongWarehouse {
    inner: Box<dyn Warehouse>,
    /// Changes only the types.
    types: bool,
    /// Changes only the results of this kind of node, of probes that run on both.
    node: Option<Node>,
}

impl WrongWarehouse {
    fn is_wrong(&self, statement: &str) -> bool {
        let scans = statement.contains(" from probe_x");
        let calculates = !statement.contains(" from probe_") && !statement.contains("insert into");
        match self.node {
            None => true,
            Some(Node::Compute) => scans,
            Some(Node::Leader) => calculates,
        }
    }
}

impl Warehouse for WrongWarehouse {
    fn engine(&self) -> &'static str {
        self.inner.engine()
    }

    fn execute(&mut self, statement: &str) -> Result<u64, WarehouseError> {
        self.inner.execute(statement)
    }

    fn query_each(
        &mut self,
        statement: &str,
        parameters: &[Value],
        rows: &mut dyn RowSink,
    ) -> Result<(), WarehouseError> {
        if !self.is_wrong(statement) {
            return self.inner.query_each(statement, parameters, rows);
        }
        let mut wrong = WrongRows { rows, types: self.types, rows_seen: 0, is_answer: false };
        match self.inner.query_each(statement, parameters, &mut wrong) {
            // A statement that should fail succeeds.
            Err(WarehouseError::Statement { .. }) if !self.types => {
                // The error ended the transaction.
                self.inner.execute("rollback")?;
                self.inner.execute("begin").map(drop)
            }
            Ok(()) if wrong.is_answer && wrong.rows_seen == 0 && !self.types => {
                wrong.rows.row(vec![Value::Text("a row that does not exist".into())])
            }
            other => other,
        }
    }

    fn load(&mut self, table: &str, source: Arc<dyn RowSource>) -> Result<u64, WarehouseError> {
        self.inner.load(table, source)
    }

    fn found_columns(&mut self) -> Result<Vec<FoundColumn>, WarehouseError> {
        self.inner.found_columns()
    }

    fn install(&mut self, rebuild: bool) -> Result<(), WarehouseError> {
        self.inner.install(rebuild)
    }

    fn remote_copy(&mut self) -> Option<&mut dyn RemoteCopy> {
        self.inner.remote_copy()
    }
}

struct WrongRows<'a> {
    rows: &'a mut dyn RowSink,
    types: bool,
    rows_seen: usize,
    is_answer: bool,
}

impl RowSink for WrongRows<'_> {
    fn types(&mut self, types: &[ResultType]) -> Result<(), WarehouseError> {
        self.is_answer = true;
        if self.types {
            return self.rows.types(&vec![ResultType::Bytes; types.len()]);
        }
        self.rows.types(types)
    }

    fn start(&mut self, columns: Vec<String>) -> Result<(), WarehouseError> {
        self.rows.start(columns)
    }

    fn row(&mut self, mut row: Vec<Value>) -> Result<(), WarehouseError> {
        self.rows_seen += 1;
        if !self.types {
            let last = row.pop().map(|value| value.to_string()).unwrap_or_default();
            row.push(Value::Text(format!("{last}x")));
        }
        self.rows.row(row)
    }
}

fn findings_of_wrong(cluster: &Cluster, types: bool, node: Option<Node>) -> Vec<Finding> {
    let inner = support::open(&cluster.url(), Access::Write).unwrap();
    probes::run(&mut WrongWarehouse { inner, types, node }).findings()
}

/// A load runs on compute nodes, a query without a table on the leader node: a probe that runs on
/// both finds a wrong answer of either, and names the nodes.
#[test]
fn a_difference_between_leader_and_compute_nodes_is_named() {
    let cluster = Cluster::start();
    cluster.configure();
    let both: Vec<toml::Table> =
        list().into_iter().filter(|probe| probe.contains_key("over")).collect();
    assert_eq!(both.len(), ON_BOTH);
    for (types, node) in
        [(false, Node::Compute), (true, Node::Compute), (false, Node::Leader), (true, Node::Leader)]
    {
        let lines = findings_of_wrong(&cluster, types, Some(node));
        for probe in &both {
            let name = probe["name"].as_str().unwrap();
            if types && probe.contains_key("fails") {
                continue;
            }
            let head = format!("{name}: expected ");
            let line = lines.iter().find(|line| line.message.starts_with(&head));
            let line = line.unwrap_or_else(|| panic!("{node:?}: `{name}` accepts a difference"));
            let message = &line.message;
            assert!(
                message.contains(" on the leader node, ")
                    && message.ends_with(" on compute nodes: they differ"),
                "{message}"
            );
            let documented = !types || probe.contains_key("types");
            let fails = node == Node::Compute && probe.contains_key("rests") && documented;
            assert_eq!(line.status == Status::Failed, fails, "{node:?} {types} {name}");
            let hint = line.hint.as_deref().unwrap();
            assert!(
                hint.contains("; insert into probe_x") && hint.contains(" from probe_x"),
                "{hint}"
            );
        }
        if node == Node::Compute {
            assert_eq!(lines.len(), 1 + both.len() - usize::from(types), "only these differ");
        }
    }
}

/// A probe runs on compute nodes, or says why it runs on the leader node only.
#[test]
fn each_probe_says_where_it_runs() {
    for probe in list() {
        let name = probe["name"].as_str().unwrap();
        let first = probe.get("first").and_then(toml::Value::as_array);
        let first = first.into_iter().flatten().map(|sql| sql.as_str().unwrap());
        let asked = [probe["ask"].as_str().unwrap()];
        let uses_table = first.chain(asked).any(|sql| {
            ["from probe_", "into probe_", "copy probe_", "from sparkify_probe"]
                .iter()
                .any(|words| sql.contains(words))
        });
        let scans =
            uses_table && (asked[0].contains(" probe_") || asked[0].contains(" sparkify_probe"));
        let ways = [scans, probe.contains_key("over"), probe.contains_key("leader")];
        assert_eq!(ways.iter().filter(|way| **way).count(), 1, "{name}: {ways:?}");
    }
}

/// Each probe can fail.
#[test]
fn each_probe_finds_a_wrong_answer() {
    let cluster = Cluster::start();
    cluster.configure();
    let lines = findings_of_wrong(&cluster, false, None);
    let differs = |name: &str| {
        lines.iter().find(|line| line.message.starts_with(&format!("{name}: expected ")))
    };
    for probe in list() {
        let name = probe["name"].as_str().unwrap();
        let state =
            differs(name).unwrap_or_else(|| panic!("`{name}` accepted a wrong result")).status;
        assert_eq!(state == Status::Failed, probe.contains_key("rests"), "{name}");
    }
    let typed = list().iter().filter(|probe| probe.contains_key("types")).count();
    assert_eq!(findings_of_wrong(&cluster, true, None).len(), typed + 1, "types");
    assert_eq!(cluster.staged(), Vec::<String>::new());
}
