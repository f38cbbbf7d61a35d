//! Stream `listen_events` of eventsim's forks.

use super::put;
use super::values::{
    ARTISTS, CLIENTS, LENGTHS, TITLES, figure, joined, name, optional, second, whole,
};
use crate::formats::json::{Json, Members, number, text};
use crate::formats::random::Random;

pub(super) fn record(random: &mut Random) -> Members {
    let mut members = Members::new();
    let optional_name = |random: &mut Random, pool: &[&str]| {
        let name = name(random, pool);
        optional(random, name)
    };
    put(&mut members, "artist", optional_name(random, &ARTISTS));
    put(&mut members, "song", optional_name(random, &TITLES));
    put(&mut members, "duration", figure(random, &LENGTHS));
    let ms = second(random).saturating_mul(1_000).saturating_add(random.pick(&[0, 0, 123, 999]));
    put(&mut members, "ts", whole(random, ms));
    let session = random.pick(&[7, 7, 8, -1, i64::MAX]);
    match random.below(6) {
        0 => put(&mut members, "sessionid", whole(random, session)),
        1 => {
            put(&mut members, "sessionId", Json::Null);
            put(&mut members, "sessionid", whole(random, session));
        }
        2 => {
            put(&mut members, "sessionId", whole(random, session));
            put(&mut members, "sessionid", number(99));
        }
        _ => put(&mut members, "sessionId", whole(random, session)),
    }
    put(&mut members, "auth", optional_name(random, &["Logged In", "Logged Out"]));
    put(&mut members, "level", optional_name(random, &["free", "paid"]));
    let last = if random.one_in(8) { 2_147_483_648 } else { 2_147_483_647 };
    let item = random.pick(&[0, 0, 1, last]);
    put(&mut members, "itemInSession", whole(random, item));
    put(&mut members, "city", joined(random, &["Springfield", "Malm\u{f6}"]));
    put(&mut members, "zip", text("00000"));
    put(&mut members, "state", joined(random, &["XX", "CA"]));
    put(&mut members, "userAgent", optional_name(random, &CLIENTS));
    put(&mut members, "lon", number("-72.5"));
    put(&mut members, "lat", number("40.8"));
    if random.one_in(4) {
        put(&mut members, "userId", random.pick(&[None, Some(text("")), Some(Json::Null)]));
    } else {
        let user = random.pick(&[12, 12, 49, -3]);
        put(&mut members, "userId", whole(random, user));
        put(&mut members, "lastName", optional_name(random, &["Doe", "Brandt"]));
        put(&mut members, "firstName", optional_name(random, &["Jo", "Zo\u{c3}\u{ab}"]));
        put(&mut members, "gender", optional_name(random, &["F", "M"]));
        put(
            &mut members,
            "registration",
            figure(random, &["1700000000000", "1.7e12", "0", "-1.5"]),
        );
        put(&mut members, "tag", text("control"));
    }
    members
}

/// Changes fields outside of the identity.
pub(super) fn change(random: &mut Random, record: &mut Json) {
    record.set("level", text(random.pick(&["free", "paid"])));
    record.set("tag", text("other"));
    record.set("city", text(random.pick(&["Springfield", "Shelbyville"])));
}
