//! Rules that depend on earlier statements: transaction blocks, cursors, created UDFs.

use redshift_lint::{Session, StatementKind};

/// Checks each line, and returns its kind or the violated rule.
fn results(mut session: Session, script: &str) -> Vec<String> {
    let lines = script.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| match session.check(line) {
            Ok(kind) => format!("{kind:?}"),
            Err(violation) => violation.rule.to_owned(),
        })
        .collect()
}

#[test]
fn some_statements_are_not_allowed_in_a_transaction_block() {
    let script = "
        vacuum plays
        begin
        vacuum plays
        alter table plays append from staged
        alter table plays alter column level type varchar(300)
        copy t from 's3://bucket/e/' iam_role 'arn:aws:iam::1:role/r' json 'auto' job create j
        copy job drop j
        copy t from 's3://bucket/e/' iam_role 'arn:aws:iam::1:role/r' json 'auto'
        create table t (a int)
        commit
        alter table plays append from staged
    ";
    let block = "transaction-block";
    let results = results(Session::new(), script);
    let expected = [
        "Vacuum",
        "Begin",
        block,
        block,
        block,
        block,
        block,
        "Copy",
        "CreateTable",
        "Commit",
        "AlterTableAppend",
    ];
    assert_eq!(results, expected);
}

#[test]
fn truncate_commits_unless_implicit_commits_are_rejected() {
    let mut session = Session::new();
    for statement in ["begin", "insert into t values (1)"] {
        session.check(statement).unwrap();
    }
    assert!(session.in_transaction());
    let kind = session.check("truncate t").unwrap();
    assert!(
        kind == StatementKind::Truncate && kind.commits_implicitly() && !session.in_transaction()
    );

    let script = "
        truncate t
        begin
        truncate t
        delete from t
        rollback
        truncate t
    ";
    let results = results(Session::rejecting_implicit_commits(), script);
    assert_eq!(results, ["Truncate", "Begin", "commits-block", "Delete", "Rollback", "Truncate"]);
}

#[test]
fn one_cursor_per_transaction() {
    let script = "
        declare one cursor for select a from t
        begin
        fetch all from one
        declare one cursor for select a from t
        declare two cursor for select a from t
        fetch 5 from one
        fetch forward 5 from one
        close one
        close one
        declare two cursor for select a from t
        commit
        fetch all from two
    ";
    let expected = [
        "cursor",
        "Begin",
        "cursor",
        "Declare",
        "cursor",
        "unexpected",
        "Fetch",
        "Close",
        "cursor",
        "Declare",
        "Commit",
        "cursor",
    ];
    assert_eq!(results(Session::new(), script), expected);
}

#[test]
fn udfs_are_called_with_the_created_number_of_arguments() {
    let script = "
        select f_two(1) from t
        create function f_two (int, int) returns int immutable as $$ select $1 + $2 $$ language sql
        select f_two(1, 2) from t
        select f_two(1) from t
        create function f_three (int) returns int immutable as $$ select f_two($1) $$ language sql
        create function f_two (int) returns int immutable as $$ select $1 $$ language sql
        select f_two(1) from t
        select f_unknown(1) from t
    ";
    let expected = [
        "Select",
        "CreateFunction",
        "Select",
        "udf-call",
        "udf-call",
        "CreateFunction",
        "Select",
        "Select",
    ];
    assert_eq!(results(Session::new(), script), expected);
}

#[test]
fn violations_leave_the_session_unchanged() {
    let script = "
        begin
        truncate one, two
        commit to savepoint a
        savepoint a
        vacuum t
    ";
    let results = results(Session::new(), script);
    assert_eq!(results, ["Begin", "truncate-one", "savepoint", "savepoint", "transaction-block"]);
}
