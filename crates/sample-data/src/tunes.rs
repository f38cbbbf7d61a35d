//! What there is to be played: the catalogue's songs and those outside it, ready to be written.
//!
//! Artist and title are kept as JSON text in one block of bytes. Names that are not ASCII have two
//! more versions, encoded twice and three times, as the players of the real logs send them.

use super::names;
use super::rng::{Popularity, Rng};
use super::songs::{Artists, duration};
use super::text::{encoded_twice, push_text};
use super::{GenerateError, Request};

const TUNES_STREAM: u64 = 2;
/// In a thousand plays, those of songs in the catalogue.
const KNOWN: u64 = 600;
/// The greater, the less a few hits stand out.
const FLATNESS: u64 = 20;
/// In a thousand plays, those whose length is a little off the catalogue's.
const OFF_LENGTH: u64 = 80;

/// Artist and title as JSON strings, and the length in hundred-thousandths of a second.
#[derive(Clone, Copy)]
struct Tune {
    start: usize,
    artist: u32,
    title: u32,
    duration: u64,
    /// Where the versions encoded wrongly are, if there are any.
    broken: Option<u32>,
}

/// What can be played.
#[derive(Default)]
pub(super) struct Tunes {
    text: Vec<u8>,
    list: Vec<Tune>,
    /// Two for each tune that is not ASCII.
    broken: Vec<Tune>,
    known: usize,
    charts: Option<(Popularity, Popularity)>,
}

/// A play: what the player says about the song.
#[derive(Clone, Copy)]
pub(super) struct Play<'a> {
    pub(super) artist: &'a [u8],
    pub(super) title: &'a [u8],
    /// In hundred-thousandths of a second.
    pub(super) length: u64,
}

impl Tunes {
    /// Adds a song.
    pub(super) fn add(&mut self, artist: &str, title: &str, duration: u64) {
        let mut tune = self.push(artist, title, duration);
        if !(artist.is_ascii() && title.is_ascii()) {
            tune.broken = u32::try_from(self.broken.len()).ok();
            let (mut artist, mut title) = (artist.to_owned(), title.to_owned());
            for _ in 0..2 {
                (artist, title) = (encoded_twice(&artist), encoded_twice(&title));
                let broken = self.push(&artist, &title, duration);
                self.broken.push(broken);
            }
        }
        self.list.push(tune);
    }

    fn push(&mut self, artist: &str, title: &str, duration: u64) -> Tune {
        let start = self.text.len();
        push_text(&mut self.text, artist);
        let middle = self.text.len();
        push_text(&mut self.text, title);
        let length = |from: usize, to: usize| u32::try_from(to - from).unwrap_or(0);
        let (artist, title) = (length(start, middle), length(middle, self.text.len()));
        Tune { start, artist, title, duration, broken: None }
    }

    /// Adds the songs outside the catalogue, a third of them by its artists, and ranks them all.
    pub(super) fn complete(&mut self, request: &Request) -> Result<(), GenerateError> {
        let mut rng = Rng::new(request.seed, TUNES_STREAM);
        let artists = Artists::new(request);
        self.known = self.list.len();
        let foreign = (request.songs / 2).clamp(300, 200_000);
        for number in 0..foreign {
            let artist = if number % 3 == 0 && artists.count > 0 {
                artists.get(rng.below(artists.count)).name
            } else {
                names::artist(&mut rng, foreign > 10_000)
            };
            let title = names::title(&mut rng);
            let length = duration(&mut rng);
            self.add(&artist, &title, length);
        }
        let count = |n: usize| u32::try_from(n).map_err(|_| GenerateError::too_many("songs"));
        let known = Popularity::new(count(self.known)?, FLATNESS, &mut rng);
        let foreign = Popularity::new(count(self.list.len() - self.known)?, FLATNESS, &mut rng);
        self.charts = Some((known, foreign));
        Ok(())
    }

    /// Draws a play.
    pub(super) fn play(&self, rng: &mut Rng) -> Play<'_> {
        let Some((known, foreign)) = &self.charts else {
            return Play { artist: b"null", title: b"null", length: 0 };
        };
        let in_catalogue = self.known > 0 && rng.chance(KNOWN);
        let index = if in_catalogue { known.draw(rng) } else { self.known + foreign.draw(rng) };
        let mut tune = &self.list[index];
        let mut length = tune.duration;
        if let Some(first) = tune.broken {
            match rng.below(100) {
                0..30 => {}
                30..45 => tune = &self.broken[first as usize],
                _ => tune = &self.broken[first as usize + 1],
            }
        }
        if in_catalogue && rng.chance(OFF_LENGTH) {
            length += rng.between(150, 40_000);
        }
        let middle = tune.start + tune.artist as usize;
        Play {
            artist: &self.text[tune.start..middle],
            title: &self.text[middle..middle + tune.title as usize],
            length,
        }
    }
}
