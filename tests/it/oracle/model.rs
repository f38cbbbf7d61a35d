//! The six tables of the model, from staged rows (rules, sections Star schema, Ties and
//! deduplication).

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet};

use super::cell::{self, nullable};
use super::rows::{Event, Song};

type Rows = Vec<Vec<String>>;

/// Returns the sorted rows of each table, and the number of duplicate plays.
pub(crate) fn tables(events: &[Event], songs: &[Song]) -> (BTreeMap<&'static str, Rows>, usize) {
    let plays: Vec<&Event> = events.iter().filter(|event| event.page == "NextSong").collect();
    let facts = facts(&plays);
    let mut tables = BTreeMap::from([
        ("songplays", songplays(&facts, songs)),
        ("users", users(events)),
        ("user_levels", user_levels(events)),
        ("songs", catalogue(songs)),
        ("artists", artists(songs)),
        ("time", times(&facts)),
    ]);
    for rows in tables.values_mut() {
        rows.sort();
    }
    (tables, plays.len() - facts.len())
}

/// Finite double with a total order.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Double(f64);

impl Eq for Double {}

impl PartialOrd for Double {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Double {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.partial_cmp(&other.0).expect("staged doubles are finite")
    }
}

/// "Text is compared by its UTF-8 bytes; null comes last unless stated otherwise."
fn nulls_last<T: Ord>(value: Option<T>) -> (bool, Option<T>) {
    (value.is_none(), value)
}

/// Groups rows by a key.
fn grouped<'a, T, K: Ord>(
    rows: impl IntoIterator<Item = &'a T>,
    key: impl Fn(&'a T) -> K,
) -> BTreeMap<K, Vec<&'a T>> {
    let mut groups: BTreeMap<K, Vec<&T>> = BTreeMap::new();
    for row in rows {
        groups.entry(key(row)).or_default().push(row);
    }
    groups
}

/// "Location `""` becomes null in the model tables."
fn known_location(location: Option<&str>) -> Option<&str> {
    location.filter(|location| !location.is_empty())
}

/// "Year 0 becomes null in the model tables."
fn known_year(song: &Song) -> Option<i32> {
    song.year.filter(|&year| year != 0)
}

/// "Events with `page = 'NextSong'` and the same natural key are one play. Of copies that differ,
/// the first by `(song, artist, length, level, location, user_agent)` wins."
fn facts<'a>(plays: &[&'a Event]) -> Vec<&'a Event> {
    grouped(plays.iter().copied(), |e| (e.session_id, e.item_in_session, e.ts, e.user_id))
        .into_values()
        .map(|mut copies| {
            copies.sort_by_key(|e| {
                (
                    nulls_last(e.song.as_deref()),
                    nulls_last(e.artist.as_deref()),
                    nulls_last(e.length.map(Double)),
                    nulls_last(e.level.as_deref()),
                    nulls_last(e.location.as_deref()),
                    nulls_last(e.user_agent.as_deref()),
                )
            });
            copies[0]
        })
        .collect()
}

fn songplays(facts: &[&Event], songs: &[Song]) -> Rows {
    let titles = grouped(songs, |song| (song.title.as_str(), song.artist_name.as_str()));
    let row = |play: &&Event| {
        // A play without a title or an artist matches no song.
        let named = play.song.as_deref().zip(play.artist.as_deref());
        let candidates = named.and_then(|named| titles.get(&named));
        let found = candidates.map(|candidates| matched(play, candidates));
        vec![
            songplay_id(play),
            cell::timestamp(play.ts),
            nullable(play.user_id, cell::integer),
            nullable(play.level.as_deref(), cell::text),
            nullable(found.map(|(song, _)| song.song_id.as_str()), cell::text),
            nullable(found.map(|(song, _)| song.artist_id.as_str()), cell::text),
            cell::integer(play.session_id),
            nullable(known_location(play.location.as_deref()), cell::text),
            nullable(play.user_agent.as_deref(), cell::text),
            cell::integer(play.item_in_session),
            nullable(play.song.as_deref(), cell::text),
            nullable(play.artist.as_deref(), cell::text),
            nullable(play.length, cell::double),
            nullable(found.map(|(_, method)| method), cell::text),
        ]
    };
    facts.iter().map(row).collect()
}

/// "md5 of `session_id|item_in_session|ts|user_id` as a UUID (decimal digits; nothing after the
/// last bar for a guest)."
fn songplay_id(play: &Event) -> String {
    let user = play.user_id.map_or(String::new(), |user| user.to_string());
    cell::md5_uuid(&format!("{}|{}|{}|{user}", play.session_id, play.item_in_session, play.ts))
}

