//! Simulation of sessions: a priority queue of open sessions by the time of their next event.
//!
//! The number of events of a session is fixed when it opens. Sessions are opened until their events
//! reach the calendar's number, so the total is exact while pauses stay realistic: a song plays for
//! its duration, and a session may run past midnight. Pauses are shortened only before the end of
//! the last day. Memory: one entry per open session.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use super::Request;
use super::calendar::{DAY_MS, MINUTE_MS};
use super::pages::{self, Page, SessionState};
use super::rng::Rng;
use super::tracks::{Play, TrackPool};
use super::users::{User, Users};

const SESSION_STREAM: u64 = 4;

/// Event of the log.
pub(super) struct Event<'a> {
    pub(super) ts: u64,
    pub(super) session: u64,
    pub(super) item: u64,
    pub(super) page: Page,
    /// False for null user fields.
    pub(super) logged_in: bool,
    pub(super) person: User,
    pub(super) play: Option<Play<'a>>,
}

struct Session {
    id: u64,
    person: usize,
    item: u64,
    left: u64,
    state: SessionState,
}

/// Open sessions and the users that open them.
pub(super) struct SessionPool<'a> {
    rng: Rng,
    people: Users,
    tracks: &'a TrackPool,
    sessions: Vec<Session>,
    free: Vec<usize>,
    due: BinaryHeap<Reverse<(u64, usize)>>,
    started: u64,
    last_id: u64,
    /// End of the last day (exclusive).
    end: u64,
    /// True if the event after a level change has the same timestamp.
    hasty: bool,
}

impl<'a> SessionPool<'a> {
    pub(super) fn new(request: &Request, tracks: &'a TrackPool, start: u64) -> Self {
        Self {
            rng: Rng::new(request.seed, SESSION_STREAM),
            people: Users::new(request, start),
            tracks,
            sessions: Vec::new(),
            free: Vec::new(),
            due: BinaryHeap::new(),
            started: 0,
            last_id: 0,
            end: start + u64::from(request.days) * DAY_MS,
            hasty: request.awkward,
        }
    }

    /// Opens sessions in the minute from `from` until their events reach `target`. No session takes
    /// the total beyond `limit`.
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
        let state = pages::first(&mut self.rng);
        let session = Session { id: self.last_id, person, item: 0, left: length, state };
        let slot = if let Some(slot) = self.free.pop() {
            self.sessions[slot] = session;
            slot
        } else {
            self.sessions.push(session);
            self.sessions.len() - 1
        };
        self.due.push(Reverse((at, slot)));
    }

    /// Returns the next event before `until`.
    pub(super) fn next(&mut self, until: u64) -> Option<Event<'a>> {
        let mut top = self.due.peek_mut()?;
        let Reverse((ts, slot)) = *top;
        if ts >= until {
            return None;
        }
        let session = &mut self.sessions[slot];
        let state = session.state;
        let person = self.people.get(session.person);
        let play = (state.page == Page::NextSong).then(|| self.tracks.play(&mut self.rng));
        let (id, item) = (session.id, session.item);
        match state.page {
            Page::SubmitUpgrade => self.people.set_paid(session.person, true),
            Page::SubmitDowngrade => self.people.set_paid(session.person, false),
            _ => {}
        }
        session.item += 1;
        session.left -= 1;
        if let Some(room) = (self.end - 1 - ts).checked_div(session.left) {
            let paid = self.people.get(session.person).paid;
            session.state = pages::next(&mut self.rng, state, paid);
            let pause = pause(&mut self.rng, state.page, play.as_ref(), self.hasty);
            top.0.0 = ts + pause.min(room);
        } else {
            self.people.set_busy(session.person, false);
            PeekMut::pop(top);
            self.free.push(slot);
        }
        let (page, logged_in) = (state.page, state.logged_in);
        Some(Event { ts, session: id, item, page, logged_in, person, play })
    }
}

/// Draws the number of events of a session: many are short, some last for hours.
fn session_length(rng: &mut Rng) -> u64 {
    match rng.below(100) {
        0..40 => rng.between(1, 4),
        40..88 => rng.between(5, 24),
        _ => rng.between(20, 120),
    }
}

/// Draws the milliseconds until the next event of the session.
fn pause(rng: &mut Rng, page: Page, play: Option<&Play>, hasty: bool) -> u64 {
    let dice = rng.below(1000);
    match (page, play) {
        // Skipped before its end.
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
