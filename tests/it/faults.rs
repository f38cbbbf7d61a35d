//! Faults of the environment: killed processes, a full disk, concurrent writers, damaged files.
//!
//! Afterwards the warehouse opens with the last published state, and the next run completes.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Ended, event, gzip, put, run, song, sparkify};

const ETL: [&str; 5] = ["etl", "--song-data", "data/song_data", "--log-data", "data/log_data"];

/// Folder with a warehouse of the first days of a sample, and the other days as new input.
struct Scene {
    folder: tempfile::TempDir,
    before: String,
    after: String,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let size = ["--songs", "300", "--events", "60000", "--days", "12", "--users", "200"];
        run(folder.path(), ["generate", "all"].into_iter().chain(size)).good();
        let days = std::fs::read_dir(folder.path().join("all/log_data/2018/11")).unwrap();
        for day in days.map(|entry| entry.unwrap().file_name().into_string().unwrap()) {
            let part = if day.as_str() < "2018-11-05" { "data" } else { "later" };
            let target = folder.path().join(part).join("log_data");
            std::fs::create_dir_all(&target).unwrap();
            std::fs::rename(
                folder.path().join("all/log_data/2018/11").join(&day),
                target.join(&day),
            )
            .unwrap();
        }
        let songs = folder.path().join("data/song_data");
        std::fs::rename(folder.path().join("all/song_data"), songs).unwrap();
        run(folder.path(), ETL).good();
        let before = state(folder.path());
        std::fs::copy(folder.path().join("sparkify.duckdb"), folder.path().join("base.duckdb"))
            .unwrap();
        for entry in std::fs::read_dir(folder.path().join("later/log_data")).unwrap() {
            let entry = entry.unwrap();
            let target = folder.path().join("data/log_data").join(entry.file_name());
            std::fs::rename(entry.path(), target).unwrap();
        }
        run(folder.path(), ETL).good();
        let after = state(folder.path());
        assert_ne!(before, after);
        Self { folder, before, after }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Restores the warehouse of the first days.
    fn rewind(&self) {
        let _ = std::fs::remove_file(self.path().join("sparkify.duckdb.wal"));
        std::fs::copy(self.path().join("base.duckdb"), self.path().join("sparkify.duckdb"))
            .unwrap();
    }

    /// Asserts that the state is one of the two published ones, that the data tests pass, and that
    /// the next run completes.
    fn recovers(&self, fault: &str) {
        let found = state(self.path());
        assert!(found == self.before || found == self.after, "{fault}: neither state:\n{found}");
        run(self.path(), ["check", "--quiet"]).good();
        run(self.path(), ETL).good();
        assert_eq!(state(self.path()), self.after, "{fault}: the next run");
    }
}

/// Returns a digest of every table of the model and of staging.
fn state(folder: &Path) -> String {
    let tables = [
        "songplays",
        "users",
        "user_levels",
        "songs",
        "artists",
        "time",
        "staging_events",
        "staging_songs",
    ];
    let parts = tables.map(|table| {
        let columns = if table.starts_with("staging") { "exclude (load_id)" } else { "" };
        format!("select '{table}', count(*), sum(hash(row)::hugeint) from (select * {columns} from {table}) as row")
    });
    run(folder, ["query", "--format", "csv", &parts.join(" union all ")]).good()
}

/// Starts a load and kills it when it logs `step`, or after `delay`. Returns whether the step was
/// reached.
fn killed(folder: &Path, step: Option<&str>, delay: Duration) -> bool {
    let mut command = sparkify(folder, ETL.into_iter().chain(["-v"]));
    let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
    let met = if let Some(step) = step {
        stderr.any(|line| line.unwrap().trim_end().ends_with(&format!("INFO {step}")))
    } else {
        std::thread::sleep(delay);
        true
    };
    child.kill().unwrap();
    child.wait().unwrap();
    met
}

