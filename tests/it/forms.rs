//! Unusual input formats, one by one: each gives the same two plays and two songs.

use std::path::Path;

use serde_json::Value;

use crate::support::{event, gzip, put, query_value, run, song};

/// Loads `files` as logs with two songs, and returns the summary.
fn load(
    files: &[(&str, &[u8])],
    songs: &[(&str, &[u8])],
    share: &str,
) -> (tempfile::TempDir, Value) {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "song_data/a.json", song("SO1", "One", 200.5));
    for (path, content) in songs {
        put(folder.path(), &format!("song_data/{path}"), content);
    }
    for (path, content) in files {
        put(folder.path(), &format!("log_data/{path}"), content);
    }
    let etl = etl(folder.path(), share);
    (folder, etl)
}

fn etl(folder: &Path, share: &str) -> Value {
    let arguments =
        ["etl", "--song-data", "song_data", "--log-data", "log_data", "--output", "json"];
    run(folder, arguments.into_iter().chain(["--max-reject-share", share])).json()
}

fn ask(folder: &Path, sql: &str) -> String {
    run(folder, ["query", "--format", "csv", sql]).good()
}

#[test]
fn every_input_format_gives_the_same_plays() {
    let (one, two) = (
        event(1, 0, 1_541_000_000_000, "NextSong", "One"),
        event(1, 1, 1_541_000_001_000, "NextSong", "Other"),
    );
    let lines = format!("{one}{two}");
    let pretty = |line: &str| {
        serde_json::to_string_pretty(&serde_json::from_str::<Value>(line).unwrap()).unwrap()
    };
    let array = format!("[{},\n{}]", one.trim(), two.trim());
    let forms: Vec<(&str, &str, Vec<u8>)> = vec![
        ("newline-delimited", "e.json", lines.clone().into()),
        ("without the last newline", "e.json", lines.trim_end().into()),
        ("with CRLF", "e.json", lines.replace('\n', "\r\n").into()),
        ("concatenated", "e.json", lines.replace('\n', "").into()),
        ("pretty-printed", "e.json", format!("{}\n{}", pretty(&one), pretty(&two)).into()),
        ("an array", "e.json", array.clone().into()),
        ("a pretty-printed array", "e.json", pretty(&array).into()),
        ("with a byte-order mark", "e.json", format!("\u{feff}{lines}").into()),
        ("an array with a byte-order mark", "e.json", format!("\u{feff} {array}\n").into()),
        ("gzip", "e.json.gz", gzip(lines.as_bytes())),
        ("two gzip members", "e.json.gz", [gzip(one.as_bytes()), gzip(two.as_bytes())].concat()),
        ("gzip under a plain name", "e.json", gzip(lines.as_bytes())),
        ("zstd", "e.json.zst", zstd::encode_all(lines.as_bytes(), 1).unwrap()),
        (
            "two zstd frames",
            "e.json.zst",
            [
                zstd::encode_all(one.as_bytes(), 1).unwrap(),
                zstd::encode_all(two.as_bytes(), 1).unwrap(),
            ]
            .concat(),
        ),
        ("an ending of its own", "e.log", lines.clone().into()),
    ];
    for (form, name, content) in &forms {
        let (folder, summary) = load(&[(name, content)], &[], "0");
        assert_eq!(summary["events_staged"], 2, "{form}");
        let plays = ask(
            folder.path(),
            "select session_id, item_in_session, start_time, user_id, song_id, match_method from songplays order by 2",
        );
        assert_eq!(
            plays,
            "session_id,item_in_session,start_time,user_id,song_id,match_method\n\
             1,0,2018-10-31 15:33:20.000,7,SO1,exact\n\
             1,1,2018-10-31 15:33:21.000,7,,\n",
            "{form}"
        );
    }
    println!("{} forms were read", forms.len());
}

