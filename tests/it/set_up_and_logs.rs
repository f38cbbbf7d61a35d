//! Commands that set the program up, and its log: configuration file, completions, man pages,
//! version, JSON logs and JSON errors, short and complete summaries.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::support::{loaded, put, run, run_shell, song};

const ETL: [&str; 5] = ["etl", "--song-data", "data/song_data", "--log-data", "data/log_data"];

#[test]
fn init_writes_a_private_configuration_that_every_command_accepts() {
    let folder = loaded();
    let here = folder.path();
    run(here, ["init"]).good();
    let mode = here.join("dwh.cfg").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // It names the default locations and the default warehouse.
    let ended = run(here, ["etl"]);
    assert_eq!(ended.err, "", "no warning");
    assert!(ended.good().contains("nothing to load: 2 files are loaded already"));
    let error = run(here, ["init"]).bad(2);
    assert!(error.contains("`dwh.cfg` already exists") && error.contains("--force"), "{error}");
    put(here, "other.cfg", "x");
    run(here, ["init", "other.cfg", "--force"]).good();
    let [one, other] = ["dwh.cfg", "other.cfg"].map(|file| std::fs::read(here.join(file)).unwrap());
    assert_eq!(one, other);
}

#[test]
fn completions_and_man_pages_are_made_from_the_arguments() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = run(folder.path(), ["completions", shell]).good();
        assert!(script.contains("max-reject-share"), "{shell}");
    }
    run(folder.path(), ["man", "."]).good();
    let page = std::fs::read_to_string(folder.path().join("sparkify-etl.1")).unwrap();
    assert!(page.contains("max\\-reject\\-share"), "{page}");
    assert!(run(folder.path(), ["man", "missing"]).bad(2).contains("cannot write man pages"));
}

#[test]
fn the_version_names_the_library() {
    let folder = tempfile::tempdir().unwrap();
    let version = run(folder.path(), ["--version"]).good();
    let lines: Vec<&str> = version.lines().collect();
    assert!(lines[0].starts_with(concat!("sparkify ", env!("CARGO_PKG_VERSION"))), "{version}");
    assert!(lines[1].starts_with("DuckDB v"), "{version}");
    assert!(run(folder.path(), ["-V"]).good().starts_with("sparkify "));
}

#[test]
fn the_log_is_text_without_colors_or_json() {
    let folder = loaded();
    let text = run(folder.path(), ETL.into_iter().chain(["-vv", "--full-refresh"]));
    assert!(text.err.contains(" INFO stage events"), "{}", text.err);
    assert!(!text.err.contains('\u{1b}'), "{}", text.err);
    let logged = ["-vv", "--log-json", "--full-refresh"];
    let ended = run(folder.path(), ETL.into_iter().chain(logged));
    let lines: Vec<Value> =
        ended.err.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert!(lines.iter().any(|line| line["message"] == "stage events" && line["level"] == "INFO"));
    assert!(lines.iter().all(|line| line["timestamp"].is_string()), "{}", ended.err);
}

#[test]
fn a_failure_is_a_json_object_where_json_is_requested() {
    let folder = tempfile::tempdir().unwrap();
    let error = run(folder.path(), ["history", "--output", "json"]).bad(2);
    let error: Value = serde_json::from_str(&error).unwrap();
    assert_eq!(error["error"], "no warehouse found at `sparkify.duckdb`");
    assert!(error["hint"].as_str().unwrap().starts_with("run `sparkify etl` first"), "{error}");
    assert_eq!(error["exit_code"], 2);
}

#[test]
fn the_summary_is_short_complete_or_absent() {
    let folder = loaded();
    let here = folder.path();
    for number in 0..9 {
        // Most bytes of each file are lost, and fewer than the limit of all bytes.
        let broken = song(&format!("SO{number}"), "Title", 100.0) + "\n{" + &"x".repeat(500);
        put(here, &format!("data/song_data/b{number}.json"), broken);
    }
    let etl = [&ETL[..], &["--max-reject-share", "65%", "--full-refresh"]].concat();
    let short = run(here, &etl).good();
    assert!(short.lines().count() <= 10, "{short}");
    assert_eq!(short.matches("damaged: ").count(), 4, "three objects and their number: {short}");
    assert!(short.contains("and 6 more objects"), "{short}");
    assert!(short.contains("9 rejected: `sparkify rejects list` shows them"), "{short}");
    assert!(short.ends_with("\nload 2 is published\n"), "{short}");
    let complete = run(here, [&etl[..], &["-v"]].concat()).good();
    assert_eq!(complete.matches("damaged: ").count(), 9, "{complete}");
    assert!(complete.contains("rows in the tables"), "{complete}");
    let quiet = run(here, [&etl[..], &["-q"]].concat());
    assert_eq!((quiet.out.as_str(), quiet.err.as_str()), ("", ""));
    quiet.good();
}

#[test]
fn the_shell_knows_the_words_of_other_shells() {
    let folder = loaded();
    let input = ".tables\n.schema songs\nhelp\n\\x\nselect 1 as one, 2 as two;\nexit\nselect 3;\n";
    let out = run_shell(folder.path(), &[], input).good();
    for part in ["staging_events", "artist_id", "run a statement", "\none  1\ntwo  2\n1 row\n"] {
        assert!(out.contains(part), "{part}: {out}");
    }
    assert!(!out.contains('3') || !out.ends_with("3\n1 row\n"), "`exit` ends the shell: {out}");
}
