//! Plans of `doctor --plans` on Redshift: every statement of a load is explained, expensive ones are
//! reported, and nothing changes.

use std::collections::BTreeSet;

use redshift_emulator::{Fault, FixedPlan, When};
use serde_json::Value as Json;

use super::{Cluster, ETL, small};
use crate::support::{Ended, event, put};

/// Runs `doctor --plans` without a source, which is not needed.
fn doctor(cluster: &Cluster) -> Ended {
    let mut command = cluster.command(["doctor", "--no-probes", "--plans", "--output", "json"]);
    // The control plane of AWS is not tested here.
    command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    super::ended(&mut command)
}

/// Returns the report, and its findings about plans as `what: state: said`.
fn report(ended: &Ended) -> (Json, Vec<String>) {
    let report: Json = serde_json::from_str(&ended.out).expect("JSON");
    let about_plans = |line: &&Json| line["what"].as_str().unwrap().starts_with("plan");
    let text = |line: &Json, name: &str| line[name].as_str().unwrap_or_default().to_owned();
    let lines = report["lines"].as_array().unwrap().iter().filter(about_plans);
    let lines = lines
        .map(|line| {
            format!("{}: {}: {}", text(line, "what"), text(line, "state"), text(line, "said"))
        })
        .collect();
    (report, lines)
}

/// Loads two objects, and then another one.
fn load_twice(cluster: &Cluster) {
    cluster.run(ETL).good();
    let log = event(7, 0, 1_541_476_000_000, "NextSong", "One");
    put(cluster.folder.path(), "data/log_data/2018/11/2018-11-06-events.json", log);
    cluster.emulator.log().clear();
    cluster.run(ETL).good();
}

/// Returns true for statements of a load that no plan is needed for: those on the catalog, settings
/// of the session, and literals.
fn has_no_plan(statement: &str) -> bool {
    let is_planned = ["select", "with", "insert", "delete", "update", "create temp table"]
        .iter()
        .any(|word| statement.starts_with(word));
    let is_definition = statement.starts_with("create temp table") && !statement.contains("select");
    let reads_catalog =
        ["pg_", "stv_", "sys_", "information_schema"].iter().any(|name| statement.contains(name));
    !is_planned || is_definition || reads_catalog || statement.starts_with("insert into \"")
}

/// Returns a statement without comparisons with literals, such as bounds: `doctor` explains other days
/// and loads than the load had.
fn without_bounds(statement: &str) -> String {
    let words: Vec<&str> = statement.split_whitespace().collect();
    let mut kept = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let is_literal = |word: &&str| {
            *word == "timestamp"
                || word.starts_with(|first: char| first == '-' || first.is_ascii_digit())
        };
        let is_bound = words.get(at + 1).is_some_and(|next| [">=", "<=", "="].contains(next))
            && words.get(at + 2).is_some_and(is_literal);
        if is_bound {
            let length = if words[at + 2] == "timestamp" { 5 } else { 3 };
            let last = words[at + length - 1].trim_start_matches(|c| !")];".contains(c));
            kept.push(last);
            at += length;
        } else {
            kept.push(if ["and", "where"].contains(word) { "" } else { word });
            at += 1;
        }
    }
    kept.retain(|word| !word.is_empty());
    kept.join(" ")
}

#[test]
fn every_statement_of_an_incremental_load_is_explained() {
    let cluster = Cluster::with_data();
    load_twice(&cluster);
    let sent = cluster.sent();
    let sent = sent.iter().filter(|sent| !has_no_plan(sent));
    let sent: BTreeSet<String> = sent.map(|sent| without_bounds(sent)).collect();
    assert!(sent.len() > 40, "{}", sent.len());
    cluster.emulator.log().clear();
    let (report, lines) = report(&doctor(&cluster));
    let explained: BTreeSet<String> = cluster
        .sent()
        .iter()
        .filter_map(|sent| sent.strip_prefix("explain ").map(without_bounds))
        .collect();
    let missing: Vec<&String> = sent.difference(&explained).collect();
    // The layout is read before the plans, without one, and the digest before the transaction.
    let is_read_before = |statement: &&&String| {
        ["from etl_layout", "as digest"].iter().any(|text| statement.contains(text))
    };
    let missing: Vec<_> = missing.iter().filter(|it| !is_read_before(it)).collect();
    assert_eq!(missing, Vec::<&&String>::new());
    let plans = report["plans"].as_array().unwrap();
    assert!(plans.len() >= explained.len(), "{} {}", plans.len(), explained.len());
    for plan in plans {
        assert!(!plan["plan"].as_array().unwrap().is_empty(), "{plan}");
        let step = plan["step"].as_str().unwrap();
        assert!(step.contains('/'), "not a statement of a file: {step}");
    }
    let count = plans.len();
    let expected =
        format!("plans: ok: {count} statements of an incremental load explained; 0 have findings");
    assert_eq!(lines, [expected]);
}

