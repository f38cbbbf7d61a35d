//! Cost of an incremental load: its statements carry literal bounds, so that an engine skips what the
//! load does not touch.

use std::path::Path;

use crate::conformance::Engine;
use crate::support::{
    assert_same_model, duckdb, event, load, load_as, model, put, request, run, song,
};
use sparkify_load::pipeline::Request;
use sparkify_warehouse::Access;

/// Tables that grow with the events, each with the columns on which a bound can be.
const GROWING: &[(&str, &[&str])] = &[
    ("staging_events", &["ts", "load_id"]),
    ("songplays", &["start_time"]),
    ("time", &["start_time"]),
];

/// Statements that may read a whole table, by a part of their text, with the reason.
const UNBOUNDED: &[(&str, &str)] = &[
    ("create temp table scope_matched", "a song can match plays of any day; only loads with songs"),
    ("'staging_events' as name", "counts of the summary: one narrow column of each table"),
];

const DAY: u64 = 86_400_000;
/// 1 November 2018.
const FIRST: u64 = 1_541_030_400_000;

/// Returns the statements that one load sends, in order.
fn statements_of_a_load(folder: &Path) -> Vec<String> {
    let etl = ["etl", "--song-data", "song_data", "--log-data", "log_data", "-vv", "--log-json"];
    let ended = run(folder, etl);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let lines = ended.err.lines().filter_map(|line| serde_json::from_str(line).ok());
    let message = |line: serde_json::Value| Some(line["message"].as_str()?.to_owned());
    lines.filter_map(message).collect()
}

/// Returns each growing table that the statement reads or deletes from without a bound, with the
/// part of the statement that does.
fn unbounded(statement: &str) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let words: Vec<&str> = statement.split_whitespace().collect();
    let starts =
        (0..words.len()).filter(|at| *at == 0 || words[*at].trim_start_matches('(') == "select");
    let starts: Vec<usize> = starts.collect();
    let ends = starts.iter().skip(1).copied().chain([words.len()]);
    for (start, end) in starts.iter().zip(ends) {
        let part = words[*start..end].join(" ");
        for (table, columns) in GROWING {
            let is_name = |next: char| next.is_alphanumeric() || next == '_';
            let is_read = ["from", "join"].iter().any(|word| {
                let name = format!("{word} {table}");
                part.split(&name).skip(1).any(|rest| !rest.starts_with(is_name))
            });
            let is_bounded = columns.iter().any(|column| {
                let lower = format!("{column} >= ");
                let is_number = |next: char| next.is_ascii_digit();
                let literal =
                    |rest: &str| rest.trim_start_matches("timestamp '").starts_with(is_number);
                part.split(&lower).skip(1).any(literal)
            });
            if is_read && !is_bounded && !part.contains("1 = 0") {
                found.push((*table, part.clone()));
            }
        }
    }
    found
}

#[test]
fn scans_without_a_bound_are_found() {
    for (statement, tables) in [
        ("select 1 from songplays join k using (a)", vec!["songplays"]),
        ("delete from time using s where time.start_time = s.start_time", vec!["time"]),
        ("select 1 from staging_events where ts >= since", vec!["staging_events"]),
        ("select 1 from staging_events where ts >= 5", vec![]),
        ("select 1 from songplays_of_x", vec![]),
        (
            "with a as (select 1 from staging_events) select 1 from a where ts >= 5",
            vec!["staging_events"],
        ),
        ("select 1 from a left join time on time.start_time >= timestamp '2018-11-01'", vec![]),
    ] {
        let found: Vec<_> = unbounded(statement).into_iter().map(|(table, _)| table).collect();
        assert_eq!(found, tables, "{statement}");
    }
}

/// A folder with two loaded days and a song, and a third day that is not loaded yet.
fn two_days_and_a_third() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "song_data/a.json", song("SO1", "One", 200.5));
    for day in 0..3 {
        if day == 2 {
            statements_of_a_load(folder.path());
        }
        let number = u32::try_from(day).unwrap();
        let events = (0..4).map(|item| {
            let title = if item < 2 { "One" } else { "Two" };
            event(number, item, FIRST + day * DAY + u64::from(item), "NextSong", title)
        });
        put(folder.path(), &format!("log_data/{day}.json"), events.collect::<String>());
    }
    folder
}

