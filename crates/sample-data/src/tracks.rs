//! Pool of playable tracks, inside and outside the catalogue, as JSON text.
//!
//! Artists and titles are stored in one byte block. Non-ASCII names have two more versions, encoded
//! twice and three times, as in the real logs.

use super::names;
use super::rng::{Popularity, Rng};
use super::songs::{Artists, duration};
use super::text::{double_encode, push_text};
use super::{GenerateError, Request};

const TRACK_STREAM: u64 = 2;
/// Plays of catalogue songs, per mille.
const KNOWN: u64 = 600;
/// Flatness of the popularity: larger values give less dominant hits.
const FLATNESS: u64 = 20;
/// Plays whose length differs slightly from the catalogue, per mille.
const OFF_LENGTH: u64 = 80;

/// Artist and title as JSON strings, and the length in hundred-thousandths of a second.
#[derive(Clone, Copy)]
struct Track {
    start: usize,
    artist: u32,
    title: u32,
    duration: u64,
    /// Index of the double-encoded version, if any; the triple-encoded one follows.
    broken: Option<u32>,
}

/// Pool of tracks with their popularity.
#[derive(Default)]
pub(super) struct TrackPool {
    text: Vec<u8>,
    list: Vec<Track>,
    /// Two entries per non-ASCII track.
    broken: Vec<Track>,
    known: usize,
    charts: Option<(Popularity, Popularity)>,
}

/// Song fields of a play event.
#[derive(Clone, Copy)]
pub(super) struct Play<'a> {
    pub(super) artist: &'a [u8],
    pub(super) title: &'a [u8],
    /// In hundred-thousandths of a second.
    pub(super) length: u64,
}

impl TrackPool {
    /// Adds a track.
    pub(super) fn add(&mut self, artist: &str, title: &str, duration: u64) {
        let mut track = self.push(artist, title, duration);
        if !(artist.is_ascii() && title.is_ascii()) {
            track.broken = u32::try_from(self.broken.len()).ok();
            let (mut artist, mut title) = (artist.to_owned(), title.to_owned());
            for _ in 0..2 {
                (artist, title) = (double_encode(&artist), double_encode(&title));
                let broken = self.push(&artist, &title, duration);
                self.broken.push(broken);
            }
        }
        self.list.push(track);
    }

    fn push(&mut self, artist: &str, title: &str, duration: u64) -> Track {
        let start = self.text.len();
        push_text(&mut self.text, artist);
        let middle = self.text.len();
        push_text(&mut self.text, title);
        let length = |from: usize, to: usize| u32::try_from(to - from).unwrap_or(0);
        let (artist, title) = (length(start, middle), length(middle, self.text.len()));
        Track { start, artist, title, duration, broken: None }
    }

    /// Adds songs outside the catalogue, a third of them by its artists, and ranks all tracks.
    pub(super) fn complete(&mut self, request: &Request) -> Result<(), GenerateError> {
        let mut rng = Rng::new(request.seed, TRACK_STREAM);
        let artists = Artists::new(request);
        self.known = self.list.len();
        let uncatalogued = (request.songs / 2).clamp(300, 200_000);
        for number in 0..uncatalogued {
            let artist = if number % 3 == 0 && artists.count > 0 {
                artists.get(rng.below(artists.count)).name
            } else {
                names::artist(&mut rng, uncatalogued > 10_000)
            };
            let title = names::title(&mut rng);
            let length = duration(&mut rng);
            self.add(&artist, &title, length);
        }
        let count = |n: usize| u32::try_from(n).map_err(|_| GenerateError::too_many("songs"));
        let known = Popularity::new(count(self.known)?, FLATNESS, &mut rng);
        let uncatalogued =
            Popularity::new(count(self.list.len() - self.known)?, FLATNESS, &mut rng);
        self.charts = Some((known, uncatalogued));
        Ok(())
    }

    /// Draws a play.
    pub(super) fn play(&self, rng: &mut Rng) -> Play<'_> {
        let Some((known, uncatalogued)) = &self.charts else {
            return Play { artist: b"null", title: b"null", length: 0 };
        };
        let in_catalogue = self.known > 0 && rng.chance(KNOWN);
        let index =
            if in_catalogue { known.draw(rng) } else { self.known + uncatalogued.draw(rng) };
        let mut track = &self.list[index];
        let mut length = track.duration;
        if let Some(first) = track.broken {
            match rng.below(100) {
                0..30 => {}
                30..45 => track = &self.broken[first as usize],
                _ => track = &self.broken[first as usize + 1],
            }
        }
        if in_catalogue && rng.chance(OFF_LENGTH) {
            length += rng.between(150, 40_000);
        }
        let middle = track.start + track.artist as usize;
        Play {
            artist: &self.text[track.start..middle],
            title: &self.text[middle..middle + track.title as usize],
            length,
        }
    }
}
