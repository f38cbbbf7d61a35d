//! Listens of Koito.

use super::put;
use super::values::{ARTISTS, CLIENTS, LENGTHS, TITLES, figure, name, optional, rfc3339, second};
use crate::formats::json::{Json, Members, object, text};
use crate::formats::random::Random;

pub(super) fn record(random: &mut Random) -> Members {
    let mut members = Members::new();
    let start = second(random);
    put(&mut members, "listened_at", rfc3339(random, start));
    let client = name(random, &CLIENTS);
    put(&mut members, "client", optional(random, client));
    let mut track = Members::new();
    put(&mut track, "mbid", Json::Null);
    put(&mut track, "duration", figure(random, &LENGTHS));
    put(&mut track, "aliases", aliases(random, &TITLES));
    put(&mut members, "track", Json::Object(track));
    let album = [("aliases", Json::List(Vec::new())), ("various_artists", Json::Bool(false))];
    put(&mut members, "album", random.pick(&[object(album), Json::Null]));
    let mut artists = Vec::new();
    for _ in 0..random.pick(&[0, 1, 1, 1, 2, 3]) {
        let mut artist = Members::new();
        put(&mut artist, "image_url", text("]"));
        put(&mut artist, "is_primary", is_primary(random));
        put(&mut artist, "aliases", aliases(random, &ARTISTS));
        artists.push(Json::Object(artist));
    }
    let artists = Json::List(artists);
    put(&mut members, "artists", if random.one_in(20) { Json::Null } else { artists });
    members
}

/// Only true means primary.
fn is_primary(random: &mut Random) -> Option<Json> {
    let values = [Json::Bool(true), Json::Bool(false), Json::Bool(false), Json::Null];
    (!random.one_in(8)).then(|| random.pick(&values))
}

fn aliases(random: &mut Random, pool: &[&str]) -> Option<Json> {
    let mut aliases = Vec::new();
    for _ in 0..random.pick(&[0, 1, 1, 1, 1, 2, 2, 3]) {
        let mut alias = Members::new();
        let name = name(random, pool);
        put(&mut alias, "alias", optional(random, name));
        put(&mut alias, "source", text("Import"));
        put(&mut alias, "is_primary", is_primary(random));
        aliases.push(Json::Object(alias));
    }
    (!random.one_in(20)).then_some(Json::List(aliases))
}

/// Changes fields outside of the identity.
pub(super) fn change(random: &mut Random, record: &mut Json) {
    record.set("client", random.pick(&[text(""), text("other"), Json::Null]));
    record.set("album", Json::Null);
}
