//! Tests of `order_independence` on every engine, with fewer cases; moved data, and objects that
//! change.

#[cfg(feature = "s3")]
use std::sync::Arc;
#[cfg(feature = "s3")]
use std::sync::atomic::{AtomicBool, Ordering};

#[cfg(feature = "s3")]
use s3_emulator::{Fault, Server};
#[cfg(feature = "s3")]
use sparkify_config::{Flags, S3Flags, Settings};
use sparkify_load::ledger::Relocation;
use sparkify_load::pipeline::Request;
#[cfg(feature = "s3")]
use sparkify_load::pipeline::{self, EtlError};
#[cfg(feature = "s3")]
use sparkify_reader::Meter;
#[cfg(feature = "s3")]
use sparkify_source::Sources;

use super::{Engine, open};
use crate::order_independence;
use crate::support::{event, load_as, put, request, rows, song};
use sparkify_warehouse::Warehouse;

pub(crate) fn loads_give_what_the_oracle_computes(engine: &Engine) {
    let place = (engine.place)();
    order_independence::one_load(16, || open(&place.url()));
}

pub(crate) fn histories_end_in_the_same_tables(engine: &Engine) {
    let place = (engine.place)();
    order_independence::histories(24, || open(&place.url()));
}

pub(crate) use crate::bounded_scans::distant_events_end_in_the_same_tables;

pub(crate) fn killed_loads_leave_nothing_behind(engine: &Engine) {
    let place = (engine.place)();
    order_independence::histories_with_kills(6, || place.url());
}

pub(crate) fn moved_data_is_kept_once(engine: &Engine) {
    let (place, folder) = ((engine.place)(), tempfile::tempdir().unwrap());
    let mut warehouse = open(&place.url());
    let root = folder.path().canonicalize().unwrap();
    put(&root, "one/song_data/a.json", song("SO1", "One", 200.5));
    put(&root, "one/log_data/e.json", event(1, 0, 1000, "NextSong", "One"));
    let in_folder = |name: &str| request(&root.join(name), 0.0);
    let location = |name: &str| root.join(name).to_str().unwrap().to_owned();
    let mut load = |name: &str, relocated: Option<&str>| {
        let relocations =
            relocated.map(|old| Relocation { old: location(old), new: location(name) });
        let request = Request { relocations: relocations.into_iter().collect(), ..in_folder(name) };
        let summary = load_as(warehouse.as_mut(), &request).unwrap();
        let staged = ["staging_events", "staging_songs", "songplays"].map(|it| summary.rows(it));
        (summary.objects_read, summary.objects_relocated, staged)
    };
    assert_eq!(load("one", None), (2, 0, [1, 1, 1]));
    std::fs::rename(root.join("one"), root.join("two")).unwrap();
    assert_eq!(load("two", Some("one")), (0, 2, [1, 1, 1]));
    std::fs::rename(root.join("two"), root.join("three")).unwrap();
    assert_eq!(load("three", None), (2, 0, [2, 2, 1]));
    assert_eq!(load("three", Some("two")), (0, 2, [1, 1, 1]));
    assert_eq!(load("three", None), (0, 0, [1, 1, 1]));
    let keys = rows(warehouse.as_mut(), "etl_objects", &["object_key"]).concat();
    let expected = ["log_data/e.json", "song_data/a.json"];
    assert_eq!(keys, expected.map(|key| location(&format!("three/{key}"))));
}

/// An object in S3 that is overwritten at each reading.
/// Temporary tables of sparkify, including those of a direct COPY.
const TEMPORARY: &[&str] = &[
    "scope_objects",
    "touched_events",
    "touched_songs",
    "known_objects",
    "scope_plays",
    "scope_days",
    "scope_matched",
    "scope_facts",
    "scope_users",
    "scope_levels",
    "scope_songs",
    "scope_artists",
    "scope_times",
    "landing_events",
    "landing_songs",
    "landing_repairs",
];

/// A user may have tables with the names of the temporary tables in the same schema.
pub(crate) fn tables_of_the_user_are_kept(engine: &Engine) {
    let (place, folder) = ((engine.place)(), tempfile::tempdir().unwrap());
    let url = place.url();
    let mut warehouse = open(&url);
    put(folder.path(), "song_data/a.json", song("SO1", "One", 200.5));
    put(folder.path(), "log_data/1.json", event(1, 0, 1000, "NextSong", "One"));
    let load = |warehouse: &mut dyn Warehouse| {
        load_as(warehouse, &request(folder.path(), 0.0)).unwrap().rows("songplays")
    };
    assert_eq!(load(warehouse.as_mut()), 1);
    for table in TEMPORARY {
        warehouse.execute(&format!("create table {table} (mine integer)")).unwrap();
        warehouse.execute(&format!("insert into {table} values (7)")).unwrap();
    }
    // Incremental loads of a new and of a moved object, twice on one connection, and a full one.
    for day in 2..4 {
        let event = event(day, 0, 1000, "NextSong", "One");
        put(folder.path(), &format!("log_data/{day}.json"), event);
        assert_eq!(load(warehouse.as_mut()), u64::from(day));
    }
    let full = Request { full_refresh: true, ..request(folder.path(), 0.0) };
    assert_eq!(load_as(warehouse.as_mut(), &full).unwrap().rows("songplays"), 3);
    drop(warehouse);
    let mut warehouse = open(&url);
    assert_eq!(load(warehouse.as_mut()), 3);
    for table in TEMPORARY {
        assert_eq!(rows(warehouse.as_mut(), table, &["mine"]), [["7"]], "{table}");
    }
}

