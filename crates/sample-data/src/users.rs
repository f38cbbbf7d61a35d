//! Users: profile, level and activity.
//!
//! A user takes about two dozen bytes; names, locations and browsers are indexes of short lists.

use super::Request;
use super::calendar::DAY_MS;
use super::rng::{Popularity, Rng};
use super::words::{FAMILIES, MEN, WOMEN};

const USER_STREAM: u64 = 3;
/// Number of distinct locations.
pub(super) const PLACES: usize = 320;
/// First user ID, as in the course data.
const FIRST_ID: u32 = 2;

/// User agents of the time. Some have quotes in the real logs, too.
pub(super) const AGENTS: &[&str] = &[
    "\"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9_4) AppleWebKit/537.36 \
     (KHTML, like Gecko) Chrome/36.0.1985.143 Safari/537.36\"",
    "\"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9_4) AppleWebKit/537.78.2 \
     (KHTML, like Gecko) Version/7.0.6 Safari/537.78.2\"",
    "Mozilla/5.0 (Windows NT 5.1; rv:31.0) Gecko/20100101 Firefox/31.0",
    "\"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 \
     (KHTML, like Gecko) Chrome/37.0.2062.94 Safari/537.36\"",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.9; rv:31.0) Gecko/20100101 Firefox/31.0",
    "\"Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 \
     (KHTML, like Gecko) Chrome/36.0.1985.125 Safari/537.36\"",
    "\"Mozilla/5.0 (Windows NT 6.3; WOW64) AppleWebKit/537.36 \
     (KHTML, like Gecko) Chrome/36.0.1985.143 Safari/537.36\"",
    "Mozilla/5.0 (Windows NT 6.1; WOW64; rv:31.0) Gecko/20100101 Firefox/31.0",
    "\"Mozilla/5.0 (iPhone; CPU iPhone OS 7_1_2 like Mac OS X) AppleWebKit/537.51.2 \
     (KHTML, like Gecko) Version/7.0 Mobile/11D257 Safari/9537.53\"",
    "\"Mozilla/5.0 (iPad; CPU OS 7_1_2 like Mac OS X) AppleWebKit/537.51.2 \
     (KHTML, like Gecko) Version/7.0 Mobile/11D257 Safari/9537.53\"",
    "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",
    "Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; WOW64; Trident/6.0)",
    "Mozilla/5.0 (X11; Linux x86_64; rv:31.0) Gecko/20100101 Firefox/31.0",
];

/// User with the state of the simulation.
#[derive(Clone, Copy)]
pub(super) struct User {
    pub(super) id: u32,
    /// Registration time, milliseconds since 1970-01-01.
    pub(super) registered: u64,
    pub(super) first: u8,
    pub(super) last: u8,
    pub(super) place: u16,
    pub(super) agent: u8,
    pub(super) woman: bool,
    pub(super) paid: bool,
    /// True while a session is open.
    pub(super) busy: bool,
}

/// All users.
pub(super) struct Users {
    list: Vec<User>,
    activity: Popularity,
}

impl Users {
    /// Draws the users. All registered before `start`, in milliseconds since 1970-01-01.
    pub(super) fn new(request: &Request, start: u64) -> Self {
        let mut rng = Rng::new(request.seed, USER_STREAM);
        let activity = Popularity::new(request.users, 3 + u64::from(request.users) / 50, &mut rng);
        let keen = request.users / 5;
        let list = (FIRST_ID..)
            .zip(activity.ranks())
            .map(|(id, &rank)| draw_user(&mut rng, id, rank <= keen, start))
            .collect();
        Self { list, activity }
    }

    /// Draws a user for a new session, preferably one without an open session.
    pub(super) fn choose(&self, rng: &mut Rng) -> usize {
        let mut chosen = 0;
        for _ in 0..6 {
            chosen = self.activity.draw(rng);
            if !self.list[chosen].busy {
                break;
            }
        }
        chosen
    }

    pub(super) fn get(&self, index: usize) -> User {
        self.list[index]
    }

    pub(super) fn set_busy(&mut self, index: usize, busy: bool) {
        self.list[index].busy = busy;
    }

    pub(super) fn set_paid(&mut self, index: usize, paid: bool) {
        self.list[index].paid = paid;
    }
}

fn draw_user(rng: &mut Rng, id: u32, keen: bool, start: u64) -> User {
    let woman = rng.chance(560);
    let small = |index: usize| u8::try_from(index).unwrap_or(0);
    let ago = rng.between(DAY_MS / 2, 150 * DAY_MS).min(start);
    User {
        id,
        registered: start - ago,
        first: small(rng.index(if woman { WOMEN.len() } else { MEN.len() })),
        last: small(rng.index(FAMILIES.len())),
        place: u16::try_from(rng.index(PLACES).min(rng.index(PLACES))).unwrap_or(0),
        agent: small(rng.index(AGENTS.len()).min(rng.index(AGENTS.len()))),
        woman,
        paid: rng.chance(if keen { 600 } else { 120 }),
        busy: false,
    }
}
