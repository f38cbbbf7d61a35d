//! The way to a warehouse that is a server, as `doctor` tells it: name, port, TLS, login, each a line of its own, and how far one gets.

use std::net::TcpListener;
use std::path::Path;

use redshift_emulator::{Emulator, Options};
use serde_json::Value;

use crate::servers::{Server, authority, server};
use crate::support::{Ended, put, sparkify};

const STEPS: [&str; 6] = ["dns", "tcp", "tls", "login", "warehouse", "rights"];

/// The states of the steps to `url`, and what is said of the one that failed.
fn walked(folder: &Path, url: &str) -> (Vec<String>, String) {
    let mut command = sparkify(folder, ["doctor", "--output", "json", "--warehouse", url]);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PG")) {
        command.env_remove(name);
    }
    command.env("HOME", folder).env("AWS_EC2_METADATA_DISABLED", "true");
    let ended = Ended::from(command.output().unwrap());
    let report: Value = serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{ended:#?}"));
    let line = |what: &str| {
        let mut lines = report["lines"].as_array().unwrap().iter();
        lines.find(|line| line["what"] == what).unwrap_or_else(|| panic!("{what}: {report:#}"))
    };
    let states = STEPS.map(|what| line(what)["state"].as_str().unwrap().to_owned()).to_vec();
    let failed = STEPS.iter().find(|what| line(what)["state"] == "failed");
    let said = failed
        .map_or(String::new(), |what| format!("{} {}", line(what)["said"], line(what)["hint"]));
    if states.contains(&"failed".to_owned()) {
        assert_eq!(ended.code, Some(1), "{report:#}");
    }
    (states, said)
}

/// Steps that are fine up to the one that fails, behind which nothing is tried.
fn up_to(failing: usize) -> Vec<String> {
    let state = |step: usize| match step.cmp(&failing) {
        std::cmp::Ordering::Less => "ok",
        std::cmp::Ordering::Equal => "failed",
        std::cmp::Ordering::Greater => "not tried",
    };
    (0..STEPS.len()).map(|step| state(step).to_owned()).collect()
}

/// A port at which nobody listens.
fn closed() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Walks every way that ends too early, for a server at `port` whose certificate `right` signed and `wrong` did not.
fn fall_short(folder: &Path, scheme: &str, who: &str, port: &str, [right, wrong]: [&str; 2]) {
    let (user, password) = who.split_once(':').unwrap();
    let at = |who: &str, place: &str, authority: &str| {
        let url = format!(
            "{scheme}://{who}@{place}/postgres?sslmode=verify-full&sslrootcert={authority}"
        );
        let (states, said) = walked(folder, &url);
        assert!(!said.contains(password), "{said}");
        (states, said)
    };
    let (states, said) = at(who, "no-such-host.invalid:5432", right);
    assert!(
        states == up_to(0) && said.contains("cannot resolve the host `no-such-host.invalid`"),
        "{states:?} {said}"
    );
    let (states, said) = at(who, &format!("localhost:{}", closed()), right);
    assert!(states == up_to(1) && said.contains("no server listens"), "{states:?} {said}");
    let (states, said) = at(who, &format!("localhost:{port}"), wrong);
    assert!(
        states == up_to(2) && said.contains("not signed by a trusted authority"),
        "{states:?} {said}"
    );
    let (states, said) = at(&format!("{user}:wr0ng"), &format!("localhost:{port}"), right);
    assert!(
        states == up_to(3) && said.contains("password") && !said.contains("wr0ng"),
        "{states:?} {said}"
    );
}

#[test]
fn each_step_to_a_server_is_a_line_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let emulator =
        Emulator::start(Options { database: "postgres".into(), ..Options::default() }).unwrap();
    put(here, "ca.pem", emulator.ca_pem());
    let Server { user, password, port } = server();
    let ours = authority();
    let ours = ours.to_str().unwrap();
    fall_short(here, "postgres", &format!("{user}:{password}"), &port, [ours, "ca.pem"]);
    fall_short(
        here,
        "redshift",
        "awsuser:Emulator-1",
        &emulator.port().to_string(),
        ["ca.pem", ours],
    );
    let socket = Path::new(ours).parent().unwrap();
    for url in [
        format!(
            "postgres://{user}:{password}@localhost:{port}/postgres?sslmode=verify-full&sslrootcert={ours}"
        ),
        format!("postgres://{user}:{password}@127.0.0.1:{port}/postgres"),
        format!("{}?sslrootcert=ca.pem", emulator.url()),
        format!("postgres://{user}:{password}@/postgres?host={}&port={port}", socket.display()),
    ] {
        assert_eq!(
            walked(here, &url),
            (vec!["ok".to_owned(); STEPS.len()], String::new()),
            "{url}"
        );
    }
    let url = format!("postgres://{user}@/postgres?host=/nowhere&port={port}");
    let (states, said) = walked(here, &url);
    assert!(states == up_to(1) && said.contains("no socket"), "{states:?} {said}");
    // A database that is not there is found when one signs in.
    let url = format!("postgres://{user}:{password}@localhost:{port}/nowhere");
    assert_eq!(walked(here, &url).0, up_to(3));
}

/// A server that takes connections and has no TLS.
#[test]
fn a_server_without_tls_is_said_as_that() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            use std::io::{Read, Write};
            let mut stream = stream;
            let _ = stream.read(&mut [0; 8]).and_then(|_| stream.write(b"N"));
        }
    });
    for scheme in ["postgres", "redshift"] {
        let url = format!("{scheme}://somebody@localhost:{port}/dev?sslmode=verify-full");
        let (states, said) = walked(folder.path(), &url);
        assert!(
            states == up_to(2) && said.contains("the server does not support TLS"),
            "{states:?} {said}"
        );
    }
}
