//! Objects in a bucket, over HTTP from the S3 emulator (`crates/emulators/s3`): the same rows as
//! from a folder, also after faults.

mod archives;
mod credentials;
mod end_to_end;
mod faults;
mod hostile;
mod listing;
mod metadata;
mod range_faults;
mod ranges;

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use s3_emulator::{KEY, SECRET, Server};

use crate::support::{Ended, query_value as asked, sparkify};

const SONGS: &str = "s3://bucket/data/song_data";
const LOGS: &str = "s3://bucket/data/log_data";
const ETL: [&str; 5] = ["etl", "--song-data", SONGS, "--log-data", LOGS];

/// Returns the program without the AWS configuration of this machine.
fn program<S: AsRef<OsStr>>(folder: &Path, arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = sparkify(folder, arguments);
    for (name, _) in std::env::vars() {
        if name.starts_with("AWS_") || name.to_lowercase().ends_with("_proxy") {
            command.env_remove(name);
        }
    }
    command.env("HOME", folder).env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

/// Returns the program with the endpoint and the key of the server.
pub(crate) fn signed<S: AsRef<OsStr>>(
    server: &Server,
    folder: &Path,
    arguments: impl IntoIterator<Item = S>,
) -> Command {
    let mut command = program(folder, arguments);
    command.env("AWS_ENDPOINT_URL", server.endpoint());
    command.env("AWS_ACCESS_KEY_ID", KEY).env("AWS_SECRET_ACCESS_KEY", SECRET);
    command
}

fn run(server: &Server, folder: &Path, arguments: &[&str]) -> Ended {
    ended(&mut signed(server, folder, arguments))
}

/// Runs the command to its end, and asserts that it prints no secret.
fn ended(command: &mut Command) -> Ended {
    let ended = Ended::from(command.output().expect("the program starts"));
    for secret in [SECRET, "another+secret", "X-Amz-Signature", "AWS4-HMAC"] {
        assert!(!ended.err.contains(secret) && !ended.out.contains(secret), "{ended:#?}");
    }
    ended
}

/// Uploads every file below `folder` to `prefix` in the bucket.
fn upload(server: &Server, folder: &Path, prefix: &str) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(OsStr::to_str).expect("a name");
        if path.is_dir() {
            upload(server, &path, &format!("{prefix}/{name}"));
        } else {
            server.put(&format!("{prefix}/{name}"), std::fs::read(&path).expect("a file"));
        }
    }
}

fn plays(folder: &Path) -> String {
    asked(folder, "select count(*) from songplays")
}