#[test]
fn empty_files_are_loaded_and_skipped_names_reported() {
    let play = event(1, 0, 1, "NextSong", "One");
    let files: Vec<(&str, &[u8])> = vec![
        ("2018/e.json", play.as_bytes()),
        ("2018/empty.json", b""),
        ("2018/empty.json.gz", b""),
        ("2018/blank.json", b" \n\n"),
        ("2018/.DS_Store", b"junk"),
        ("2018/_SUCCESS", b""),
        (".ipynb_checkpoints/e-checkpoint.json", play.as_bytes()),
        ("_temporary/e.json", play.as_bytes()),
    ];
    let (_folder, summary) = load(&files, &[], "0");
    assert_eq!((&summary["objects_read"], &summary["events_staged"]), (&5.into(), &1.into()));
    let ignored: Vec<&str> = summary["objects_ignored"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    assert_eq!(ignored.len(), 4, "{ignored:?}");
    assert!(ignored.iter().any(|name| name.ends_with("log_data/.ipynb_checkpoints")));
}

#[test]
fn numbers_and_text_are_converted_and_missing_is_null() {
    let songs: &[u8] = br#"{"artist_id":"AR2","artist_name":112,"artist_location":27.50,"song_id":"SO2","title":1e3,"duration":"12.5","year":"1999"}
{"artist_id":"AR3","artist_name":"x","song_id":"SO3","title":"y","duration":7,"year":2e3,"tag":{"deep":[1]}}"#;
    let log: &[u8] = br#"{"ts":"1541000000000","page":"NextSong","sessionId":3.0,"itemInSession":"4","userId":12,"song":5,"length":null}
{"ts":1541000000001,"page":"Home","sessionId":3,"itemInSession":5,"userId":"","tag":1}"#;
    let (folder, summary) = load(&[("e.json", log)], &[("b.json", songs)], "0");
    assert_eq!(summary["extra_keys"], serde_json::json!({ "tag": 2 }));
    assert_eq!(
        ask(
            folder.path(),
            "select artist_id, name, location from artists where artist_id <> 'AR1' order by 1"
        ),
        "artist_id,name,location\nAR2,112,27.50\nAR3,x,\n"
    );
    assert_eq!(
        ask(
            folder.path(),
            "select song_id, title, year, duration from songs where song_id <> 'SO1' order by 1"
        ),
        "song_id,title,year,duration\nSO2,1e3,1999,12.5\nSO3,y,2000,7.0\n"
    );
    assert_eq!(
        ask(
            folder.path(),
            "select session_id, item_in_session, user_id, song_title, level from songplays"
        ),
        "session_id,item_in_session,user_id,song_title,level\n3,4,12,5,\n"
    );
    assert_eq!(
        ask(folder.path(), "select count(*) from staging_events where user_id is null"),
        "count_star()\n1\n"
    );
}

#[test]
fn rejects_have_position_reason_and_bytes() {
    let good = event(1, 0, 1, "NextSong", "One");
    let bad: &[(&str, &str)] = &[
        (r#"{"page":"Home","sessionId":1,"itemInSession":1}"#, "ts is missing"),
        (r#"{"ts":1,"page":null,"sessionId":1,"itemInSession":1}"#, "page is null"),
        (
            r#"{"ts":1,"page":"Home","sessionId":1,"itemInSession":1,"userId":"me"}"#,
            "userId is not a whole number",
        ),
        (
            r#"{"ts":1,"page":"Home","sessionId":1,"itemInSession":1.5}"#,
            "itemInSession is not a whole number",
        ),
        (
            r#"{"ts":1,"page":"Home","sessionId":1,"itemInSession":2147483648}"#,
            "itemInSession is out of range",
        ),
        (
            r#"{"ts":9223372036854775808,"page":"Home","sessionId":1,"itemInSession":1}"#,
            "ts is out of range",
        ),
        (
            r#"{"ts":999999999999999,"page":"Home","sessionId":1,"itemInSession":1}"#,
            "ts is out of range",
        ),
        (
            r#"{"ts":1,"page":"Home","sessionId":1,"itemInSession":1,"length":1e999}"#,
            "length is out of range",
        ),
        (
            r#"{"ts":1,"page":"Home","sessionId":1,"itemInSession":1,"length":"long"}"#,
            "length is not a number",
        ),
        (r#"{"ts":1,"page":true,"sessionId":1,"itemInSession":1}"#, "page is true"),
        (
            r#"{"ts":1,"page":"Home","sessionId":1,"itemInSession":1,"song":{"a":1}}"#,
            "song is an object",
        ),
        (
            r#"{"ts":1,"page":"Home","sessionId":1,"itemInSession":1,"song":"\u0000"}"#,
            "song holds the character U+0000",
        ),
        (
            r#"{"ts":1,"page":"Home","sessionId":1,"itemInSession":1,"song":"\ud83c"}"#,
            "song holds half a surrogate pair",
        ),
        (r#"{"ts":1,"page":"Home","#, "a key is missing"),
    ];
    let mut log = format!("aws s3 cp x y {good}");
    let mut expected = vec![(0, "invalid JSON".to_owned(), "aws s3 cp x y".to_owned())];
    for (record, reason) in bad {
        expected.push((log.len(), (*reason).to_owned(), (*record).to_owned()));
        log.push_str(record);
        log.push('\n');
    }
    log.push_str(&good.replace("\"itemInSession\":0", "\"itemInSession\":9"));
    let (folder, summary) = load(&[("e.json", log.as_bytes())], &[], "100%");
    assert_eq!(summary["rejected"], expected.len());
    assert_eq!(summary["events_staged"], 2);
    let rows = ask(
        folder.path(),
        "select byte_offset || '|' || reason || '|' || decode(raw) as reject from etl_rejects order by byte_offset",
    );
    let found: Vec<String> =
        rows.lines().skip(1).map(|line| line.trim_matches('"').replace("\"\"", "\"")).collect();
    let expected: Vec<String> =
        expected.iter().map(|(at, reason, raw)| format!("{at}|{reason}|{raw}")).collect();
    assert_eq!(found, expected);
}

#[test]
fn too_many_rejects_fail_the_load_and_publish_nothing() {
    let folder = tempfile::tempdir().unwrap();
    put(
        folder.path(),
        "log_data/e.json",
        format!("{}{{\"ts\":\"never\"}}\n", event(1, 0, 1, "Home", "")),
    );
    let arguments = ["etl", "--log-data", "log_data"];
    let words = run(folder.path(), arguments).bad(1);
    insta::with_settings!({filters => vec![(r"/\S+/log_data", "DIR/log_data")]}, {
        insta::assert_snapshot!(words, @r#"
        error: too many rejected records: 1 of 2 (50.00 %); the limit is 1.00 %
          `DIR/log_data/e.json`: 1 record staged, 1 record rejected, 4.68 % of its bytes: itemInSession is missing
          DIR/log_data/e.json at byte 284: itemInSession is missing: {"ts":"never"}
        hint: fix the records, or raise `--max-reject-share`; this load published nothing
        "#);
    });
    assert_eq!(query_value(folder.path(), "select count(*) from staging_events"), "0");
    // With a repaired file the same command is a full load.
    put(folder.path(), "log_data/e.json", event(1, 0, 1, "Home", ""));
    assert!(run(folder.path(), arguments).good().contains("load 2 is published"));
}
