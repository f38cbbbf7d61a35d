//! Formatting of events as JSON lines from prepared fragments.

use super::names;
use super::pages::Page;
use super::rng::Rng;
use super::sessions::Event;
use super::text::{push_decimal, push_number, push_text};
use super::users::{AGENTS, PLACES};
use super::words::{FAMILIES, MEN, WOMEN};

const RENDER_STREAM: u64 = 5;

/// Prepared JSON fragments, copied for each event.
pub(super) struct Renderer {
    women: Vec<Vec<u8>>,
    men: Vec<Vec<u8>>,
    families: Vec<Vec<u8>>,
    places: Vec<Vec<u8>>,
    agents: Vec<Vec<u8>>,
}

fn quoted(text: &str, before: &str, after: &str) -> Vec<u8> {
    let mut out = before.as_bytes().to_vec();
    push_text(&mut out, text);
    out.extend_from_slice(after.as_bytes());
    out
}

impl Renderer {
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed, RENDER_STREAM);
        let first = |list: &[&str], gender: &str| {
            let before = ",\"auth\":\"Logged In\",\"firstName\":";
            let after = format!(",\"gender\":\"{gender}\",\"itemInSession\":");
            list.iter().map(|name| quoted(name, before, &after)).collect()
        };
        let last = |name: &&str| quoted(name, ",\"lastName\":", ",\"length\":");
        let agent = |name: &&str| quoted(name, ",\"userAgent\":", ",\"userId\":\"");
        Self {
            women: first(WOMEN, "F"),
            men: first(MEN, "M"),
            families: FAMILIES.iter().map(last).collect(),
            places: (0..PLACES).map(|_| quoted(&names::metropolis(&mut rng), "", "")).collect(),
            agents: AGENTS.iter().map(agent).collect(),
        }
    }

    /// Writes one event without a line break.
    pub(super) fn render(&self, event: &Event, out: &mut Vec<u8>) {
        let person = &event.person;
        let level: &[u8] = if person.paid { b"paid" } else { b"free" };
        out.extend_from_slice(b"{\"artist\":");
        out.extend_from_slice(event.play.map_or(b"null", |p| p.artist));
        if event.logged_in {
            let names = if person.woman { &self.women } else { &self.men };
            out.extend_from_slice(&names[usize::from(person.first)]);
            push_number(out, event.item);
            out.extend_from_slice(&self.families[usize::from(person.last)]);
        } else {
            out.extend_from_slice(
                b",\"auth\":\"Logged Out\",\"firstName\":null,\"gender\":null,\"itemInSession\":",
            );
            push_number(out, event.item);
            out.extend_from_slice(b",\"lastName\":null,\"length\":");
        }
        match event.play {
            Some(play) => push_decimal(out, play.length),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"level\":\"");
        out.extend_from_slice(level);
        out.extend_from_slice(b"\",\"location\":");
        if event.logged_in {
            out.extend_from_slice(&self.places[usize::from(person.place)]);
            out.extend_from_slice(event.page.fragment());
            push_number(out, person.registered);
            out.extend_from_slice(b".0");
        } else {
            out.extend_from_slice(b"null");
            out.extend_from_slice(event.page.fragment());
            out.extend_from_slice(b"null");
        }
        self.render_rest(event, out);
    }

    fn render_rest(&self, event: &Event, out: &mut Vec<u8>) {
        out.extend_from_slice(b",\"sessionId\":");
        push_number(out, event.session);
        out.extend_from_slice(b",\"song\":");
        out.extend_from_slice(event.play.map_or(b"null", |p| p.title));
        out.extend_from_slice(event.page.status());
        push_number(out, event.ts);
        if event.logged_in {
            out.extend_from_slice(&self.agents[usize::from(event.person.agent)]);
            push_number(out, u64::from(event.person.id));
            out.extend_from_slice(b"\"}");
        } else {
            out.extend_from_slice(b",\"userAgent\":null,\"userId\":\"\"}");
        }
    }
}

/// Returns true if the event is a song play.
pub(super) fn is_play(event: &Event) -> bool {
    event.page == Page::NextSong
}
