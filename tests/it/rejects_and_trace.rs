//! Rejected records, and the lineage of a play back to its source bytes.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Ended, event, gzip, put, run, song};

/// Replaces the parts of a text that differ from run to run.
fn words(folder: &Path, text: &str) -> String {
    let place = folder.canonicalize().unwrap().display().to_string();
    let mut words = text.replace(&place, "DIR");
    // Start time of a load: `(2026-…)`.
    while let Some(start) = words.find("(20") {
        let end = start + words[start..].find(')').unwrap();
        words.replace_range(start..=end, "[WHEN]");
    }
    words
}

/// Removes the column widths that depend on the folder's name.
fn narrow(table: &str) -> String {
    let mut narrow = table.replace("──", "─");
    while narrow.contains("   ") || narrow.contains("──") {
        narrow = narrow.replace("   ", "  ").replace("──", "─");
    }
    narrow
}

fn etl(folder: &Path) -> Ended {
    let data = ["--song-data", "song_data", "--log-data", "log_data"];
    run(folder, ["etl"].into_iter().chain(data).chain(["--max-reject-share", "100%"]))
}

const ESCAPE: &[u8] = b"\x1b[2J\x1b]0;title\x07 \x7f\xc2\x9b1m\r";
const LATIN: &[u8] =
    b"{\"artist\":\"Bj\xf6rk\",\"ts\":1,\"page\":\"Home\",\"sessionId\":1,\"itemInSession\":1}";
const NEVER: &[u8] = b"{\n \"ts\": \"never\",\t\"page\": \"a \\\"b\\\" \\/ \xc3\xb6\"\n}";

