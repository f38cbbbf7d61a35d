//! Tests on `moto`, an independent emulator: it lacks serverless warehouses and most checks,
//! but it does not share sparkify's reading of the documentation.

use super::{CONFIG, at, ended};
use crate::support::put;

#[test]
fn up_status_and_down_work_on_moto() {
    let url = url();
    let folder = tempfile::tempdir().unwrap();
    put(
        folder.path(),
        "dwh.cfg",
        CONFIG.replace("dwhCluster", "moto-one").replace("dwhRole", "motoRole"),
    );
    let run = |arguments: &[&str]| {
        let quick = ["--poll", "0.05", "--timeout", "60s"];
        let arguments = ["cluster"].iter().chain(arguments).chain(&quick);
        ended(&mut at(&url, folder.path(), arguments))
    };
    let up = run(&["up", "--ttl", "4h", "--write-config", "--password-from-config"]);
    assert!(up.err.contains("created: the role `motoRole`, the cluster `moto-one`"), "{up:#?}");
    up.good();
    let status = run(&["status", "--output", "json"]).json();
    assert_eq!(status["available"], true, "{status}");
    assert!(
        status["parts"].as_array().unwrap().iter().all(|part| part["ours"] == true),
        "{status}"
    );
    let again = run(&["up", "--password-from-config"]);
    assert!(again.err.contains("created: nothing"), "{again:#?}");
    let written = std::fs::read_to_string(folder.path().join("dwh.cfg")).unwrap();
    assert!(
        written.contains("ARN='arn:aws:iam::123456789012:role/sparkify/motoRole'"),
        "{written}"
    );
    let down = run(&["down", "--yes", "--verify"]);
    assert!(down.err.contains("not checked: cannot look for the workgroup"), "{down:#?}");
    assert!(down.good().contains("verified"));
    assert!(run(&["status"]).good().contains("no provisioned warehouse `moto-one`"));
}

#[test]
fn a_rule_of_a_security_group_comes_and_goes() {
    let url = url();
    let folder = tempfile::tempdir().unwrap();
    put(
        folder.path(),
        "dwh.cfg",
        CONFIG.replace("dwhCluster", "moto-two").replace("dwhRole", "motoRole2"),
    );
    let group = default_group(&url);
    let run = |arguments: &[&str]| {
        let quick = [
            "--poll",
            "0.05",
            "--timeout",
            "60s",
            "--public",
            "--security-group",
            &group,
            "--allow-cidr",
            "203.0.113.9",
        ];
        let arguments = ["cluster"].iter().chain(arguments).chain(&quick);
        ended(&mut at(&url, folder.path(), arguments))
    };
    let up = run(&["up", "--password-from-config"]);
    assert!(up.err.contains(&format!("the rule for `203.0.113.9/32` in `{group}`")), "{up:#?}");
    up.good();
    let down = run(&["down", "--yes", "--verify"]).good();
    assert!(down.contains("the rule for `203.0.113.9/32`") && down.contains("verified"), "{down}");
}

pub(super) fn url() -> String {
    std::env::var("SPARKIFY_TEST_MOTO")
        .expect("SPARKIFY_TEST_MOTO names a moto server: scripts/moto.sh starts one")
}

/// moto has a default network whose security group has a name of moto's own.
fn default_group(url: &str) -> String {
    let body = "Action=DescribeSecurityGroups&Version=2016-11-15";
    let answer = call(url, "ec2", aws_emulator::REGION, body);
    let group = answer.split("<groupId>").nth(1).unwrap_or_else(|| panic!("{answer}"));
    group.split('<').next().unwrap().to_owned()
}

/// Calls moto directly, in a region; it verifies no signature.
pub(super) fn call(url: &str, service: &str, region: &str, body: &str) -> String {
    let authority = url.trim_start_matches("http://");
    let mut stream = std::net::TcpStream::connect(authority).unwrap();
    let scope = format!(
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261124/{region}/{service}/aws4_request, SignedHeaders=host, Signature=x"
    );
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {authority}\r\nAuthorization: {scope}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{body}: {answer}");
    answer
}