#[test]
fn a_killed_load_leaves_the_published_state_and_the_next_run_completes() {
    let scene = Scene::new();
    let started = Instant::now();
    scene.rewind();
    run(scene.path(), ETL).good();
    let usual = started.elapsed();
    let steps = [
        "list",
        "compare",
        "stage songs",
        "stage events",
        "find affected keys",
        "songs",
        "artists",
        "users",
        "user_levels",
        "songplays",
        "time",
        "check",
        "publish",
    ];
    for step in steps {
        scene.rewind();
        assert!(killed(scene.path(), Some(step), Duration::ZERO), "no step `{step}`");
        scene.recovers(&format!("killed at `{step}`"));
    }
    let random = 12;
    for part in 0..random {
        scene.rewind();
        let delay = usual.mul_f64((f64::from(part) + 0.5) / f64::from(random));
        killed(scene.path(), None, delay);
        scene.recovers(&format!("killed after {delay:?}"));
    }
    println!(
        "killed at {} named steps and {random} other moments; recovered each time",
        steps.len()
    );
}

#[test]
fn a_full_disk_publishes_nothing_and_says_so() {
    let scene = Scene::new();
    let size = std::fs::metadata(scene.path().join("base.duckdb")).unwrap().len();
    let mut failures = 0;
    for percent in [100, 105, 120, 150] {
        scene.rewind();
        // Limits files to this number of 1,024-byte blocks: writes fail as on a full disk.
        let blocks = size * percent / 100 / 1024;
        let script = format!("ulimit -f {blocks}; trap '' XFSZ; exec \"$@\"");
        let mut limited = Command::new("bash");
        limited
            .args(["-c", &script, "bash", env!("CARGO_BIN_EXE_sparkify")])
            .args(ETL)
            .current_dir(scene.path());
        let ended = Ended::from(limited.output().unwrap());
        failures += u32::from(ended.code == Some(2));
        assert!(matches!(ended.code, Some(0 | 2)), "{ended:?}");
        assert!(!ended.err.contains("panicked"), "{ended:?}");
        if ended.code == Some(2) {
            assert_eq!(state(scene.path()), scene.before, "at {percent} %");
        }
        scene.recovers(&format!("disk full at {percent} %"));
    }
    assert!(failures >= 2, "the limit was never reached");
    println!("{failures} loads met a full disk; recovered each time");
}

/// A folder with one song and one play.
fn small() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "data/song_data/a.json", song("SO1", "One", 200.5));
    put(folder.path(), "data/log_data/e.json", event(1, 0, 1, "NextSong", "One"));
    folder
}

#[test]
fn a_second_writer_gets_the_pid_of_the_first() {
    let folder = small();
    run(folder.path(), ETL).good();
    let holder = crate::support::duckdb(folder.path().join("sparkify.duckdb").to_str().unwrap());
    for (seconds, notices) in [("0", 1), ("1", 2)] {
        let message = run(folder.path(), ETL.into_iter().chain(["--wait", seconds])).bad(2);
        assert_eq!(
            message.matches("is in use by another process (PID ").count(),
            notices,
            "{message}"
        );
        assert!(
            message.contains("hint: retry when the other process has finished, raise `--wait"),
            "{message}"
        );
    }
    let message = run(folder.path(), ["create-tables", "--yes", "--wait", "0"]).bad(2);
    assert!(message.contains("is in use by another process (PID "), "{message}");
    drop(holder);
    run(folder.path(), ETL).good();
}

#[test]
fn a_load_waits_for_the_file_lock() {
    let folder = small();
    run(folder.path(), ETL).good();
    put(folder.path(), "data/log_data/f.json", event(1, 1, 2, "NextSong", "One"));
    let holder = crate::support::duckdb(folder.path().join("sparkify.duckdb").to_str().unwrap());
    let mut waiting = sparkify(folder.path(), ETL.into_iter().chain(["--wait", "600"]));
    let mut waiting = waiting.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(waiting.stderr.take().unwrap()).lines();
    let line = stderr.next().expect("a message about the wait").unwrap();
    assert!(line.contains("(PID ") && line.ends_with(": waiting up to 600 s"), "{line}");
    drop(holder);
    let loaded = Ended::from(waiting.wait_with_output().unwrap()).good();
    assert!(loaded.contains("load 2 is published"), "{loaded}");
}

/// Runs a load that must fail, and asserts that the published rows remain.
fn fails(folder: &Path, code: i32, expected: &[&str]) {
    let message = run(folder, ETL).bad(code);
    for text in expected {
        assert!(message.contains(text), "`{text}` is not in {message}");
    }
    let plays = run(folder, ["query", "--format", "csv", "select count(*) from songplays"]).good();
    assert_eq!(plays, "count_star()\n1\n", "after: {message}");
}

