//! Export of a `ListenBrainz` account.

use super::put;
use super::values::{
    ARTISTS, CLIENTS, LENGTHS, MILLISECONDS, TITLES, figure, name, optional, second, whole,
};
use crate::formats::json::{Json, Members, number, object, text};
use crate::formats::random::Random;

const MSIDS: [&str; 2] =
    ["00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"];

fn put_name(random: &mut Random, members: &mut Members, key: &str, pool: &[&str]) {
    let name = name(random, pool);
    put(members, key, optional(random, name));
}

pub(super) fn record(random: &mut Random) -> Members {
    match random.below(14) {
        0 => object_members(random, &["score", "created"], &["recording_msid", "recording_mbid"]),
        1 => object_members(
            random,
            &["pinned_until", "created", "row_id"],
            &["blurb_content", "recording_msid", "user_name"],
        ),
        2 => object_members(random, &["user_id"], &["username"]),
        3 => object_members(random, &["created"], &["note"]),
        _ => listen(random),
    }
}

/// Record of another file of the export, whose time and metadata may be null.
fn object_members(random: &mut Random, numbers: &[&str], texts: &[&str]) -> Members {
    let mut members = Members::new();
    for key in numbers {
        put(&mut members, key, number(random.pick(&["1", "-1", "1709284329.25"])));
    }
    for key in texts {
        put(
            &mut members,
            key,
            random.pick(&[text("a"), text("a {\"b\"} ["), Json::Null, text("")]),
        );
    }
    if random.one_in(3) {
        put(&mut members, "track_metadata", random.pick(&[Json::Null, text("")]));
    }
    if random.one_in(4) {
        put(&mut members, "pinned_recording", object([("row_id", number(1))]));
    }
    members
}

fn listen(random: &mut Random) -> Members {
    let mut members = Members::new();
    if !random.one_in(16) {
        let start = second(random);
        put(&mut members, "listened_at", whole(random, start));
    }
    put(&mut members, "inserted_at", number(random.pick(&["1709284601.52", "1709284602"])));
    let metadata = match random.below(40) {
        0 => Json::Object(Members::new()),
        1 => random.pick(&[text("lost"), Json::Null, Json::List(Vec::new())]),
        _ => Json::Object(metadata(random)),
    };
    put(&mut members, "track_metadata", metadata);
    if random.one_in(6) {
        put(&mut members, "recording_msid", text(random.pick(&MSIDS)));
    }
    members
}

fn metadata(random: &mut Random) -> Members {
    let mut metadata = Members::new();
    put_name(random, &mut metadata, "track_name", &TITLES);
    put_name(random, &mut metadata, "artist_name", &ARTISTS);
    put_name(random, &mut metadata, "release_name", &TITLES);
    if random.one_in(2) {
        let msid = text(random.pick(&MSIDS));
        put(&mut metadata, "recording_msid", optional(random, msid));
    }
    put(&mut metadata, "mbid_mapping", mapping(random));
    let mut info = Members::new();
    match random.below(4) {
        0 => put(&mut info, "duration", figure(random, &LENGTHS)),
        1 => {
            put(&mut info, "duration_ms", random.pick(&[Json::Null, text(""), number("4120")]));
            put(&mut info, "duration", figure(random, &LENGTHS));
        }
        2 => put(&mut info, "duration_ms", figure(random, &MILLISECONDS)),
        _ => {}
    }
    put_name(random, &mut info, "media_player", &CLIENTS);
    put_name(random, &mut info, "submission_client", &CLIENTS);
    put(&mut info, "tracknumber", random.pick(&[number(3), text("3")]));
    put(&mut info, "artist_names", Json::List(vec![text("Nora Vale"), text("]")]));
    let info = random.pick(&[Json::Object(info.clone()), Json::Object(info), Json::Null]);
    put(&mut metadata, "additional_info", info);
    metadata
}

fn mapping(random: &mut Random) -> Json {
    let artist = object([("artist_credit_name", text("x")), ("join_phrase", text(" & "))]);
    random.pick(&[
        Json::Null,
        object([("recording_mbid", text("aa")), ("artist_mbids", Json::List(Vec::new()))]),
        object([("recording_name", text("Other")), ("artists", Json::List(vec![artist]))]),
    ])
}

/// Changes fields outside of the identity: names only beside an MSID.
pub(super) fn change(random: &mut Random, record: &mut Json) {
    record.set("inserted_at", number(random.pick(&["1709290000.5", "1709290001"])));
    let Some(Json::Object(members)) = record.member("track_metadata") else { return };
    let mut metadata = Json::Object(members.clone());
    metadata.set("mbid_mapping", mapping(random));
    if matches!(metadata.member("recording_msid"), Some(Json::Text(msid)) if !msid.is_empty()) {
        metadata.set("track_name", text(random.pick(&TITLES)));
    }
    record.set("track_metadata", metadata);
}
