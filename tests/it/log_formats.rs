//! Log formats as a user chooses them: by name, by a file, and by a `JSONPaths` file. The results of
//! each format are compared with an independent implementation elsewhere (`formats`).

use std::path::Path;

use serde_json::json;

use crate::archives::zipped;
use crate::browser::Browser;
use crate::servers::Database;
use crate::support::{event, put, query_value, run, song, sparkify};

/// Two plays, a skipped one and a podcast, as Spotify exports them.
const SPOTIFY: &str = r#"[
{"ts":"2024-03-01T09:15:30Z","ms_played":201000,"conn_country":"AT","ip_addr":"192.0.2.7","master_metadata_track_name":"Paper Boats","master_metadata_album_artist_name":"Nora Vale","spotify_track_uri":"spotify:track:1","reason_end":"trackdone"},
{"ts":"2024-03-01T09:15:40Z","ms_played":201000,"conn_country":"AT","ip_addr":"192.0.2.7","master_metadata_track_name":"Paper Boats","master_metadata_album_artist_name":"Nora Vale","spotify_track_uri":"spotify:track:1","reason_end":"fwdbtn"},
{"ts":"2024-03-01T09:16:00Z","ms_played":20000,"conn_country":"AT","ip_addr":"192.0.2.7","master_metadata_track_name":"Short","master_metadata_album_artist_name":"Nora Vale","spotify_track_uri":"spotify:track:2","reason_end":"trackdone"},
{"ts":"2024-03-01T09:20:00Z","ms_played":90000,"conn_country":"AT","ip_addr":"192.0.2.7","master_metadata_track_name":null,"episode_name":"Pilot","episode_show_name":"Show","spotify_episode_uri":"spotify:episode:1"}
]"#;

fn spotify() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "data/Streaming_History_Audio_2024_0.json", SPOTIFY);
    folder
}

/// Text of a `JSONPaths` file with the keys of the default format, of which some are replaced.
fn json_paths(replaced: &[(&str, &str)]) -> String {
    let keys = sparkify_reader::RecordKind::Events.keys().iter().map(|key| {
        let other = replaced.iter().find(|(known, _)| known == key).map(|(_, path)| *path);
        other.map_or_else(|| format!("$['{key}']"), str::to_owned)
    });
    serde_json::json!({ "jsonpaths": keys.collect::<Vec<_>>() }).to_string()
}

#[test]
fn an_export_is_loaded_by_the_name_of_its_format() {
    let folder = spotify();
    let here = folder.path();
    let etl = ["etl", "--log-data", "data", "--log-format", "spotify"];
    let loaded = run(here, etl).good();
    assert!(loaded.contains("4 events") && loaded.contains("none rejected"), "{loaded}");
    assert!(loaded.contains("no plays: 1 Podcast, 1 Skipped"), "{loaded}");
    assert!(loaded.contains("2 in the warehouse, which has no song catalogue"), "{loaded}");
    let plays = "select string_agg(start_time || ' ' || song_title || ' ' || artist_name, ', ' order by start_time) from songplays";
    assert_eq!(
        query_value(here, plays).trim_matches('"'),
        "2024-03-01 09:12:09 Paper Boats Nora Vale, 2024-03-01 09:12:19 Paper Boats Nora Vale"
    );
    assert!(run(here, etl).good().contains("nothing to load"));
    // A later export repeats the rows in another file, with other reasons.
    put(here, "data/endsong_0.json", SPOTIFY.replace("fwdbtn", "unknown"));
    let summary = run(here, etl.iter().chain(&["--output", "json"])).json();
    assert_eq!((&summary["duplicates"], &summary["tables"]["songplays"]), (&2.into(), &2.into()));
    assert_eq!(summary["not_plays"], serde_json::json!({ "Podcast": 1, "Skipped": 1 }));
    let files = run(here, ["query", "records_by_file", "--format", "csv"]).good();
    let files: Vec<&str> =
        files.lines().skip(1).map(|it| it.split_once(".json,").unwrap().1).collect();
    assert_eq!(files, ["4,2,0,2,0,0", "4,0,2,2,0,0"]);
    assert_eq!(run(here, ["check"]).code, Some(0));
}

