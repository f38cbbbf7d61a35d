//! Generated exports, difficult to read and full of collisions.
//!
//! Values come from small pools, so that times and identities collide. A record has its keys in any
//! order, unknown and repeated keys, and wrong types in a small share of its values.

mod eventsim;
mod files;
mod koito;
mod lastfm;
mod listenbrainz;
mod maloja;
mod spotify;
mod values;

pub(super) use files::{Export, write_exports};

use super::json::{Json, Members};
use super::random::Random;
use super::source::Source;

/// Returns a record as this kind of export contains it.
pub(super) fn record(source: Source, random: &mut Random) -> Json {
    let mut members = match source {
        Source::Eventsim => eventsim::record(random),
        Source::SpotifyExtended => spotify::extended(random),
        Source::SpotifyAccount => spotify::account(random),
        Source::ListenBrainz => listenbrainz::record(random),
        Source::LastFm => lastfm::record(random),
        Source::Maloja => maloja::record(random),
        Source::Koito => koito::record(random),
    };
    values::disturb(random, &mut members);
    Json::Object(members)
}

/// Returns the record as a later export of the same account repeats it: its identity is the same,
/// other fields are not.
pub(super) fn repeated(source: Source, record: &Json, random: &mut Random) -> Json {
    let mut record = record.clone();
    match source {
        Source::Eventsim => eventsim::change(random, &mut record),
        Source::SpotifyExtended | Source::SpotifyAccount => spotify::change(random, &mut record),
        Source::ListenBrainz => listenbrainz::change(random, &mut record),
        Source::LastFm => lastfm::change(random, &mut record),
        Source::Maloja => maloja::change(random, &mut record),
        Source::Koito => koito::change(random, &mut record),
    }
    record
}

/// Appends a member if there is a value.
fn put(members: &mut Members, key: &str, value: impl Into<Option<Json>>) {
    members.extend(value.into().map(|value| (key.to_owned(), value)));
}
