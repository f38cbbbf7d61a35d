//! A folder served as a bucket from memory, each answer as much later as a store far away: what `benches/s3.sh` measures against, and a way to try
//! S3 without one. Signatures are verified.
//!
//! usage: cargo run --release --example bucket -- FOLDER [MILLISECONDS [RATE]]
//! RATE is what one answer gives, in MB a second; without it, as much as it can.
//! It prints what to export, and serves until its standard input ends.

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use s3_emulator::{KEY, SECRET, Server};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_default();
    let latency = arguments.next().map_or(Ok(0), |text| text.parse());
    let rate = arguments.next().map_or(Ok(0), |text| text.parse::<u64>());
    let (Ok(entries), Ok(latency), Ok(rate)) = (std::fs::read_dir(&folder), latency, rate) else {
        eprintln!("error: cannot serve `{folder}`\nhint: bucket FOLDER [MILLISECONDS [RATE]]");
        return ExitCode::from(2);
    };
    let server = Server::start();
    server.set_latency(Duration::from_millis(latency));
    server.limit_bandwidth(rate.saturating_mul(1_000_000));
    for entry in entries.flatten() {
        upload(&server, &entry.path(), &entry.file_name().to_string_lossy());
    }
    println!("export AWS_ENDPOINT_URL={}", server.endpoint());
    println!("export AWS_ACCESS_KEY_ID={KEY} AWS_SECRET_ACCESS_KEY={SECRET}");
    // Whoever started it ends it by closing the pipe.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    ExitCode::SUCCESS
}

fn upload(server: &Server, path: &Path, key: &str) {
    if let Ok(entries) = std::fs::read_dir(path) {
        for entry in entries.flatten() {
            upload(
                server,
                &entry.path(),
                &format!("{key}/{}", entry.file_name().to_string_lossy()),
            );
        }
    } else if let Ok(bytes) = std::fs::read(path) {
        server.put(key, bytes);
    }
}