/// An archive as Spotify sends it: a document, other files of the account, and what a Mac adds.
#[test]
fn an_export_is_loaded_as_its_archive() {
    let folder = spotify();
    let here = folder.path();
    let account = r#"[{"platform":"ANDROID","searchTime":"2024-03-01"}]"#;
    let members = [
        ("Spotify Extended Streaming History/Streaming_History_Audio_2024_0.json", SPOTIFY),
        ("Spotify Extended Streaming History/ReadMeFirst.pdf", "%PDF-1.7\n{x}{\"ts\":{}"),
        ("Spotify Account Data/SearchQueries.json", account),
        ("__MACOSX/._Streaming_History_Audio_2024_0.json", "\0\u{5}"),
    ];
    put(here, "my_spotify_data.zip", zipped(members));
    let etl =
        ["etl", "--log-data", "my_spotify_data.zip", "--log-format", "spotify", "--output", "json"];
    let summary = run(here, etl).json();
    let not_plays =
        json!({ "Podcast": 1, "Skipped": 1, "PDF document": 1, "other data of the account": 1 });
    assert_eq!(summary["not_plays"], not_plays);
    assert_eq!((&summary["records"], &summary["rejected"]), (&6.into(), &0.into()));
    run(
        here,
        ["etl", "--log-data", "data", "--log-format", "spotify", "--warehouse", "duckdb:f.duckdb"],
    )
    .good();
    run(here, ["diff", "duckdb:sparkify.duckdb", "duckdb:f.duckdb"]).good();
}

#[test]
fn a_file_of_another_format_is_named_with_the_option_to_read_it() {
    let folder = spotify();
    let here = folder.path();
    let message = run(here, ["etl", "--log-data", "data"]).bad(2);
    assert!(
        message.contains("has the log format `spotify`")
            && message.contains("--log-format spotify"),
        "{message}"
    );
    let message = run(here, ["etl", "--log-data", "data", "--log-format", "koito"]).bad(2);
    assert!(message.contains("has the log format `spotify`"), "{message}");
    put(here, "own/e.json", event(1, 1, 1_541_376_000_000, "NextSong", "One"));
    let message = run(here, ["etl", "--log-data", "own", "--log-format", "spotify"]).bad(2);
    assert!(message.contains("has the log format `sparkify`"), "{message}");
    put(here, "songs/s.json", song("SO1", "One", 200.5));
    let message = run(here, ["etl", "--log-data", "songs", "--log-format", "spotify"]).bad(2);
    assert!(message.contains("the log data `songs` holds songs"), "{message}");
}

#[test]
fn a_format_is_listed_printed_and_changed_as_a_file() {
    let folder = spotify();
    let here = folder.path();
    let list = run(here, ["formats"]).good();
    for name in ["sparkify", "eventsim", "spotify", "listenbrainz", "lastfm", "maloja", "koito"] {
        assert!(list.contains(name), "{list}");
    }
    let text = run(here, ["formats", "show", "spotify"]).good();
    let mine = text.replace("value = 1 }", "value = 42 }").replace("below = 30000", "below = 1000");
    put(here, "mine.toml", mine);
    run(here, ["etl", "--log-data", "data", "--log-format", "mine.toml"]).good();
    assert_eq!(query_value(here, "select count(*) || ' ' || min(user_id) from songplays"), "3 42");

    let message = run(here, ["etl", "--log-data", "data", "--log-format", "spotfy"]).bad(2);
    assert!(
        message.contains("unknown log format `spotfy`") && message.contains("sparkify formats")
    );
    let message = run(here, ["etl", "--log-data", "data", "--log-format", "none.toml"]).bad(2);
    assert!(message.contains("cannot read the log format `none.toml`"), "{message}");
    put(here, "bad.toml", "title = 't'\n[columns]\nartist = '$..a'\n");
    let message = run(here, ["etl", "--log-data", "data", "--log-format", "bad.toml"]).bad(2);
    assert!(message.contains("column `artist`: `$..a` is not a supported path"), "{message}");
}

