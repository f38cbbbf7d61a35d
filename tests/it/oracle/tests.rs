//! Tests of the oracle itself: the figures of each data set, and the rules.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::awkward::{self, awkward_folder, awkward_folder_with};
use super::cell::NULL;
use super::rows::EVENT_REQUIRED;
use super::{COLUMNS, Expected, Reject, expected, expected_in, json, records};
use crate::data::{DataSet, on_each_data_set};

on_each_data_set!(a_full_load_gives_the_figures, names_encoded_twice_are_repaired);

/// Counts the rows of each combination of values of these columns.
fn tally(expected: &Expected, table: &str, columns: &[&str]) -> BTreeMap<Vec<String>, u64> {
    let names = COLUMNS.iter().find(|(name, _)| *name == table).expect("a table").1;
    let places: Vec<usize> = columns
        .iter()
        .map(|column| names.iter().position(|name| name == column).expect("a column"))
        .collect();
    let mut tally = BTreeMap::new();
    for row in &expected.tables[table] {
        let key = places.iter().map(|&place| row[place].clone()).collect();
        *tally.entry(key).or_default() += 1;
    }
    tally
}

fn key(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|&cell| cell.to_owned()).collect()
}

fn a_full_load_gives_the_figures(data: &DataSet) {
    let actual = expected_in(&data.folder());

    let staged = [actual.staged_events, actual.staged_songs];
    assert_eq!(
        staged.map(|rows| rows as u64),
        ["staging_events", "staging_songs"].map(|it| data.rows(it))
    );
    for (table, _) in COLUMNS {
        assert_eq!(actual.tables[table].len() as u64, data.rows(table), "{table}");
    }
    assert_eq!(
        (actual.rejects.as_slice(), actual.duplicates as u64),
        ([].as_slice(), data.duplicates)
    );
    assert!(actual.extra_keys.is_empty(), "{:?}", actual.extra_keys);

    let methods = tally(&actual, "songplays", &["match_method"]);
    assert_eq!(
        [NULL, "exact", "title_artist"].map(|method| methods[&key(&[method])]),
        data.matched
    );

    let most = |columns: &[&str]| {
        let mut found: Vec<_> = tally(&actual, "songplays", columns).into_iter().collect();
        found.sort_by_key(|(_, plays)| std::cmp::Reverse(*plays));
        found
    };
    let (user, plays) = data.top_user;
    assert_eq!(most(&["user_id"])[0], (key(&[user]), plays));
    let songs = data.top_songs.map(|(title, artist, plays)| (key(&[title, artist]), plays));
    assert_eq!(most(&["song_title", "artist_name"])[..2], songs);

    let levels = tally(&actual, "songplays", &["level"]);
    assert_eq!(["paid", "free"].map(|level| levels[&key(&[level])]), [data.paid, data.free]);
    assert_eq!(tally(&actual, "user_levels", &["user_id"])[&key(&[data.changing_user])], 3);

    let times: BTreeMap<&str, &Vec<String>> =
        actual.tables["time"].iter().map(|row| (row[0].as_str(), row)).collect();
    let plays = &actual.tables["songplays"];
    let plays_where = |column: usize, value: u8| {
        let value = value.to_string();
        plays.iter().filter(|play| times[play[1].as_str()][column] == value).count() as u64
    };
    assert_eq!(plays_where(6, data.top_weekday.0), data.top_weekday.1);
    assert_eq!(plays_where(1, data.top_hour.0), data.top_hour.1);
    let seconds: f64 = plays.iter().map(|play| play[12].parse::<f64>().expect("a length")).sum();
    assert_eq!(format!("{:.2}", seconds / 3600.0), data.hours);
    let first = plays.iter().map(|play| play[1].as_str()).min();
    assert_eq!(first, Some(data.first_play));
}

fn names_encoded_twice_are_repaired(data: &DataSet) {
    let mut plays = 0;
    for (_, path) in super::files::objects(&data.folder().join("log_data")) {
        for piece in records::pieces(&super::files::content(&path), &EVENT_REQUIRED) {
            let mut fields = super::Fields::new(piece.members.expect("a whole record"));
            let page = fields.text("page").expect("a page");
            fields.text("song").expect("a song");
            fields.text("artist").expect("an artist");
            plays += usize::from(page.as_deref() == Some("NextSong") && fields.repairs > 0);
        }
    }
    assert_eq!(plays, data.repaired_plays);
}

/// Returns position, bytes, and whether it is a record.
fn cut(bytes: &[u8]) -> Vec<(usize, &str, bool)> {
    let piece = |piece: records::Piece<'_>| {
        let raw = &bytes[piece.position..piece.position + piece.raw.len()];
        (piece.position, std::str::from_utf8(raw).expect("text"), piece.members.is_some())
    };
    records::pieces(bytes, &["id"]).into_iter().map(piece).collect()
}

