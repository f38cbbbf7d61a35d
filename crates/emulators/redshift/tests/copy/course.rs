//! Course data, loaded as the course describes: events with its `JSONPaths` file, songs with
//! `'auto'`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use redshift_emulator::copy::Loaded;
use s3_emulator::Server;

use crate::{ROLE, columns, load, store};

const EVENTS: [&str; 18] = [
    "artist varchar(1024)",
    "auth varchar(16)",
    "first_name varchar(64)",
    "gender char(1)",
    "item_in_session integer",
    "last_name varchar(64)",
    "length double precision",
    "level varchar(8)",
    "location varchar(256)",
    "method varchar(8)",
    "page varchar(32)",
    "registration double precision",
    "session_id bigint",
    "song varchar(1024)",
    "status integer",
    "ts bigint",
    "user_agent varchar(512)",
    "user_id bigint",
];
const SONGS: [&str; 10] = [
    "num_songs integer",
    "artist_id varchar(18)",
    "artist_latitude double precision",
    "artist_longitude double precision",
    "artist_location varchar(512)",
    "artist_name varchar(512)",
    "song_id varchar(18)",
    "title varchar(512)",
    "duration double precision",
    "year integer",
];

/// Returns the folder of the course data if it exists.
///
/// It must exist if `SPARKIFY_NEEDS_COURSE` is set.
fn folder() -> Option<PathBuf> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let folder = project.join("../shared/data/course");
    let found = folder.is_dir();
    assert!(
        found || std::env::var_os("SPARKIFY_NEEDS_COURSE").is_none(),
        "SPARKIFY_NEEDS_COURSE is set, but the course data is missing"
    );
    found.then_some(folder)
}

fn upload(server: &Server, path: &Path, key: &str) {
    if path.is_file() {
        return server.put(key, std::fs::read(path).unwrap());
    }
    for entry in std::fs::read_dir(path).unwrap() {
        let entry = entry.unwrap();
        upload(server, &entry.path(), &format!("{key}/{}", entry.file_name().to_str().unwrap()));
    }
}

fn loaded(server: &Server, declared: &[&str], from: &str, option: &str) -> Loaded {
    let statement = format!(
        "copy t from 's3://bucket/{from}' iam_role '{ROLE}' json '{option}' compupdate off statupdate off"
    );
    load(&store(server), &statement, &columns(declared))
        .unwrap_or_else(|failure| panic!("{failure}: {:#?}", failure.errors))
}

fn values<'l>(loaded: &'l Loaded, name: &str) -> Vec<Option<&'l str>> {
    let at = loaded.columns.iter().position(|column| column == name).unwrap();
    loaded.rows.iter().map(|row| row[at].as_deref()).collect()
}

#[test]
fn the_course_data_has_its_known_counts() {
    let Some(folder) = folder() else {
        return println!("skipped: the course data is missing");
    };
    let server = Server::start();
    upload(&server, &folder, "course");
    let events =
        loaded(&server, &EVENTS, "course/log_data/", "s3://bucket/course/log_json_path.json");
    assert_eq!((events.loaded_rows, events.files.len()), (8056, 30));
    let plays = values(&events, "page").iter().filter(|page| **page == Some("NextSong")).count();
    let users = values(&events, "user_id");
    let logged_in: BTreeSet<_> = users.iter().flatten().collect();
    let guests = users.iter().filter(|user| user.is_none()).count();
    assert_eq!((plays, logged_in.len(), guests), (6820, 97, 286));

    let songs = loaded(&server, &SONGS, "course/song_data/", "auto");
    assert_eq!((songs.loaded_rows, songs.files.len()), (1944, 1943));
    let ids: BTreeSet<_> = values(&songs, "song_id").into_iter().flatten().collect();
    let artists: BTreeSet<_> = values(&songs, "artist_id").into_iter().flatten().collect();
    assert_eq!((ids.len(), artists.len()), (1943, 1809));

    // With 'auto' most event keys match no column, because their case differs.
    let by_names = loaded(&server, &EVENTS, "course/log_data/", "auto");
    assert!(values(&by_names, "user_id").iter().all(Option::is_none));
    assert!(values(&by_names, "ts").iter().all(Option::is_some));
}
