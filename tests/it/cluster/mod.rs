//! Creation and deletion of Redshift warehouses over real HTTP, on an emulator that is stricter
//! than AWS and on `moto`, an independent one.

mod doctor;
mod life;
mod moto;
mod network;
mod policies;
mod reap;
mod role;
mod serverless;
mod strict;
mod student;
mod trouble;
mod written;

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use aws_emulator::{Behavior, KEY, REGION, SECRET, Server};

use crate::support::{Ended, put, sparkify};

const PASSWORD: &str = "Passw0rd-nobody-sees";
const CONFIG: &str = "# the course's file\n[CLUSTER]\nHOST=''\nDB_NAME=dwh\nDB_USER=dwhuser\nDB_PASSWORD='Passw0rd-nobody-sees'\nDB_PORT=5439\n\n\
[IAM_ROLE]\nARN=''\n\n[S3]\nLOG_DATA='s3://udacity-dend/log_data'\nLOG_JSONPATH='s3://udacity-dend/log_json_path.json'\n\
SONG_DATA='s3://udacity-dend/song_data'\n\n[DWH]\nDWH_CLUSTER_TYPE=multi-node\nDWH_NUM_NODES=2\nDWH_NODE_TYPE=ra3.large\n\
DWH_IAM_ROLE_NAME=dwhRole\nDWH_CLUSTER_IDENTIFIER=dwhCluster\nDWH_DB=dwh\nDWH_DB_USER=dwhuser\nDWH_PORT=5439\nDWH_REGION=us-west-2\n";

/// Folder with a `dwh.cfg`, and an emulator.
struct Scene {
    folder: tempfile::TempDir,
    server: Server,
}

impl Scene {
    fn new(behavior: Behavior) -> Self {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "dwh.cfg", CONFIG);
        Self { folder, server: Server::start(behavior).unwrap() }
    }

    fn usual() -> Self {
        Self::new(Behavior::default())
    }

    /// Returns a `sparkify cluster` command with short polling intervals.
    fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = at(self.server.url(), self.folder.path(), arguments);
        command.env("SPARKIFY_ADDRESS_URL", format!("{}/checkip", self.server.url()));
        command
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        let quick = ["--poll", "0.02", "--timeout", "60s"];
        ended(&mut self.command(["cluster"].iter().chain(arguments).chain(&quick)))
    }

    fn left(&self) -> Vec<String> {
        self.server.account().resources()
    }

    /// Starts a command, sends it a signal when it has printed `word`, and waits for its
    /// end.
    ///
    /// The emulator's clock stops at the first call of `action`: however late the signal comes, the
    /// command gets no further than to a wait for a change of a state.
    fn stopped(&self, arguments: &[&str], word: &str, action: &str, signal: &str) -> Ended {
        self.server.account().stop_clock_at(action);
        let quick = ["--poll", "0.02", "--timeout", "60s"];
        let mut command = self.command(["cluster"].iter().chain(arguments).chain(&quick));
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let mut said = String::new();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        while !said.contains(word) {
            let mut line = String::new();
            assert!(lines.read_line(&mut line).unwrap() > 0, "it never said `{word}`:\n{said}");
            said.push_str(&line);
        }
        let sent = Command::new("kill").args([signal, &child.id().to_string()]).status();
        assert!(sent.unwrap().success());
        for line in lines.lines() {
            said.push_str(&line.unwrap());
            said.push('\n');
        }
        let output = child.wait_with_output().unwrap();
        // The emulator may still be processing the last request.
        self.server.wait_until_disconnected();
        self.server.account().start_clock();
        Ended { code: output.status.code(), out: String::new(), err: said }
    }
}

/// Returns the program with this address as AWS, without other AWS configuration of the
/// machine.
fn at<S: AsRef<OsStr>>(
    url: &str,
    folder: &std::path::Path,
    arguments: impl IntoIterator<Item = S>,
) -> Command {
    let mut command = sparkify(folder, arguments);
    for (name, _) in std::env::vars() {
        if name.starts_with("AWS_") || name.to_lowercase().ends_with("_proxy") {
            command.env_remove(name);
        }
    }
    command
        .env("HOME", folder)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_ENDPOINT_URL", url)
        .env("AWS_REGION", REGION)
        .env("AWS_ACCESS_KEY_ID", KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET);
    command
}

/// Runs the command to its end, and asserts that it prints no secret.
fn ended(command: &mut Command) -> Ended {
    let ended = Ended::from(command.output().expect("the program starts"));
    for secret in [SECRET, PASSWORD, "AWS4-HMAC", "Signature="] {
        assert!(!ended.err.contains(secret) && !ended.out.contains(secret), "{ended:#?}");
    }
    ended
}
