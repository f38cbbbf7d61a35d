//! COPY through the proxy: transactions, notices, load views and faults.

use redshift_emulator::copy::s3::{Permission, Role, Store};
use redshift_emulator::{Emulator, Fault, Options, When};
use s3_emulator::{KEY, SECRET, Server};

use crate::client::Client;

const ROLE: &str = "arn:aws:iam::000000000000:role/reader";
const COPY: &str = "copy t from 's3://bucket/in/' iam_role 'arn:aws:iam::000000000000:role/reader' format json 'auto'";

/// Starts an emulator whose COPY reads from this S3 server.
pub(crate) fn emulator_with_store(server: &Server) -> Emulator {
    let mut store = Store::new(&server.endpoint(), "us-west-2");
    store.roles.push(Role {
        arn: ROLE.to_owned(),
        key: KEY.to_owned(),
        secret: SECRET.to_owned(),
        permissions: vec![Permission::all("s3://bucket/")],
    });
    Emulator::start(Options { store: Some(store), ..Options::default() }).unwrap()
}

fn server_with_objects() -> Server {
    let server = Server::start();
    server.put("in/a", r#"{"a": 1, "b": "x\ty\\z"} {"a": 2}"#);
    server.put("in/b", r#"{"a": 3, "b": ""}"#);
    server
}

/// DG/r_COPY.html, DG/PG_LAST_COPY_ID.html, DG/SYS_LOAD_HISTORY.html.
#[test]
fn copy_runs_in_the_clients_transaction() {
    let server = server_with_objects();
    let emulator = emulator_with_store(&server);
    let (client, other) = (Client::connect(&emulator), Client::connect(&emulator));
    client.rows("create table t (a int identity(1, 1), b varchar(10), c int default 7)");
    client.rows("drop table t; create table t (a int, b varchar(10), c int)");
    client.rows("begin");
    client.rows(COPY);
    let notice = "Load into table 't' completed, 3 record(s) loaded successfully.";
    assert_eq!(client.notices(), [("INFO".to_owned(), notice.to_owned())]);
    assert_eq!(client.value("select pg_last_copy_count()"), "3");
    assert_eq!(other.value("select count(*) from t"), "0");
    let loaded = client.rows("select a, b from t order by a");
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(loaded, [[text("1"), text("x\ty\\z")], [text("2"), None], [text("3"), text("")]]);
    // The view shows the load even though the transaction's snapshot is older.
    let history = "select status, table_name, loaded_rows, source_file_count, error_count from sys_load_history where query_id = pg_last_copy_id()";
    let shown = client.rows(history);
    assert_eq!(
        shown[0].iter().flatten().cloned().collect::<Vec<_>>(),
        ["completed", "t", "3", "2", "0"]
    );
    client.rows("rollback");
    assert_eq!(client.value("select count(*) from t"), "0");
    assert_eq!(
        other.value("select count(*) from sys_load_history where status = 'completed'"),
        "1"
    );
}

/// DG/copy-parameters-data-load.html, DG/SYS_LOAD_ERROR_DETAIL.html, DG/r_STL_LOAD_ERRORS.html.
#[test]
fn load_errors_survive_a_rollback() {
    let server = server_with_objects();
    server.put("in/c", r#"{"a": "four"}"#);
    let emulator = emulator_with_store(&server);
    let client = Client::connect(&emulator);
    client.rows("create table t (a int, b varchar(10))");
    client.rows("begin");
    let (code, message) = client.code_and_message(COPY);
    assert_eq!(code, "XX000");
    assert_eq!(
        message,
        "Load into table 't' failed.  Check 'sys_load_error_detail' system table for details."
    );
    assert_eq!(client.code_and_message("select 1").0, "25P02");
    client.rows("rollback");
    let detail = "select trim(file_name), line_number, trim(column_name), trim(column_type), error_code from sys_load_error_detail";
    let shown = client.rows(&format!("{detail} order by query_id"));
    let first: Vec<String> = shown[0].iter().flatten().cloned().collect();
    assert_eq!(first[..4], ["s3://bucket/in/c", "1", "a", "int4"]);
    assert_eq!(client.value("select octet_length(file_name) from sys_load_error_detail"), "256");
    assert_eq!(client.value("select trim(status) from sys_load_history"), "aborted");
    client.rows(&format!("{COPY} maxerror 5"));
    assert_eq!(client.value("select count(*) from t"), "3");
    let notices = client.notices();
    assert!(
        notices[1].1.starts_with("Load into table 't' completed, 1 record(s) could not be loaded.")
    );
    assert_eq!(client.value("select count(*) from stl_load_errors"), "2");
    assert_eq!(
        client.value("select trim(raw_line) from stl_load_errors where query = pg_last_copy_id()"),
        r#"{"a": "four"}"#
    );
}

/// estuary/connectors#918 quotes the error.
#[test]
fn copy_into_a_missing_table_fails() {
    let server = server_with_objects();
    let emulator = emulator_with_store(&server);
    let client = Client::connect(&emulator);
    let error = client.code_and_message(COPY);
    assert_eq!(error, ("XX000".to_owned(), "Cannot COPY into nonexistent table t".to_owned()));
    assert_eq!(client.value("select pg_last_copy_id()"), "-1");
}

#[test]
fn a_connection_lost_during_copy_loads_no_rows() {
    let server = server_with_objects();
    let emulator = emulator_with_store(&server);
    let client = Client::connect(&emulator);
    client.rows("create table t (a int, b varchar(10))");
    emulator.faults().arm(When::Copy(1), Fault::Disconnect);
    let before = server.take_requests().len();
    assert!(client.loses_connection(COPY));
    assert!(server.take_requests().len() > before, "COPY read no objects");
    assert_eq!(emulator.faults().left(), 0);
    assert_eq!(Client::connect(&emulator).value("select count(*) from t"), "0");
}

/// Drivers that prepare every statement send COPY with the extended protocol.
#[test]
fn a_prepared_copy_loads_its_rows() {
    let server = server_with_objects();
    let emulator = emulator_with_store(&server);
    let client = Client::connect(&emulator);
    client.rows("create table t (a int, b varchar(10))");
    client.runtime.block_on(client.inner.execute(COPY, &[])).unwrap();
    assert_eq!(client.value("select count(*) from t"), "3");
}
