//! Connection steps of `doctor` for a server: name, port, TLS and login, each on its own line.

use std::net::TcpListener;
use std::path::Path;

use redshift_emulator::{Emulator, Options};
use serde_json::Value;

use crate::servers::{Server, authority, server};
use crate::support::{Ended, put, sparkify};

const STEPS: [&str; 6] = ["dns", "tcp", "tls", "login", "warehouse", "rights"];

/// Returns the states of the steps to `url`, and the message of the one that failed.
fn steps_to(folder: &Path, url: &str) -> (Vec<String>, String) {
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
    let message = failed
        .map_or(String::new(), |what| format!("{} {}", line(what)["said"], line(what)["hint"]));
    if states.contains(&"failed".to_owned()) {
        assert_eq!(ended.code, Some(1), "{report:#}");
    }
    (states, message)
}

/// Returns the states if step `failing` fails, after which no step is tried.
fn up_to(failing: usize) -> Vec<String> {
    let state = |step: usize| match step.cmp(&failing) {
        std::cmp::Ordering::Less => "ok",
        std::cmp::Ordering::Equal => "failed",
        std::cmp::Ordering::Greater => "not tried",
    };
    (0..STEPS.len()).map(|step| state(step).to_owned()).collect()
}

/// Returns a port without a server.
fn closed() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Fails at each step of a server at `port`. The authority `right` signed its certificate, `wrong`
/// did not.
fn fail_at_each_step(
    folder: &Path,
    scheme: &str,
    credentials: &str,
    port: &str,
    [right, wrong]: [&str; 2],
) {
    let (user, password) = credentials.split_once(':').unwrap();
    let at = |credentials: &str, address: &str, authority: &str| {
        let url = format!(
            "{scheme}://{credentials}@{address}/postgres?sslmode=verify-full&sslrootcert={authority}"
        );
        let (states, message) = steps_to(folder, &url);
        assert!(!message.contains(password), "{message}");
        (states, message)
    };
    let (states, message) = at(credentials, "no-such-host.invalid:5432", right);
    assert!(
        states == up_to(0) && message.contains("cannot resolve the host `no-such-host.invalid`"),
        "{states:?} {message}"
    );
    let (states, message) = at(credentials, &format!("localhost:{}", closed()), right);
    assert!(states == up_to(1) && message.contains("no server listens"), "{states:?} {message}");
    let (states, message) = at(credentials, &format!("localhost:{port}"), wrong);
    assert!(
        states == up_to(2) && message.contains("not signed by a trusted authority"),
        "{states:?} {message}"
    );
    let (states, message) = at(&format!("{user}:wr0ng"), &format!("localhost:{port}"), right);
    assert!(
        states == up_to(3) && message.contains("password") && !message.contains("wr0ng"),
        "{states:?} {message}"
    );
}

#[test]
fn each_connection_step_has_its_own_line() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let emulator =
        Emulator::start(Options { database: "postgres".into(), ..Options::default() }).unwrap();
    put(here, "ca.pem", emulator.ca_pem());
    let Server { user, password, port } = server();
    let authority_file = authority();
    let authority_file = authority_file.to_str().unwrap();
    fail_at_each_step(
        here,
        "postgres",
        &format!("{user}:{password}"),
        &port,
        [authority_file, "ca.pem"],
    );
    fail_at_each_step(
        here,
        "redshift",
        "awsuser:Emulator-1",
        &emulator.port().to_string(),
        ["ca.pem", authority_file],
    );
    let socket = Path::new(authority_file).parent().unwrap();
    for url in [
        format!(
            "postgres://{user}:{password}@localhost:{port}/postgres?sslmode=verify-full&sslrootcert={authority_file}"
        ),
        format!("postgres://{user}:{password}@127.0.0.1:{port}/postgres"),
        format!("{}?sslrootcert=ca.pem", emulator.url()),
        format!("postgres://{user}:{password}@/postgres?host={}&port={port}", socket.display()),
    ] {
        assert_eq!(
            steps_to(here, &url),
            (vec!["ok".to_owned(); STEPS.len()], String::new()),
            "{url}"
        );
    }
    let url = format!("postgres://{user}@/postgres?host=/nowhere&port={port}");
    let (states, message) = steps_to(here, &url);
    assert!(states == up_to(1) && message.contains("no socket"), "{states:?} {message}");
    // A missing database fails the login.
    let url = format!("postgres://{user}:{password}@localhost:{port}/nowhere");
    assert_eq!(steps_to(here, &url).0, up_to(3));
}

#[test]
fn a_server_without_tls_is_reported() {
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
        let (states, message) = steps_to(folder.path(), &url);
        assert!(
            states == up_to(2) && message.contains("the server does not support TLS"),
            "{states:?} {message}"
        );
    }
}
