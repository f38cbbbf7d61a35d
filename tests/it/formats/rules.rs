//! Values that the generated exports leave out, as short files.

use sparkify_warehouse::{Access, Value};

use super::load;
use super::source::Source;
use crate::oracle::cell;
use crate::support::{open, put, rows};

/// Staged values of one column, and the bytes of the rejects, as text.
struct Loaded {
    staged: Vec<String>,
    rejects: Vec<String>,
}

/// Loads one file.
fn loaded(source: Source, text: &str, column: &str) -> Loaded {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    put(here, "logs/a.json", text);
    load(here, "logs", "duckdb:w.duckdb", source);
    let url = format!("duckdb:{}", here.join("w.duckdb").display());
    let mut warehouse = open(&url, Access::Read).unwrap();
    let staged = rows(warehouse.as_mut(), "staging_events", &[column]);
    let answer = warehouse.query("select \"raw\" from etl_rejects", &[], usize::MAX).unwrap();
    let raw = answer.rows.iter().map(|row| match &row[0] {
        Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        other => panic!("{other}"),
    });
    Loaded { staged: staged.into_iter().flatten().collect(), rejects: raw.collect() }
}

fn play_in(city: &str, state: &str) -> String {
    format!(
        r#"{{"ts":1709284329000,"sessionId":7,"itemInSession":0,"city":{city},"state":{state},"duration":1}}"#
    )
}

fn scrobble_by(artists: &str) -> String {
    format!(
        r#"{{"scrobbles":[{{"time":1709284329,"track":{{"title":"T","artists":{artists}}}}}]}}"#
    )
}

fn stream_of(end: &str, milliseconds: &str, title: &str, more: &str) -> String {
    format!(
        r#"{{"ts":"{end}","ms_played":{milliseconds},"master_metadata_track_name":"{title}","master_metadata_album_artist_name":"A"{more}}}"#
    )
}

#[test]
fn the_start_of_a_play_is_its_end_without_the_rounded_time_heard() {
    for (end, heard, start) in [
        ("2024-03-01T09:15:30Z", "201000", "1709284329000"),
        ("2024-03-01T09:15:30Z", "\"200000.5\"", "1709284329999"),
        ("2024-03-01T09:15:30.25Z", "0", "1709284530250"),
        ("2024-03-01T09:15:30Z", "null", "1709284530000"),
        ("1969-12-31T23:59:59.9999Z", "0", "-1"),
        ("2024-03-01T11:15:30.1+02:00", "100", "1709284530000"),
    ] {
        let found = loaded(Source::SpotifyExtended, &stream_of(end, heard, "T", ""), "ts");
        assert_eq!((found.staged, found.rejects.len()), (vec![start.to_owned()], 0), "{end}");
    }
}

#[test]
fn joined_values_are_texts_and_numbers() {
    for (city, state, location) in [
        ("\"Springfield\"", "\"XX\"", "Springfield, XX"),
        ("\"Springfield\"", "null", "Springfield"),
        ("12.0", "\"XX\"", "12.0, XX"),
        ("[\"a\",\"\",null,\"b\"]", "\"XX\"", "a, b, XX"),
        ("null", "null", cell::NULL),
    ] {
        let found = loaded(Source::Eventsim, &play_in(city, state), "location");
        assert_eq!((found.staged, found.rejects.len()), (vec![location.to_owned()], 0), "{city}");
    }
    for (artists, artist) in [
        (r#"["b","a"]"#, "a, b"),
        (r#"["b","",null,"a","b"]"#, "a, b, b"),
        (r#""b""#, "b"),
        (r#"["",null]"#, cell::NULL),
        ("[]", cell::NULL),
    ] {
        let found = loaded(Source::Maloja, &scrobble_by(artists), "artist");
        assert_eq!((found.staged, found.rejects.len()), (vec![artist.to_owned()], 0), "{artists}");
    }
}

#[test]
fn joined_text_that_is_encoded_twice_is_repaired() {
    let found = loaded(Source::Eventsim, &play_in("\"Malm\u{c3}\u{b6}\"", "\"XX\""), "location");
    assert_eq!(found.staged, ["Malm\u{f6}, XX"]);
}

#[test]
fn a_joined_value_of_another_type_rejects_the_record() {
    for wrong in ["true", "{\"a\":1}", r#""\ud83d""#, r#""a\u0000b""#] {
        let found = loaded(Source::Eventsim, &play_in(wrong, "\"XX\""), "location");
        assert_eq!((found.staged, found.rejects.len()), (vec![], 1), "city {wrong}");
        for artists in [wrong.to_owned(), format!("[\"a\",{wrong}]")] {
            let found = loaded(Source::Maloja, &scrobble_by(&artists), "artist");
            assert_eq!((found.staged, found.rejects.len()), (vec![], 1), "artists {artists}");
        }
    }
}

#[test]
fn an_identity_without_text_rejects_the_record() {
    for wrong in [r#""\ud83d""#, r#""a\u0000b""#, "{\"a\":1}", "true"] {
        // Two tracks that ended at one time.
        let stream = |title: &str| {
            let uri = format!(r#","spotify_track_uri":{wrong}"#);
            stream_of("2024-03-01T09:15:30Z", "201000", title, &uri)
        };
        let text = format!("[{},\n{}]", stream("One"), stream("Two"));
        let found = loaded(Source::SpotifyExtended, &text, "song");
        assert_eq!((found.staged, found.rejects.len()), (vec![], 2), "{wrong}");
    }
}

#[test]
fn rejects_hold_no_private_values() {
    for private in [
        r#""ip_addr":"192.0.2.7""#,
        r#""ip_addr": null, "username" : "192.0.2.7""#,
        r#""\u0069p_addr":"192.0.2.7""#,
        r#""ip_addr_decrypted":["192.0.2.7"]"#,
        r#""ip_addr_decrypted":{"a":"192.0.2.7"}"#,
        r#""username":192.02"#,
    ] {
        let more = format!(",{private}");
        let found = loaded(Source::SpotifyExtended, &stream_of("soon", "0", "T", &more), "song");
        let [raw] = found.rejects.as_slice() else { panic!("{private}: {:?}", found.rejects) };
        assert!(!raw.contains("192.0"), "{private}: {raw}");
    }
}
