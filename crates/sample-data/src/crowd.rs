//! Who does what when: open sessions, each with the time of its next event; who is due comes next.
//!
//! A session knows from its start how many events it will have. New ones are opened until the
//! calendar's number is reached, so the total is exact while the times between the events of a
//! session stay natural: a song lasts as long as it lasts, and a session may run past midnight.
//! Only before the very end are the pauses cut. Memory: one entry a session that is open.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use super::Request;
use super::calendar::{DAY_MS, MINUTE_MS};
use super::pages::{self, Page, Place};
use super::people::{People, Person};
use super::rng::Rng;
use super::tunes::{Play, Tunes};

const CROWD_STREAM: u64 = 4;

/// One event.
pub(super) struct Event<'a> {
    pub(super) ts: u64,
    pub(super) session: u64,
    pub(super) item: u64,
    pub(super) page: Page,
    /// Null user fields, if not.
    pub(super) logged_in: bool,
    pub(super) person: Person,
    pub(super) play: Option<Play<'a>>,
}

struct Session {
    id: u64,
    person: usize,
    item: u64,
    left: u64,
    place: Place,
}

/// All open sessions.
pub(super) struct Crowd<'a> {
    rng: Rng,
    people: People,
    tunes: &'a Tunes,
    sessions: Vec<Session>,
    free: Vec<usize>,
    due: BinaryHeap<Reverse<(u64, usize)>>,
    started: u64,
    last_id: u64,
    /// The first millisecond after the last day.
    end: u64,
    /// Whether a change of level happens within one millisecond.
    hasty: bool,
}

impl<'a> Crowd<'a> {
    pub(super) fn new(request: &Request, tunes: &'a Tunes, start: u64) -> Self {
        Self {
            rng: Rng::new(request.seed, CROWD_STREAM),
            people: People::new(request, start),
            tunes,
            sessions: Vec::new(),
            free: Vec::new(),
            due: BinaryHeap::new(),
            started: 0,
            last_id: 0,
            end: start + u64::from(request.days) * DAY_MS,
            hasty: request.awkward,
        }
    }

    /// Opens sessions in the minute from `from` until `target` events have been started; sessions
    /// are no longer than `limit` allows.
    pub(super) fn admit(&mut self, from: u64, target: u64, limit: u64) {
        while self.started < target {
            let at = from + self.rng.below(MINUTE_MS);
            let time_left = 1 + (self.end - at) / 240_000;
            let length = session_length(&mut self.rng).min(limit - self.started).min(time_left);
            self.open(at, length.max(1));
        }
    }

    fn open(&mut self, at: u64, length: u64) {
        self.started += length;
        self.last_id += self.rng.between(1, 2);
        let person = self.people.choose(&mut self.rng);
        self.people.set_busy(person, true);
        let place = pages::first(&mut self.rng);
        let session = Session { id: self.last_id, person, item: 0, left: length, place };
        let slot = if let Some(slot) = self.free.pop() {
            self.sessions[slot] = session;
            slot
        } else {
            self.sessions.push(session);
            self.sessions.len() - 1
        };
        self.due.push(Reverse((at, slot)));
    }

    /// The next event before `until`.
    pub(super) fn next(&mut self, until: u64) -> Option<Event<'a>> {
        let mut top = self.due.peek_mut()?;
        let Reverse((ts, slot)) = *top;
        if ts >= until {
            return None;
        }
        let session = &mut self.sessions[slot];
        let place = session.place;
        let person = self.people.get(session.person);
        let play = (place.page == Page::NextSong).then(|| self.tunes.play(&mut self.rng));
        let (id, item) = (session.id, session.item);
        match place.page {
            Page::SubmitUpgrade => self.people.set_paid(session.person, true),
            Page::SubmitDowngrade => self.people.set_paid(session.person, false),
            _ => {}
        }
        session.item += 1;
        session.left -= 1;
        if let Some(room) = (self.end - 1 - ts).checked_div(session.left) {
            let paid = self.people.get(session.person).paid;
            session.place = pages::next(&mut self.rng, place, paid);
            let pause = pause(&mut self.rng, place.page, play.as_ref(), self.hasty);
            top.0.0 = ts + pause.min(room);
        } else {
            self.people.set_busy(session.person, false);
            PeekMut::pop(top);
            self.free.push(slot);
        }
        let (page, logged_in) = (place.page, place.logged_in);
        Some(Event { ts, session: id, item, page, logged_in, person, play })
    }
}

/// Many visits are short, some last for hours.
fn session_length(rng: &mut Rng) -> u64 {
    match rng.below(100) {
        0..40 => rng.between(1, 4),
        40..88 => rng.between(5, 24),
        _ => rng.between(20, 120),
    }
}

/// Milliseconds until the next event of the session.
fn pause(rng: &mut Rng, page: Page, play: Option<&Play>, hasty: bool) -> u64 {
    let dice = rng.below(1000);
    match (page, play) {
        // Skipped.
        (_, Some(play)) if dice < 60 => play.length / 100 * dice / 100 + 900,
        (_, Some(play)) => play.length / 100 + if dice > 980 { rng.below(900_000) } else { 0 },
        (Page::SubmitUpgrade | Page::SubmitDowngrade, None) if hasty => 0,
        (Page::Home, None) if dice < 90 => 0,
        _ => {
            let longest = 1 + rng.below(300_000);
            500 + rng.below(longest)
        }
    }
}
