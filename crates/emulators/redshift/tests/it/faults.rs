//! Fault injection: armed faults trigger once, with the documented effects.

use std::net::TcpStream;
use std::time::Duration;

use redshift_emulator::{Fault, Outcome, When};

use crate::client::{Client, emulator};

/// DG/c_serial_isolation-serializable-isolation-troubleshooting.html.
#[test]
fn errors_occur_at_the_armed_statement() {
    let emulator = emulator();
    let client = Client::connect(&emulator);
    client.rows("create table t (a int)");
    emulator.faults().arm(When::Write(2), Fault::Serializable);
    client.rows("insert into t values (1)");
    let error = client.error("insert into t values (2)");
    assert_eq!((error.code().code(), error.message()), ("XX000", "1023"));
    emulator.faults().arm(When::Commit(1), Fault::RelationDropped);
    client.rows("begin");
    client.rows("insert into t values (3)");
    let error = client.error("commit");
    assert_eq!((error.message(), error.detail()), ("1018", Some("Relation does not exist.")));
    assert_eq!(client.value("select sum(a) from t"), "1");
    assert_eq!(emulator.faults().left(), 0);
}

#[test]
fn connections_are_lost_before_or_after_the_commit() {
    let emulator = emulator();
    Client::connect(&emulator).rows("create table t (a int)");
    for (fault, value, count) in [(Fault::Disconnect, 1, "0"), (Fault::DisconnectAfter, 2, "1")] {
        let client = Client::connect(&emulator);
        client.rows("begin");
        client.rows(&format!("insert into t values ({value})"));
        emulator.faults().arm(When::Commit(1), fault);
        assert!(client.loses_connection("commit"));
        let next = Client::connect(&emulator);
        let found = next.value(&format!("select count(*) from t where a = {value}"));
        assert_eq!(found, count);
    }
    let log = emulator.log().statements();
    assert_eq!(
        log.iter().filter(|statement| statement.outcome == Outcome::Disconnected).count(),
        2
    );
}

#[test]
fn a_delayed_statement_meets_its_timeout() {
    let emulator = emulator();
    let client = Client::connect(&emulator);
    client.rows("set statement_timeout to 50");
    emulator.faults().arm(When::Statement(2), Fault::Slow(Duration::from_mins(10)));
    client.rows("select 1");
    assert_eq!(client.code_and_message("select 1").0, "57014");
}

/// Pausing closes open connections and refuses new ones.
#[test]
fn a_cluster_pauses_and_resumes() {
    let emulator = emulator();
    let client = Client::connect(&emulator);
    emulator.pause();
    assert!(client.loses_connection("select 1"));
    assert!(TcpStream::connect(("127.0.0.1", emulator.port())).is_err());
    emulator.resume().unwrap();
    assert_eq!(Client::connect(&emulator).value("select 1"), "1");
}
