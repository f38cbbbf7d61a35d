//! The program's formats on records as their producers write them (all content is invented).

use super::*;
use crate::differential::Chunked;
use crate::parser::{Parser, Stopped};
use crate::schema::RecordKind;
use sparkify_warehouse::{Batch, Column, Values};

fn text_of(column: &Column, row: usize) -> String {
    if column.nulls.contains(&row) {
        return "-".to_owned();
    }
    match &column.values {
        Values::Bytes { buffer, ends } => {
            let start = row.checked_sub(1).map_or(0, |before| ends[before]);
            String::from_utf8(buffer[start..ends[row]].to_vec()).unwrap()
        }
        Values::Double(values) => values[row].to_string(),
        Values::BigInt(values) => values[row].to_string(),
        Values::Integer(values) => values[row].to_string(),
    }
}

/// Rows as `page | artist | song | length | ts | session | item | user`, and rejects as `! reason`.
fn read(format: LogFormat, text: &str, chunk: usize) -> Vec<String> {
    let mut parser = Parser::new(RecordKind::Events).of_format(Some(format));
    let mut batch = Batch::new(&RecordKind::Events.columns());
    let mut input = Chunked(text.as_bytes(), chunk);
    while parser.fill(&mut input, [1, 1], &mut batch).unwrap_or_else(|never| match never {})
        != Stopped::End
    {}
    let names = RecordKind::Events.column_names();
    let shown =
        ["page", "artist", "song", "length", "ts", "session_id", "item_in_session", "user_id"]
            .map(|name| names.iter().position(|known| known == name).unwrap());
    let mut items: Vec<String> = (0..batch.len())
        .map(|row| shown.map(|index| text_of(&batch.columns[index], row)).join(" | "))
        .collect();
    items.extend(
        parser.take_result().rejects.into_iter().map(|reject| format!("! {}", reject.reason)),
    );
    items
}

fn named(name: &str) -> LogFormat {
    LogFormat::named(name).unwrap()
}

#[test]
fn all_formats_of_the_program_are_valid() {
    for (name, text) in SHIPPED {
        let format = LogFormat::parse(name, text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(format.is_native(), name == NATIVE, "{name}");
        assert_eq!(format.json_paths().is_some(), name == NATIVE, "{name}");
    }
    assert_eq!(FORMATS.len(), SHIPPED.len());
}

const SPOTIFY: &str = r#"[{"ts":"2024-03-01T09:15:30Z","ms_played":201000,"master_metadata_track_name":"Paper Boats","master_metadata_album_artist_name":"Nora Vale","spotify_track_uri":"spotify:track:1"},
      {"ts":"2024-03-01T09:15:30Z","ms_played":4120,"master_metadata_track_name":null,"episode_name":"Pilot","episode_show_name":"Show","spotify_episode_uri":"spotify:episode:2"},
      {"ts":"2024-03-01T09:15:30Z","ms_played":4120,"master_metadata_track_name":"A","master_metadata_album_artist_name":"B"},
      {"ts":"2024-03-01T09:15:30Z","ms_played":41200,"master_metadata_track_name":null},
      {"endTime":"2024-03-01 09:15","artistName":"Ólaf Brandt","trackName":"Mäander","msPlayed":201000},
      {"ts":"yesterday","ms_played":1,"ip_addr":"192.0.2.7"},
      {"ms_played":1}]"#;

