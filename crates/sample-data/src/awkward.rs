//! Data-quality problems of real input, deterministic and in a small share.
//!
//! Every requested record stays readable, in whatever form; copies and damaged records are
//! additional and counted. Quirks alternate at regular intervals: input of 5,000 events or more has
//! all of them, and fewer than 1 % of its records are rejected.

use std::path::Path;

use super::members::Members;
use super::output::{Compression, Progress, make_folder, write_whole};
use super::render::is_play;
use super::sessions::Event;
use super::{GenerateError, Generated};

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
/// Text before the first event, as found in public copies of the real logs.
const JUNK: &[u8] = b"cat 2018-11-*-events.json | head -n 20\n";
/// Minimum number of quirks in the whole input.
const TURNS: u64 = 45;
/// Most copies in the separate file of late events.
const LATE: usize = 40;

/// Layout and compression of an event file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// One record per line.
    Lines,
    /// One record per line, after text that is not JSON.
    Junk,
    /// One record per line, after a byte order mark.
    Marked,
    Gzip,
    Zstandard,
    /// Records without separator.
    Concatenated,
    /// One JSON array.
    Array {
        /// True until the first record is written.
        empty: bool,
    },
}

impl Layout {
    /// Returns the layout of a day; seven days have all layouts.
    pub(super) fn of_day(day: u32) -> Self {
        match day % 7 {
            0 => Self::Junk,
            1 => Self::Gzip,
            2 => Self::Concatenated,
            3 => Self::Array { empty: true },
            4 => Self::Marked,
            5 => Self::Zstandard,
            _ => Self::Lines,
        }
    }

    pub(super) fn compression(self) -> Compression {
        match self {
            Self::Gzip => Compression::Gzip,
            Self::Zstandard => Compression::Zstandard,
            _ => Compression::Plain,
        }
    }

    pub(super) fn begin(self, out: &mut Vec<u8>, done: &mut Generated) {
        match self {
            Self::Marked => out.extend_from_slice(BYTE_ORDER_MARK),
            Self::Array { .. } => out.extend_from_slice(b"[\n"),
            Self::Junk => {
                out.extend_from_slice(JUNK);
                done.damaged += 1;
            }
            _ => {}
        }
    }

    fn record(&mut self, record: &[u8], out: &mut Vec<u8>) {
        if let Self::Array { empty } = self
            && !std::mem::replace(empty, false)
        {
            out.extend_from_slice(b",\n");
        }
        out.extend_from_slice(record);
        if self.has_lines() {
            out.push(b'\n');
        }
    }

    fn has_lines(self) -> bool {
        !matches!(self, Self::Concatenated | Self::Array { .. })
    }

    pub(super) fn end(self, out: &mut Vec<u8>) {
        if matches!(self, Self::Array { .. }) {
            out.extend_from_slice(b"\n]");
        }
    }
}

/// Data-quality problem of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quirk {
    MissingKeys,
    ExtraKeys,
    OtherOrder,
    NumbersAsText,
    TextAsNumber,
    WholeAsFloat,
    Pretty,
    Copy,
    DifferingCopy,
    OtherLevel,
    BrokenOff,
    WordAsUser,
    MissingNeeded,
    OutOfRange,
}

const QUIRKS: [Quirk; 14] = [
    Quirk::Copy,
    Quirk::BrokenOff,
    Quirk::MissingKeys,
    Quirk::ExtraKeys,
    Quirk::WordAsUser,
    Quirk::DifferingCopy,
    Quirk::OtherOrder,
    Quirk::MissingNeeded,
    Quirk::NumbersAsText,
    Quirk::OtherLevel,
    Quirk::TextAsNumber,
    Quirk::OutOfRange,
    Quirk::WholeAsFloat,
    Quirk::Pretty,
];

impl Quirk {
    fn suits(self, event: &Event, form: Layout) -> bool {
        match self {
            Self::Copy | Self::DifferingCopy => is_play(event),
            Self::TextAsNumber | Self::OtherLevel | Self::WordAsUser => event.logged_in,
            Self::BrokenOff => form.has_lines(),
            _ => true,
        }
    }
}

/// Scheduler of event quirks.
pub(super) struct EventQuirks {
    period: u64,
    seen: u64,
    turn: usize,
    /// Quirks that are due and wait for a suitable event.
    waiting: Vec<Quirk>,
    late: Vec<Vec<u8>>,
}

impl EventQuirks {
    pub(super) fn new(events: u64) -> Self {
        let period = (events / TURNS).clamp(20, 500);
        Self { period, seen: 0, turn: 0, waiting: Vec::new(), late: Vec::new() }
    }