#[test]
fn damaged_compression_fails_the_load_and_keeps_published_rows() {
    let whole =
        zstd::encode_all(event(2, 0, 1, "NextSong", "One").repeat(200).as_bytes(), 1).unwrap();
    let gzip = gzip(event(2, 0, 1, "NextSong", "One").repeat(200).as_bytes());
    let mut flipped = gzip.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x55;
    let cases: [(&str, Vec<u8>); 6] = [
        ("cut.json.gz", gzip[..gzip.len() / 2].to_vec()),
        ("flipped.json.gz", flipped),
        ("tail.json.gz", [gzip.as_slice(), b"tail"].concat()),
        ("plain.json.gz", event(2, 0, 1, "NextSong", "One").into_bytes()),
        ("cut.json.zst", whole[..whole.len() / 2].to_vec()),
        ("plain.json.zst", b"{}".to_vec()),
    ];
    for (name, content) in cases {
        let folder = small();
        run(folder.path(), ETL).good();
        put(folder.path(), &format!("data/log_data/{name}"), content);
        fails(folder.path(), 2, &["error: cannot decompress `", name, "hint: fetch it again"]);
        std::fs::remove_file(folder.path().join("data/log_data").join(name)).unwrap();
        run(folder.path(), ETL).good();
    }
}

#[test]
fn unreadable_files_fail_the_load_and_keep_published_rows() {
    let folder = small();
    run(folder.path(), ETL).good();
    let link = folder.path().join("data/log_data/gone.json");
    std::os::unix::fs::symlink(folder.path().join("nowhere"), &link).unwrap();
    fails(folder.path(), 2, &["gone.json` is a symbolic link to `", "which does not exist"]);
    std::fs::remove_file(&link).unwrap();

    let pipe: PathBuf = folder.path().join("data/log_data/pipe.json");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    fails(folder.path(), 2, &["pipe.json` is a named pipe (FIFO), not a file"]);
    std::fs::remove_file(&pipe).unwrap();

    // A link to a parent folder is reported and not followed.
    std::os::unix::fs::symlink(folder.path().join("data/log_data"), &link).unwrap();
    let summary = run(folder.path(), [&ETL[..], &["--output", "json"]].concat()).good();
    assert!(summary.contains("gone.json (a link back to "), "{summary}");
}

#[test]
fn links_to_files_and_folders_are_followed() {
    let folder = small();
    let plain = run(folder.path(), [&ETL[..], &["--output", "json"]].concat()).good();
    let read = |summary: &str| {
        let summary: serde_json::Value = serde_json::from_str(summary).unwrap();
        ["objects_read", "events_staged", "songs_staged"].map(|key| summary[key].clone())
    };

    let other = small();
    let data = other.path().join("data");
    std::fs::create_dir(other.path().join("elsewhere")).unwrap();
    for place in ["song_data", "log_data"] {
        let elsewhere = other.path().join("elsewhere").join(place);
        std::fs::rename(data.join(place), &elsewhere).unwrap();
        std::fs::create_dir(data.join(place)).unwrap();
        for entry in std::fs::read_dir(&elsewhere).unwrap() {
            let entry = entry.unwrap();
            let link = data.join(place).join(entry.file_name());
            std::os::unix::fs::symlink(entry.path(), link).unwrap();
        }
    }
    let follow = [&ETL[..], &["--output", "json", "--follow-links"]].concat();
    let linked = run(other.path(), &follow).good();
    assert_eq!(read(&linked), read(&plain));
    let again = run(other.path(), &follow).good();
    assert!(again.contains("\"outcome\": \"unchanged\""), "{again}");
}

/// Change of the file at this path, which holds these bytes.
type Change = fn(&Path, &[u8]);

/// Changes of a file during a load.
const CHANGES: &[(&str, Change)] = &[
    ("cut short", |path, content| put_at(path, &content[..content.len() / 2])),
    ("emptied", |path, _| put_at(path, b"")),
    ("grown", |path, content| put_at(path, &[content, b"{}\n"].concat())),
    ("rewritten in the same size", |path, content| put_at(path, &vec![b' '; content.len()])),
    ("replaced", |path, _| {
        let other = path.with_extension("new");
        std::fs::write(&other, event(9, 9, 9, "Home", "")).unwrap();
        std::fs::rename(other, path).unwrap();
    }),
    ("removed", |path, _| std::fs::remove_file(path).unwrap()),
];

