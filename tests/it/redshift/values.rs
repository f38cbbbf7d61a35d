//! Values in statements: whatever they hold, a server where backslashes escape reads them as they were meant, and no statement becomes another.

use std::cell::{Cell, RefCell};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sparkify_warehouse::{Access, Value};

use super::Cluster;
use crate::support;

#[test]
fn every_text_comes_back_and_changes_no_statement() {
    let cluster = Cluster::start();
    let warehouse = RefCell::new(support::open(&cluster.url(), Access::Read).unwrap());
    let cases = Config { source_file: Some(file!()), ..Config::with_cases(200) };
    let hostile =
        "['\\\\\"$;/*%_ \n\t\r-]{0,12}|.{0,24}|(\\\\|'|\u{1f3b5}|é|; drop table t; --){0,6}";
    let text = hostile.prop_filter("no server holds it", |text: &String| !text.contains('\0'));
    let seen = Cell::new(0);
    TestRunner::new(cases)
        .run(&text, |text| {
            let ask = "select cast($1 as varchar(65535)) as t, '$1' as literal, $2 as n /* $1 ' */";
            let given = [Value::Text(text.clone()), Value::Int(-7)];
            let answer = warehouse
                .borrow_mut()
                .query(ask, &given, 2)
                .map_err(|error| TestCaseError::fail(format!("{text:?}: {error}")))?;
            let expected = vec![Value::Text(text), Value::Text("$1".into()), Value::Int(-7)];
            prop_assert_eq!(answer.rows, [expected]);
            seen.set(seen.get() + 1);
            Ok(())
        })
        .unwrap();
    assert!(seen.get() >= 200, "{seen:?}");
}

#[test]
fn a_statement_that_the_linter_does_not_know_is_left_to_the_cluster() {
    let cluster = Cluster::start();
    cluster.run(["create-tables"]).good();
    cluster.emulator.log().clear();
    let words = cluster.run(["query", "select string_agg(level, ',') from songplays"]).bad(2);
    assert!(words.contains("function string_agg") && words.contains("does not exist"), "{words}");
    let words = cluster.run(["query", "delete from songplays"]).bad(2);
    assert!(words.contains("open read-only"), "{words}");
    let sent = cluster.sent();
    assert!(sent.iter().any(|text| text.contains("string_agg")), "{sent:?}");
    assert!(!sent.iter().any(|text| text.contains("delete")), "{sent:?}");
}
