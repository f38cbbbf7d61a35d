//! Spotify's extended streaming history, and account data.

use super::put;
use super::values::{
    ARTISTS, CLIENTS, MILLISECONDS, TITLES, figure, minutes, name, optional, rfc3339, second,
};
use crate::formats::json::{Json, Members, number, text};
use crate::formats::random::Random;

const TRACKS: [&str; 3] = [
    "spotify:track:0000000000000000000001",
    "spotify:track:0000000000000000000002",
    "spotify:local:a:b:c:201",
];
const EPISODES: [&str; 2] =
    ["spotify:episode:0000000000000000000003", "spotify:episode:0000000000000000000004"];
const REASONS: [&str; 5] = ["trackdone", "fwdbtn", "endplay", "unexpected-exit", "unknown"];

/// Puts null for some of the keys, and no value for the others.
fn put_absent(random: &mut Random, members: &mut Members, keys: &[&str]) {
    for key in keys {
        put(members, key, random.pick(&[Some(Json::Null), Some(Json::Null), Some(text("")), None]));
    }
}

fn put_name(random: &mut Random, members: &mut Members, key: &str, pool: &[&str]) {
    let name = name(random, pool);
    put(members, key, optional(random, name));
}

pub(super) fn extended(random: &mut Random) -> Members {
    const TRACK: [&str; 3] =
        ["master_metadata_track_name", "master_metadata_album_artist_name", "spotify_track_uri"];
    const EPISODE: [&str; 3] = ["episode_name", "episode_show_name", "spotify_episode_uri"];
    const BOOK: [&str; 4] =
        ["audiobook_title", "audiobook_uri", "audiobook_chapter_uri", "audiobook_chapter_title"];
    let mut members = Members::new();
    let end = second(random);
    put(&mut members, "ts", rfc3339(random, end));
    put(&mut members, "ms_played", figure(random, &MILLISECONDS));
    put_name(random, &mut members, "platform", &CLIENTS);
    put_name(random, &mut members, "conn_country", &["AT", "ZZ"]);
    put(&mut members, random.pick(&["ip_addr", "ip_addr_decrypted"]), text("192.0.2.7"));
    put_absent(random, &mut members, &["username", "user_agent_decrypted"]);
    put_name(random, &mut members, "master_metadata_album_album_name", &TITLES);
    let kind = random.below(10);
    let (track, episode, book) = (kind < 7, kind == 7, kind == 8);
    if track || book && random.one_in(3) {
        put_name(random, &mut members, TRACK[0], &TITLES);
        put_name(random, &mut members, TRACK[1], &ARTISTS);
        let uri = text(random.pick(&TRACKS));
        put(&mut members, TRACK[2], optional(random, uri));
    } else {
        put_absent(random, &mut members, &TRACK);
    }
    if episode || book && random.one_in(3) {
        put_name(random, &mut members, EPISODE[0], &TITLES);
        put_name(random, &mut members, EPISODE[1], &ARTISTS);
        let uri = text(random.pick(&EPISODES));
        put(&mut members, EPISODE[2], optional(random, uri));
    } else {
        put_absent(random, &mut members, &EPISODE);
    }
    if book {
        put_name(random, &mut members, BOOK[0], &TITLES);
        put(&mut members, BOOK[1], text("spotify:show:0000000000000000000005"));
        let uri = text(random.pick(&EPISODES));
        put(&mut members, BOOK[2], optional(random, uri));
        put_name(random, &mut members, BOOK[3], &TITLES);
    } else if random.one_in(2) {
        put_absent(random, &mut members, &BOOK);
    }
    put_name(random, &mut members, "reason_start", &REASONS);
    put_name(random, &mut members, "reason_end", &REASONS);
    for key in ["shuffle", "skipped", "offline", "incognito_mode"] {
        put(&mut members, key, random.pick(&[Json::Bool(true), Json::Bool(false), Json::Null]));
    }
    put(
        &mut members,
        "offline_timestamp",
        number(random.pick(&["1709284329", "1709284329123", "0"])),
    );
    members
}

pub(super) fn account(random: &mut Random) -> Members {
    let mut members = Members::new();
    let end = second(random);
    put(&mut members, "endTime", minutes(random, end));
    put(&mut members, "msPlayed", figure(random, &MILLISECONDS));
    let keys = match random.below(10) {
        0 => ["podcastName", "episodeName"],
        1 => ["audiobookName", "chapterName"],
        _ => ["artistName", "trackName"],
    };
    put_name(random, &mut members, keys[0], &ARTISTS);
    put_name(random, &mut members, keys[1], &TITLES);
    members
}

/// Changes fields outside of the identity: names only beside a URI.
pub(super) fn change(random: &mut Random, record: &mut Json) {
    if record.member("endTime").is_some() {
        return;
    }
    for key in ["reason_end", "reason_start"] {
        record.set(key, random.pick(&[text("trackdone"), text("fwdbtn"), Json::Null]));
    }
    record.set("offline_timestamp", number(random.pick(&["1709284329", "1709284329123"])));
    record.set("ip_addr", Json::Null);
    record.set("user_agent_decrypted", random.pick(&[Json::Null, text("unknown"), text("a%2Fb")]));
    if matches!(record.member("spotify_track_uri"), Some(Json::Text(uri)) if !uri.is_empty()) {
        record.set("master_metadata_track_name", name(random, &TITLES));
    }
}