/// Expected reject: its file, position and bytes.
type Expected = (&'static str, usize, Vec<u8>);

/// Creates two files with rejects of several kinds.
fn rejected() -> (tempfile::TempDir, Vec<Expected>) {
    let folder = tempfile::tempdir().unwrap();
    let good = event(1, 0, 1_541_000_000_000, "NextSong", "One");
    put(folder.path(), "song_data/a.json", song("SO1", "One", 200.5));
    let mut expected = Vec::new();
    let mut log = Vec::new();
    for bad in [ESCAPE, LATIN, NEVER] {
        // A reject excludes white space at its end.
        expected.push(("a.json", log.len(), bad.trim_ascii_end().to_vec()));
        log.extend_from_slice(bad);
        log.push(b'\n');
        log.extend_from_slice(good.as_bytes());
    }
    put(folder.path(), "log_data/a.json", &log);
    let array = format!("[{}, {{\"ts\":2}}", good.trim());
    expected.push(("b.json", array.find(r#"{"ts":2}"#).unwrap(), br#"{"ts":2}"#.to_vec()));
    expected.push(("b.json", array.len(), Vec::new()));
    put(folder.path(), "log_data/b.json", &array);
    etl(folder.path()).good();
    (folder, expected)
}

#[test]
fn rejects_are_counted_and_named() {
    let (folder, expected) = rejected();
    let here = folder.path();
    let list = run(here, ["rejects", "list"]).good();
    assert!(!list.contains(|c: char| c.is_control() && c != '\n'), "{list:?}");
    insta::assert_snapshot!(narrow(&words(here, &list)), @r#"
    reason  rejects
    ─
    itemInSession is missing  2
    a string that is not UTF-8  1
    invalid JSON  1
    the array is not closed  1

    reject  reason  object  position  length  begins with
    ─
    2:0  invalid JSON  DIR/log_data/a.json  0  20  \u{1b}[2J\u{1b}]0;title\u{7} \u{7f}\u{9b}1m
    2:325  a string that is not UTF-8  DIR/log_data/a.json  325  71  {"artist":"Bj\xf6rk","ts":1,"page":"Home","sessionId":1,"itemInSession":1}
    2:700  itemInSession is missing  DIR/log_data/a.json  700  43  {\n "ts": "never",\t"page": "a \"b\" \/ ö"\n}
    3:305  itemInSession is missing  DIR/log_data/b.json  305  8  {"ts":2}
    3:313  the array is not closed  DIR/log_data/b.json  313  0
    5 rejected records
    "#);
    let listed = run(here, ["rejects", "list", "--output", "json"]).json();
    assert_eq!(listed["total"], expected.len());
    for (reject, (file, position, raw)) in
        listed["rejects"].as_array().unwrap().iter().zip(&expected)
    {
        assert!(reject["object"].as_str().unwrap().ends_with(file), "{reject}");
        assert_eq!(
            (&reject["position"], &reject["length"]),
            (&json!(position), &json!(raw.len())),
            "{reject}"
        );
    }
}

#[test]
fn rejects_are_filtered_and_limited() {
    let (folder, expected) = rejected();
    let here = folder.path();
    let ids = |arguments: &[&str]| {
        let all = ["rejects", "list", "--output", "json"].iter().chain(arguments);
        let listed = run(here, all).json();
        let rejects = listed["rejects"].as_array().unwrap().clone();
        (listed["total"].as_u64().unwrap(), rejects)
    };
    assert_eq!(ids(&["--reason", "INVALID JSON"]).0, 1, "whatever the case");
    assert_eq!(ids(&["--object", "b.json"]).0, 2);
    assert_eq!(ids(&["--object", "b.json", "--reason", "array"]).0, 1);
    assert_eq!(ids(&["--reason", "' or 1=1 --"]).0, 0, "a value, not SQL");
    assert_eq!(ids(&["--reason", "%"]).0, 0, "no pattern");
    let (total, named) = ids(&["--limit", "2"]);
    assert_eq!((total, named.len()), (expected.len() as u64, 2));
    let text = run(here, ["rejects", "list", "--limit", "2"]).good();
    assert!(text.ends_with("\n2 of 5 rejected records shown; `--limit 5` shows all\n"), "{text}");
    assert_eq!(
        run(here, ["rejects", "list", "--object", "c.json"]).good(),
        "no rejected record matches the filter\n"
    );
}

#[test]
fn a_reject_is_shown_with_all_its_bytes() {
    let (folder, expected) = rejected();
    let here = folder.path();
    let ids: Vec<String> = run(here, ["rejects", "list", "--output", "json"]).json()["rejects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reject| reject["id"].as_str().unwrap().to_owned())
        .collect();
    let shown = run(here, ["rejects", "show"].into_iter().chain(ids.iter().map(String::as_str)));
    let shown = shown.good();
    assert!(!shown.contains(|c: char| c.is_control() && !"\n\t".contains(c)), "{shown:?}");
    insta::assert_snapshot!(words(here, &shown), @r#"
    reject    2:0
    reason    invalid JSON
    object    DIR/log_data/a.json
    position  0
    length    20 bytes
    load      1 [WHEN]

    \u{1b}[2J\u{1b}]0;title\u{7} \u{7f}\u{9b}1m

    reject    2:325
    reason    a string that is not UTF-8
    object    DIR/log_data/a.json
    position  325
    length    71 bytes
    load      1 [WHEN]

           325  7b 22 61 72 74 69 73 74 22 3a 22 42 6a f6 72 6b  {"artist":"Bj\xf6rk
           341  22 2c 22 74 73 22 3a 31 2c 22 70 61 67 65 22 3a  ","ts":1,"page":
           357  22 48 6f 6d 65 22 2c 22 73 65 73 73 69 6f 6e 49  "Home","sessionI
           373  64 22 3a 31 2c 22 69 74 65 6d 49 6e 53 65 73 73  d":1,"itemInSess
           389  69 6f 6e 22 3a 31 7d                             ion":1}

    reject    2:700
    reason    itemInSession is missing
    object    DIR/log_data/a.json
    position  700
    length    43 bytes
    load      1 [WHEN]

    {
     "ts": "never",	"page": "a \"b\" \/ ö"
    }

    reject    3:305
    reason    itemInSession is missing
    object    DIR/log_data/b.json
    position  305
    length    8 bytes
    load      1 [WHEN]

    {"ts":2}

    reject    3:313
    reason    the array is not closed
    object    DIR/log_data/b.json
    position  313
    length    0 bytes
    load      1 [WHEN]

    (no bytes)
    "#);
    let one = run(here, ["rejects", "show", &ids[1], "--output", "json"]).json();
    assert_eq!(raw(&one[0]), expected[1].2);
    assert!(one[0]["raw_hex"].is_string(), "it is no UTF-8");
    assert_eq!(one[0]["id"], ids[1].as_str());
    assert_eq!(
        run(here, ["rejects", "show", &ids[0], "99:1"]).bad(2),
        "error: no rejected record has the ID `99:1`\nhint: run `sparkify rejects list` to list the IDs\n"
    );
    assert_eq!(
        run(here, ["rejects", "show", "\u{1b}first"]).bad(2),
        "error: invalid reject ID `\\u{1b}first`\n\
         hint: write it as OBJECT_ID:BYTE_OFFSET, for example `3:284`; run `sparkify rejects list` to list the IDs\n"
    );
}

/// Returns the bytes of an exported or printed record.
fn raw(record: &Value) -> Vec<u8> {
    match (&record["raw"], &record["raw_hex"]) {
        (Value::String(text), Value::Null) => text.clone().into_bytes(),
        (Value::Null, Value::String(hex)) => (0..hex.len() / 2)
            .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
            .collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn exported_rejects_have_every_byte_and_are_atomic() {
    let (folder, expected) = rejected();
    let here = folder.path();
    let ended = run(here, ["rejects", "export", "out.ndjson"]);
    assert_eq!(
        (ended.err.as_str(), ended.out.as_str()),
        ("wrote 5 rejected records to `out.ndjson`\n", "")
    );
    let text = std::fs::read_to_string(here.join("out.ndjson")).unwrap();
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), expected.len());
    for (line, (file, position, bytes)) in lines.iter().zip(&expected) {
        assert!(line["object"].as_str().unwrap().ends_with(file), "{line}");
        assert_eq!(line["position"], json!(position));
        assert_eq!(line["length"], json!(bytes.len()));
        assert!(!line["reason"].as_str().unwrap().is_empty());
        assert_eq!(&raw(line), bytes, "{line}");
        let object = std::fs::read(line["object"].as_str().unwrap()).unwrap();
        assert_eq!(&object[*position..*position + bytes.len()], bytes);
    }
    assert_eq!(run(here, ["rejects", "export", "-"]).good(), text);

    put(here, "out.ndjson", "precious");
    assert_eq!(
        run(here, ["rejects", "export", "out.ndjson"]).bad(2),
        "error: `out.ndjson` already exists\nhint: name another file, or replace it with `--force`\n"
    );
    assert_eq!(std::fs::read_to_string(here.join("out.ndjson")).unwrap(), "precious");
    let done = run(here, ["rejects", "export", "out.ndjson", "--force", "--output", "json"]).json();
    assert_eq!(done, json!({ "file": "out.ndjson", "rejects": 5 }));
    assert_eq!(std::fs::read_to_string(here.join("out.ndjson")).unwrap(), text);

    let words = run(here, ["rejects", "export", "no/where.ndjson"]).bad(2);
    assert!(words.starts_with("error: cannot write `no/where.ndjson`: "), "{words}");
    let words = run(here, ["rejects", "export", "log_data", "--force"]).bad(2);
    assert!(words.starts_with("error: `log_data` is not a regular file\n"), "{words}");
    let left: Vec<_> = std::fs::read_dir(here)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('.'))
        .collect();
    assert_eq!(left, Vec::<String>::new(), "nothing temporary is left");
}

#[test]
fn a_long_reject_keeps_its_first_mebibyte() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    // Together larger than one batch of an export.
    let length = 17 << 20;
    for file in ["log_data/a.json", "log_data/b.json"] {
        put(here, file, format!("{}{}", event(1, 0, 1, "Home", ""), "x".repeat(length)));
    }
    put(here, "song_data/a.json", song("SO1", "One", 1.0));
    etl(here).good();
    let export = run(here, ["rejects", "export", "-"]).good();
    let lines: Vec<Value> =
        export.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    for line in &lines {
        assert_eq!((&line["truncated"], &line["length"]), (&true.into(), &json!(length)));
        assert_eq!(raw(line).len(), 1 << 20);
    }
    let shown = run(here, ["rejects", "show", lines[1]["id"].as_str().unwrap()]).good();
    assert!(shown.contains(" bytes, the first 1,048,576 are kept\n"), "{}", &shown[..400]);
}

#[test]
fn no_rejects_is_a_message() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    put(here, "song_data/a.json", song("SO1", "One", 200.5));
    put(here, "log_data/e.json", event(1, 0, 1, "Home", ""));
    etl(here).good();
    assert_eq!(run(here, ["rejects", "list"]).good(), "no rejected records\n");
    assert_eq!(
        run(here, ["rejects", "list", "--output", "json"]).json(),
        json!({ "total": 0, "reasons": [], "rejects": [] })
    );
    assert_eq!(run(here, ["rejects", "export", "-"]).good(), "");
}

/// Loads plays of every kind: 1/0 matched and staged twice, 1/1 by a guest, 2/0 in a compressed
/// object and not matched, 3/0 twice by two users.
fn played() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let other = song("SO1", "One", 250.0);
    put(here, "song_data/a.json", format!("{}\n{other}", song("SO1", "One", 200.5)));
    put(here, "song_data/b.json", song("SO2", "Other", 200.5));
    let play = event(1, 0, 1_541_000_000_000, "NextSong", "One");
    let guest = event(1, 1, 1_541_000_001_000, "NextSong", "Nowhere").replace("\"7\"", "\"\"");
    let home = play.replace("NextSong", "Home");
    put(here, "log_data/a.json", format!("{home}{play}{guest}"));
    // Of two copies, the one with the smaller location counts.
    put(here, "log_data/b.json", format!("\n  {}", play.replace("Here", "Elsewhere")));
    let packed = event(2, 0, 1_541_000_002_000, "NextSong", "Bj\u{c3}\u{b6}rk");
    let packed = format!("{}{packed}", event(2, 1, 1, "Home", ""));
    put(here, "log_data/c.json.gz", gzip(packed.as_bytes()));
    let theirs = event(3, 0, 1_541_000_003_000, "NextSong", "Two");
    put(here, "log_data/d.json", format!("{theirs}{}", theirs.replace("\"7\"", "\"8\"")));
    etl(here).good();
    folder
}

fn at(folder: &Path, session: &str, item: &str) -> Value {
    let place = ["trace", "--session", session, "--item", item, "--output", "json"];
    run(folder, place).json()
}

#[test]
fn lineage_of_a_duplicate_play_has_all_its_sources() {
    let folder = played();
    let here = folder.path();
    let traces = at(here, "1", "0");
    let [trace] = traces.as_array().unwrap().as_slice() else { panic!("{traces}") };
    let (events, catalogue) = (&trace["events"], &trace["catalogue"]);
    let roles = |origins: &Value| -> Vec<(String, String, u64)> {
        let origins = origins.as_array().unwrap().iter();
        let file = |origin: &Value| {
            let key = origin["object"].as_str().unwrap();
            key.rsplit('/').next().unwrap().to_owned()
        };
        let role = |origin: &Value| origin["role"].as_str().unwrap().to_owned();
        origins.map(|o| (role(o), file(o), o["position"].as_u64().unwrap())).collect()
    };
    let length = event(1, 0, 1_541_000_000_000, "Home", "One").len() as u64;
    assert_eq!(
        roles(events),
        [("made".into(), "b.json".into(), 3), ("duplicate".into(), "a.json".into(), length)]
    );
    let length = song("SO1", "One", 200.5).len() as u64 + 1;
    assert_eq!(
        roles(catalogue),
        [("matched".into(), "a.json".into(), 0), ("same_song".into(), "a.json".into(), length)]
    );
    for origin in events.as_array().unwrap().iter().chain(catalogue.as_array().unwrap()) {
        assert_eq!(origin["object_state"], "as_loaded");
        let object = std::fs::read(origin["object"].as_str().unwrap()).unwrap();
        let position = usize::try_from(origin["position"].as_u64().unwrap()).unwrap();
        let raw = raw(origin);
        assert_eq!(&object[position..position + raw.len()], raw.as_slice());
        serde_json::from_slice::<Value>(&raw).expect("a whole record");
    }
    assert_eq!(events[0]["staged"]["location"], trace["play"]["location"]);
    assert_eq!(catalogue[0]["staged"]["song_id"], trace["play"]["song_id"]);

    let id = trace["play"]["songplay_id"].as_str().unwrap();
    let by_id = |id: &str| run(here, ["trace", id, "--output", "json"]).json();
    assert_eq!(by_id(id), traces);
    assert_eq!(by_id(&id.to_uppercase().replace('-', "")), traces, "however a UUID is written");
    insta::assert_snapshot!(words(here, &run(here, ["trace", id]).good()), @r#"
    play             value
    ──────────────────────────────────────────────────────
    songplay_id      16da7a7b-e666-6d53-47e4-7f443c280060
    start_time       2018-10-31 15:33:20.000
    user_id          7
    level            free
    song_id          SO1
    artist_id        AR1
    session_id       1
    location         Elsewhere
    user_agent       x
    item_in_session  0
    song_title       One
    artist_name      Band
    length           200.5
    match_method     exact

    source event of the play
    load 1 [WHEN], DIR/log_data/b.json at byte 3
    {"artist":"Band","auth":"Logged In","firstName":"Ada","gender":"F","itemInSession":0,"lastName":"Day","length":200.5,"level":"free","location":"Elsewhere","method":"PUT","page":"NextSong","registration":1540919166796.0,"sessionId":1,"song":"One","status":200,"ts":1541000000000,"userAgent":"x","userId":"7"}

    duplicate of the source event
    load 1 [WHEN], DIR/log_data/a.json at byte 299
    {"artist":"Band","auth":"Logged In","firstName":"Ada","gender":"F","itemInSession":0,"lastName":"Day","length":200.5,"level":"free","location":"Here","method":"PUT","page":"NextSong","registration":1540919166796.0,"sessionId":1,"song":"One","status":200,"ts":1541000000000,"userAgent":"x","userId":"7"}

    matched catalogue record
    load 1 [WHEN], DIR/song_data/a.json at byte 0
    {"num_songs":1,"artist_id":"AR1","artist_latitude":null,"artist_longitude":null,"artist_location":"","artist_name":"Band","song_id":"SO1","title":"One","duration":200.5,"year":0}

    other catalogue record of the same song
    load 1 [WHEN], DIR/song_data/a.json at byte 179
    {"num_songs":1,"artist_id":"AR1","artist_latitude":null,"artist_longitude":null,"artist_location":"","artist_name":"Band","song_id":"SO1","title":"One","duration":250,"year":0}
    "#);
}

#[test]
fn lineage_of_guests_and_compressed_objects() {
    let folder = played();
    let here = folder.path();
    let guest = &at(here, "1", "1")[0];
    assert_eq!((&guest["play"]["user_id"], &guest["catalogue"]), (&Value::Null, &json!([])));
    assert_eq!(guest["events"].as_array().unwrap().len(), 1);
    assert!(raw(&guest["events"][0]).ends_with(b"\"userId\":\"\"}"));

    let packed = &at(here, "2", "0")[0];
    assert_eq!(packed["play"]["song_title"], "Björk");
    let bytes = raw(&packed["events"][0]);
    let expected = event(2, 0, 1_541_000_002_000, "NextSong", "Bj\u{c3}\u{b6}rk");
    assert_eq!(bytes, expected.trim_end().as_bytes(), "as it came, not as it was repaired");

    let both = at(here, "3", "0");
    let users: Vec<&Value> =
        both.as_array().unwrap().iter().map(|trace| &trace["play"]["user_id"]).collect();
    assert_eq!(users, [&json!(7), &json!(8)]);
    for trace in both.as_array().unwrap() {
        assert_eq!(trace["events"].as_array().unwrap().len(), 1, "{trace}");
    }
}

#[test]
fn lineage_reports_changed_and_removed_objects() {
    let folder = played();
    let here = folder.path();
    let file = here.join("log_data/b.json");
    let (content, modified) =
        (std::fs::read(&file).unwrap(), file.metadata().unwrap().modified().unwrap());
    let state = || at(here, "1", "0")[0]["events"][0].clone();
    assert_eq!(state()["object_state"], "as_loaded");
    // Same size and time, other content.
    let text = String::from_utf8(content.clone()).unwrap().replace("Elsewhere", "Everywher");
    std::fs::write(&file, text).unwrap();
    std::fs::File::options().write(true).open(&file).unwrap().set_modified(modified).unwrap();
    let changed = state();
    assert_eq!((&changed["object_state"], &changed["raw"]), (&json!("changed"), &Value::Null));
    assert_eq!(changed["staged"]["location"], "Elsewhere");
    // Touched, with the same content.
    std::fs::write(&file, &content).unwrap();
    assert_eq!(state()["object_state"], "as_loaded");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(state()["object_state"], "gone");
    // A folder of the same name is not the object.
    put(here, "log_data/b.json/e.json", &content);
    assert_eq!(state()["object_state"], "gone");

    let text = run(here, ["trace", "--session", "1", "--item", "0"]).good();
    let text = words(here, &text);
    let start = text.find("source event of the play").unwrap();
    let end = text.find("duplicate of the source event").unwrap();
    insta::assert_snapshot!(&text[start..end], @r#"
    source event of the play
    load 1 [WHEN], DIR/log_data/b.json at byte 3
    the object no longer exists; the staged row is
    column           value
    ─────────────────────────────────
    artist           Band
    auth             Logged In
    first_name       Ada
    gender           F
    item_in_session  0
    last_name        Day
    length           200.5
    level            free
    location         Elsewhere
    method           PUT
    page             NextSong
    registration     1540919166796.0
    session_id       1
    song             One
    status           200
    ts               1541000000000
    user_agent       x
    user_id          7
    "#);
}

#[test]
fn lineage_of_an_unknown_play_is_an_error() {
    let folder = played();
    let here = folder.path();
    let say = |arguments: &[&str]| run(here, ["trace"].iter().chain(arguments)).bad(2);
    insta::assert_snapshot!(say(&["song"]), @r#"
    error: invalid songplay ID `song`
    hint: give a UUID from `songplays.songplay_id`, or use `--session N --item N`
    "#);
    insta::assert_snapshot!(say(&["00000000-0000-0000-0000-000000000000"]), @r#"
    error: no play has the ID `00000000-0000-0000-0000-000000000000`
    hint: run `sparkify query "select songplay_id from songplays limit 5"` to list IDs, or use `--session N --item N`
    "#);
    insta::assert_snapshot!(say(&["--session", "-1", "--item", "0"]), @r#"
    error: session -1 has no play at item 0
    hint: run `sparkify query "select item_in_session from songplays where session_id = -1"` to list its plays
    "#);
    for usage in
        [&["--session", "1"][..], &["--item", "1"], &[], &["x", "--session", "1", "--item", "1"]]
    {
        assert!(say(usage).contains("Usage: sparkify trace"), "{usage:?}");
    }
}