/// The format of the program itself, read by the mapping instead of the fast path, gives the same
/// warehouse: also rejects, repairs and counts.
#[test]
fn the_own_format_as_a_mapping_gives_the_same_tables() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let generate =
        ["generate", "sample", "--songs", "50", "--events", "3000", "--days", "4", "--awkward"];
    run(here, generate).good();
    let text = run(here, ["formats", "show", "sparkify"]).good();
    // A rule that never applies keeps the fast path away.
    let mapped =
        format!("{text}\n[[rules]]\npage = 'None'\nwhen = [{{ present = '$.no_such_key' }}]\n");
    put(here, "mapped.toml", mapped);
    let etl = |name: &str, more: &[&str]| {
        let warehouse = format!("duckdb:{name}.duckdb");
        let base = [
            "etl",
            "--song-data",
            "sample/song_data",
            "--log-data",
            "sample/log_data",
            "--max-reject-share",
            "100%",
            "--output",
            "json",
            "--warehouse",
            &warehouse,
        ];
        run(here, base.iter().chain(more)).json()
    };
    let (fast, slow) = (etl("fast", &[]), etl("slow", &["--log-format", "mapped.toml"]));
    for key in ["records", "events_staged", "rejected", "repairs", "duplicates", "tables"] {
        assert_eq!(fast[key], slow[key], "{key}");
    }
    run(here, ["diff", "duckdb:fast.duckdb", "duckdb:slow.duckdb"]).good();
    let staged = "select md5(string_agg(e::text, '|' order by e::text)) from (select e from staging_events e) where true";
    let digest = |name: &str| {
        let warehouse = format!("duckdb:{name}.duckdb");
        run(here, ["query", staged, "--format", "csv", "--warehouse", &warehouse]).good()
    };
    assert_eq!(digest("fast"), digest("slow"));
}

