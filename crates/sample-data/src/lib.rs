//! Generator of sample data of any size, for demos, tests and benchmarks.
//!
//! The data resembles real logs: sessions, hits, level changes, songs missing from the catalogue,
//! double-encoded text. Output is deterministic: equal requests give equal bytes on any machine.
//! Memory does not grow with the number of events; it holds one entry per song, user and open
//! session.
//!
//! Pipeline: `songs` writes the catalogue and fills the pool of `tracks` to play. `sessions`
//! simulates the `users`, following `calendar` (rates) and `pages` (transitions). `render` formats
//! events, `logs` writes one file per day. `awkward` adds data-quality problems in addition to the
//! requested records, so that all of these are present and readable.

mod accents;
mod awkward;
mod calendar;
mod logs;
mod members;
mod names;
mod output;
mod pages;
mod render;
mod rng;
mod sessions;
mod songs;
mod text;
mod tracks;
mod users;
mod words;

use std::path::{Path, PathBuf};

use calendar::Date;
use output::{Compression, Progress};

/// Upper limits. Identifiers stay unique far beyond them; files and memory run out first.
const MOST_SONGS: u64 = 100_000_000;
const MOST_USERS: u32 = 100_000_000;
const KEYS: [&str; 18] = [
    "artist",
    "auth",
    "firstName",
    "gender",
    "itemInSession",
    "lastName",
    "length",
    "level",
    "location",
    "method",
    "page",
    "registration",
    "sessionId",
    "song",
    "status",
    "ts",
    "userAgent",
    "userId",
];

/// Options of the generator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Number of song files.
    pub songs: u64,
    /// Total number of events.
    pub events: u64,
    /// Number of days; each day with events has one file.
    pub days: u32,
    /// Number of users; with few events some have none.
    pub users: u32,
    /// Random seed.
    pub seed: u64,
    /// First day: year, month, day.
    pub start: (i32, u32, u32),
    /// True to add data-quality problems.
    pub awkward: bool,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            songs: 10_000,
            events: 1_000_000,
            days: 30,
            users: 5_000,
            seed: 7,
            start: (2018, 11, 1),
            awkward: false,
        }
    }
}

/// Counts of the generated data, so far or in total.
///
/// Awkward input has additional records: copies (in `events` and `song_records`) and damaged ones
/// (in `damaged`). A load must account for `events + song_records + damaged` records.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Generated {
    /// Song files, empty ones included.
    pub song_objects: u64,
    /// Event files, empty ones included.
    pub log_objects: u64,
    /// Song records that a load must accept.
    pub song_records: u64,
    /// Events that a load must accept.
    pub events: u64,
    /// Song plays among the events.
    pub plays: u64,
    /// Plays that duplicate another play, identical or not.
    pub duplicates: u64,
    /// Records, and bytes between records, that a load must reject.
    pub damaged: u64,
    /// Bytes before compression.
    pub bytes: u64,
}

/// Errors of the generator.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// The options are invalid.
    #[error("cannot generate sample data: {reason}")]
    Request {
        /// Fault in the options.
        reason: String,
        /// Valid values.
        hint: String,
    },
    /// The output folder is not empty.
    #[error(
        "`{}` is not empty\nhint: choose another folder, or remove that one first",
        path.display()
    )]
    Occupied {
        /// Output folder.
        path: PathBuf,
    },
    /// Writing a file or folder failed.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// Path of the file or folder.
        path: PathBuf,
        /// Error of the operating system.
        source: std::io::Error,
    },
}

impl GenerateError {
    /// Returns the next action for the user.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Request { hint, .. } => Some(hint.clone()),
            Self::Occupied { .. } => Some("choose another folder, or remove that one first".into()),
            Self::Write { .. } => {
                Some("check the free space and the permissions of the folder".into())
            }
        }
    }

    fn request(reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Request { reason: reason.into(), hint: hint.into() }
    }

    fn too_many(what: &str) -> Self {
        Self::request(format!("too many {what}"), format!("at most {MOST_SONGS} {what}"))
    }
}

/// Generates sample data in the folder `out`, created if missing: `song_data`, `log_data` and
/// `log_json_path.json`. Calls `on_progress` per 512 KiB of events and per 1,000 songs.
pub fn generate(
    out: &Path,
    request: &Request,
    on_progress: &mut dyn FnMut(&Generated),
) -> Result<Generated, GenerateError> {
    let first = check(request)?;
    let (songs, logs) = (out.join("song_data"), out.join("log_data"));
    refuse_occupied(&songs)?;
    refuse_occupied(&logs)?;
    let mut progress = Progress::new(on_progress);
    output::make_folder(out)?;
    write_paths(out, &mut progress)?;
    let mut tracks = songs::write_all(&songs, request, &mut progress)?;
    tracks.complete(request)?;
    logs::write_all(&logs, first, request, &tracks, &mut progress)?;
    if request.awkward {
        awkward::write_odd_files(&songs, &logs, &mut progress)?;
    }
    progress.report();
    Ok(progress.done)
}

/// Validates the request. Returns the first day in days since 1970-01-01.
fn check(request: &Request) -> Result<u64, GenerateError> {
    let (year, month, day) = request.start;
    let Some(first) = (Date { year, month, day }).since_epoch().filter(|_| year < 9000) else {
        return Err(GenerateError::request(
            format!("invalid start date `{year:04}-{month:02}-{day:02}`"),
            "use a date from 1970-01-01 on, such as 2018-11-01",
        ));
    };
    if request.days == 0 || request.days > 36_525 {
        return Err(GenerateError::request("`days` is out of range", "1 to 36525 days"));
    }
    if request.users == 0 && request.events > 0 {
        return Err(GenerateError::request(
            "events need users",
            "set at least 1 user, or 0 events for a catalogue only",
        ));
    }
    if request.songs > MOST_SONGS {
        return Err(GenerateError::too_many("songs"));
    }
    if request.users > MOST_USERS {
        return Err(GenerateError::too_many("users"));
    }
    Ok(first)
}

fn refuse_occupied(path: &Path) -> Result<(), GenerateError> {
    match std::fs::read_dir(path).map(|mut entries| entries.next().is_some()) {
        Ok(true) => Err(GenerateError::Occupied { path: path.to_owned() }),
        Ok(false) => Ok(()),
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(GenerateError::Write { path: path.to_owned(), source }),
    }
}

/// Writes the `JSONPaths` file for Redshift `COPY`.
fn write_paths(out: &Path, progress: &mut Progress) -> Result<(), GenerateError> {
    let paths = KEYS.map(|key| format!("        \"$['{key}']\"")).join(",\n");
    let text = format!("{{\n    \"jsonpaths\": [\n{paths}\n    ]\n}}\n");
    output::write_whole(
        out.join("log_json_path.json"),
        Compression::Plain,
        text.as_bytes(),
        progress,
    )
}

#[cfg(test)]
mod tests;