/// Overwrites a file in place: processes that have it open see the new content.
fn put_at(path: &Path, content: &[u8]) {
    let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(content.len() as u64).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, content, 0).unwrap();
}

fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").args([name, &pid.to_string()]).status();
    assert!(sent.unwrap().success());
}

/// Starts a load with `more` options, suspends it `delay` after it logs `step`, applies the change,
/// and resumes it.
fn load_with_change(
    folder: &Path,
    more: &[&str],
    step: &str,
    delay: Duration,
    change: impl FnOnce(),
) -> Ended {
    let mut command = sparkify(folder, ETL.iter().chain(&["-v"]).chain(more));
    let mut child = command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let (mut err, mut line) = (String::new(), String::new());
    while !line.trim_end().ends_with(&format!("INFO {step}")) {
        line.clear();
        assert!(stderr.read_line(&mut line).unwrap() > 0, "no step `{step}`: {err}");
        err.push_str(&line);
    }
    std::thread::sleep(delay);
    signal(child.id(), "-STOP");
    change();
    signal(child.id(), "-CONT");
    std::io::Read::read_to_string(&mut stderr, &mut err).unwrap();
    let output = child.wait_with_output().unwrap();
    Ended { code: output.status.code(), out: String::from_utf8(output.stdout).unwrap(), err }
}

#[test]
fn a_file_that_changes_during_a_load_is_detected_or_was_already_read() {
    let scene = Scene::new();
    // The last day in reading order.
    let path = scene.path().join("data/log_data/2018-11-12-events.json");
    let content = std::fs::read(&path).unwrap();
    let (mut tried, mut detected) = (0, 0);
    for (what, change) in CHANGES {
        for (step, delay) in [("compare", 0), ("stage events", 0), ("stage events", 8)] {
            scene.rewind();
            let delay = Duration::from_millis(delay);
            let strict = ["--strict-listing"];
            let ended =
                load_with_change(scene.path(), &strict, step, delay, || change(&path, &content));
            let fault = format!("{what} at `{step}` and {delay:?}");
            assert!(matches!(ended.code, Some(0 | 2)), "{fault}: {ended:?}");
            assert!(!ended.err.contains("panicked"), "{fault}: {ended:?}");
            let found = state(scene.path());
            if ended.code == Some(2) {
                assert_eq!(found, scene.before, "{fault}: {}", ended.err);
                detected += 1;
            } else {
                assert_eq!(found, scene.after, "{fault}");
            }
            std::fs::write(&path, &content).unwrap();
            scene.recovers(&fault);
            tried += 1;
        }
    }
    println!(
        "{tried} changes of a file during a load: {detected} detected, the others after it was read"
    );
    assert!(detected > 0, "no change was detected");
}

#[test]
fn a_file_that_changes_during_a_load_does_not_fail_it() {
    let scene = Scene::new();
    let path = scene.path().join("data/log_data/2018-11-12-events.json");
    let content = std::fs::read(&path).unwrap();
    for (what, change) in CHANGES {
        for step in ["compare", "stage songs"] {
            scene.rewind();
            let ended = load_with_change(scene.path(), &[], step, Duration::ZERO, || {
                change(&path, &content);
            });
            let fault = format!("{what} at `{step}`");
            assert_eq!(ended.code, Some(0), "{fault}: {ended:?}");
            let left = ended.err.contains("was removed after it was listed: left for the next run");
            assert_eq!(left, *what == "removed", "{fault}: {ended:?}");
            run(scene.path(), ["check", "--quiet"]).good();
            let history = run(scene.path(), ["history", "--limit", "1"]).good();
            assert_eq!(history.contains("left for the next run: 1: `"), left, "{fault}: {history}");
            // The next run loads the file as it is then.
            std::fs::write(&path, &content).unwrap();
            run(scene.path(), ETL).good();
            assert_eq!(state(scene.path()), scene.after, "{fault}");
        }
    }
}