    /// Writes an event, with a quirk if one is due.
    pub(super) fn write(
        &mut self,
        line: &[u8],
        event: &Event,
        form: &mut Layout,
        out: &mut Vec<u8>,
        done: &mut Generated,
    ) {
        self.seen += 1;
        if self.seen % self.period == self.period / 2 {
            self.waiting.push(QUIRKS[self.turn % QUIRKS.len()]);
            self.turn += 1;
        }
        match self.waiting.iter().position(|quirk| quirk.suits(event, *form)) {
            Some(at) => {
                let quirk = self.waiting.remove(at);
                self.apply(quirk, line, form, out, done);
            }
            None => form.record(line, out),
        }
    }

    fn apply(
        &mut self,
        quirk: Quirk,
        line: &[u8],
        form: &mut Layout,
        out: &mut Vec<u8>,
        done: &mut Generated,
    ) {
        let members = Members::of(line);
        let mut damaged = |bytes: &[u8], out: &mut Vec<u8>| {
            form.record(bytes, out);
            done.damaged += 1;
        };
        let written = match quirk {
            Quirk::MissingKeys => members.remove_nulls().line(),
            Quirk::ExtraKeys => members
                .add(r#""tag":"beta""#)
                .add(r#""context":{"build":7,"flags":["a",{"b":null}]}"#)
                .line(),
            Quirk::OtherOrder => members.reverse().line(),
            Quirk::NumbersAsText => {
                ["ts", "sessionId", "itemInSession", "length", "registration", "status"]
                    .into_iter()
                    .fold(members, Members::quote)
                    .line()
            }
            Quirk::TextAsNumber => unquoted(members, "userId").line(),
            Quirk::WholeAsFloat => {
                let whole = [members.get("ts"), b".0"].concat();
                members.set("ts", &whole).set("status", b"2E2").line()
            }
            Quirk::Pretty => members.pretty(),
            Quirk::Copy | Quirk::DifferingCopy | Quirk::OtherLevel => {
                self.copy(quirk, members, form, out, done);
                line.to_vec()
            }
            Quirk::BrokenOff => {
                damaged(&line[..line.len() * 3 / 5], out);
                line.to_vec()
            }
            Quirk::WordAsUser => {
                damaged(&members.set("userId", b"\"guest-7\"").line(), out);
                line.to_vec()
            }
            Quirk::MissingNeeded => {
                damaged(&members.remove("ts").line(), out);
                line.to_vec()
            }
            Quirk::OutOfRange => {
                damaged(&members.set("itemInSession", b"99999999999").line(), out);
                line.to_vec()
            }
        };
        form.record(&written, out);
    }

    /// Writes a second record with the same session and item.
    fn copy(
        &mut self,
        quirk: Quirk,
        members: Members,
        form: &mut Layout,
        out: &mut Vec<u8>,
        done: &mut Generated,
    ) {
        let copy = match quirk {
            Quirk::OtherLevel => {
                let free = members.get("level") == b"\"free\"";
                members
                    .set("level", if free { b"\"paid\"" } else { b"\"free\"" })
                    .set("page", b"\"Settings\"")
                    .set("method", b"\"GET\"")
                    .set("status", b"200")
                    .set("artist", b"null")
                    .set("song", b"null")
                    .set("length", b"null")
            }
            Quirk::DifferingCopy => {
                members.set("location", b"\"Somewhere Else, NY\"").set("length", b"99.5")
            }
            _ => members,
        };
        let bytes = copy.line();
        done.events += 1;
        if quirk != Quirk::OtherLevel {
            done.plays += 1;
            done.duplicates += 1;
            if self.late.len() < LATE {
                self.late.push(bytes.clone());
            }
        }
        form.record(&bytes, out);
    }

    /// Writes copies of plays to a separate file, which does not end with a line break.
    pub(super) fn write_late(
        &self,
        root: &Path,
        progress: &mut Progress,
    ) -> Result<(), GenerateError> {
        let count = self.late.len() as u64;
        progress.done.events += count;
        progress.done.plays += count;
        progress.done.duplicates += count;
        progress.done.log_objects += 1;
        let bytes = self.late.join(b"\n".as_slice());
        write_whole(root.join("late-events.json"), Compression::Plain, &bytes, progress)
    }
}

fn unquoted(members: Members, key: &str) -> Members {
    let bare: Vec<u8> = members.get(key).iter().copied().filter(|&b| b != b'"').collect();
    members.set(key, &bare)
}

/// Data-quality problem of a song file.
#[derive(Clone, Copy, Debug)]
enum SongQuirk {
    Pretty,
    TwoRecords,
    Array,
    Marked,
    Gzip,
    Zstandard,
    NumberAsPlace,
    NumbersAsText,
    ExtraKeys,
    MissingKeys,
    OtherOrder,
    BrokenOff,
    MissingNeeded,
    OutOfRange,
}

const SONG_QUIRKS: [SongQuirk; 14] = [
    SongQuirk::Pretty,
    SongQuirk::TwoRecords,
    SongQuirk::Gzip,
    SongQuirk::BrokenOff,
    SongQuirk::Array,
    SongQuirk::NumberAsPlace,
    SongQuirk::Marked,
    SongQuirk::MissingNeeded,
    SongQuirk::ExtraKeys,
    SongQuirk::Zstandard,
    SongQuirk::NumbersAsText,
    SongQuirk::OutOfRange,
    SongQuirk::MissingKeys,
    SongQuirk::OtherOrder,
];

/// Scheduler of song quirks.
pub(super) struct SongQuirks {
    period: u64,
    seen: u64,
    turn: usize,
}

impl SongQuirks {
    pub(super) fn new(songs: u64) -> Self {
        Self { period: (songs / TURNS).clamp(7, 300), seen: 0, turn: 0 }
    }

    /// Turns the record in `bytes` into the content of a file, with a quirk if one is due.
    pub(super) fn apply(&mut self, bytes: &mut Vec<u8>, done: &mut Generated) -> Compression {
        self.seen += 1;
        if self.seen % self.period != self.period / 2 {
            return Compression::Plain;
        }
        let quirk = SONG_QUIRKS[self.turn % SONG_QUIRKS.len()];
        self.turn += 1;
        let song = Members::of(bytes);
        let mut damaged_before = |damage: Vec<u8>| {
            done.damaged += 1;
            [damage.as_slice(), b"\n", bytes].concat()
        };
        let file = match quirk {
            SongQuirk::Pretty => song.pretty(),
            SongQuirk::TwoRecords => {
                done.song_records += 1;
                [song.pretty(), song.set("year", b"0").set("num_songs", b"2").line()].concat()
            }
            SongQuirk::Array => [b"[ ".as_slice(), bytes, b" ]\r\n"].concat(),
            SongQuirk::Marked => [BYTE_ORDER_MARK, bytes].concat(),
            SongQuirk::Gzip | SongQuirk::Zstandard => song.line(),
            SongQuirk::NumberAsPlace => song.set("artist_location", b"27").line(),
            SongQuirk::NumbersAsText => {
                ["duration", "year", "num_songs"].into_iter().fold(song, Members::quote).line()
            }
            SongQuirk::ExtraKeys => song.add(r#""tag":["live",{"take":2}]"#).line(),
            SongQuirk::MissingKeys => ["artist_latitude", "artist_longitude", "artist_location"]
                .into_iter()
                .fold(song, Members::remove)
                .line(),
            SongQuirk::OtherOrder => song.reverse().line(),
            SongQuirk::BrokenOff => damaged_before(bytes[..bytes.len() * 3 / 5].to_vec()),
            SongQuirk::MissingNeeded => damaged_before(song.remove("title").line()),
            SongQuirk::OutOfRange => damaged_before(song.set("year", b"99999999999").line()),
        };
        *bytes = file;
        match quirk {
            SongQuirk::Gzip => Compression::Gzip,
            SongQuirk::Zstandard => Compression::Zstandard,
            _ => Compression::Plain,
        }
    }
}

/// Writes empty files, and files that a load must ignore.
pub(super) fn write_odd_files(
    songs: &Path,
    logs: &Path,
    progress: &mut Progress,
) -> Result<(), GenerateError> {
    const SONG: &str = concat!(
        r#"{"artist_id":"ARIGNOR1100000000F","artist_latitude":null,"#,
        r#""artist_location":"","artist_longitude":null,"artist_name":"The Ignored","#,
        r#""duration":100.0,"num_songs":1,"song_id":"SOIGNOR1200000000F","#,
        r#""title":"Not To Be Read","year":0}"#,
    );
    const EVENT: &str = concat!(
        r#"{"artist":null,"auth":"Logged In","firstName":"Nobody","gender":"F","#,
        r#""itemInSession":0,"lastName":"Ignored","length":null,"level":"free","#,
        r#""location":null,"method":"GET","page":"Home","registration":null,"#,
        r#""sessionId":999999999,"song":null,"status":200,"ts":1541105830796,"#,
        r#""userAgent":null,"userId":"999999999"}"#,
    );
    let song_copies = songs.join("A").join(".ipynb_checkpoints");
    let log_copies = logs.join(".ipynb_checkpoints");
    make_folder(&song_copies)?;
    make_folder(&log_copies)?;
    let files: [(_, &[u8]); 6] = [
        (songs.join("A").join("empty.json"), b""),
        (logs.join("empty-events.json"), b""),
        (songs.join(".DS_Store"), b"\0\0\0\x01Bud1\0\0"),
        (logs.join("_SUCCESS"), b""),
        (song_copies.join("song-checkpoint.json"), SONG.as_bytes()),
        (log_copies.join("events-checkpoint.json"), EVENT.as_bytes()),
    ];
    for (path, bytes) in files {
        write_whole(path, Compression::Plain, bytes, progress)?;
    }
    progress.done.song_objects += 1;
    progress.done.log_objects += 1;
    Ok(())
}