#[test]
fn each_scan_of_an_incremental_load_has_a_bound_or_a_reason() {
    let folder = two_days_and_a_third();
    put(folder.path(), "song_data/b.json", song("SO2", "Two", 200.5));
    let statements = statements_of_a_load(folder.path());
    let mut used = Vec::new();
    for statement in &statements {
        for (table, part) in unbounded(statement) {
            let flat = statement.split_whitespace().collect::<Vec<_>>().join(" ");
            let reason = UNBOUNDED.iter().find(|(text, _)| flat.contains(text));
            let reason = reason.unwrap_or_else(|| panic!("{table} has no bound in {part:?}"));
            used.push(reason.0);
        }
    }
    for (text, reason) in UNBOUNDED {
        assert!(used.contains(text), "no statement needs the exception `{text}`: {reason}");
    }
    // Two days of a play that the new song matches, and the new day.
    let insert = statements.iter().find(|it| it.starts_with("insert into songplays")).unwrap();
    assert!(insert.contains("ts >= 1541030400000 and ts <= 1541289599999"), "{insert}");
}

#[test]
fn a_load_of_new_events_sends_nothing_for_songs_or_replaced_rows() {
    let folder = two_days_and_a_third();
    let statements = statements_of_a_load(folder.path());
    let insert = statements.iter().find(|it| it.starts_with("insert into songplays")).unwrap();
    assert!(insert.contains("ts >= 1541203200000 and ts <= 1541289599999"), "{insert}");
    for text in
        ["delete from staging_", "delete from songs ", "delete from artists", "scope_matched"]
    {
        assert!(!statements.iter().any(|it| it.contains(text)), "{text}");
    }
}

#[test]
fn a_distant_event_does_not_add_the_days_between() {
    let folder = two_days_and_a_third();
    put(folder.path(), "log_data/late.json", event(9, 0, 5, "NextSong", "One"));
    let statements = statements_of_a_load(folder.path());
    let insert = statements.iter().find(|it| it.starts_with("insert into songplays")).unwrap();
    let bounds = "ts >= 0 and ts <= 1541289599999 and (ts <= 86399999 or ts >= 1541203200000)";
    assert!(insert.contains(bounds), "{insert}");
}

/// A line of [`event`] of another user at another level.
fn event_of(user: u32, level: &str, session: u32, ts: u64, song: &str) -> String {
    event(session, 0, ts, "NextSong", song)
        .replace("\"userId\":\"7\"", &format!("\"userId\":\"{user}\""))
        .replace("\"level\":\"free\"", &format!("\"level\":\"{level}\""))
}

/// Loads with events decades apart, late events, rewrites that move events to other days or remove a
/// user, and songs that come and go: after each of them the tables are those of one load.
pub(crate) fn distant_events_end_in_the_same_tables(engine: &Engine) {
    let (place, folder) = ((engine.place)(), tempfile::tempdir().unwrap());
    let here = folder.path();
    let url = place.url();
    let mut warehouse = crate::support::open(&url, Access::Write).unwrap();
    let (now, far) = (FIRST, 4_000_000_000_000);
    put(here, "song_data/blank.json", "");
    put(here, "song_data/a.json", song("SO1", "One", 200.5));
    let steps: &[&[(&str, Option<String>)]] = &[
        &[(
            "log_data/1.json",
            Some(
                [
                    event_of(1, "free", 1, now, "One"),
                    event_of(2, "paid", 2, now + 5, "Two"),
                    event_of(1, "free", 3, now + 40 * DAY, "One"),
                ]
                .concat(),
            ),
        )],
        // The first event of a user at another level, and the latest one of another user.
        &[(
            "log_data/2.json",
            Some(
                [event_of(1, "paid", 4, 1000, "Two"), event_of(2, "free", 5, far, "One")].concat(),
            ),
        )],
        // Only late events: the rows of the users stay.
        &[(
            "log_data/3.json",
            Some(
                [
                    event_of(1, "free", 6, 2000, "One"),
                    event_of(2, "free", 7, now + DAY, "Three"),
                    event_of(3, "free", 8, now - 9000 * DAY, "Three"),
                ]
                .concat(),
            ),
        )],
        &[("log_data/2.json", Some(event_of(1, "paid", 4, now + 20 * DAY, "Two")))],
        &[("song_data/b.json", Some(song("SO2", "Two", 100.0)))],
        &[("log_data/3.json", None), ("song_data/a.json", None)],
        &[
            ("log_data/1.json", Some(event_of(2, "free", 2, far + DAY, "Two"))),
            ("song_data/b.json", None),
        ],
    ];
    for (number, step) in steps.iter().enumerate() {
        for (path, content) in *step {
            match content {
                Some(content) => put(here, path, content),
                None => std::fs::remove_file(here.join(path)).unwrap(),
            }
        }
        let prune = Request { prune: true, ..request(here, 0.0) };
        load_as(warehouse.as_mut(), &prune).unwrap();
        let mut fresh = duckdb(":memory:");
        load(fresh.as_mut(), here, 0.0).unwrap();
        let context = format!("after load {}", number + 1);
        assert_same_model(&model(warehouse.as_mut()), &model(fresh.as_mut()), &context);
    }
}
