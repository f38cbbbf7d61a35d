//! Tests of the oracle itself: the figures of each data set, and the words of the rules.

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

/// How often each combination of values of these columns occurs.
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
    let got = expected_in(&data.folder());

    let staged = [got.staged_events, got.staged_songs];
    assert_eq!(
        staged.map(|rows| rows as u64),
        ["staging_events", "staging_songs"].map(|it| data.rows(it))
    );
    for (table, _) in COLUMNS {
        assert_eq!(got.tables[table].len() as u64, data.rows(table), "{table}");
    }
    assert_eq!((got.rejects.as_slice(), got.duplicates as u64), ([].as_slice(), data.duplicates));
    assert!(got.extra_keys.is_empty(), "{:?}", got.extra_keys);

    let methods = tally(&got, "songplays", &["match_method"]);
    assert_eq!(
        [NULL, "exact", "title_artist"].map(|method| methods[&key(&[method])]),
        data.matched
    );

    let most = |columns: &[&str]| {
        let mut found: Vec<_> = tally(&got, "songplays", columns).into_iter().collect();
        found.sort_by_key(|(_, plays)| std::cmp::Reverse(*plays));
        found
    };
    let (user, plays) = data.top_user;
    assert_eq!(most(&["user_id"])[0], (key(&[user]), plays));
    let songs = data.top_songs.map(|(title, artist, plays)| (key(&[title, artist]), plays));
    assert_eq!(most(&["song_title", "artist_name"])[..2], songs);

    let levels = tally(&got, "songplays", &["level"]);
    assert_eq!(["paid", "free"].map(|level| levels[&key(&[level])]), [data.paid, data.free]);
    assert_eq!(tally(&got, "user_levels", &["user_id"])[&key(&[data.changing_user])], 3);

    let times: BTreeMap<&str, &Vec<String>> =
        got.tables["time"].iter().map(|row| (row[0].as_str(), row)).collect();
    let plays = &got.tables["songplays"];
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

/// Position, bytes, and whether it is a record.
fn cut(bytes: &[u8]) -> Vec<(usize, &str, bool)> {
    let piece = |piece: records::Piece<'_>| {
        let raw = &bytes[piece.position..piece.position + piece.raw.len()];
        (piece.position, std::str::from_utf8(raw).expect("text"), piece.members.is_some())
    };
    records::pieces(bytes, &["id"]).into_iter().map(piece).collect()
}

