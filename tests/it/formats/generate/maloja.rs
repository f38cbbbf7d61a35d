//! Scrobbles of Maloja.

use super::put;
use super::values::{ARTISTS, LENGTHS, TITLES, figure, joined, name, optional, second, whole};
use crate::formats::json::{Json, Members, number, object, text};
use crate::formats::random::Random;

pub(super) fn record(random: &mut Random) -> Members {
    let mut members = Members::new();
    let start = second(random);
    put(&mut members, "time", whole(random, start));
    let mut track = Members::new();
    put(&mut track, "artists", artists(random));
    let title = name(random, &TITLES);
    put(&mut track, "title", optional(random, title));
    let album =
        object([("artists", Json::List(vec![text("x")])), ("albumtitle", text("Tidelines"))]);
    put(&mut track, "album", random.pick(&[Some(album), Some(Json::Null), None]));
    put(&mut track, "length", figure(random, &LENGTHS));
    put(&mut members, "track", Json::Object(track));
    if random.one_in(3) {
        put(&mut members, "origin", text("import:spotify"));
        put(&mut members, "duration", figure(random, &LENGTHS));
    } else {
        let origin = name(random, &["client:invented", "import:lastfm", "client:{\"x\"}"]);
        put(&mut members, "origin", optional(random, origin));
        put(&mut members, "duration", random.pick(&[Json::Null, number(190), number(0)]));
    }
    members
}

fn artists(random: &mut Random) -> Option<Json> {
    let mut names = Vec::new();
    for _ in 0..random.pick(&[0, 1, 1, 2, 2, 3]) {
        let artist = random.pick(&ARTISTS);
        names.push(random.pick(&[text(""), Json::Null, text(artist), text(artist), text("a")]));
    }
    match random.below(30) {
        0 => None,
        1 => Some(Json::Null),
        2 | 3 => joined(random, &["Nora Vale"]),
        _ => Some(Json::List(names)),
    }
}

/// Changes fields outside of the identity, among them the order of the artists.
pub(super) fn change(random: &mut Random, record: &mut Json) {
    let Some(Json::Object(members)) = record.member("track") else { return };
    let mut track = Json::Object(members.clone());
    if let Some(Json::List(names)) = track.member("artists") {
        let mut names = names.clone();
        random.shuffle(&mut names);
        track.set("artists", Json::List(names));
    }
    track.set("length", random.pick(&[Json::Null, number(201), number("201.5")]));
    track.set("album", Json::Null);
    record.set("track", track);
}