#[test]
fn a_json_paths_file_counts_for_local_files() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let own = event(1, 1, 1_541_376_000_000, "NextSong", "One");
    put(here, "own/e.json", &own);
    let other = own.replace("\"song\":\"One\"", "\"what\":{\"names\":[\"x\",\"One\"]}");
    assert_ne!(own, other);
    put(here, "other/e.json", other);
    put(here, "paths.json", json_paths(&[("song", "$['what']['names'][1]")]));
    run(here, ["etl", "--log-data", "own", "--warehouse", "duckdb:own.duckdb"]).good();
    let etl = [
        "etl",
        "--log-data",
        "other",
        "--log-jsonpath",
        "paths.json",
        "--warehouse",
        "duckdb:other.duckdb",
    ];
    run(here, etl).good();
    run(here, ["diff", "duckdb:own.duckdb", "duckdb:other.duckdb"]).good();
    let database = Database::new();
    let url = database.url();
    let etl = ["etl", "--log-data", "other", "--log-jsonpath", "paths.json", "--warehouse", &url];
    for arguments in [&etl[..], &["diff", "duckdb:own.duckdb", &url]] {
        let mut command = sparkify(here, arguments);
        let output = command.env("SPARKIFY_ALLOW_SUPERUSER", "1").output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    put(here, "dwh.cfg", "[S3]\nLOG_DATA=other\nLOG_JSONPATH=paths.json\n");
    assert!(run(here, ["etl", "--warehouse", "duckdb:cfg.duckdb"]).good().contains("1 events"));
    for (paths, expected) in [
        (r#"{"jsonpaths": ["$['ts']"]}"#.to_owned(), "it has 1 paths for the 18 columns"),
        (json_paths(&[("song", "$['what'][*]")]), "`$['what'][*]` is not a supported path"),
        (json_paths(&[("song", "$['artist']")]), "would fill the column `song`"),
        (json_paths(&[("song", "$.what")]), "in another notation"),
    ] {
        put(here, "paths.json", paths);
        let message = run(here, ["etl", "--warehouse", "duckdb:new.duckdb"]).bad(2);
        assert!(message.contains(expected) && message.contains("LOG_JSONPATH"), "{message}");
        assert!(!Path::exists(&here.join("new.duckdb")), "nothing was read");
    }
    put(here, "dwh.cfg", "[S3]\nLOG_DATA=own\nLOG_JSONPATH=none.json\n");
    let message = run(here, ["etl", "--warehouse", "duckdb:new.duckdb"]).bad(2);
    assert!(message.contains("cannot read the JSONPaths file `none.json`"), "{message}");
    let etl = ["etl", "--log-format", "sparkify", "--warehouse", "duckdb:new.duckdb"];
    run(here, etl).good();
    put(here, "dwh.cfg", "[S3]\nLOG_DATA=own\nLOG_FORMAT=sparkify\nLOG_JSONPATH=paths.json\n");
    let message = run(here, ["plan"]).bad(2);
    assert!(message.contains("remove LOG_FORMAT or LOG_JSONPATH"), "{message}");
}

/// Private texts of a rejected record are not kept, and a replay reads the file in its format.
#[test]
fn rejects_are_masked_and_replayed_in_their_format() {
    let folder = spotify();
    let here = folder.path();
    put(
        here,
        "data/Streaming_History_Audio_2024_0.json",
        SPOTIFY.replace("2024-03-01T09:16:00Z", "soon"),
    );
    let etl = ["etl", "--log-data", "data", "--log-format", "spotify", "--max-reject-share", "50%"];
    run(here, etl).good();
    let rejects = run(here, ["rejects", "export", "-"]).good();
    assert!(rejects.contains("soon") && rejects.contains("xxxxxxxxx"), "{rejects}");
    assert!(!rejects.contains("192.0.2.7"), "{rejects}");
    let replay = ["rejects", "replay", "--log-format", "spotify", "--max-reject-share", "50%"];
    assert!(run(here, replay).good().contains("3 events"));
    let mut without = sparkify(here, ["rejects", "replay"]);
    assert!(!without.output().unwrap().status.success());
    assert_eq!(query_value(here, "select count(*) from songplays"), "2");
}

/// `trace` finds the bytes of a record inside a container.
#[test]
fn a_play_inside_a_container_is_traced_to_its_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let scrobble = |time: u64| {
        format!(
            r#"{{"time":{time},"track":{{"artists":["A"],"title":"T{time}"}},"origin":"client"}}"#
        )
    };
    let (first, second) = (scrobble(1_709_284_329), scrobble(1_709_284_529));
    let export = format!(r#"{{"maloja":{{"export_time":1}},"scrobbles":[{first}, {second}]}}"#);
    put(here, "data/maloja.json", export);
    run(here, ["etl", "--log-data", "data", "--log-format", "maloja"]).good();
    let id = query_value(
        here,
        "select max(songplay_id) from songplays where song_title = 'T1709284529'",
    );
    let traced = run(here, ["trace", &id]).good();
    assert!(traced.contains(&second), "{traced}");
}

/// Counts of other programs for the same export, by their rules.
#[test]
fn other_programs_counts_are_explained_by_rows() {
    let folder = spotify();
    let here = folder.path();
    run(here, ["etl", "--log-data", "data", "--log-format", "spotify"]).good();
    for (profile, expected) in [("koito", "2"), ("maloja", "1"), ("your-spotify", "1")] {
        let verified = run(here, ["verify", "--profile", profile]).good();
        let line =
            verified.lines().find(|line| line.starts_with("explained") || line.starts_with("ok"));
        let line = line.unwrap_or_else(|| panic!("{verified}"));
        assert_eq!(line.split_whitespace().nth(2), Some(expected), "{verified}");
    }
    let other = crate::support::loaded();
    let message = run(other.path(), ["verify", "--profile", "koito"]).bad(1);
    assert!(message.contains("streaming history of Spotify"), "{message}");
}

/// The report of a personal history has no section for what its records do not hold.
#[test]
fn the_report_leaves_out_what_a_history_does_not_hold() {
    let folder = spotify();
    let here = folder.path();
    run(here, ["etl", "--log-data", "data", "--log-format", "spotify", "-q"]).good();
    run(here, ["report", "-q"]).good();
    let browser = Browser::start();
    browser.open_file(&here.join("report.html").canonicalize().unwrap());
    let shown = |selector: &str| {
        browser.run(&format!(
            "return [...document.querySelectorAll('{selector}')].filter((it) => !it.closest('[hidden]')).map((it) => it.textContent)"
        ))
    };
    assert_eq!(
        shown("h3"),
        json!([
            "Plays over time",
            "Plays by hour of the week",
            "Plays by hour of the day",
            "Plays by day of the week",
            "Days and streaks",
            "Top songs",
            "Top artists",
            "Locations"
        ])
    );
    assert_eq!(shown("#headline dt"), json!(["Plays", "Listening time", "Songs", "Period, UTC"]));
    assert_eq!(shown(".contents a"), json!(["Over time", "Music", "Locations and devices"]));
    let streak = shown("figure[data-chart=streaks] dd");
    assert_eq!(streak[3], "1 day, 1 Mar 2024 to 1 Mar 2024");
}
