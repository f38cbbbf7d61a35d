//! Tests of `order_independence` on every engine, with fewer cases; moved data, and objects that
//! change.

use sparkify_load::ledger::Relocation;
use sparkify_load::pipeline::Request;

use super::{Engine, open};
use crate::order_independence;
use crate::support::{event, load_as, put, request, rows, song};

pub(crate) fn loads_give_what_the_oracle_computes(engine: &Engine) {
    let place = (engine.place)();
    order_independence::one_load(16, || open(&place.url()));
}

pub(crate) fn histories_end_in_the_same_tables(engine: &Engine) {
    let place = (engine.place)();
    order_independence::histories(24, || open(&place.url()));
}

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
#[cfg(feature = "s3")]
pub(crate) fn an_object_that_changes_keeps_its_rows(engine: &Engine) {
    use s3_emulator::{Fault, Server};
    use sparkify_config::{Flags, S3Flags, Settings};
    use sparkify_source::Sources;

    let (place, server) = ((engine.place)(), Server::start());
    server.state.is_public.store(true, std::sync::atomic::Ordering::Relaxed);
    let endpoint_url = Some(server.endpoint());
    let s3 = S3Flags { endpoint_url, no_sign_request: true, ..S3Flags::default() };
    let settings = Settings::resolve(&Flags { s3, ..Flags::default() }).unwrap();
    let sources = Sources::new(&settings.s3);
    let location = Some("s3://bucket/log_data".to_owned());
    let request = Request { sources, ..Request::new(None, location) };
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