#[test]
fn files_are_split_according_to_the_rules() {
    assert_eq!(cut(b""), []);
    assert_eq!(cut(b"\xef\xbb\xbf {}{}"), [(4, "{}", true), (6, "{}", true)]);
    assert_eq!(cut(b"[{} , {}]"), [(1, "{}", true), (6, "{}", true)]);
    // Damage extends up to the next `{`, without white space at its end.
    assert_eq!(cut(b" cat x \n{}"), [(1, "cat x", false), (8, "{}", true)]);
    assert_eq!(cut(b"{},{}"), [(0, "{}", true), (2, ",", false), (3, "{}", true)]);
    // An invalid record extends up to the next line that starts with `{`.
    assert_eq!(cut(b"{\"a\":{} {}\n {}\n{}"), [(0, "{\"a\":{} {}\n {}", false), (15, "{}", true)]);
    // Or up to a complete record with all required keys.
    assert_eq!(cut(b"{x}{}{\"id\":1}"), [(0, "{x}{}", false), (5, "{\"id\":1}", true)]);
    // An unclosed array is one more reject.
    assert_eq!(cut(b"[{},"), [(1, "{}", true), (4, "", false)]);
    assert_eq!(cut(b"[{"), [(1, "{", false), (2, "", false)]);
    // An unpaired surrogate does not end a record.
    assert_eq!(cut(br#"{"a":"\ud800"}{}"#), [(0, r#"{"a":"\ud800"}"#, true), (14, "{}", true)]);
}

#[test]
fn no_folder_gives_empty_tables() {
    let actual = expected(None, None);
    assert_eq!(
        (actual.staged_events, actual.staged_songs, actual.rejects),
        (0, 0, Vec::<Reject>::new())
    );
    assert_eq!(actual.tables.len(), COLUMNS.len());
}

fn expected_of(files: &awkward::Files) -> Expected {
    let dir = tempfile::tempdir().expect("a folder");
    awkward::write(files, dir.path());
    expected(Some(&dir.path().join("song_data")), Some(&dir.path().join("log_data")))
}

/// Each difficulty occurs in at least five of 200 folders.
#[test]
fn awkward_folders_are_awkward() {
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for _ in 0..200 {
        let files = awkward_folder().new_tree(&mut runner).expect("a folder").current();
        let actual = expected_of(&files);
        let plays = &actual.tables["songplays"];
        let method = |method: &str| plays.iter().any(|play| play[13] == method);
        let levels = &actual.tables["user_levels"];
        let unclosed = actual.rejects.iter().any(|reject| reject.raw.is_empty());
        let whole = |reject: &Reject| json::object(&reject.raw).is_some();
        for (what, present) in [
            ("duplicates", actual.duplicates > 0),
            ("exact", method("exact")),
            ("title_artist", method("title_artist")),
            ("no match", method(NULL)),
            ("guest", plays.iter().any(|play| play[2] == NULL)),
            ("equal times", actual.tables["time"].len() < plays.len()),
            ("level changes", levels.iter().any(|span| span[4] == "false")),
            ("spans of no length", levels.iter().any(|span| span[2] == span[3])),
            ("repairs", actual.repairs > 0),
            ("songs twice", actual.staged_songs > actual.tables["songs"].len()),
            ("artists twice", actual.tables["songs"].len() > actual.tables["artists"].len()),
            ("extra keys", !actual.extra_keys.is_empty()),
            ("no rejects", actual.rejects.is_empty()),
            ("wrong records", actual.rejects.iter().any(whole)),
            ("damage", actual.rejects.iter().any(|reject| !whole(reject))),
            ("unclosed arrays", unclosed),
        ] {
            *seen.entry(what).or_default() += usize::from(present);
        }
    }
    assert!(seen.values().all(|&folders| folders >= 5), "{seen:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Invariants of the tables, for any input.
    #[test]
    fn awkward_folders_keep_the_contract(files in awkward_folder_with(0.2)) {
        let dir = tempfile::tempdir().expect("a folder");
        awkward::write(&files, dir.path());
        let (songs, logs) = (dir.path().join("song_data"), dir.path().join("log_data"));
        let actual = expected(Some(&songs), Some(&logs));
        for (table, columns) in COLUMNS {
            prop_assert!(actual.tables[table].iter().all(|row| row.len() == columns.len()));
            if table != "user_levels" {
                let keys = tally(&actual, table, &columns[..1]);
                prop_assert!(keys.values().all(|&rows| rows == 1), "{} repeats a key", table);
            }
        }
        prop_assert!(actual.tables["songplays"].len() + actual.duplicates <= actual.staged_events);
        // Users and staged events do not depend on the songs.
        let alone = expected(None, Some(&logs));
        prop_assert_eq!(&alone.tables["users"], &actual.tables["users"]);
        prop_assert_eq!(alone.staged_events, actual.staged_events);
    }

    #[test]
    fn undamaged_folders_have_no_rejects(files in awkward_folder_with(0.0)) {
        prop_assert_eq!(expected_of(&files).rejects, vec![]);
    }

    /// `serde_json` agrees on where a record ends and whether it is valid.
    #[test]
    fn records_end_where_serde_json_ends_them(files in awkward_folder_with(0.5)) {
        for (_, stored) in files.songs.iter().chain(&files.logs) {
            let bytes = super::files::inflated(stored).expect("valid compression");
            for start in (0..bytes.len()).filter(|&at| bytes[at] == b'{') {
                let rest = &bytes[start..];
                let mut stream = serde_json::Deserializer::from_slice(rest)
                    .into_iter::<serde::de::IgnoredAny>();
                let by_serde = stream
                    .next()
                    .and_then(Result::ok)
                    .map(|_| stream.byte_offset())
                    .filter(|&end| std::str::from_utf8(&rest[..end]).is_ok());
                prop_assert_eq!(json::object(rest).map(|(length, _)| length), by_serde);
            }
        }
    }
}
