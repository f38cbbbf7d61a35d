//! Faults that a test asks for: each strikes where it was armed, once, and leaves what it should.

use std::net::TcpStream;
use std::time::Duration;

use redshift_emulator::{Fault, Outcome, When};

use crate::client::{Client, emulator};

/// DG/c_serial_isolation-serializable-isolation-troubleshooting.html.
#[test]
fn errors_strike_the_statement_they_were_armed_for() {
    let emulator = emulator();
    let client = Client::connect(&emulator);
    client.rows("create table t (a int)");
    emulator.faults().arm(When::Write(2), Fault::Serializable);
    client.rows("insert into t values (1)");
    let error = client.error("insert into t values (2)");
    assert_eq!((error.code().code(), error.message()), ("XX000", "1023"));
    emulator.faults().arm(When::Commit(1), Fault::RelationGone);
    client.rows("begin");
    client.rows("insert into t values (3)");
    let error = client.error("commit");
    assert_eq!((error.message(), error.detail()), ("1018", Some("Relation does not exist.")));
    assert_eq!(client.value("select sum(a) from t"), "1");
    assert_eq!(emulator.faults().left(), 0);
}

#[test]
fn a_connection_is_lost_before_or_after_the_commit() {
    let emulator = emulator();
    Client::connect(&emulator).rows("create table t (a int)");
    for (fault, value, kept) in [(Fault::Lose, 1, "0"), (Fault::LoseAfter, 2, "1")] {
        let client = Client::connect(&emulator);
        client.rows("begin");
        client.rows(&format!("insert into t values ({value})"));
        emulator.faults().arm(When::Commit(1), fault);
        assert!(client.is_lost("commit"));
        let next = Client::connect(&emulator);
        let found = next.value(&format!("select count(*) from t where a = {value}"));
        assert_eq!(found, kept);
    }
    let lost = emulator.log().statements();
    assert_eq!(lost.iter().filter(|statement| statement.outcome == Outcome::Lost).count(), 2);
}

#[test]
fn a_statement_can_be_slow() {
    let emulator = emulator();
    let client = Client::connect(&emulator);
    client.rows("set statement_timeout to 50");
    emulator.faults().arm(When::Statement(2), Fault::Slow(Duration::from_mins(10)));
    client.rows("select 1");
    assert_eq!(client.refusal("select 1").0, "57014");
}

/// A paused cluster refuses connections, and those there were are cut.
#[test]
fn a_cluster_pauses_and_resumes() {
    let emulator = emulator();
    let client = Client::connect(&emulator);
    emulator.pause();
    assert!(client.is_lost("select 1"));
    assert!(TcpStream::connect(("127.0.0.1", emulator.port())).is_err());
    emulator.resume().unwrap();
    assert_eq!(Client::connect(&emulator).value("select 1"), "1");
}
