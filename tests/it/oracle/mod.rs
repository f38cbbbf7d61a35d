//! Oracle: the expected result of a full load of a folder, computed in memory.
//!
//! It shares no code with the program: no SQL, no streaming, no fast path. It uses maps, sorts and
//! the rules of `docs/reference/rules.md`, each quoted where it applies.
//!
//! `files` lists and decompresses files, `json` and `records` split bytes into records, `fields`
//! and `rows` give them types, `model` derives the tables, `cell` formats values. `awkward`
//! generates difficult input.

use std::collections::BTreeMap;
use std::path::Path;

pub(crate) mod awkward;
pub(crate) mod cell;
mod fields;
mod files;
mod json;
mod model;
mod records;
mod rows;
#[cfg(test)]
mod tests;

use fields::Fields;
pub(crate) use fields::{repaired, whole_number};
pub(crate) use json::is_number;
pub(crate) use model::tables;
use records::Piece;
pub(crate) use rows::Event;
use rows::Song;

/// Bytes of a reject that are kept: "first 1 MiB" (rules, section Records).
const KEPT_BYTES: usize = 1 << 20;

/// Expected result of a full load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expected {
    /// Accepted events of any page.
    pub(crate) staged_events: usize,
    /// Accepted song records.
    pub(crate) staged_songs: usize,
    /// Rejects of songs and events, by object and position.
    pub(crate) rejects: Vec<Reject>,
    /// Staged plays minus facts.
    pub(crate) duplicates: usize,
    /// Repaired text values of accepted records.
    pub(crate) repairs: usize,
    /// Rows of each model table, sorted, as cell text (see [`cell`]).
    pub(crate) tables: BTreeMap<&'static str, Vec<Vec<String>>>,
    /// Number of records with each unknown key, accepted or not.
    pub(crate) extra_keys: BTreeMap<String, u64>,
}

/// Rejected record or bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reject {
    /// Path of the file below the given folder, with `/`.
    pub(crate) object: String,
    /// Byte offset from 0 in the decompressed file.
    pub(crate) position: u64,
    /// First 1 MiB of its bytes.
    pub(crate) raw: Vec<u8>,
}

/// Columns of the model tables, in order.
pub(crate) const COLUMNS: [(&str, &[&str]); 6] = [
    (
        "songplays",
        &[
            "songplay_id",
            "start_time",
            "user_id",
            "level",
            "song_id",
            "artist_id",
            "session_id",
            "location",
            "user_agent",
            "item_in_session",
            "song_title",
            "artist_name",
            "length",
            "match_method",
        ],
    ),
    ("users", &["user_id", "first_name", "last_name", "gender", "level"]),
    ("user_levels", &["user_id", "level", "valid_from", "valid_to", "is_current"]),
    ("songs", &["song_id", "title", "artist_id", "year", "duration"]),
    ("artists", &["artist_id", "name", "location", "latitude", "longitude"]),
    ("time", &["start_time", "hour", "day", "week", "month", "year", "weekday"]),
];

/// Returns the expected result of a full load of these folders.
///
/// Panics where the load must fail: a file that cannot be read or decompressed.
pub(crate) fn expected(song_data: Option<&Path>, log_data: Option<&Path>) -> Expected {
    let songs: Reading<Song> =
        read_folder(song_data, [&rows::SONG_KEYS, &rows::SONG_REQUIRED], rows::song);
    let events: Reading<Event> =
        read_folder(log_data, [&rows::EVENT_KEYS, &rows::EVENT_REQUIRED], rows::event);
    let (tables, duplicates) = tables(&events.rows, &songs.rows);
    let mut rejects = [songs.rejects, events.rejects].concat();
    rejects.sort();
    let mut extra_keys = songs.extra_keys;
    for (key, count) in events.extra_keys {
        *extra_keys.entry(key).or_default() += count;
    }
    Expected {
        staged_events: events.rows.len(),
        staged_songs: songs.rows.len(),
        rejects,
        duplicates,
        repairs: songs.repairs + events.repairs,
        tables,
        extra_keys,
    }
}

/// Returns the expected result of a full load of `data/song_data` and `data/log_data`.
pub(crate) fn expected_in(data: &Path) -> Expected {
    expected(Some(&data.join("song_data")), Some(&data.join("log_data")))
}

/// Content of one folder.
struct Reading<Row> {
    rows: Vec<Row>,
    rejects: Vec<Reject>,
    repairs: usize,
    extra_keys: BTreeMap<String, u64>,
}

/// Reads every file of a folder, whose records have these known and required keys. Without a folder
/// the result is empty.
fn read_folder<Row>(
    folder: Option<&Path>,
    [known, required]: [&[&str]; 2],
    row: fn(&mut Fields) -> Result<Row, fields::Rejected>,
) -> Reading<Row> {
    let mut reading =
        Reading { rows: Vec::new(), rejects: Vec::new(), repairs: 0, extra_keys: BTreeMap::new() };
    let objects = folder.map(files::objects).unwrap_or_default();
    for (object, path) in objects {
        let bytes = files::content(&path);
        for Piece { position, raw, members } in records::pieces(&bytes, required) {
            let accepted = members.and_then(|members| {
                let mut fields = Fields::new(members);
                for key in fields.keys().filter(|key| !known.contains(key)) {
                    *reading.extra_keys.entry(key.to_string()).or_default() += 1;
                }
                let row = row(&mut fields).ok()?;
                Some((row, fields.repairs))
            });
            if let Some((row, repairs)) = accepted {
                reading.rows.push(row);
                reading.repairs += repairs;
            } else {
                let raw = raw[..raw.len().min(KEPT_BYTES)].to_vec();
                let position = position as u64;
                reading.rejects.push(Reject { object: object.clone(), position, raw });
            }
        }
    }
    reading
}