/// Records of each format, and what becomes of them; `I` stands for an item that is a hash.
fn cases() -> Vec<(&'static str, &'static str, Vec<&'static str>)> {
    vec![
        (
            "spotify",
            SPOTIFY,
            vec![
                "NextSong | Nora Vale | Paper Boats | 201 | 1709284329000 | 19783 | I | 1",
                "Podcast | Show | Pilot | 4.12 | 1709284525880 | 19783 | I | 1",
                "Skipped | B | A | 4.12 | 1709284525880 | 19783 | I | 1",
                "Unattributed | - | - | 41.2 | 1709284488800 | 19783 | I | 1",
                "NextSong | Ólaf Brandt | Mäander | 201 | 1709284299000 | 19783 | I | 1",
                "! $.ts is not a time in the form rfc3339 or minutes",
                "! $.ts or $.endTime is missing",
            ],
        ),
        (
            "listenbrainz",
            r#"{"listened_at":1709284329,"track_metadata":{"track_name":"Paper Boats","artist_name":"Nora Vale feat. Ólaf Brandt","recording_msid":"00000000-0000-4000-8000-000000000001","mbid_mapping":null,"additional_info":{"duration_ms":201000}}}
{"listened_at":1709284329.000000,"track_metadata":{"track_name":"Mäander","artist_name":"Ólaf Brandt","additional_info":{"duration":190}}}
{"recording_msid":"x","score":1,"created":1}
{"user_id":7,"username":"invented"}"#,
            vec![
                "NextSong | Nora Vale feat. Ólaf Brandt | Paper Boats | 201 | 1709284329000 | 19783 | I | 1",
                "NextSong | Ólaf Brandt | Mäander | 190 | 1709284329000 | 19783 | I | 1",
                "! not a play: feedback",
                "! not a play: account",
            ],
        ),
        (
            "lastfm",
            r##"[{"track":[{"artist":{"mbid":"","#text":"Nora Vale"},"name":"Paper Boats","album":{"#text":""},"@attr":{"nowplaying":"true"}},{"artist":{"#text":"Ólaf Brandt"},"name":"Mäander","album":{"#text":""},"date":{"uts":"1709284329","#text":"01 Mar 2024, 09:12"}}],"@attr":{"user":"invented"}},
            {"@attr":{"user":"x"},"recenttracks":{"@attr":{},"track":{"artist":{"name":"N"},"name":"S","date":{"uts":"0"}}}}, {"recenttracks":{"track":[]}}, {"other":1}]"##,
            vec![
                "NextSong | Ólaf Brandt | Mäander | - | 1709284329000 | 19783 | I | 1",
                "! not a play: playing now",
                "! not a play: no date",
                "! no list of records",
            ],
        ),
        (
            "maloja",
            r#"{"maloja":{"export_time":1709290000},"scrobbles":[{"time":1709284329,"track":{"artists":["Ólaf Brandt","Nora Vale"],"title":"Paper Boats","length":201},"duration":null,"origin":"client:invented"},{"time":1709284330,"track":{"artists":["\u00d3laf Brandt"],"title":"M\u00e4ander","album":null,"length":null},"duration":190,"origin":"import:spotify"}]}"#,
            vec![
                "NextSong | Nora Vale, Ólaf Brandt | Paper Boats | 201 | 1709284329000 | 19783 | I | 1",
                "NextSong | Ólaf Brandt | Mäander | - | 1709284140000 | 19783 | I | 1",
            ],
        ),
        (
            "koito",
            r#"{"version":"1","listens":[{"listened_at":"2024-03-01T09:12:09Z","track":{"duration":201,"aliases":[{"alias":"Paper boats","is_primary":false},{"alias":"Paper Boats","is_primary":true}]},"artists":[{"is_primary":true,"aliases":[{"alias":"Nora Vale","is_primary":true}]}]},{"listened_at":"2024-03-01T09:12:09Z","track":{"duration":0,"aliases":[{"alias":"Mäander"}]},"artists":[{"aliases":[{"alias":"Ólaf Brandt"}]}]}],"user":"x"}"#,
            vec![
                "NextSong | Nora Vale | Paper Boats | 201 | 1709284329000 | 19783 | I | 1",
                "NextSong | Ólaf Brandt | Mäander | - | 1709284329000 | 19783 | I | 1",
            ],
        ),
        (
            "eventsim",
            r#"{"artist":"\u00c3\u0093laf Brandt","song":"M\u00c3\u00a4ander","duration":190.27546,"ts":1709284329123,"sessionId":7,"auth":"Logged In","level":"free","itemInSession":0,"city":"Springfield","zip":"00000","state":"XX","userId":12}
{"artist":"Nora Vale","song":"Paper Boats","duration":201.0,"ts":1709284519123,"sessionId":8,"itemInSession":1,"city":"Springfield"}"#,
            vec![
                "NextSong | Ólaf Brandt | Mäander | 190.27546 | 1709284329123 | 7 | 0 | 12",
                "NextSong | Nora Vale | Paper Boats | 201 | 1709284519123 | 8 | 1 | -",
            ],
        ),
    ]
}

/// Replaces the item of a row by `I`.
fn without_item(item: &str) -> String {
    let mut parts: Vec<&str> = item.split(" | ").collect();
    if let Some(number) = parts.get_mut(6).filter(|number| number.len() > 3) {
        *number = "I";
    }
    parts.join(" | ")
}

#[test]
fn records_become_plays_and_other_pages() {
    for (name, text, expected) in cases() {
        for chunk in [1, 7, 1000] {
            let items = read(named(name), text, chunk);
            let items: Vec<String> = items.iter().map(|item| without_item(item)).collect();
            assert_eq!(items, expected, "{name} in {chunk}");
        }
    }
}

