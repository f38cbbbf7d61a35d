//! Reference of the JSON output: the fields that each command prints, with their types.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use aws_emulator::Behavior;
use redshift_emulator::FixedPlan;
use serde_json::Value;

use super::assert_current;
use super::run::Place;
use crate::data::repository as data_repository;
use crate::old_warehouse::{Sources, restore, write_sources};
use crate::redshift::{self, Cluster};
use crate::support::{Ended, event, put, query_value, run, walk};

const PAGE: &str = "docs/reference/json.md";
const CLUSTER: &str = "[CLUSTER]\nDB_NAME=dwh\nDB_USER=dwhuser\nDB_PORT=5439\n[S3]\nLOG_DATA=s3://udacity-dend/log_data\n\
SONG_DATA=s3://udacity-dend/song_data\n[DWH]\nDWH_CLUSTER_IDENTIFIER=dwhCluster\nDWH_REGION=us-west-2\n";

/// Objects of the summary of a load whose keys are data.
const MAPS: &[&str] =
    &["extra_keys", "extra_keys.KEY", "rejects", "repairs", "repairs.KEY", "settings"];

/// Adds the type of each field of a value, by its path: `tables[].rows`.
fn collect(path: &str, value: &Value, fields: &mut BTreeMap<String, Vec<&'static str>>) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is_leaf = match value {
        Value::Array(items) => {
            for item in items {
                collect(&format!("{path}[]"), item, fields);
            }
            items.is_empty()
        }
        Value::Object(members) => {
            let is_map = MAPS.contains(&path);
            for (name, member) in members {
                let dot = if path.is_empty() { "" } else { "." };
                let name = if is_map { "KEY" } else { name };
                collect(&format!("{path}{dot}{name}"), member, fields);
            }
            members.is_empty()
        }
        _ => true,
    };
    if is_leaf {
        let kinds = fields.entry(path.to_owned()).or_default();
        if !kinds.contains(&kind) {
            kinds.push(kind);
            kinds.sort_unstable();
        }
    }
}

fn add(page: &mut String, command: &str, value: &Value) {
    let mut fields = BTreeMap::new();
    collect("", value, &mut fields);
    // An empty array in one row, items in another.
    let with_items: Vec<String> = fields.keys().cloned().collect();
    fields.retain(|path, kinds| {
        kinds.as_slice() != ["array"]
            || !with_items.iter().any(|it| it.starts_with(&format!("{path}[]")))
    });
    writeln!(page, "\n## sparkify {command}\n\n| field | type |\n|---|---|").unwrap();
    for (path, kinds) in fields {
        writeln!(page, "| `{path}` | {} |", kinds.join(", ")).unwrap();
    }
}

/// Profile with a difference that is explained in part, and an expectation that is skipped.
const PROFILE: &str = r#"
title = "numbers of another source"

[conditions.never]
says = "it is never so"
query = "select false"

[[expect]]
name = "users"
query = "select count(*) from users"
value = 1000000

[[expect.cause]]
says = "users have no plays"
rows = "select user_id from users order by user_id"

[[expect]]
name = "skipped"
query = "select 1"
value = 1
when = "never"
"#;

/// Copies the fixture, and adds a rejected record, an unknown key and a name that is skipped.
fn input(here: &Path) {
    let fixture = data_repository().join("tests/data/fixture");
    for file in ["song_data", "log_data"].iter().flat_map(|part| walk(&fixture.join(part))) {
        let name = file.strip_prefix(&fixture).unwrap().to_str().unwrap();
        put(here, name, std::fs::read(&file).unwrap());
    }
    let known = event(900, 0, 1_541_000_000_000, "Home", "").replacen('{', "{\"tag\":1,", 1);
    put(here, "log_data/more.json", format!("{known}{{\"page\":\"Home\"}}\n"));
    put(here, "log_data/_SUCCESS", "");
    put(here, "dwh.cfg", "[S3]\nSONG_DATA=song_data\nLOG_DATA=log_data\n");
    put(here, "script.sql", "create index i on songs (title);\n");
    put(here, "expected.toml", PROFILE);
}