/// A record of 17 MiB that is no play is one reject, and blocks nothing.
pub(crate) fn a_long_record_is_one_reject(engine: &Engine) {
    let (place, folder) = ((engine.place)(), tempfile::tempdir().unwrap());
    let good = event(1, 0, 1000, "NextSong", "One");
    let long = format!("{{\"ts\": null, \"song\": \"{}\"}}", "x".repeat(17 << 20));
    put(folder.path(), "log_data/e.json", [&good, "\n", &long, "\n", &good, "\n"].concat());
    let mut warehouse = open(&place.url());
    let summary = load_as(warehouse.as_mut(), &request(folder.path(), 1.0)).unwrap();
    assert_eq!((summary.events_staged, summary.rejected), (2, 1));
    let rejects = rows(warehouse.as_mut(), "etl_rejects", &["byte_offset", "length(reason) > 0"]);
    assert_eq!(rejects.len(), 1);
    assert_eq!(rejects[0][0], (good.len() + 1).to_string());
    assert_eq!(load_as(warehouse.as_mut(), &request(folder.path(), 1.0)).unwrap().objects_read, 0);
}

/// A load that is cancelled while it reads leaves the published tables and a usable connection.
#[cfg(feature = "s3")]
pub(crate) fn a_cancelled_load_publishes_nothing(engine: &Engine) {
    let (place, server) = ((engine.place)(), Server::start());
    let request = request_of(&server);
    let mut warehouse = open(&place.url());
    server.put("log_data/0.json", event(1, 0, 1000, "NextSong", "One"));
    assert_eq!(load_as(warehouse.as_mut(), &request).unwrap().rows("songplays"), 1);
    for number in 1..40 {
        let event = event(1, number, 1000, "NextSong", "Other");
        server.put(&format!("log_data/{number}.json"), event);
    }
    server.hold_until("GET /bucket/log_data/", 10, usize::MAX);
    let meter = Arc::new(Meter::default());
    let listed = pipeline::list(&request, &meter).unwrap();
    let ended = AtomicBool::new(false);
    let cancelled = std::thread::scope(|scope| {
        scope.spawn(|| {
            server.wait_for_held(1);
            meter.cancel();
            server.release();
            while !ended.load(Ordering::Relaxed) {
                meter.cancel();
                std::thread::yield_now();
            }
        });
        let cancelled = pipeline::etl(warehouse.as_mut(), &request, listed);
        ended.store(true, Ordering::Relaxed);
        cancelled
    });
    assert!(matches!(cancelled, Err(EtlError::Cancelled)), "{cancelled:?}");
    let loads = rows(warehouse.as_mut(), "etl_loads", &["load_id", "outcome", "message"]);
    assert_eq!(loads[0][1], "published");
    assert_eq!(loads[1][1..], ["failed", "the load was cancelled: nothing was published"]);
    assert_eq!(rows(warehouse.as_mut(), "songplays", &["item_in_session"]).len(), 1);
    assert_eq!(load_as(warehouse.as_mut(), &request).unwrap().rows("songplays"), 40);
}

/// Returns a load of the events in the bucket of `server`.
#[cfg(feature = "s3")]
fn request_of(server: &Server) -> Request {
    server.state.is_public.store(true, Ordering::Relaxed);
    let endpoint_url = Some(server.endpoint());
    let s3 = S3Flags { endpoint_url, no_sign_request: true, ..S3Flags::default() };
    let settings = Settings::resolve(&Flags { s3, ..Flags::default() }).unwrap();
    let sources = Sources::new(&settings.s3);
    Request { sources, ..Request::new(None, Some("s3://bucket/log_data".into())) }
}

#[cfg(feature = "s3")]
pub(crate) fn an_object_that_changes_keeps_its_rows(engine: &Engine) {
    let (place, server) = ((engine.place)(), Server::start());
    let request = request_of(&server);
    let mut warehouse = open(&place.url());
    let mut load = || load_as(warehouse.as_mut(), &request).unwrap();

    let changed: &'static str = event(1, 9, 1000, "NextSong", "Changed").leak();
    server.put("log_data/1.json", event(1, 0, 1000, "NextSong", "One"));
    assert_eq!(load().rows("songplays"), 1);
    for number in 2..4 {
        server.put("log_data/1.json", event(1, number, 1000, "NextSong", "Other"));
        server.put(&format!("log_data/{number}.json"), event(number, 0, 1000, "NextSong", "One"));
        server.fail("GET *log_data/1.json", Fault::Overwritten(changed), 2);
        let summary = load();
        let left: Vec<&str> =
            summary.objects_left.iter().map(|left| left.object.as_str()).collect();
        assert_eq!(left, ["s3://bucket/log_data/1.json"]);
        assert_eq!((summary.objects_read, summary.objects_changed), (1, 0));
        assert_eq!(server.faults_left(), 0);
    }
    let summary = load();
    assert!(summary.objects_left.is_empty());
    assert_eq!((summary.rows("staging_events"), summary.rows("songplays")), (3, 3));
    let titles = rows(warehouse.as_mut(), "songplays", &["song_title"]).concat();
    assert_eq!(titles, ["Changed", "One", "One"]);
    let messages = rows(warehouse.as_mut(), "etl_loads", &["load_id", "message"]);
    let told: Vec<bool> =
        messages.iter().map(|load| load[1].starts_with("left for the next run: 1: ")).collect();
    assert_eq!(told, [false, true, true, false]);
}
