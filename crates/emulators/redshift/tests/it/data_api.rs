//! Data API through boto3, Amazon's SDK for Python. The assertions are in `data_api.py`.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use redshift_emulator::{Emulator, Fault, When};
use s3_emulator::Server;

use crate::client::emulator;
use crate::copy::emulator_with_store;

/// Runs a scenario of `data_api.py`, which must pass.
fn run_scenario(emulator: &Emulator, name: &str) {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(crate_folder.join("../../../scripts/python.sh"))
        .arg("boto3")
        .arg(crate_folder.join("tests/it/data_api.py"))
        .args([name, &emulator.data_api_endpoint()])
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(stdout.trim(), format!("passed {name}"), "{stderr}");
}

/// MG/data-api-calling.html: statement status, typed fields, column metadata, parameters, waiting.
#[test]
fn statements_run_and_return_typed_results() {
    let emulator = emulator();
    run_scenario(&emulator, "statements");
    let calls = emulator.data_api_calls();
    assert!(calls.iter().filter(|call| *call == "DescribeStatement").count() > 8, "{calls:?}");
    let log = emulator.log().statements();
    assert!(log.iter().all(|statement| statement.data_api));
    assert!(log.iter().any(|statement| statement.text.contains("b = 'x' and a = '1'")));
}

#[test]
fn results_have_pages() {
    run_scenario(&emulator(), "pages");
}

/// botocore's model, BatchExecuteStatement: one transaction or auto-commit; 1 to 40 statements.
#[test]
fn a_batch_is_one_transaction() {
    run_scenario(&emulator(), "batches");
}

/// botocore's model: SessionId, SessionKeepAliveSeconds, ClientToken.
#[test]
fn sessions_stay_open_and_client_tokens_are_idempotent() {
    run_scenario(&emulator(), "sessions");
}

/// botocore's model and its documentation: connection members, limits, unknown IDs.
#[test]
fn invalid_requests_are_rejected() {
    run_scenario(&emulator(), "refusals");
}

#[test]
fn signatures_are_verified() {
    run_scenario(&emulator(), "signatures");
}

#[test]
fn calls_can_be_throttled_and_failed() {
    let emulator = emulator();
    emulator.throttle_data_api(2);
    emulator.fail_data_api(1);
    run_scenario(&emulator, "throttled");
}

/// API_SessionData.html; the message for a busy session is that of real clusters.
#[test]
fn a_busy_session_refuses_statements() {
    let emulator = emulator();
    let slow = Fault::Slow(Duration::from_secs(3));
    emulator.faults().arm(When::Containing("select 78".to_owned(), 1), slow);
    emulator.refuse_data_api_waits(1);
    run_scenario(&emulator, "busy");
}

#[test]
fn a_statement_is_cancelled_by_its_id() {
    let emulator = emulator();
    let slow = Fault::Slow(Duration::from_mins(10));
    emulator.faults().arm(When::Containing("select 77".to_owned(), 1), slow);
    run_scenario(&emulator, "cancelled");
}

/// A failing commit rolls back the whole batch.
#[test]
fn a_conflict_at_commit_rolls_back_a_batch() {
    let emulator = emulator();
    emulator.faults().arm(When::Commit(1), Fault::Serializable);
    run_scenario(&emulator, "conflict");
    assert_eq!(emulator.faults().left(), 0);
}

#[test]
fn copy_runs_through_the_data_api() {
    let server = Server::start();
    server.put("in/a", r#"{"a": 1, "b": "x"} {"a": 2} {"a": 3}"#);
    run_scenario(&emulator_with_store(&server), "copy");
}
