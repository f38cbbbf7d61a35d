//! Data sets with known results, copied as the course describes: events with a `JSONPaths` file,
//! songs with `'auto'`.

use std::collections::BTreeSet;
use std::path::Path;

use redshift_emulator::copy::Loaded;
use s3_emulator::Server;

use crate::data::{DataSet, on_each_data_set};
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

on_each_data_set!(every_record_is_copied);

fn every_record_is_copied(data: &DataSet) {
    let server = Server::start();
    upload(&server, &data.folder(), "data");
    let events = loaded(&server, &EVENTS, "data/log_data/", "s3://bucket/data/log_json_path.json");
    assert_eq!(events.loaded_rows, data.rows("staging_events"));
    assert_eq!(events.files.len() as u64, data.log_objects);
    let plays = values(&events, "page").iter().filter(|page| **page == Some("NextSong")).count();
    assert_eq!(plays as u64, data.rows("songplays") + data.duplicates);
    let users = values(&events, "user_id");
    let logged_in: BTreeSet<_> = users.iter().flatten().collect();
    assert_eq!(logged_in.len() as u64, data.rows("users"));
    assert_eq!(users.iter().filter(|user| user.is_none()).count() as u64, data.logged_out);

    let songs = loaded(&server, &SONGS, "data/song_data/", "auto");
    assert_eq!(songs.loaded_rows, data.rows("staging_songs"));
    assert_eq!(songs.files.len() as u64, data.song_objects);
    for (column, table) in [("song_id", "songs"), ("artist_id", "artists")] {
        let ids: BTreeSet<_> = values(&songs, column).into_iter().flatten().collect();
        assert_eq!(ids.len() as u64, data.rows(table), "{table}");
    }

    // With 'auto' most event keys match no column, because their case differs.
    let by_names = loaded(&server, &EVENTS, "data/log_data/", "auto");
    assert!(values(&by_names, "user_id").iter().all(Option::is_none));
    assert!(values(&by_names, "ts").iter().all(Option::is_some));
}
