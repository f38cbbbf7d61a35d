//! Interactive shell: statements from a pipe, and keys typed at a terminal.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use rexpect::session::{PtySession, spawn_command};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Ended, event, loaded, put, run, run_shell, sparkify};

/// Timeout for the terminal; reached only on a failure.
const PATIENCE_MS: u64 = 60_000;

/// Types `keys`; the terminal holds back a line without its end. Ctrl-D is for a shell at its
/// prompt: between two prompts the terminal takes it for the end of a line.
fn type_in(shell: &mut PtySession, keys: &str) {
    shell.send(keys).unwrap();
    shell.flush().unwrap();
}

/// Starts a shell on a terminal, after its banner.
fn typed_at(folder: &Path) -> PtySession {
    let mut command = sparkify(folder, ["shell"]);
    command.env("SPARKIFY_HISTORY", folder.join("state/history"));
    command.env("TERM", "xterm").env("PAGER", "cat > paged; echo paged:");
    command.stdin(Stdio::inherit());
    let mut session = spawn_command(command, Some(PATIENCE_MS)).unwrap();
    session.exp_string("sparkify> ").unwrap();
    session
}

#[test]
fn statements_and_saved_queries_run_from_a_pipe() {
    let folder = loaded();
    let text = "-- all of them\nselect count(*) as plays\n  from songplays; select 'a;b' as text;\n\
                top_songs --by plays --limit 1\nmatch_coverage;\nselect 7 as last";
    let out = run_shell(folder.path(), &[], text).good();
    assert!(out.starts_with("plays\n──────\n    4\n1 row\ntext\n─────\na;b\n1 row\n"), "{out}");
    assert!(out.contains("One") && out.contains("match_method"), "{out}");
    assert!(out.ends_with("last\n─────\n   7\n1 row\n"), "{out}");
    let json = run_shell(folder.path(), &["--output", "json"], "select 7 as a;").json();
    assert_eq!(json, serde_json::json!([{ "a": 7 }]));
    assert_eq!(run_shell(folder.path(), &[], " \n;;\n-- nothing\n").good(), "");
}

#[test]
fn commands_look_around_and_run_files() {
    let folder = loaded();
    let here = folder.path();
    assert_eq!(run_shell(here, &[], "\\d\n").good(), run(here, ["describe"]).good());
    let described = run_shell(here, &[], "\\d songplays\n").good();
    assert_eq!(described, run(here, ["describe", "songplays"]).good());
    assert!(run_shell(here, &[], "\\?\n").good().contains("\\timing"));
    assert!(run_shell(here, &[], "\\questions\n").good().contains("top_songs"));
    put(here, "a.sql", "select 1 as a;\n\\i b.sql\n");
    put(here, "b.sql", "\\q\nselect 2 as b;\n");
    let out = run_shell(here, &[], "\\i a.sql\nselect 3 as c;\n").good();
    assert_eq!(out, "a\n──\n1\n1 row\n", "`\\q` ends all of it");
    put(here, "circle.sql", "\\i circle.sql\n");
    assert!(run_shell(here, &[], "\\i circle.sql\n").bad(2).contains("files are nested more than"));
    let timed = run_shell(here, &[], "\\timing on\nselect 1 as a;\n\\timing\nselect 2 as b;\n");
    assert_eq!(timed.err.matches(" ms\n").count(), 1, "{timed:?}");
}

#[test]
fn a_result_is_truncated_at_the_limit() {
    let folder = loaded();
    let many = "select range as n from range(3000000000);\n";
    let ended = run_shell(folder.path(), &[], many);
    assert!(ended.err.contains("first 1,000 rows shown, there are more"), "{}", ended.err);
    assert!(ended.good().ends_with("1,000 rows\n"));
    let ended = run_shell(
        folder.path(),
        &[],
        "\\limit 2\nfrom range(2);\nfrom range(3);\n\\limit all\nfrom range(1001);\n",
    );
    assert_eq!(ended.err.matches("there are more").count(), 1, "{}", ended.err);
    let out = ended.good();
    assert_eq!(out.matches("2 rows\n").count(), 2, "{out}");
    assert!(out.ends_with("1,001 rows\n"));
}

#[test]
fn the_first_error_ends_a_pipe_with_its_hint_and_code() {
    let folder = loaded();
    for (text, message) in [
        ("select 1 as a; selec 2;", "syntax error"),
        ("delete from songplays;", "open read-only"),
        ("select * from 'data/log_data/e.json';", "disabled"),
        ("set threads = 1;", "not a query"),
        ("\\d song\n", "did you mean `songs`?"),
        ("\\y\n", "unknown command `\\y`"),
        ("top_song\n", "did you mean `top_songs`?"),
        ("nothing\n", "unknown command or saved query `nothing`"),
        ("\\q now\n", "wrong arguments for `\\q`"),
        ("\\limit 0\n", "a whole number of at least 1"),
        ("\\timing maybe\n", "`\\timing on` or `\\timing off`"),
        ("\\i missing.sql\n", "cannot read SQL from `missing.sql`"),
        ("top_songs --limit x\n", "cannot run `top_songs`"),
        ("top_songs --since x\n", "`x` is not a date"),
        ("match_coverage --limit 3\n", "has no option"),
    ] {
        let ended = run_shell(folder.path(), &[], &format!("{text}\nselect 'after' as b;\n"));
        assert!(!ended.out.contains("after"), "{text}: {ended:?}");
        let err = ended.bad(2);
        assert!(err.contains(message), "{text}: {err}");
    }
    let nowhere = tempfile::tempdir().unwrap();
    assert!(run_shell(nowhere.path(), &[], "").bad(2).contains("no warehouse found"));
}

