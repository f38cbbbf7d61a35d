//! Input of any size, invented: what a project of this kind is tried out and measured with.
//!
//! It looks like the real thing (sessions, hits, changes of level, songs that no catalogue knows,
//! text encoded twice) and is the same bit for bit for the same request, on any machine. Memory
//! does not grow with the number of events: an entry a song, a listener and an open session.
//!
//! *Path of a run:* `songs` writes the catalogue and leaves `tunes` to be played; `people` listen;
//! `crowd` decides who does what when, as `calendar` and `pages` allow; `render` makes a line of
//! it, `logs` puts it into the file of its day. `awkward` then adds what real input gets wrong: on
//! top of what was asked for, so that the requested songs and events are all there, and readable.

mod accents;
mod awkward;
mod calendar;
mod crowd;
mod logs;
mod members;
mod names;
mod output;
mod pages;
mod people;
mod render;
mod rng;
mod songs;
mod text;
mod tunes;
mod words;

use std::path::{Path, PathBuf};

use calendar::Date;
use output::{Packing, Progress};

/// Identifiers are distinct up to far more than this; files and memory give out before.
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

/// What to generate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Song files.
    pub songs: u64,
    /// Events in all.
    pub events: u64,
    /// Days the events spread over; there is one file a day that has events.
    pub days: u32,
    /// Listeners there are; with few events not all of them turn up.
    pub users: u32,
    /// Another seed, another world.
    pub seed: u64,
    /// The first day: year, month, day.
    pub start: (i32, u32, u32),
    /// Whether to add what real input gets wrong.
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

/// What was generated; while the work goes on, what was so far.
///
/// Awkward input has more records than were requested: copies (in `events` and `song_records`) and
/// damage (in `damaged`). A load has to account for `events + song_records + damaged` records.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Generated {
    /// Song files, empty ones included.
    pub song_objects: u64,
    /// Event files, empty ones included.
    pub log_objects: u64,
    /// Song records that are to be accepted.
    pub song_records: u64,
    /// Events that are to be accepted.
    pub events: u64,
    /// Song plays among the events.
    pub plays: u64,
    /// Plays that are copies of another one, identical or not.
    pub duplicates: u64,
    /// Records, and bytes between records, that are to be rejected.
    pub damaged: u64,
    /// Bytes of content, before any compression.
    pub bytes: u64,
}

/// Why nothing, or not all, was generated.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// The request makes no sense.
    #[error("cannot generate that: {reason}")]
    Request {
        /// What is wrong with it.
        reason: String,
        /// What to ask for instead.
        hint: String,
    },
    /// There is something where the output should go.
    #[error(
        "`{}` is not empty\nhint: choose another folder, or remove that one first",
        path.display()
    )]
    Occupied {
        /// The folder that is not empty.
        path: PathBuf,
    },
    /// A file or folder could not be written.
    #[error("could not write `{}`", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl GenerateError {
    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Request { hint, .. } => Some(hint.clone()),
            Self::Occupied { .. } => Some("choose another folder, or remove that one first".into()),
            Self::Write { .. } => Some("check the space and who may write there".into()),
        }
    }

    fn request(reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Request { reason: reason.into(), hint: hint.into() }
    }

    fn too_many(what: &str) -> Self {
        Self::request(format!("too many {what}"), format!("at most {MOST_SONGS} {what}"))
    }
}

/// Generates `request` below the folder `out`, which is made if need be: `song_data`, `log_data`
/// and `log_json_path.json`. Calls `on_progress` every half megabyte of events and every thousand
/// songs.
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
    let mut tunes = songs::write_all(&songs, request, &mut progress)?;
    tunes.complete(request)?;
    logs::write_all(&logs, first, request, &tunes, &mut progress)?;
    if request.awkward {
        awkward::write_odd_files(&songs, &logs, &mut progress)?;
    }
    progress.tell();
    Ok(progress.done)
}

/// The first day, in days since 1970.
fn check(request: &Request) -> Result<u64, GenerateError> {
    let (year, month, day) = request.start;
    let Some(first) = (Date { year, month, day }).since_epoch().filter(|_| year < 9000) else {
        return Err(GenerateError::request(
            format!("there is no day `{year:04}-{month:02}-{day:02}` to start at"),
            "a date from 1970-01-01 on, such as 2018-11-01",
        ));
    };
    if request.days == 0 || request.days > 36_525 {
        return Err(GenerateError::request("`days` is out of range", "1 to 36525 days"));
    }
    if request.users == 0 && request.events > 0 {
        return Err(GenerateError::request(
            "events need users",
            "at least 1 user, or 0 events for a catalogue alone",
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

/// The `JSONPaths` by which a warehouse's bulk load finds the columns.
fn write_paths(out: &Path, progress: &mut Progress) -> Result<(), GenerateError> {
    let paths = KEYS.map(|key| format!("        \"$['{key}']\"")).join(",\n");
    let text = format!("{{\n    \"jsonpaths\": [\n{paths}\n    ]\n}}\n");
    output::write_whole(out.join("log_json_path.json"), Packing::Plain, text.as_bytes(), progress)
}

#[cfg(test)]
mod tests;