/// "Same title and artist name, then the first by `(distance of duration to length, song_id,
/// artist_id)`. Without a length all distances are equal. `exact` if the distance is at most 0.001
/// s." The catalogue is every staged song record.
fn matched<'a>(play: &Event, candidates: &[&'a Song]) -> (&'a Song, &'static str) {
    let distance = |song: &Song| play.length.map(|length| (song.duration - length).abs());
    let mut candidates = candidates.to_vec();
    candidates.sort_by_key(|song| (distance(song).map(Double), &song.song_id, &song.artist_id));
    let song = candidates[0];
    let exact = distance(song).is_some_and(|distance| distance <= 0.001);
    (song, if exact { "exact" } else { "title_artist" })
}

/// "The last event by `(ts, session_id, item_in_session)`; among equals the first by `(level,
/// first_name, last_name, gender)`", for each logged-in user of any page.
fn users(events: &[Event]) -> Rows {
    let logged_in = events.iter().filter(|event| event.user_id.is_some());
    grouped(logged_in, |event| event.user_id)
        .into_iter()
        .map(|(user_id, mut events)| {
            events.sort_by_key(|e| {
                (
                    Reverse((e.ts, e.session_id, e.item_in_session)),
                    nulls_last(e.level.as_deref()),
                    nulls_last(e.first_name.as_deref()),
                    nulls_last(e.last_name.as_deref()),
                    nulls_last(e.gender.as_deref()),
                )
            });
            let latest = events[0];
            vec![
                nullable(user_id, cell::integer),
                nullable(latest.first_name.as_deref(), cell::text),
                nullable(latest.last_name.as_deref(), cell::text),
                nullable(latest.gender.as_deref(), cell::text),
                nullable(latest.level.as_deref(), cell::text),
            ]
        })
        .collect()
}

/// "Events with a level, by `(ts, session_id, item_in_session, level)`. A change at equal `ts`
/// gives a period of zero length." A period ends at the first event of the next level; the last one
/// is open.
fn user_levels(events: &[Event]) -> Rows {
    let with_level = events.iter().filter(|event| event.user_id.is_some() && event.level.is_some());
    let mut rows = Rows::new();
    for (user_id, mut events) in grouped(with_level, |event| event.user_id) {
        events.sort_by_key(|e| (e.ts, e.session_id, e.item_in_session, &e.level));
        let periods: Vec<&[&Event]> = events.chunk_by(|a, b| a.level == b.level).collect();
        for (index, period) in periods.iter().enumerate() {
            let next = periods.get(index + 1);
            rows.push(vec![
                nullable(user_id, cell::integer),
                nullable(period[0].level.as_deref(), cell::text),
                cell::timestamp(period[0].ts),
                nullable(next.map(|next| next[0].ts), cell::timestamp),
                cell::boolean(next.is_none()),
            ]);
        }
    }
    rows
}

/// "The first by `(has a year, title, artist_id, duration, year)`."
fn catalogue(songs: &[Song]) -> Rows {
    grouped(songs, |song| &song.song_id)
        .into_values()
        .map(|mut records| {
            records.sort_by_key(|song| {
                (
                    Reverse(known_year(song).is_some()),
                    &song.title,
                    &song.artist_id,
                    Double(song.duration),
                    nulls_last(song.year),
                )
            });
            let song = records[0];
            vec![
                cell::text(&song.song_id),
                cell::text(&song.title),
                cell::text(&song.artist_id),
                nullable(known_year(song), cell::integer),
                cell::double(song.duration),
            ]
        })
        .collect()
}

/// "The first by `(has both coordinates, has a location, characters in the name, name, location,
/// song_id, latitude, longitude)`."
fn artists(songs: &[Song]) -> Rows {
    grouped(songs, |song| &song.artist_id)
        .into_values()
        .map(|mut records| {
            records.sort_by_key(|song| {
                let placed = song.artist_latitude.is_some() && song.artist_longitude.is_some();
                (
                    Reverse(placed),
                    Reverse(known_location(song.artist_location.as_deref()).is_some()),
                    song.artist_name.chars().count(),
                    &song.artist_name,
                    nulls_last(song.artist_location.as_deref()),
                    &song.song_id,
                    nulls_last(song.artist_latitude.map(Double)),
                    nulls_last(song.artist_longitude.map(Double)),
                )
            });
            let artist = records[0];
            vec![
                cell::text(&artist.artist_id),
                cell::text(&artist.artist_name),
                nullable(known_location(artist.artist_location.as_deref()), cell::text),
                nullable(artist.artist_latitude, cell::double),
                nullable(artist.artist_longitude, cell::double),
            ]
        })
        .collect()
}

/// "ISO `week`, `weekday` 0 is Sunday"; UTC, with milliseconds.
fn times(facts: &[&Event]) -> Rows {
    let distinct: BTreeSet<i64> = facts.iter().map(|play| play.ts).collect();
    let row = |ts: i64| {
        let moment = cell::moment(ts);
        vec![
            cell::timestamp(ts),
            cell::integer(moment.hour()),
            cell::integer(moment.day()),
            cell::integer(moment.iso_week()),
            cell::integer(u8::from(moment.month())),
            cell::integer(moment.year()),
            cell::integer(moment.weekday().number_days_from_sunday()),
        ]
    };
    distinct.into_iter().map(row).collect()
}