#[test]
fn files_are_cut_as_the_rules_say() {
    assert_eq!(cut(b""), []);
    assert_eq!(cut(b"\xef\xbb\xbf {}{}"), [(4, "{}", true), (6, "{}", true)]);
    assert_eq!(cut(b"[{} , {}]"), [(1, "{}", true), (6, "{}", true)]);
    // Junk goes up to the next `{`, white space at its end not included.
    assert_eq!(cut(b" cat x \n{}"), [(1, "cat x", false), (8, "{}", true)]);
    assert_eq!(cut(b"{},{}"), [(0, "{}", true), (2, ",", false), (3, "{}", true)]);
    // What breaks off goes up to the next line that starts with `{`.
    assert_eq!(cut(b"{\"a\":{} {}\n {}\n{}"), [(0, "{\"a\":{} {}\n {}", false), (15, "{}", true)]);
    // Or up to a complete record with all required keys.
    assert_eq!(cut(b"{x}{}{\"id\":1}"), [(0, "{x}{}", false), (5, "{\"id\":1}", true)]);
    // An array that is not closed is one reject more.
    assert_eq!(cut(b"[{},"), [(1, "{}", true), (4, "", false)]);
    assert_eq!(cut(b"[{"), [(1, "{", false), (2, "", false)]);
    // Half a surrogate pair does not end a record.
    assert_eq!(cut(br#"{"a":"\ud800"}{}"#), [(0, r#"{"a":"\ud800"}"#, true), (14, "{}", true)]);
}

#[test]
fn nothing_holds_nothing() {
    let got = expected(None, None);
    assert_eq!((got.staged_events, got.staged_songs, got.rejects), (0, 0, Vec::<Reject>::new()));
    assert_eq!(got.tables.len(), COLUMNS.len());
}

fn expected_of(files: &awkward::Files) -> Expected {
    let dir = tempfile::tempdir().expect("a folder");
    awkward::write(files, dir.path());
    expected(Some(&dir.path().join("song_data")), Some(&dir.path().join("log_data")))
}

/// What is hard must come up: each of these in several of two hundred folders.
#[test]
fn awkward_folders_are_awkward() {
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for _ in 0..200 {
        let files = awkward_folder().new_tree(&mut runner).expect("a folder").current();
        let got = expected_of(&files);
        let plays = &got.tables["songplays"];
        let method = |method: &str| plays.iter().any(|play| play[13] == method);
        let levels = &got.tables["user_levels"];
        let unclosed = got.rejects.iter().any(|reject| reject.raw.is_empty());
        let whole = |reject: &Reject| json::object(&reject.raw).is_some();
        for (what, there) in [
            ("duplicates", got.duplicates > 0),
            ("exact", method("exact")),
            ("title_artist", method("title_artist")),
            ("no match", method(NULL)),
            ("guest", plays.iter().any(|play| play[2] == NULL)),
            ("equal times", got.tables["time"].len() < plays.len()),
            ("level changes", levels.iter().any(|span| span[4] == "false")),
            ("spans of no length", levels.iter().any(|span| span[2] == span[3])),
            ("repairs", got.repairs > 0),
            ("songs twice", got.staged_songs > got.tables["songs"].len()),
            ("artists twice", got.tables["songs"].len() > got.tables["artists"].len()),
            ("extra keys", !got.extra_keys.is_empty()),
            ("no rejects", got.rejects.is_empty()),
            ("wrong records", got.rejects.iter().any(whole)),
            ("damage", got.rejects.iter().any(|reject| !whole(reject))),
            ("unclosed arrays", unclosed),
        ] {
            *seen.entry(what).or_default() += usize::from(there);
        }
    }
    assert!(seen.values().all(|&folders| folders >= 5), "{seen:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// What the tables promise by themselves, whatever the input.
    #[test]
    fn awkward_folders_keep_the_contract(files in awkward_folder_with(0.2)) {
        let dir = tempfile::tempdir().expect("a folder");
        awkward::write(&files, dir.path());
        let (songs, logs) = (dir.path().join("song_data"), dir.path().join("log_data"));
        let got = expected(Some(&songs), Some(&logs));
        for (table, columns) in COLUMNS {
            prop_assert!(got.tables[table].iter().all(|row| row.len() == columns.len()));
            if table != "user_levels" {
                let keys = tally(&got, table, &columns[..1]);
                prop_assert!(keys.values().all(|&rows| rows == 1), "{} repeats a key", table);
            }
        }
        prop_assert!(got.tables["songplays"].len() + got.duplicates <= got.staged_events);
        // Each folder alone says the same about itself.
        let alone = expected(None, Some(&logs));
        prop_assert_eq!(&alone.tables["users"], &got.tables["users"]);
        prop_assert_eq!(alone.staged_events, got.staged_events);
    }

    /// Without damage nothing is rejected: the generator knows what is acceptable.
    #[test]
    fn whole_folders_have_no_rejects(files in awkward_folder_with(0.0)) {
        prop_assert_eq!(expected_of(&files).rejects, vec![]);
    }

    /// A second opinion on where a record ends and whether it is JSON.
    #[test]
    fn records_end_where_serde_json_says(files in awkward_folder_with(0.5)) {
        for (_, stored) in files.songs.iter().chain(&files.logs) {
            let bytes = super::files::inflated(stored).expect("it was compressed by us");
            for start in (0..bytes.len()).filter(|&at| bytes[at] == b'{') {
                let rest = &bytes[start..];
                let mut stream = serde_json::Deserializer::from_slice(rest)
                    .into_iter::<serde::de::IgnoredAny>();
                let theirs = stream
                    .next()
                    .and_then(Result::ok)
                    .map(|_| stream.byte_offset())
                    .filter(|&end| std::str::from_utf8(&rest[..end]).is_ok());
                prop_assert_eq!(json::object(rest).map(|(length, _)| length), theirs);
            }
        }
    }
}
