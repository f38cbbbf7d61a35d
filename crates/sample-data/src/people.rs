//! The listeners: who they are, what they pay, how often they come.
//!
//! A listener takes two dozen bytes; names, places and browsers are numbers into short lists.

use super::Request;
use super::calendar::DAY_MS;
use super::rng::{Popularity, Rng};
use super::words::{FAMILIES, MEN, WOMEN};

const PEOPLE_STREAM: u64 = 3;
/// How many places there are to live in.
pub(super) const PLACES: usize = 320;
/// The first user id, as in the course.
const FIRST_ID: u32 = 2;

/// The browsers of the time; those in quotes carry them in the logs, too.
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

/// One listener.
#[derive(Clone, Copy)]
pub(super) struct Person {
    pub(super) id: u32,
    /// Milliseconds since 1970.
    pub(super) registered: u64,
    pub(super) first: u8,
    pub(super) last: u8,
    pub(super) place: u16,
    pub(super) agent: u8,
    pub(super) woman: bool,
    pub(super) paid: bool,
    /// Whether a session is open.
    pub(super) busy: bool,
}

/// All listeners.
pub(super) struct People {
    list: Vec<Person>,
    activity: Popularity,
}

impl People {
    /// `start` is the first day's first millisecond; everybody registered before.
    pub(super) fn new(request: &Request, start: u64) -> Self {
        let mut rng = Rng::new(request.seed, PEOPLE_STREAM);
        let activity = Popularity::new(request.users, 3 + u64::from(request.users) / 50, &mut rng);
        let keen = request.users / 5;
        let list = (FIRST_ID..)
            .zip(activity.ranks())
            .map(|(id, &rank)| draw_person(&mut rng, id, rank <= keen, start))
            .collect();
        Self { list, activity }
    }

    /// Someone to open a session: one who has none, unless nearly all have.
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

    pub(super) fn get(&self, index: usize) -> Person {
        self.list[index]
    }

    pub(super) fn set_busy(&mut self, index: usize, busy: bool) {
        self.list[index].busy = busy;
    }

    pub(super) fn set_paid(&mut self, index: usize, paid: bool) {
        self.list[index].paid = paid;
    }
}

fn draw_person(rng: &mut Rng, id: u32, keen: bool, start: u64) -> Person {
    let woman = rng.chance(560);
    let small = |index: usize| u8::try_from(index).unwrap_or(0);
    let ago = rng.between(DAY_MS / 2, 150 * DAY_MS).min(start);
    Person {
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