fn local(page: &mut String) {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    input(here);
    let mut shown = |command: &str, arguments: &[&str]| {
        let ended = run(here, arguments.iter().chain(&["--output", "json"]));
        let value = serde_json::from_str(&ended.out)
            .unwrap_or_else(|error| panic!("{arguments:?}: {error}: {}", ended.err));
        add(page, command, &value);
    };
    let size = ["--songs", "3", "--events", "10", "--days", "1"];
    shown("generate", &[&["generate", "sample"], &size[..]].concat());
    shown("create-tables", &["create-tables", "--warehouse", "duckdb:other.duckdb"]);
    write_sources(&here.join("old"), Sources::Before);
    restore(&format!("duckdb:{}/old.duckdb", here.display()), &here.join("old"));
    shown("upgrade", &["upgrade", "--plan", "--warehouse", "duckdb:old.duckdb"]);
    shown("plan", &["plan", "--max-reject-share", "5%"]);
    shown("etl", &["etl", "--max-reject-share", "5%"]);
    shown("check", &["check"]);
    shown("verify", &["verify", "--profile", "expected.toml"]);
    shown("history", &["history"]);
    shown("query NAME", &["query", "top_songs", "--limit", "1"]);
    shown("query --list", &["query", "--list"]);
    shown("export DIR", &["export", "out"]);
    shown("describe", &["describe"]);
    shown("describe TABLE", &["describe", "songplays"]);
    let value = |sql: &str| query_value(here, sql);
    let play = value("select min(songplay_id) from songplays where song_id is not null");
    shown("trace ID", &["trace", &play]);
    shown("diff URL URL", &["diff", "duckdb:sparkify.duckdb", "duckdb:other.duckdb"]);
    shown("transfer FROM TO", &["transfer", "duckdb:sparkify.duckdb", "duckdb:copy.duckdb"]);
    shown("erase --user ID --plan", &["erase", "--user", "26", "--plan"]);
    put(
        here,
        "dwh.cfg",
        "[S3]\nSONG_DATA=song_data\nLOG_DATA=log_data\n[WAREHOUSE]\nERASURE_KEY=0123456789abcdef0123456789abcdef\n",
    );
    shown("erase --user ID", &["erase", "--user", "1000000", "--yes"]);
    let reject = value("select object_id || ':' || byte_offset from etl_rejects");
    shown("rejects list", &["rejects", "list"]);
    shown("rejects show ID", &["rejects", "show", &reject]);
    shown("rejects export FILE", &["rejects", "export", "rejects.ndjson"]);
    shown("docs", &["docs"]);
    shown("doctor", &["doctor"]);
    shown("sql NAME", &["sql", "users"]);
    shown("sql --check FILE", &["sql", "--check", "script.sql"]);
}

/// Plans and the evidence file, which need a server.
fn diagnostics(page: &mut String) {
    let plan = "XN Nested Loop DS_DIST_NONE  (cost=0.00..7.00 rows=90 width=4)";
    let plan = FixedPlan { of: "insert into songplays".into(), plan: plan.into() };
    let cluster = Cluster::launch(|options| options.plans = vec![plan]);
    redshift::small(cluster.folder.path());
    Ended::from(cluster.command(redshift::ETL).output().unwrap()).good();
    let doctor = |arguments: &[&str]| {
        let mut command = cluster.command([&["doctor", "--output", "json"], arguments].concat());
        command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
        command.env("SPARKIFY_WAREHOUSE", "redshift:workgroup/emulator/dev");
        Ended::from(command.output().unwrap()).out
    };
    let plans = doctor(&["--no-probes", "--plans"]);
    add(page, "doctor --plans", &serde_json::from_str(&plans).unwrap());
    doctor(&["--evidence", "evidence.json"]);
    let evidence = std::fs::read(cluster.folder.path().join("evidence.json")).unwrap();
    add(page, "doctor --evidence FILE: the file", &serde_json::from_slice(&evidence).unwrap());
}

fn clusters(page: &mut String) {
    let aws = aws_emulator::Server::start(Behavior::default()).unwrap();
    let mut place = Place::new();
    put(&place.work(), "dwh.cfg", CLUSTER);
    for (name, value) in [
        ("AWS_ENDPOINT_URL", aws.url()),
        ("AWS_ACCESS_KEY_ID", aws_emulator::KEY),
        ("AWS_SECRET_ACCESS_KEY", aws_emulator::SECRET),
    ] {
        place.environment.push((name, value.into()));
    }
    place.short_waits = true;
    for command in ["plan", "up", "status", "reap", "down"] {
        let confirmation = match command {
            "down" => "--yes --verify",
            "reap" => "--dry-run",
            _ => "",
        };
        let script = format!("sparkify cluster {command} {confirmation} --output json");
        let output = place.command("bash").args(["-c", &script]).output().unwrap();
        let value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            panic!("{command}: {error}: {}", String::from_utf8_lossy(&output.stderr))
        });
        add(page, &format!("cluster {command}"), &value);
    }
}

#[test]
fn the_reference_of_json_output_lists_every_field() {
    let introduction = super::read(PAGE);
    let (introduction, _) =
        introduction.split_once("\n## sparkify ").unwrap_or((&introduction, ""));
    let mut page = introduction.trim_end().to_owned() + "\n";
    local(&mut page);
    diagnostics(&mut page);
    clusters(&mut page);
    assert_current(PAGE, &page);
}