/// The statements that fill temporary tables run, those that write real ones do not.
#[test]
fn plans_change_nothing() {
    let cluster = Cluster::with_data();
    load_twice(&cluster);
    let counts = "select (select count(*) from songplays) || ' ' || (select count(*) from users) || ' ' || (select count(*) from staging_events) || ' ' || (select count(*) from etl_objects) as n";
    let before = cluster.asked(counts);
    cluster.emulator.log().clear();
    let (_, lines) = report(&doctor(&cluster));
    assert!(lines[0].starts_with("plans: ok: "), "{lines:?}");
    let sent = cluster.sent();
    for statement in &sent {
        for start in ["insert into ", "delete from ", "update "] {
            let Some(rest) = statement.strip_prefix(start) else { continue };
            let table = rest.trim_start_matches('"');
            assert!(
                ["scope_", "touched_", "sparkify_doctor_probe"]
                    .iter()
                    .any(|name| table.starts_with(name)),
                "{statement}"
            );
        }
        assert!(!statement.starts_with("lock ") && !statement.starts_with("alter "), "{statement}");
    }
    assert!(sent.iter().any(|sent| sent.starts_with("create temp table scope_plays")));
    let count = |text: &str| sent.iter().filter(|sent| *sent == text).count();
    assert_eq!((count("begin"), count("commit")), (count("rollback"), 0));
    assert_eq!(cluster.asked(counts), before);
    cluster.assert_whole(2, 3);
}

/// Plans in the format of the developer guide.
#[test]
fn expensive_plans_are_reported() {
    let plan = |of: &str, plan: &str| FixedPlan { of: of.into(), plan: plan.into() };
    let cluster = Cluster::launch(|options| {
        options.plans = vec![
            plan(
                "insert into songplays",
                " XN Hash Join DS_DIST_BOTH  (cost=2.52..58653620.93 rows=8712 width=43)\n   \
                 Hash Cond: (\"outer\".song = \"inner\".title)\n   \
                 ->  XN Seq Scan on staging_events  (cost=0.00..87.98 rows=500000 width=23)\n         \
                 Filter: ((page)::text = 'NextSong'::text)\n   \
                 ->  XN Hash  (cost=2.02..2.02 rows=202 width=22)\n         \
                 ->  XN Seq Scan on staging_songs  (cost=0.00..2.02 rows=202 width=22)\n \
                 ----- Tables missing statistics: scope_plays -----",
            ),
            plan(
                "delete from users",
                " XN Nested Loop DS_BCAST_INNER  (cost=0.00..7.00 rows=90 width=4)\n   \
                 ->  XN Seq Scan on users  (cost=0.00..0.09 rows=9 width=4)\n   \
                 ->  XN Seq Scan on scope_users  (cost=0.00..0.10 rows=10 width=4)\n \
                 ----- Nested Loop Join in the query plan - review the join predicates to avoid Cartesian products -----",
            ),
        ];
    });
    small(cluster.folder.path());
    load_twice(&cluster);
    let ended = doctor(&cluster);
    let (report, lines) = report(&ended);
    assert_eq!(
        lines[1..],
        [
            "plan: hint: `model/users`: nested loop of 9 and 10 rows: review the join condition",
            "plan: hint: `model/songplays`: DS_DIST_BOTH redistributes both tables of a join (500000 and 202 rows); sequential scan of `staging_events` (500000 rows) without a filter on `ts`; tables without statistics: scope_plays",
        ]
    );
    assert!(lines[0].ends_with(" explained; 2 have findings"), "{}", lines[0]);
    let expensive: Vec<&Json> = report["plans"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|plan| !plan["findings"].as_array().unwrap().is_empty())
        .collect();
    assert_eq!(expensive.len(), 2);
    assert_eq!(expensive[0]["plan"].as_array().unwrap().len(), 4);
    // Findings about plans are advice.
    assert!(!lines.iter().any(|line| line.contains(": failed: ")));
}

#[test]
fn plans_need_a_loaded_warehouse() {
    let cluster = Cluster::with_data();
    let expected = ["plans: hint: nothing is loaded yet"];
    let (report_of_nothing, lines) = report(&doctor(&cluster));
    assert_eq!(lines, expected);
    assert_eq!(report_of_nothing["plans"], serde_json::json!([]));
    cluster.run(["create-tables"]).good();
    assert_eq!(report(&doctor(&cluster)).1, expected);
}

#[test]
fn a_statement_that_cannot_be_explained_is_a_failure() {
    let cluster = Cluster::with_data();
    load_twice(&cluster);
    let report_of = redshift_emulator::Report::error("XX000", "planner out of memory");
    let when = When::Containing("explain insert into songplays".into(), 1);
    cluster.emulator.faults().arm(when, Fault::Error(report_of));
    let ended = doctor(&cluster);
    assert_eq!(ended.code, Some(1));
    let (_, lines) = report(&ended);
    assert_eq!(lines.len(), 1);
    assert!(
        lines[0].starts_with("plans: failed: after `model/songplays`: ")
            && lines[0].contains("planner out of memory"),
        "{}",
        lines[0]
    );
    assert_eq!(cluster.emulator.faults().left(), 0);
    cluster.assert_whole(2, 3);
}

#[test]
fn plans_are_explained_over_the_data_api() {
    let cluster = Cluster::with_data();
    load_twice(&cluster);
    cluster.emulator.log().clear();
    let mut command = cluster.command(["doctor", "--no-probes", "--plans", "--output", "json"]);
    command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    command.env("SPARKIFY_WAREHOUSE", "redshift:workgroup/emulator/dev");
    let (_, lines) = report(&super::ended(&mut command));
    assert!(lines[0].starts_with("plans: ok: "), "{lines:?}");
    assert!(cluster.emulator.log().statements().iter().all(|statement| statement.data_api));
}
