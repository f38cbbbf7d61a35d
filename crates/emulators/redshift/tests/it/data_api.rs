//! The Data API, called by Amazon's own client: boto3 signs, shapes and parses; `data_api.py` has the scenes.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use redshift_emulator::{Emulator, Fault, When};
use s3_emulator::Server;

use crate::client::emulator;
use crate::copy::over;

fn scene(emulator: &Emulator, name: &str) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(here.join("../../../scripts/python.sh"))
        .arg("boto3")
        .arg(here.join("tests/it/data_api.py"))
        .args([name, &emulator.data_api_endpoint()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said.trim(), format!("passed {name}"), "{wrong}");
}

/// MG/data-api-calling.html: states, typed cells, column metadata, parameters, waiting.
#[test]
fn statements_are_sent_and_their_results_asked_for() {
    let emulator = emulator();
    scene(&emulator, "statements");
    let calls = emulator.data_api_calls();
    assert!(calls.iter().filter(|call| *call == "DescribeStatement").count() > 8, "{calls:?}");
    let log = emulator.log().statements();
    assert!(log.iter().all(|statement| statement.data_api));
    assert!(log.iter().any(|statement| statement.text.contains("b = 'x' and a = '1'")));
}

#[test]
fn results_come_in_pages() {
    scene(&emulator(), "pages");
}

/// botocore's model, BatchExecuteStatement: one transaction, or each by itself; 1 to 40 statements.
#[test]
fn a_batch_is_one_transaction() {
    scene(&emulator(), "batches");
}

/// botocore's model: SessionId, SessionKeepAliveSeconds, ClientToken.
#[test]
fn sessions_are_kept_and_tokens_are_known() {
    scene(&emulator(), "sessions");
}

/// botocore's model and its prose: who and where, limits, what is not known.
#[test]
fn wrong_requests_are_refused() {
    scene(&emulator(), "refusals");
}

#[test]
fn signatures_are_verified() {
    scene(&emulator(), "signatures");
}

#[test]
fn calls_are_throttled_and_fail_when_a_test_asks() {
    let emulator = emulator();
    emulator.throttle_data_api(2);
    emulator.fail_data_api(1);
    scene(&emulator, "throttled");
}

#[test]
fn a_statement_is_cancelled_by_its_id() {
    let emulator = emulator();
    let slow = Fault::Slow(Duration::from_mins(10));
    emulator.faults().arm(When::Containing("select 77".to_owned(), 1), slow);
    scene(&emulator, "cancelled");
}

/// A fault at the commit of a batch: nothing of it is there.
#[test]
fn a_conflict_at_the_commit_undoes_a_batch() {
    let emulator = emulator();
    emulator.faults().arm(When::Commit(1), Fault::Serializable);
    scene(&emulator, "conflict");
    assert_eq!(emulator.faults().left(), 0);
}

#[test]
fn copy_goes_the_same_way() {
    let server = Server::start();
    server.put("in/a", r#"{"a": 1, "b": "x"} {"a": 2} {"a": 3}"#);
    scene(&over(&server), "copy");
}
