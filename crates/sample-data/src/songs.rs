//! Catalogue: artists, songs, and one file per song.
//!
//! An artist is a function of seed and number, so none is stored. The catalogue has the ambiguities
//! of the real one: several spellings of an artist, the same title twice by one artist, one song
//! under two tracks, missing years and locations.

use std::path::Path;

use super::awkward;
use super::names;
use super::output::{Compression, Progress, make_folder, write_whole};
use super::rng::{Rng, scatter};
use super::text::{UNIT, push_decimal, push_number, push_text};
use super::tracks::TrackPool;
use super::{GenerateError, Request};

const SONGS_STREAM: u64 = 1;
const ARTISTS_STREAM: u64 = 1 << 32;
/// Artist number from which names are longer, to avoid duplicates.
const WIDE_FROM: u64 = 4_000;
/// Artist of the awkward catalogue with a numeric name.
const NUMBERED: u64 = 2;

/// Artist of the catalogue.
pub(super) struct Artist {
    id: String,
    pub(super) name: String,
    place: String,
    /// Latitude (north) and longitude (west) in hundred-thousandths of a degree.
    coordinates: Option<(u64, u64)>,
}

/// Artists by number.
pub(super) struct Artists {
    seed: u64,
    pub(super) count: u64,
    awkward: bool,
}

impl Artists {
    pub(super) fn new(request: &Request) -> Self {
        let count = (request.songs * 2 / 3).max(u64::from(request.songs > 0));
        Self { seed: request.seed, count, awkward: request.awkward }
    }

    pub(super) fn get(&self, number: u64) -> Artist {
        let mut rng = Rng::new(self.seed, ARTISTS_STREAM + number);
        let located = rng.chance(600);
        let mapped = rng.chance(if located { 550 } else { 0 });
        let usual = names::artist(&mut rng, number >= WIDE_FROM);
        let numbered = self.awkward && number == NUMBERED;
        let name = if numbered { "112".to_owned() } else { usual };
        Artist {
            id: identifier(&mut rng, "AR", number, self.seed),
            name,
            place: if located { names::origin(&mut rng) } else { String::new() },
            coordinates: mapped
                .then(|| (rng.between(25 * UNIT, 60 * UNIT), rng.between(UNIT / 9, 124 * UNIT))),
        }
    }
}

/// Song record of a file.
#[derive(Clone)]
pub(super) struct Song {
    id: String,
    pub(super) title: String,
    artist: u64,
    pub(super) artist_name: String,
    /// In hundred-thousandths of a second.
    pub(super) duration: u64,
    year: u64,
}

/// Generator of song records.
struct Catalogue {
    artists: Artists,
    rng: Rng,
    seed: u64,
    previous: Option<Song>,
}

impl Catalogue {
    fn next(&mut self, number: u64) -> Song {
        let drawn = self.draw(number);
        let song = match (&self.previous, self.rng.below(1000)) {
            // The same song under another track ID.
            (Some(last), 0..4) => Song { year: 0, duration: last.duration + 2_612, ..last.clone() },
            // Another recording of the song by the same artist.
            (Some(last), 4..20) if last.duration.abs_diff(drawn.duration) > 3 * UNIT => {
                Song { id: drawn.id, duration: drawn.duration, year: drawn.year, ..last.clone() }
            }
            _ => drawn,
        };
        self.previous = Some(song.clone());
        song
    }

    fn draw(&mut self, number: u64) -> Song {
        let rng = &mut self.rng;
        // The smaller of two: some artists have many songs, many have one.
        let artist = rng.below(self.artists.count).min(rng.below(self.artists.count));
        let name = self.artists.get(artist).name;
        let respelled = name.len() > 4 && rng.chance(30);
        Song {
            id: identifier(rng, "SO", number, self.seed),
            title: names::title(rng),
            artist,
            artist_name: if respelled { names::respelled(rng, &name) } else { name },
            duration: duration(rng),
            year: if rng.chance(420) { 0 } else { 2011 - rng.below(54).min(rng.below(54)) },
        }
    }
}

/// Draws a duration in hundred-thousandths of a second, about four minutes.
pub(super) fn duration(rng: &mut Rng) -> u64 {
    let usual = 45 * UNIT + (0..3).map(|_| rng.below(125 * UNIT)).sum::<u64>();
    if rng.chance(30) { usual + rng.below(500 * UNIT) } else { usual }
}

