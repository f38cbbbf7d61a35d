//! What `doctor` asks a cluster, with the answers that the documentation gives: the emulator gives them all, one that does not is found out, and nothing stays.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use redshift_emulator::{Behavior, Fault, When};
use s3_emulator::Fault as StoreFault;
use serde_json::Value as Json;
use sparkify_load::doctor::{Finding, Status, probes};
use sparkify_warehouse::{
    Access, FoundColumn, RemoteCopy, ResultType, RowSink, RowSource, Value, Warehouse,
    WarehouseError,
};

use super::{Cluster, ETL};
use crate::support;

const LIST: &str = include_str!("../../../sql/dialect/redshift/probes.toml");
const ALL: &str = "78 of 78 results are as documented";

fn list() -> Vec<toml::Table> {
    let list: toml::Table = LIST.parse().unwrap();
    let probes = list["probe"].as_array().unwrap();
    probes.iter().map(|probe| probe.as_table().unwrap().clone()).collect()
}

/// The lines of `doctor` about a cluster.
fn examined(cluster: &Cluster, change: impl FnOnce(&mut std::process::Command)) -> Vec<Json> {
    let mut command =
        cluster.command(["doctor", "--output", "json"].into_iter().chain(ETL.into_iter().skip(1)));
    // What only the control plane of AWS can tell is not looked at here.
    command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    change(&mut command);
    let ended = super::ended(&mut command);
    let report: Json = serde_json::from_str(&ended.out).expect("JSON");
    report["lines"].as_array().expect("lines").clone()
}

fn found<'a>(lines: &'a [Json], what: &str) -> Vec<&'a Json> {
    lines.iter().filter(|line| line["what"] == what).collect()
}

/// The line of this name, as its state and what it says.
fn told(lines: &[Json], what: &str) -> (String, String) {
    let line = found(lines, what);
    let word = |name: &str| {
        line.first().and_then(|line| line[name].as_str()).unwrap_or_default().to_owned()
    };
    (word("state"), word("said"))
}

#[test]
fn a_cluster_answers_as_its_documentation_says_and_nothing_of_it_stays() {
    let cluster = Cluster::with_data();
    let lines = examined(&cluster, |_| {});
    assert_eq!(found(&lines, "probe"), Vec::<&Json>::new());
    assert_eq!(told(&lines, "probes"), ("ok".into(), ALL.into()));
    assert_eq!(cluster.staged(), Vec::<String>::new());
    let sent = cluster.sent();
    // Whatever is refused before it is sent would pass for a failure that was expected.
    for probe in list() {
        let ask = probe["ask"].as_str().unwrap();
        let head = ask.split('$').next().unwrap();
        assert!(sent.iter().any(|text| text.starts_with(head)), "not sent: {ask}");
    }
    let ends = |word: &str| sent.iter().filter(|text| *text == word).count();
    assert_eq!(ends("begin"), ends("rollback"));
    assert_eq!(ends("commit"), 0);
    let left = "select count(*) from pg_table_def where tablename like '%probe%'";
    assert_eq!(cluster.asked(left), "0");
    assert_eq!(cluster.asked("select count(*) from pg_proc where proname like 'f_%_ms'"), "0");
}

#[test]
fn the_data_api_is_asked_the_same() {
    let cluster = Cluster::with_data();
    let lines = examined(&cluster, |command| {
        command.env("SPARKIFY_WAREHOUSE", "redshift:workgroup/emulator/dev");
    });
    assert_eq!(found(&lines, "probe"), Vec::<&Json>::new());
    assert_eq!(told(&lines, "probes"), ("ok".into(), ALL.into()));
    assert_eq!(found(&lines, "tcp"), Vec::<&Json>::new(), "there is no way to walk");
    assert!(cluster.emulator.log().statements().iter().all(|statement| statement.data_api));
}

/// The probes in the documentation: `INSTA_UPDATE=always` writes them.
#[test]
fn the_evidence_names_each_probe() {
    let mut table = String::from("| probe | affects | page |\n|---|---|---|\n");
    for probe in list() {
        let word = |name: &str| probe.get(name).and_then(toml::Value::as_str).unwrap_or_default();
        let page = word("page").rsplit('/').next().unwrap().trim_end_matches(".html");
        let assumed = word("assumed");
        let assumed =
            if assumed.is_empty() { String::new() } else { format!("; assumed: {assumed}") };
        let row = format!(
            "| {}{assumed} | {} | [{page}]({}) |\n",
            word("name"),
            word("rests"),
            word("page")
        );
        table.push_str(&row);
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/redshift-evidence.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (begin, end) = ("<!-- probes: written by a test -->\n", "<!-- probes: end -->");
    let (before, rest) = text.split_once(begin).expect("the section's beginning");
    let (_, after) = rest.split_once(end).expect("the section's end");
    let wanted = format!("{before}{begin}\n{table}\n{end}{after}");
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(path, &wanted).unwrap();
    } else {
        assert!(text == wanted, "docs/redshift-evidence.md differs: INSTA_UPDATE=always writes it");
    }
}

