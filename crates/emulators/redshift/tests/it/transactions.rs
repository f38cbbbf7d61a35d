//! Transactions: implicit commits, statements outside of transaction blocks, aborted transactions.

use crate::client::{Client, emulator};

/// DG/r_TRUNCATE.html: TRUNCATE commits the transaction in which it runs.
#[test]
fn truncate_commits() {
    let emulator = emulator();
    let client = Client::connect(&emulator);
    client.rows("create table t (a int)");
    client.rows("insert into t values (1)");
    client.rows("begin");
    client.rows("create table u (a int)");
    client.rows("truncate t");
    client.rows("rollback");
    assert_eq!(client.value("select count(*) from t"), "0");
    assert_eq!(client.value("select count(*) from u"), "0");
}

/// DG/r_BEGIN.html: DDL is transactional, isolation levels are accepted, and an error aborts the
/// block.
#[test]
fn transaction_blocks_are_atomic() {
    let emulator = emulator();
    let client = Client::connect(&emulator);
    client.rows("begin isolation level serializable");
    client.rows("create table t (a int)");
    assert_eq!(client.code_and_message("select nonsense").0, "42703");
    assert_eq!(client.code_and_message("select 1").0, "25P02");
    client.rows("commit");
    assert_eq!(client.code_and_message("select * from t").0, "42P01");
    client.rows("begin read write; create table t (a int); lock t; insert into t values (1); end");
    assert_eq!(client.value("select count(*) from t"), "1");
}

/// An error of the emulator aborts the block like an error of the backend.
#[test]
fn a_rejected_statement_aborts_its_block() {
    let emulator = emulator();
    let client = Client::connect(&emulator);
    for rejected in [
        "savepoint a",
        "create table t (a varchar(65536))",
        "copy missing from 's3://a/b' iam_role default",
    ] {
        client.rows("begin");
        client.error(rejected);
        assert_eq!(client.code_and_message("select 1").0, "25P02", "{rejected}");
        client.rows("rollback");
    }
}

/// DG/c_serial_isolation.html: several statements in one text run in one transaction.
#[test]
fn statements_of_one_text_run_in_one_transaction() {
    let emulator = emulator();
    let client = Client::connect(&emulator);
    client.rows("create table t (a int)");
    client.error("insert into t values (1); insert into t values ('x')");
    assert_eq!(client.value("select count(*) from t"), "0");
    client.error("insert into t values (1); commit; insert into t values (2); select nonsense");
    assert_eq!(client.value("select sum(a) from t"), "1");
    client.rows("insert into t values (3); begin; insert into t values (4)");
    client.rows("rollback");
    assert_eq!(client.value("select sum(a) from t"), "1");
    client.rows("");
}

/// DG/r_VACUUM_command.html, DG/r_ALTER_TABLE_APPEND.html, DG/r_ALTER_TABLE.html.
#[test]
fn some_statements_cannot_run_in_a_block() {
    let emulator = emulator();
    let client = Client::connect(&emulator);
    client.rows("create table t (a varchar(2)); create table u (a varchar(2))");
    client.rows("insert into u values ('x')");
    for (statement, name) in [
        ("vacuum t", "VACUUM"),
        ("alter table t append from u", "ALTER TABLE APPEND"),
        ("alter table t alter column a type varchar(5)", "ALTER TABLE ALTER COLUMN"),
    ] {
        client.rows("begin");
        let error = client.code_and_message(statement);
        let message = format!("{name} cannot run inside a transaction block");
        assert_eq!(error, ("25001".to_owned(), message));
        client.rows("rollback");
        client.rows(statement);
    }
    assert_eq!(
        client.rows("select (select count(*) from t), (select count(*) from u)")[0].join_text(),
        "1 0"
    );
    client.rows("analyze t");
    client.rows("vacuum sort only t to 75 percent");
}

trait JoinText {
    fn join_text(&self) -> String;
}

impl JoinText for Vec<Option<String>> {
    fn join_text(&self) -> String {
        self.iter().flatten().cloned().collect::<Vec<_>>().join(" ")
    }
}

/// DG/c_serial_isolation.html: a transaction reads one snapshot; a conflict is error 1023.
#[test]
fn a_conflict_is_error_1023() {
    let emulator = emulator();
    let (one, other) = (Client::connect(&emulator), Client::connect(&emulator));
    one.rows("create table t (a int); insert into t values (1)");
    one.rows("begin");
    assert_eq!(one.value("select a from t"), "1");
    other.rows("update t set a = 2");
    assert_eq!(one.value("select a from t"), "1");
    let error = one.error("update t set a = 3");
    assert_eq!((error.code().code(), error.message()), ("XX000", "1023"));
    assert!(error.detail().unwrap().starts_with("Serializable isolation violation on table"));
    one.rows("rollback");
}