/// Returns an identifier of 18 characters as in the real catalogue: prefix, letters, unique number.
fn identifier(rng: &mut Rng, prefix: &str, number: u64, seed: u64) -> String {
    let mut id = prefix.to_owned();
    (0..5).for_each(|_| id.push(letter(rng)));
    id.push_str(if prefix == "SO" { "12" } else { "11" });
    let root = scatter(number, seed);
    id.extend(
        (0..9).rev().map(|i| char::from(b"0123456789ABCDEF"[usize_of(root >> (4 * i) & 15)])),
    );
    id
}

fn letter(rng: &mut Rng) -> char {
    char::from(b'A' + u8::try_from(rng.below(26)).unwrap_or(0))
}

fn usize_of(number: u64) -> usize {
    usize::try_from(number).unwrap_or(0)
}

impl Song {
    /// Writes the record; with `numbered`, an artist name of digits is a JSON number.
    pub(super) fn render(&self, artist: &Artist, numbered: bool, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"artist_id\":");
        push_text(out, &artist.id);
        out.extend_from_slice(b",\"artist_latitude\":");
        push_coordinate(out, "", artist.coordinates.map(|c| c.0));
        out.extend_from_slice(b",\"artist_location\":");
        push_text(out, &artist.place);
        out.extend_from_slice(b",\"artist_longitude\":");
        push_coordinate(out, "-", artist.coordinates.map(|c| c.1));
        out.extend_from_slice(b",\"artist_name\":");
        if numbered && self.artist_name.bytes().all(|b| b.is_ascii_digit()) {
            out.extend_from_slice(self.artist_name.as_bytes());
        } else {
            push_text(out, &self.artist_name);
        }
        out.extend_from_slice(b",\"duration\":");
        push_decimal(out, self.duration);
        out.extend_from_slice(b",\"num_songs\":1,\"song_id\":");
        push_text(out, &self.id);
        out.extend_from_slice(b",\"title\":");
        push_text(out, &self.title);
        out.extend_from_slice(b",\"year\":");
        push_number(out, self.year);
        out.push(b'}');
    }
}

fn push_coordinate(out: &mut Vec<u8>, sign: &str, degrees: Option<u64>) {
    match degrees {
        None => out.extend_from_slice(b"null"),
        Some(degrees) => {
            out.extend_from_slice(sign.as_bytes());
            push_decimal(out, degrees);
        }
    }
}

/// Writes the song files below `root` and returns the tracks to play.
pub(super) fn write_all(
    root: &Path,
    request: &Request,
    progress: &mut Progress,
) -> Result<TrackPool, GenerateError> {
    make_folder(root)?;
    let mut catalogue = Catalogue {
        artists: Artists::new(request),
        rng: Rng::new(request.seed, SONGS_STREAM),
        seed: request.seed,
        previous: None,
    };
    let mut quirks = request.awkward.then(|| awkward::SongQuirks::new(request.songs));
    let mut tracks = TrackPool::default();
    let mut folders = vec![false; 2 * 26 * 26];
    let mut bytes = Vec::new();
    for number in 0..request.songs {
        let song = catalogue.next(number);
        tracks.add(&song.artist_name, &song.title, song.duration);
        bytes.clear();
        song.render(&catalogue.artists.get(song.artist), request.awkward, &mut bytes);
        let compression = match &mut quirks {
            Some(quirks) => quirks.apply(&mut bytes, &mut progress.done),
            None => Compression::Plain,
        };
        let track = track_id(&mut catalogue.rng, number, request.seed);
        let folder = root.join(&track[2..3]).join(&track[3..4]).join(&track[4..5]);
        let known = &mut folders[folder_number(&track)];
        if !std::mem::replace(known, true) {
            make_folder(&folder)?;
        }
        let name = format!("{track}.json{}", compression.suffix());
        write_whole(folder.join(name), compression, &bytes, progress)?;
        progress.done.song_objects += 1;
        progress.done.song_records += 1;
        if number % 1000 == 0 {
            progress.report();
        }
    }
    Ok(tracks)
}

/// Returns the name of a song file. The first letter is A or B, as in the course data.
fn track_id(rng: &mut Rng, number: u64, seed: u64) -> String {
    let mut id = identifier(rng, "TR", number, !seed);
    id.replace_range(2..3, if rng.chance(500) { "A" } else { "B" });
    id
}

fn folder_number(track: &str) -> usize {
    let letter = |at: usize| usize::from(track.as_bytes()[at] - b'A');
    (letter(2) * 26 + letter(3)) * 26 + letter(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn artists_are_a_function_of_their_number() {
        let request = Request { songs: 300, ..Request::default() };
        let artists = Artists::new(&request);
        assert_eq!(artists.count, 200);
        let (one, again) = (artists.get(17), artists.get(17));
        assert_eq!((one.id.len(), &one.name), (18, &again.name));
        assert_ne!(one.id, artists.get(18).id);
    }
}