/// What the list says of itself: every name once, every page the guide's, and an answer or a failure.
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
        assert!(names.insert(name.clone()), "{name} is there twice");
    }
    assert!(names.len() >= 60 && relied >= 40, "{} {relied}", names.len());
}

/// A cluster that lacks a manner is found out, by the probes that are about it and by no others.
#[test]
fn a_cluster_that_answers_otherwise_is_found_out() {
    for (manner, names, state) in [
        (Behavior::IntegerAverages, &["the average of whole numbers is whole"][..], "hint"),
        (
            Behavior::TrailingBlanks,
            &["trailing blanks do not count when varchars are compared"],
            "failed",
        ),
        (
            Behavior::ByteLengths,
            &[
                "a varchar is as long as its bytes",
                "blanks that are too many are cut",
                "a cast to a shorter text cuts without a word, by bytes",
                "text is varchar(256)",
            ],
            "failed",
        ),
        (
            Behavior::CaseSensitiveKeys,
            &["copy: 'auto' matches keys by their case, and columns are lower case"],
            "failed",
        ),
    ] {
        let cluster = Cluster::without(vec![manner]);
        let lines = examined(&cluster, |_| {});
        let differences = found(&lines, "probe");
        let said: Vec<&str> =
            differences.iter().map(|line| line["said"].as_str().unwrap()).collect();
        assert_eq!(said.len(), names.len(), "{manner:?}: {said:#?}");
        for (said, name) in said.iter().zip(names) {
            assert!(
                said.starts_with(&format!("{name}: expected ")) && said.contains(", got "),
                "{said}"
            );
        }
        let agree = 78 - names.len();
        let sum = format!("{agree} of 78 results are as documented");
        assert_eq!(told(&lines, "probes"), (state.into(), sum), "{manner:?}");
        let hint = differences[0]["hint"].as_str().unwrap();
        assert!(hint.starts_with("sent: create temp table probe_t"), "{hint}");
        assert!(hint.contains("https://docs.aws.amazon.com/redshift/latest/dg/"), "{hint}");
        assert_eq!(hint.contains("affects: "), differences[0]["state"] == "failed", "{hint}");
    }
}

/// Every string with a backslash means something else there, and whoever asks hears of it.
#[test]
fn a_cluster_where_backslashes_do_not_escape_is_found_out() {
    let cluster = Cluster::without(vec![Behavior::BackslashEscapes]);
    let lines = examined(&cluster, |_| {});
    let said = found(&lines, "probe")[0]["said"].as_str().unwrap();
    assert!(said.starts_with("a backslash escapes in every string: expected `3|it's|3`"), "{said}");
    assert_eq!(told(&lines, "probes").0, "failed");
}

#[test]
fn without_a_place_for_files_the_rest_is_asked() {
    let cluster = Cluster::with_data();
    let lines = examined(&cluster, |command| {
        command.env_remove("SPARKIFY_STAGING");
    });
    let sum = found(&lines, "probes")[0];
    assert_eq!(
        (&sum["state"], &sum["said"]),
        (&"hint".into(), &"63 of 63 results are as documented".into())
    );
    let hint = sum["hint"].as_str().unwrap();
    assert!(hint.starts_with("15 more need files") && hint.contains("[S3] STAGING"), "{hint}");
}

#[test]
fn probes_are_left_out_if_that_is_wanted() {
    let cluster = Cluster::with_data();
    let lines = examined(&cluster, |command| {
        command.arg("--no-probes");
    });
    assert_eq!(told(&lines, "rights").0, "ok");
    assert_eq!(found(&lines, "probes"), Vec::<&Json>::new());
    assert!(!cluster.sent().iter().any(|text| text.contains("probe_t")));
}

#[test]
fn a_place_that_cannot_be_written_to_fails_and_the_rest_is_asked() {
    let cluster = Cluster::with_data();
    cluster.store.fail("PUT", StoreFault::ResetAfter, 1);
    cluster.store.fail("PUT", StoreFault::Status(403, "AccessDenied"), 1);
    let lines = examined(&cluster, |_| {});
    let (state, said) = told(&lines, "staging");
    assert!(state == "failed" && said.contains("AccessDenied"), "{said}");
    assert!(told(&lines, "probes").1.starts_with("63 of 63"), "{:?}", told(&lines, "probes"));
    assert_eq!((cluster.store.faults_left(), cluster.staged()), (0, Vec::new()));
}