#[test]
fn a_load_runs_while_a_shell_is_idle() {
    let folder = loaded();
    let mut shell = typed_at(folder.path());
    put(folder.path(), "data/log_data/f.json", event(2, 0, 1_541_376_900_796, "NextSong", "One"));
    run(folder.path(), ["etl", "--song-data", "data/song_data", "--log-data", "data/log_data"])
        .good();
    shell.send_line("select 'plays ' || count(*) as n from songplays;").unwrap();
    shell.exp_string("plays 5").unwrap();
    shell.exp_string("sparkify> ").unwrap();
    shell.send_line("\\q").unwrap();
    shell.exp_eof().unwrap();
}

#[test]
fn interactive_keys_complete_continue_cancel_and_quit() {
    let folder = loaded();
    let mut shell = typed_at(folder.path());
    // A table name completed by Tab; a statement of two lines.
    type_in(&mut shell, "select 'n=' || count(*) as n from user_l\t as p\r");
    shell.exp_string("       -> ").unwrap();
    type_in(&mut shell, "where p.level = 'free';\r");
    shell.exp_string("n=1").unwrap();
    shell.exp_string("sparkify> ").unwrap();
    // A saved query and a command.
    type_in(&mut shell, "match_cov\t\r");
    shell.exp_string("percent").unwrap();
    shell.exp_string("sparkify> ").unwrap();
    // An unfinished statement, cancelled; an error, after which the shell continues.
    type_in(&mut shell, "select\r'half");
    shell.exp_string("       -> ").unwrap();
    shell.send_control('c').unwrap();
    shell.exp_string("sparkify> ").unwrap();
    type_in(&mut shell, "selec 1;\r");
    shell.exp_string("error").unwrap();
    shell.exp_string("sparkify> ").unwrap();
    // A result wider than the screen goes through the pager.
    type_in(&mut shell, "select repeat('x', 200) as wide, range as n from range(200);\r");
    shell.exp_string("paged:").unwrap();
    shell.exp_string("sparkify> ").unwrap();
    let paged = std::fs::read_to_string(folder.path().join("paged")).unwrap();
    assert!(paged.contains("x  199\n200 rows\n"), "{paged}");
    shell.send_control('d').unwrap();
    shell.exp_eof().unwrap();
}

#[test]
fn history_is_kept_in_a_private_file() {
    let folder = loaded();
    let mut shell = typed_at(folder.path());
    type_in(&mut shell, "select 'kept' || 1 as n;\r");
    shell.exp_string("kept1").unwrap();
    shell.exp_string("sparkify> ").unwrap();
    shell.send_control('d').unwrap();
    shell.exp_eof().unwrap();
    let path = folder.path().join("state/history");
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let mut shell = typed_at(folder.path());
    // The previous line, by the arrow key.
    type_in(&mut shell, "\x1b[A\r");
    shell.exp_string("kept1").unwrap();
    shell.exp_string("sparkify> ").unwrap();
    shell.send_control('d').unwrap();
    shell.exp_eof().unwrap();
}

/// Ctrl-C reaches a worker process that starts, before it has a process group of its own.
#[test]
fn a_worker_that_ctrl_c_ends_was_interrupted() {
    let folder = loaded();
    let mut command = sparkify(folder.path(), ["shell"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut shell = command.spawn().unwrap();
    let mut keys = shell.stdin.take().unwrap();
    writeln!(
        keys,
        "select count(*) from range(10000000) a, range(10000000) b where a.range + b.range = 1;"
    )
    .unwrap();
    let children = format!("/proc/{0}/task/{0}/children", shell.id());
    let worker: Pid = loop {
        let text = std::fs::read_to_string(&children).unwrap();
        if let Some(pid) = text.split_whitespace().next() {
            break Pid::from_raw(pid.parse().unwrap()).unwrap();
        }
        std::thread::yield_now();
    };
    kill_process(worker, Signal::INT).unwrap();
    let error = Ended::from(shell.wait_with_output().unwrap()).bad(2);
    assert!(error.contains("error: the statement was interrupted"), "{error}");
}

#[test]
fn ctrl_c_cancels_the_statement_only() {
    let folder = loaded();
    let mut shell = typed_at(folder.path());
    type_in(&mut shell, "\\timing on\r");
    shell.exp_string("timing is on").unwrap();
    shell.exp_string("sparkify> ").unwrap();
    type_in(
        &mut shell,
        "select count(*) from range(10000000) a, range(10000000) b where a.range + b.range = 1;\r",
    );
    // An interrupt has an effect once the statement runs, so it is repeated. It discards what the
    // terminal holds, so there is time for the answer before the next.
    let mut seen = String::new();
    let stopped = (0..PATIENCE_MS / 2_000).any(|_| {
        type_in(&mut shell, "\x03");
        (0..200).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            seen.extend(std::iter::from_fn(|| shell.try_read()));
            seen.contains("interrupted")
        })
    });
    assert!(stopped, "{seen}");
    type_in(&mut shell, "select 'on' || 1 as n;\r");
    shell.exp_string("on1").unwrap();
    shell.exp_string("sparkify> ").unwrap();
    shell.send_control('d').unwrap();
    shell.exp_eof().unwrap();
}
