//! What depends on the statements before: transaction blocks, cursors, functions that were created.

use redshift_lint::{Form, Session};

/// What a session says of each line: the form, or the rule that refuses it.
fn said(mut session: Session, script: &str) -> Vec<String> {
    let lines = script.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| match session.check(line) {
            Ok(form) => format!("{form:?}"),
            Err(refusal) => refusal.rule.to_owned(),
        })
        .collect()
}

#[test]
fn some_statements_stand_outside_a_transaction_block_alone() {
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
    let said = said(Session::new(), script);
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
    assert_eq!(said, expected);
}

#[test]
fn truncate_commits_and_a_guarding_session_does_not_let_it() {
    let mut session = Session::new();
    for statement in ["begin", "insert into t values (1)"] {
        session.check(statement).unwrap();
    }
    assert!(session.in_transaction());
    let form = session.check("truncate t").unwrap();
    assert!(form == Form::Truncate && form.commits() && !session.in_transaction());

    let script = "
        truncate t
        begin
        truncate t
        delete from t
        rollback
        truncate t
    ";
    let said = said(Session::guarding(), script);
    assert_eq!(said, ["Truncate", "Begin", "commits-block", "Delete", "Rollback", "Truncate"]);
}

#[test]
fn there_is_one_cursor_and_it_lives_in_a_transaction() {
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
    assert_eq!(said(Session::new(), script), expected);
}

#[test]
fn a_function_is_called_as_it_was_created() {
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
    assert_eq!(said(Session::new(), script), expected);
}

#[test]
fn what_is_refused_changes_nothing() {
    let script = "
        begin
        truncate one, two
        commit to savepoint a
        savepoint a
        vacuum t
    ";
    let said = said(Session::new(), script);
    assert_eq!(said, ["Begin", "truncate-one", "savepoint", "savepoint", "transaction-block"]);
}
