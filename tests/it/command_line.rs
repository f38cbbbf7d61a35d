//! Command line: messages, exit codes, settings, help, and hints for misspellings.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use crate::support::{event, put, run, song, sparkify, walk};

fn loaded() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "data/song_data/a.json", song("SO1", "One", 200.5));
    put(folder.path(), "data/log_data/e.json", event(1, 0, 1_541_000_000_000, "NextSong", "One"));
    run(folder.path(), ["etl", "--song-data", "data/song_data", "--log-data", "data/log_data"])
        .good();
    folder
}

/// Asserts that a command fails with this code and message.
macro_rules! assert_says {
    ($folder:expr, $arguments:expr, $code:literal, @$words:literal) => {
        let words = run($folder, $arguments).bad($code);
        let place = $folder.canonicalize().unwrap().display().to_string();
        insta::assert_snapshot!(words.replace(&place, "DIR"), @$words);
    };
}

#[test]
fn misspellings_get_a_hint() {
    let folder = loaded();
    let here = folder.path();
    assert_says!(here, ["describe", "songplay"], 2, @r"
    error: unknown table `songplay`
    hint: did you mean `songplays`?
    ");
    assert_says!(here, ["query", "top_song"], 2, @r"
    error: unknown saved query `top_song`
    hint: did you mean `top_songs`?
    ");
    assert_says!(here, ["sql", "songplay"], 2, @r"
    error: unknown SQL file `songplay`
    hint: did you mean `songplays`?
    ");
    assert_says!(here, ["etl", "--song-data", "data/song_dat"], 2, @r"
    error: no objects found at `data/song_dat`
    hint: did you mean `data/song_data`?
    ");
    assert_says!(here, ["check", "--warehouse", "duckbd:x"], 2, @r"
    error: invalid warehouse URL `duckbd:x`
    hint: did you mean `duckdb`?
    ");
    assert_says!(here, ["check", "--warehouse", "duckdb:sparkfy.duckdb"], 2, @r"
    error: no warehouse found at `sparkfy.duckdb`
    hint: did you mean `duckdb:sparkify.duckdb`?
    ");
    let words = run(here, ["query", "select * from songplay"]).bad(2);
    assert!(words.contains("hint: did you mean `songplays`?"), "{words}");
    let words = run(here, ["query", "select user_idd from users"]).bad(2);
    assert!(words.contains("hint: did you mean `user_id`?"), "{words}");
}

#[test]
fn missing_and_foreign_objects_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    assert_says!(here, ["etl"], 2, @r"
    error: no input: neither song data nor log data is configured
    hint: pass `--song-data DIR` and `--log-data DIR`, or set SONG_DATA and LOG_DATA in [S3] of dwh.cfg
    ");
    assert!(!here.join("sparkify.duckdb").exists(), "a refused load makes no file");
    assert_says!(here, ["check"], 2, @r"
    error: no warehouse found at `sparkify.duckdb`
    hint: run `sparkify etl` first, or name the warehouse with `--warehouse duckdb:FILE`
    ");
    put(
        here,
        "text.duckdb",
        "this is a text, and longer than a header of DuckDB would be".repeat(300),
    );
    assert_says!(here, ["check", "--warehouse", "duckdb:text.duckdb"], 2, @r"
    error: cannot open the warehouse `text.duckdb`: it is not a DuckDB file
    hint: choose another file with `--warehouse duckdb:FILE`
    ");
    put(here, "folder/file", "");
    assert_says!(here, ["check", "--warehouse", "duckdb:folder"], 2, @r"
    error: cannot open the warehouse `folder`: it is a folder
    hint: name a file in it, such as `--warehouse duckdb:FOLDER/FILE`
    ");
    assert_says!(here, ["create-tables", "--warehouse", "duckdb:no/where.duckdb"], 2, @r"
    error: cannot open the warehouse `no/where.duckdb`: its folder does not exist
    hint: create the folder first
    ");
    assert_says!(here, ["etl", "--log-data", "gs://bucket/logs"], 2, @r"
    error: unsupported location `gs://bucket/logs`
    hint: use a folder, or `s3://BUCKET/PREFIX`
    ");
    let words = run(here, ["check", "--warehouse", "redshift://me:hunter2@host/db"]).bad(2);
    assert!(!words.contains("hunter2"), "{words}");
}

#[test]
fn a_foreign_table_with_the_same_name_is_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let path = here.join("theirs.duckdb");
    let mut theirs = crate::support::duckdb(path.to_str().unwrap());
    theirs.execute("create table users (name varchar)").unwrap();
    theirs.execute("insert into users values ('precious')").unwrap();
    drop(theirs);
    put(here, "logs/e.json", event(1, 0, 1, "NextSong", "One"));
    for command in [&["etl", "--log-data", "logs"][..], &["create-tables", "--yes"], &["check"]] {
        let arguments = command.iter().chain(&["--warehouse", "duckdb:theirs.duckdb"]);
        let words = run(here, arguments).bad(2);
        assert!(words.contains("table `users` was not created by sparkify"), "{words}");
    }
    let rows = run(
        here,
        ["query", "from users", "--format", "csv", "--warehouse", "duckdb:theirs.duckdb"],
    );
    assert_eq!(rows.good(), "name\nprecious\n");
}

#[test]
fn create_tables_asks_before_it_drops() {
    let folder = loaded();
    assert_says!(folder.path(), ["create-tables"], 2, @r"
    error: `duckdb:sparkify.duckdb` holds 11 rows, which this command would drop
    hint: pass `--yes` to confirm
    ");
    let count = || {
        run(folder.path(), ["query", "select count(*) as plays from songplays", "--format", "csv"])
            .good()
    };
    assert_eq!(count(), "plays\n1\n");
    run(folder.path(), ["create-tables", "--yes"]).good();
    assert_eq!(count(), "plays\n0\n");
    run(folder.path(), ["create-tables"]).good();
}

#[test]
fn queries_from_arguments_files_and_input_only_read() {
    let folder = loaded();
    let here = folder.path();
    let sql = "select 'a,\"b\"' as text, null as nothing, '' as empty, 1.5 as number, true as yes";
    let csv = "text,nothing,empty,number,yes\n\"a,\"\"b\"\"\",,\"\",1.5,true\n";
    assert_eq!(run(here, ["query", sql, "--format", "csv"]).good(), csv);
    put(here, "q.sql", sql);
    assert_eq!(run(here, ["query", "--file", "q.sql", "--format", "csv"]).good(), csv);
    let mut child = sparkify(here, ["query", "--format", "csv"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(sql.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap(), csv);
    // Escape sequences are data in a file or a pipe.
    let escape = "select chr(27) || '[1mbold' as text";
    assert_eq!(run(here, ["query", escape, "--format", "csv"]).good(), "text\n\u{1b}[1mbold\n");
    assert!(run(here, ["query", escape]).good().contains("\u{fffd}[1mbold"));
    let formula = "select '=1+1' as formula, -2 as number";
    let escaped = ["query", formula, "--format", "csv", "--escape-formulas"];
    assert_eq!(run(here, escaped).good(), "formula,number\n'=1+1,-2\n");
    let json = run(here, ["query", sql, "--output", "json"]).json();
    assert_eq!(
        json,
        serde_json::json!([{ "text": "a,\"b\"", "nothing": null, "empty": "", "number": "1.5", "yes": true }])
    );
    insta::assert_snapshot!(run(here, ["query", "top_songs"]).good(), @r"
    song_title  artist_name  plays  listeners  hours  in_catalogue
    ───────────────────────────────────────────────────────────────
    One         Band             1          1   0.06             1
    1 row
    ");
    assert_says!(here, ["query", "delete from songplays"], 2, @r"
    error: the statement is not a query, and the warehouse is open read-only
    hint: use SELECT, FROM, VALUES, DESCRIBE, SHOW, SUMMARIZE, EXPLAIN, or PIVOT with IN; load data with `sparkify etl`
    ");
    run(here, ["query", "--file", "nothing.sql"]).bad(2);
    run(here, ["query", " "]).bad(2);
    let words = run(here, ["query", "selec 1"]).bad(2);
    assert!(words.contains("syntax error"), "{words}");
}

#[test]
fn a_password_that_others_can_read_is_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let folder = loaded();
    let here = folder.path();
    config(here, "[CLUSTER]\nHOST=h\nDB_USER=u\nDB_PASSWORD=PaSsWoRd\n");
    for (mode, warns) in [(0o644, true), (0o604, true), (0o640, false), (0o600, false)] {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(here.join("dwh.cfg"), permissions).unwrap();
        let ended = run(here, ["history", "--warehouse", "duckdb:sparkify.duckdb"]);
        let warning = "can read `DB_PASSWORD` in `dwh.cfg`: run `chmod 600 dwh.cfg`";
        assert_eq!(ended.err.contains(warning), warns, "{mode:o}: {ended:?}");
        assert!(!ended.err.contains("PaSsWoRd"), "{ended:?}");
        ended.good();
    }
}

#[test]
fn malformed_settings_show_no_password() {
    let folder = loaded();
    let here = folder.path();
    for url in [
        "postgres//me:PaSsWoRd@h/d",
        "me:PaSsWoRd@h/d",
        "Server=x;Password=PaSsWoRd",
        "https://u:PaSsWoRd@h",
        "s3://AK:PaSsWoRd@b",
        "redshift://u:PaSsWoRd@h:x/d",
    ] {
        let err = run(here, ["history", "--warehouse", url]).bad(2);
        assert!(!err.contains("PaSsWoRd") && err.contains("hint: "), "{url}: {err}");
    }
    for (option, value) in [
        ("--endpoint-url", "https://u:PaSsWoRd@h"),
        ("--endpoint-url", "u:PaSsWoRd@h"),
        ("--song-data", "s3://AK:PaSsWoRd@b"),
        ("--song-data", "https://u:PaSsWoRd@h/x"),
    ] {
        let err = run(here, ["etl", option, value, "--log-data", "s3://bucket/x"]).bad(2);
        assert!(!err.contains("PaSsWoRd"), "{option} {value}: {err}");
    }
}

#[test]
fn options_that_do_not_fit_are_explained() {
    let folder = loaded();
    let here = folder.path();
    for (arguments, message) in [
        (
            &["query", "top_songs", "--limit", "-3"][..],
            "give a whole number of at least 0, or `all`",
        ),
        (&["query", "top_songs", "--out", "a.xml"], "unknown format: a file that ends in `.xml`"),
        (&["query", "select 1", "--warehouse", "duckdb:data/log_data/e.json"], "not a DuckDB file"),
        (&["query", "select * from songs_"], "did you mean `songs`?"),
        (&["query", "select * from x1"], "list the tables with `sparkify describe`"),
        (&["query", "select titel from songs"], "did you mean `title`?"),
        (&["history", "--warehouse", "duckdb:dat"], "run `sparkify etl` first"),
    ] {
        let err = run(here, arguments).bad(2);
        assert!(err.contains(message), "{arguments:?}: {err}");
    }
    assert!(!here.join("a.xml").exists());
    let ended = run(here, ["history", "--schema", "x"]);
    assert_eq!(ended.err, "warning: `--schema` has no effect on a DuckDB file\n");
    ended.good();
}

#[test]
fn a_replaced_report_stays_private() {
    use std::os::unix::fs::PermissionsExt;
    let folder = loaded();
    let file = folder.path().join("songs.csv");
    let query = ["query", "top_songs", "--out", "songs.csv", "-q"];
    run(folder.path(), query).good();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    run(folder.path(), query).good();
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

fn config(folder: &Path, text: &str) {
    put(folder, "dwh.cfg", text);
}

#[test]
fn the_course_configuration_file_works_unchanged() {
    let folder = loaded();
    let here = folder.path();
    config(
        here,
        "[CLUSTER]\nHOST=redshift-cluster.example.us-west-2.redshift.amazonaws.com\nDB_NAME=dev\nDB_USER=awsuser\nDB_PASSWORD=Pa%ss;w#rd\n\
         DB_PORT=5439\n\n[IAM_ROLE]\nARN='arn:aws:iam::123456789012:role/dwhRole'\n\n[S3]\nLOG_DATA='data/log_data'\n\
         LOG_JSONPATH='s3://udacity-dend/log_json_path.json'\nSONG_DATA=\"data/song_data\"\n\n[AWS]\nKEY=\nSECRET=\n",
    );
    // The configured cluster is the warehouse if no other is named.
    let words = run(here, ["check"]).bad(2);
    assert!(words.contains("redshift://awsuser@redshift-cluster.example"), "{words}");
    let ended = run(here, ["etl", "--warehouse", "duckdb:sparkify.duckdb"]);
    assert_eq!(ended.err, "", "no warning");
    assert!(ended.good().contains("nothing to load: 2 files are loaded already"));
    config(
        here,
        "[S3]\nLOG_DATA = data/log_data\nSONG_DTA = x\n[Spark]\nx = 1\n[WAREHOUSE]\nURL = duckdb:other.duckdb\n",
    );
    let ended = run(here, ["etl"]);
    insta::assert_snapshot!(ended.err, @r"
    warning: unknown section `[Spark]` in the configuration file
    warning: unknown setting `SONG_DTA` in `[S3]`, did you mean `SONG_DATA`?
    ");
    assert!(here.join("other.duckdb").exists());
    config(here, "[S3\nLOG_DATA = x\n");
    run(here, ["etl"]).bad(2);
    assert_says!(here, ["etl", "--config", "mine.cfg"], 2, @r"
    error: cannot read the configuration file `mine.cfg`
      caused by: No such file or directory (os error 2)
    hint: name another file with `--config`
    ");
}

#[test]
fn flags_beat_the_environment_beats_the_file() {
    let folder = loaded();
    config(folder.path(), "[WAREHOUSE]\nURL = duckdb:file.duckdb\n");
    let missing = |arguments: &[&str], variable: &str| {
        let output =
            sparkify(folder.path(), arguments).env("SPARKIFY_WAREHOUSE", variable).output();
        String::from_utf8(output.unwrap().stderr).unwrap()
    };
    assert!(
        missing(&["check", "--warehouse", "duckdb:flag.duckdb"], "duckdb:env.duckdb")
            .contains("`flag.duckdb`")
    );
    assert!(missing(&["check"], "duckdb:env.duckdb").contains("`env.duckdb`"));
    assert!(missing(&["check"], "").contains("`file.duckdb`"));
}

#[test]
fn every_command_has_help_with_an_example() {
    let folder = tempfile::tempdir().unwrap();
    let help = run(folder.path(), ["--help"]).good();
    assert!(help.contains("Precedence of settings: flags, environment"), "{help}");
    for command in [
        "generate",
        "create-tables",
        "upgrade",
        "etl",
        "plan",
        "check",
        "verify",
        "history",
        "diff",
        "query",
        "shell",
        "export",
        "rejects",
        "trace",
        "describe",
        "docs",
        "doctor",
        "cluster",
        "sql",
    ] {
        assert!(help.contains(command), "{command}");
        let own = run(folder.path(), [command, "--help"]).good();
        assert!(own.contains("Example") && own.contains(&format!("sparkify {command}")), "{own}");
    }
    run(folder.path(), ["etll"]).bad(2);
}

#[test]
fn the_sql_that_is_printed_is_the_sql_that_runs() {
    let folder = tempfile::tempdir().unwrap();
    let users = run(folder.path(), ["sql", "users"]).good();
    assert!(users.contains("delete from users;") && !users.contains("/*"), "{users}");
    let partly = run(folder.path(), ["sql", "users", "--incremental"]).good();
    assert!(partly.contains("join scope_users using (user_id)"), "{partly}");
    let all = run(folder.path(), ["sql"]).good();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sql");
    // Files of an engine are printed for a warehouse of that engine, without a connection.
    let of = |url: &str| run(folder.path(), ["sql", "--warehouse", url]).good();
    let printed = [
        ("duckdb", all.clone()),
        ("postgres", of("postgres://me@localhost/music")),
        ("redshift", of("redshift://me@localhost/music")),
    ];
    // Fragments are printed as part of the files that include them, without their headers.
    let is_sql = |path: &Path| {
        path.extension().is_some_and(|ending| ending == "sql")
            && !path.starts_with(root.join("fragment"))
    };
    for path in walk(&root).into_iter().filter(|path| is_sql(path)) {
        let own = path.strip_prefix(root.join("dialect")).ok();
        let mut engine = own.map(|own| own.iter().next().unwrap().to_str().unwrap().to_owned());
        if path.starts_with(root.join("direct")) {
            // The engine that reads objects itself.
            engine = Some("redshift".to_owned());
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let header = text.lines().next().unwrap();
        let mut met = 0;
        for (name, all) in &printed {
            let expected = engine.as_ref().is_none_or(|engine| engine == name);
            assert_eq!(all.contains(header), expected, "{header} for {name}");
            met += usize::from(expected);
        }
        assert!(met > 0, "{header} is printed for no engine");
    }
    let position = |text: &str| all.find(text).unwrap_or_else(|| panic!("{text}"));
    assert!(
        position("create table if not exists staging_events") < position("insert into songplays")
    );
}
