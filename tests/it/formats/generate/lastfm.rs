//! Tracks of Last.fm's API pages.

use super::put;
use super::values::{ARTISTS, TITLES, name, optional, second, whole, wrong};
use crate::formats::json::{Json, Members, number, object, text};
use crate::formats::random::Random;

pub(super) fn record(random: &mut Random) -> Members {
    let mut members = Members::new();
    let mut artist = Members::new();
    put(&mut artist, "mbid", text(""));
    if !random.one_in(4) {
        let name = name(random, &ARTISTS);
        put(&mut artist, "#text", optional(random, name));
    }
    if random.one_in(3) {
        let name = name(random, &ARTISTS);
        put(&mut artist, "name", optional(random, name));
        put(&mut artist, "url", text("https://example.invalid/{x}"));
    }
    let artist = if random.one_in(40) { text("Nora Vale") } else { Json::Object(artist) };
    put(&mut members, "artist", artist);
    let title = name(random, &TITLES);
    put(&mut members, "name", optional(random, title));
    put(&mut members, "mbid", text(""));
    let album = random.pick(&["Tidelines", "Other \"album\"", "", "7"]);
    put(&mut members, "album", object([("mbid", text("")), ("#text", text(album))]));
    put(&mut members, "streamable", text("0"));
    put(&mut members, "image", images());
    put(&mut members, "loved", random.pick(&[Some(text("1")), None]));
    match random.below(16) {
        0 => put(&mut members, "@attr", object([("nowplaying", text("true"))])),
        1 => {
            // With a date, or with a wrong one, it is still being played.
            put(&mut members, "@attr", object([("nowplaying", text("true"))]));
            let uts = if random.one_in(2) { wrong(random) } else { text("1709284329") };
            put(&mut members, "date", object([("uts", uts)]));
        }
        2 => {
            let date = [
                ("uts", random.pick(&[text("0"), number(0)])),
                ("#text", text("01 Jan 1970, 00:00")),
            ];
            put(&mut members, "date", object(date));
        }
        3 => put(&mut members, "date", random.pick(&[None, Some(Json::Null), Some(text(""))])),
        other => {
            if other == 4 {
                put(&mut members, "@attr", object([("nowplaying", text("false"))]));
            }
            let start = second(random);
            let date = [("uts", whole(random, start)), ("#text", text("01 Mar 2024, 09:12"))];
            put(&mut members, "date", object(date));
        }
    }
    members
}

fn images() -> Json {
    let image =
        |size: &str| object([("size", text(size)), ("#text", text("https://example.invalid/]"))]);
    Json::List(vec![image("small"), image("large")])
}

/// Changes fields outside of the identity.
pub(super) fn change(random: &mut Random, record: &mut Json) {
    record.set("mbid", text(random.pick(&["", "00000000-0000-4000-8000-0000000000aa"])));
    record.set("image", random.pick(&[Json::List(Vec::new()), images()]));
    record.set("loved", text(random.pick(&["0", "1"])));
    record.set("streamable", text("1"));
}
