//! Output on a terminal: no line is longer than the terminal is wide.

use std::path::Path;
use std::process::Stdio;

use rexpect::session::spawn_command;

use crate::support::{loaded, put, run, sparkify};

/// Timeout for the terminal; reached only on a failure.
const PATIENCE_MS: u64 = 60_000;

/// Runs the program on a terminal of this width, and returns what it shows without colors.
fn on_terminal(folder: &Path, columns: u16, arguments: &[&str]) -> String {
    let mut command = sparkify(folder, arguments.iter().chain(&["--quiet", "--color", "never"]));
    command.env("COLUMNS", columns.to_string()).env("TERM", "xterm").stdin(Stdio::inherit());
    let mut session = spawn_command(command, Some(PATIENCE_MS)).unwrap();
    // Each character is a byte of the output.
    let bytes = session.exp_eof().unwrap().chars().map(u8::try_from).collect::<Result<_, _>>();
    String::from_utf8(bytes.unwrap()).unwrap()
}

const PROFILE: &str = "
title = \"numbers of another source\"

[[expect]]
name = \"songplays\"
query = \"select count(*) from songplays\"
value = 7

[[expect.cause]]
says = \"plays count twice elsewhere\"
rows = \"select songplay_id, start_time, song_title, artist_name, user_agent from songplays\"
";

#[test]
fn no_line_is_longer_than_the_terminal() {
    let folder = loaded();
    let here = folder.path();
    put(here, "profile.toml", PROFILE);
    for arguments in [
        &["query", "top_songs"][..],
        &["query", "select *, *, * from songplays"],
        &["query", "--list"],
        &["check"],
        &["verify", "--profile", "profile.toml"],
        &["history"],
        &["describe"],
        &["describe", "songplays"],
        &["doctor", "--no-probes"],
        &["rejects", "list"],
        &["plan", "--song-data", "data/song_data", "--log-data", "data/log_data"],
    ] {
        for columns in [80, 120, 200] {
            let shown = on_terminal(here, columns, arguments);
            let too_long = shown.lines().find(|line| line.chars().count() > columns.into());
            assert!(!shown.trim().is_empty(), "{arguments:?}: nothing is shown");
            assert_eq!(too_long, None, "{arguments:?} in {columns} columns:\n{shown}");
        }
    }
    // A pipe gets every character.
    let piped = run(here, ["query", "select *, *, * from songplays"]).good();
    assert!(piped.lines().any(|line| line.chars().count() > 200), "{piped}");
}