/// An export comes with a document, and an account with other files.
#[test]
fn what_is_no_history_is_left_out_by_name() {
    let document = format!("%PDF-1.7\n{{\"ts\":1}}{{{}", "x{".repeat(50_000));
    for chunk in [1, 4096] {
        let items = read(named("spotify"), &document, chunk);
        assert_eq!(items, ["! not a play: PDF document"]);
    }
    let items = read(named("spotify"), r#"{"playlists":[{"name":"x"}]}"#, 9);
    assert_eq!(items, ["! not a play: other data of the account"]);
    let items = read(named("spotify"), "<html>{</html>", 9);
    assert_eq!(items[0], "! not JSON: an HTML page");
}

#[test]
fn the_identity_is_that_of_the_content() {
    let item = |record: &str| {
        let items = read(named("spotify"), record, 1000);
        items[0].rsplit(" | ").nth(1).unwrap().to_owned()
    };
    let play = r#"{"ts":"2024-03-01T09:15:30Z","ms_played":201000,"spotify_track_uri":"spotify:track:1","reason_end":"trackdone","master_metadata_track_name":"A","master_metadata_album_artist_name":"B"}"#;
    // md5("2024-03-01T09:15:30Z" RS US "201000" RS US uri RS US uri RS US), its first 31 bits.
    let digest: [u8; 16] = {
        use md5::{Digest, Md5};
        Md5::digest(b"2024-03-01T09:15:30Z\x1e\x1f201000\x1e\x1fspotify:track:1\x1e\x1fspotify:track:1\x1e\x1f").into()
    };
    let first = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]) >> 1;
    assert_eq!(item(play), first.to_string());
    for (from, to) in
        [("trackdone", "fwdbtn"), ("\"A\"", "\"A (2024)\""), (":201000", ": 201000.0")]
    {
        assert_eq!(item(&play.replace(from, to)), item(play), "{to}");
    }
    for (from, to) in [("09:15:30", "09:15:31"), ("201000", "201001"), ("track:1", "track:2")] {
        assert_ne!(item(&play.replace(from, to)), item(play), "{to}");
    }
}

