//! EXPLAIN (DG/r_EXPLAIN.html): plans of PostgreSQL, without Redshift's attributes of tables, or
//! plans that a test gives.

use redshift_emulator::{Emulator, FixedPlan, Options};

use crate::client::{Client, emulator};

/// EXPLAIN plans a statement with attributes of Redshift, and does not run it.
#[test]
fn explain_shows_a_plan_and_runs_nothing() {
    let emulator = emulator();
    let client = Client::connect(&emulator);
    client.try_rows("create table t (a bigint)").unwrap();
    for statement in [
        "select nvl(a, 1), dateadd(ms, 1, sysdate) from t",
        "insert into t select 1",
        "delete from t",
        "create temp table u distkey(a) sortkey(a) as select a from t",
    ] {
        let plan = client.try_rows(&format!("explain {statement}")).unwrap();
        assert!(plan[0][0].as_deref().unwrap().contains("(cost="), "{statement}: {plan:?}");
    }
    assert!(client.try_rows("select a from u").is_err());
    assert_eq!(client.try_rows("select a from t").unwrap().len(), 0);
    assert!(client.try_rows("explain vacuum t").is_err());
}

#[test]
fn a_test_can_give_the_plan_of_a_statement() {
    let plan = "XN Seq Scan on t  (cost=0.00..0.09 rows=9 width=4)\n  Filter: (a = 'it''s \\ a')";
    let fixed = FixedPlan { of: "from t where".into(), plan: plan.into() };
    let options = Options { plans: vec![fixed], ..Options::default() };
    let emulator = Emulator::start(options).unwrap();
    let client = Client::connect(&emulator);
    client.try_rows("create table t (a varchar(9))").unwrap();
    let rows = client.try_rows("explain select a from t where a = 'x'").unwrap();
    let lines: Vec<&str> = rows.iter().map(|row| row[0].as_deref().unwrap()).collect();
    assert_eq!(lines.join("\n"), plan);
    assert_eq!(client.try_rows("select a from t where a = 'x'").unwrap().len(), 0);
}
