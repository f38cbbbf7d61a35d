//! Values in statements: a server with backslash escapes reads them unchanged, and no value changes
//! a statement.

use std::cell::{Cell, RefCell};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sparkify_warehouse::{Access, Value};

use super::Cluster;
use crate::support;

#[test]
fn every_text_is_read_back_and_changes_no_statement() {
    let cluster = Cluster::start();
    let warehouse = RefCell::new(support::open(&cluster.url(), Access::Read).unwrap());
    let cases = Config { source_file: Some(file!()), ..Config::with_cases(200) };
    let hostile =
        "['\\\\\"$;/*%_ \n\t\r-]{0,12}|.{0,24}|(\\\\|'|\u{1f3b5}|é|; drop table t; --){0,6}";
    let text = hostile.prop_filter("NUL characters", |text: &String| !text.contains('\0'));
    let seen = Cell::new(0);
    TestRunner::new(cases)
        .run(&text, |text| {
            let query =
                "select cast($1 as varchar(65535)) as t, '$1' as literal, $2 as n /* $1 ' */";
            let parameters = [Value::Text(text.clone()), Value::Int(-7)];
            let result = warehouse
                .borrow_mut()
                .query(query, &parameters, 2)
                .map_err(|error| TestCaseError::fail(format!("{text:?}: {error}")))?;
            let expected = vec![Value::Text(text), Value::Text("$1".into()), Value::Int(-7)];
            prop_assert_eq!(result.rows, [expected]);
            seen.set(seen.get() + 1);
            Ok(())
        })
        .unwrap();
    assert!(seen.get() >= 200, "{seen:?}");
}

#[test]
fn a_statement_that_the_linter_does_not_support_is_sent() {
    let cluster = Cluster::start();
    cluster.run(["create-tables"]).good();
    cluster.emulator.log().clear();
    let message = cluster.run(["query", "select string_agg(level, ',') from songplays"]).bad(2);
    assert!(
        message.contains("function string_agg") && message.contains("does not exist"),
        "{message}"
    );
    let message = cluster.run(["query", "delete from songplays"]).bad(2);
    assert!(message.contains("open read-only"), "{message}");
    let sent = cluster.sent();
    assert!(sent.iter().any(|text| text.contains("string_agg")), "{sent:?}");
    assert!(!sent.iter().any(|text| text.contains("delete")), "{sent:?}");
}