#[test]
fn damage_in_a_container_loses_no_other_record() {
    let listen =
        |time: u32| format!(r#"{{"time":{time},"track":{{"artists":["A"],"title":"T{time}"}}}}"#);
    let whole = format!(
        r#"{{"maloja":{{}},"scrobbles":[{},{},{}],"more":[1,{{"a":2}}]}}"#,
        listen(1),
        listen(2),
        listen(3)
    );
    let titles = |text: &str| {
        let items = read(named("maloja"), text, 5);
        let count = |at: &str| items.iter().filter(|item| item.starts_with(at)).count();
        (count("NextSong"), count("!"))
    };
    assert_eq!(titles(&whole), (3, 0));
    assert_eq!(titles(&whole.replace(r#""time":2,"#, r#""time":2 "#)), (2, 1));
    assert_eq!(titles(&whole.replace(r#""scrobbles":["#, r#""scrobbles":[oops"#)), (3, 1));
    assert_eq!(titles(&whole.replace(r#""maloja":{}"#, r#""maloja":{"#)).0, 3);
    // A truncated download.
    assert_eq!(titles(&whole[..whole.len() - 1]), (3, 1));
    let cut = whole.find(r#""time":3"#).unwrap();
    assert_eq!(titles(&whole[..cut]), (2, 2));
    // Every prefix and every changed byte ends, without a panic.
    for end in 0..whole.len() {
        titles(&whole[..end]);
        for byte in ["{", "}", "[", "]", "\"", ",", "x"] {
            titles(&format!("{}{byte}{}", &whole[..end], &whole[end + 1..]));
        }
    }
}

#[test]
fn private_texts_of_rejects_are_masked() {
    let mapping = named("spotify").mapping().unwrap();
    for (raw, masked) in [
        (r#"{"ip_addr":"192.0.2.7","ts":"x"}"#, r#"{"ip_addr":"xxxxxxxxx","ts":"x"}"#),
        (
            r#"{"ip_addr" : "1\"2", "username":null,"username":"me""#,
            r#"{"ip_addr" : "xxxx", "username":xxxx,"username":"xx""#,
        ),
        (r#"{"ip_addr":"192.0"#, r#"{"ip_addr":"xxxxx"#),
        (r#"{"ip_addr""#, r#"{"ip_addr""#),
    ] {
        let mut bytes = raw.as_bytes().to_vec();
        mapping.mask(&mut bytes);
        assert_eq!(String::from_utf8(bytes).unwrap(), masked);
    }
}

#[test]
fn a_json_paths_file_fills_columns_by_position() {
    let paths = |paths: &[&str]| {
        let list: Vec<String> = paths.iter().map(|path| format!("\"{path}\"")).collect();
        LogFormat::of_json_paths("p", format!("{{\"jsonpaths\":[{}]}}", list.join(",")).as_bytes())
    };
    let native: Vec<String> =
        RecordKind::Events.keys().iter().map(|key| format!("$['{key}']")).collect();
    let native: Vec<&str> = native.iter().map(String::as_str).collect();
    assert!(paths(&native).unwrap().is_native());

    let mut other = native.clone();
    (other[0], other[15], other[17]) = ("$['who']['names'][1]", "$['at']", "$['u']");
    let format = paths(&other).unwrap();
    assert!(!format.is_native());
    let record = r#"{"who":{"names":["x","Bj\u00c3\u00b6rk"]},"itemInSession":1,"page":"NextSong","sessionId":2,"song":"S","at":"5","u":"","length":7}"#;
    assert_eq!(read(format, record, 100), ["NextSong | Björk | S | 7 | 5 | 2 | 1 | -"]);
    assert_eq!(read(format, &record.replace("\"at\"", "\"ts\""), 100), ["! $['at'] is missing"]);
    // COPY reads the same paths.
    let again = format.json_paths().unwrap();
    assert_eq!(read(LogFormat::of_json_paths("q", again.as_bytes()).unwrap(), record, 9).len(), 1);

    let with = |index: usize, path: &'static str| {
        let mut changed = native.clone();
        changed[index] = path;
        paths(&changed).unwrap_err()
    };
    assert!(paths(&native[..17]).unwrap_err().starts_with("it has 17 paths for the 18 columns"));
    assert!(with(0, "$.artist").contains("another notation"));
    assert!(with(0, "$['a'][*]").contains("not a supported path"));
    assert!(with(0, "$['a'][primary]").contains("COPY knows no"));
    assert!(with(0, "$['song']").contains("would fill the column `artist`"));
    assert!(LogFormat::of_json_paths("p", b"[").unwrap_err().contains("invalid JSON"));
    assert!(LogFormat::of_json_paths("p", b"{}").unwrap_err().contains("no list"));
}

#[test]
fn errors_in_a_format_name_their_place() {
    let valid = "title = 't'\nidentity = ['$.t']\n[columns]\nts = '$.t'\n";
    assert!(LogFormat::parse("f", valid).is_ok());
    for (text, expected) in [
        ("", "missing field `title`"),
        ("title = 't'\n[columns]\n", "column `item_in_session`: a required column"),
        ("title = 't'\nidentity = ['$.t']\n[columns]\n", "column `ts`: a required column"),
        (&format!("tittle = 1\n{valid}"), "unknown field `tittle`"),
        (&format!("{valid}album = '$.a'"), "has no column `album`"),
        (&format!("{valid}artist = '$..a'"), "column `artist`: `$..a` is not a supported path"),
        (&format!("{valid}artist = {{ path = '$.a', value = 'x' }}"), "both a path and a constant"),
        (&format!("{valid}artist = {{ value = 3 }}"), "a constant of the type integer"),
        (&format!("{valid}artist = {{ path = ['$.a'], units = 's' }}"), "unknown field `units`"),
        (&format!("{valid}status = [{{ path = '$.a', unit = 'ms' }}]"), "only a duration"),
        (&format!("{valid}session_id = '$.s'"), "`identity` fills it already"),
        (&format!("{valid}[[rules]]\npage = 'x'\nwhen = []"), "applies to every record"),
        (&format!("{valid}[[rules]]\nwhen = [{{ present = '$.a' }}]"), "either `page` or"),
        (
            &format!("{valid}[[rules]]\npage = 'x'\nwhen = [{{ path = '$.a' }}]"),
            "a condition is `present`",
        ),
        (&valid.replace("\n[", "\nrecords = ['$[0]']\n["), "ends in `[*]`"),
        (&valid.replace("ts = '$.t'", "ts = { path = '$.t', forms = ['iso'] }"), "unknown variant"),
        (
            &valid
                .replace("ts = '$.t'", "ts = { path = '$.t', forms = ['epoch'], anchor = 'end' }"),
            "needs a `duration`",
        ),
    ] {
        let error = LogFormat::parse("f", text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
    assert!(LogFormat::named("spotfy").is_err());
}