#[test]
fn a_connection_that_is_lost_meanwhile_is_said_and_files_go() {
    let cluster = Cluster::with_data();
    cluster.emulator.faults().arm(When::Copy(3), Fault::Disconnect);
    let lines = examined(&cluster, |_| {});
    let (state, said) = told(&lines, "probes");
    assert!(state == "failed" && said.contains("was lost"), "{said}");
    assert_eq!((cluster.emulator.faults().left(), cluster.staged()), (0, Vec::new()));
}

/// A failure for others' work is none of a probe's.
#[test]
fn what_others_do_meanwhile_is_no_difference() {
    let cluster = Cluster::with_data();
    cluster.emulator.faults().arm(When::Copy(1), Fault::Serializable);
    let lines = examined(&cluster, |_| {});
    assert_eq!(told(&lines, "probes"), ("ok".into(), ALL.into()));
    assert_eq!(cluster.emulator.faults().left(), 0);
}

/// What is left of a process that was killed in its midst is what a later load removes.
#[test]
fn files_of_a_killed_doctor_are_removed_by_a_load() {
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
    assert_eq!(cluster.staged().len(), files, "not all were put there");
    killed.kill().unwrap();
    killed.wait().unwrap();
    cluster.emulator.cut_connections();
    let mut command = cluster.command(ETL);
    command.env("SPARKIFY_STAGING_HOURS", "0");
    super::ended(&mut command).good();
    cluster.assert_whole(1, 2);
}

/// A warehouse that answers what it is asked, and never as it should.
struct Liar {
    honest: Box<dyn Warehouse>,
    /// About types alone.
    types: bool,
}

impl Warehouse for Liar {
    fn engine(&self) -> &'static str {
        self.honest.engine()
    }

    fn execute(&mut self, statement: &str) -> Result<u64, WarehouseError> {
        self.honest.execute(statement)
    }

    fn query_each(
        &mut self,
        statement: &str,
        parameters: &[Value],
        rows: &mut dyn RowSink,
    ) -> Result<(), WarehouseError> {
        let mut lies = Lies { rows, types: self.types, told: 0, is_answer: false };
        match self.honest.query_each(statement, parameters, &mut lies) {
            // What should fail does not.
            Err(WarehouseError::Statement { .. }) if !self.types => Ok(()),
            Ok(()) if lies.is_answer && lies.told == 0 && !self.types => {
                lies.rows.row(vec![Value::Text("a row that is not there".into())])
            }
            other => other,
        }
    }

    fn load(&mut self, table: &str, source: Arc<dyn RowSource>) -> Result<u64, WarehouseError> {
        self.honest.load(table, source)
    }

    fn found_columns(&mut self) -> Result<Vec<FoundColumn>, WarehouseError> {
        self.honest.found_columns()
    }

    fn install(&mut self, anew: bool) -> Result<(), WarehouseError> {
        self.honest.install(anew)
    }

    fn remote_copy(&mut self) -> Option<&mut dyn RemoteCopy> {
        self.honest.remote_copy()
    }
}

struct Lies<'a> {
    rows: &'a mut dyn RowSink,
    types: bool,
    told: usize,
    is_answer: bool,
}

impl RowSink for Lies<'_> {
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
        self.told += 1;
        if !self.types {
            let last = row.pop().map(|value| value.to_string()).unwrap_or_default();
            row.push(Value::Text(format!("{last}x")));
        }
        self.rows.row(row)
    }
}

/// None of the probes is one that cannot fail.
#[test]
fn each_probe_finds_a_wrong_answer() {
    let cluster = Cluster::start();
    cluster.configure();
    let told = |types: bool| -> Vec<Finding> {
        let honest = support::open(&cluster.url(), Access::Write).unwrap();
        probes::run(&mut Liar { honest, types })
    };
    let lines = told(false);
    let differs = |name: &str| {
        lines.iter().find(|line| line.message.starts_with(&format!("{name}: expected ")))
    };
    for probe in list() {
        let name = probe["name"].as_str().unwrap();
        let state = differs(name).unwrap_or_else(|| panic!("`{name}` took a wrong answer")).status;
        assert_eq!(state == Status::Failed, probe.contains_key("rests"), "{name}");
    }
    let typed = list().iter().filter(|probe| probe.contains_key("types")).count();
    assert_eq!(told(true).len(), typed + 1, "types");
    assert_eq!(cluster.staged(), Vec::<String>::new());
}
