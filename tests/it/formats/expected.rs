//! Oracle of the log formats: the staged row of each record, from the meaning of each export.
//!
//! It shares no code with the reader, and does not read `formats/`.

use std::collections::BTreeMap;

use super::fields::{Fields, Rejected, double_of, whole_of};
use super::generate::Export;
use super::json::{Json, Style};
use super::source::Source;
use super::times::{DAY, epoch_seconds, in_years, stamp};
use crate::oracle::cell::{self, nullable};
use crate::oracle::{Event, repaired};

/// Columns of `staging_events`, without lineage.
pub(super) const STAGING: [&str; 18] = [
    "artist",
    "auth",
    "first_name",
    "gender",
    "item_in_session",
    "last_name",
    "length",
    "level",
    "location",
    "method",
    "page",
    "registration",
    "session_id",
    "song",
    "status",
    "ts",
    "user_agent",
    "user_id",
];

/// Outcome of a record.
#[derive(Debug)]
pub(super) enum Fate {
    Staged(Box<Row>),
    /// Not a play, kept as a reject with this name.
    LeftOut(&'static str),
}

/// Staged row: the columns of the model, and the others.
#[derive(Debug)]
pub(super) struct Row {
    event: Event,
    auth: Option<String>,
    method: Option<String>,
    registration: Option<f64>,
}

impl Row {
    /// Returns the cells of the columns of [`STAGING`].
    fn cells(&self) -> Vec<String> {
        let event = &self.event;
        let text = |value: &Option<String>| nullable(value.as_deref(), cell::text);
        vec![
            text(&event.artist),
            text(&self.auth),
            text(&event.first_name),
            text(&event.gender),
            cell::integer(event.item_in_session),
            text(&event.last_name),
            nullable(event.length, cell::double),
            text(&event.level),
            text(&event.location),
            text(&self.method),
            cell::text(&event.page),
            nullable(self.registration, cell::double),
            cell::integer(event.session_id),
            text(&event.song),
            cell::NULL.to_owned(),
            cell::integer(event.ts),
            text(&event.user_agent),
            nullable(event.user_id, cell::integer),
        ]
    }
}

/// Expected result of the load of exports.
#[derive(Debug, Default)]
pub(super) struct Expected {
    /// Rows of `staging_events`, sorted.
    pub(super) staging: Vec<Vec<String>>,
    /// Rejects that count towards the limit.
    pub(super) rejected: u64,
    /// Complete records among them, for messages.
    pub(super) rejects: Vec<String>,
    /// Records left out, by name.
    pub(super) left_out: BTreeMap<String, u64>,
    /// Staged records of other pages than `NextSong`, by a rule of the format.
    pub(super) pages: BTreeMap<String, u64>,
    /// Rows of each table of the model, sorted.
    pub(super) tables: BTreeMap<&'static str, Vec<Vec<String>>>,
    pub(super) duplicates: u64,
}

/// Returns the expected result of the load of these exports of one kind.
pub(super) fn expected<'a>(exports: impl IntoIterator<Item = &'a Export>) -> Expected {
    let mut expected = Expected::default();
    let mut events = Vec::new();
    for export in exports {
        for file in &export.files {
            expected.rejected += file.damage;
            for record in &file.records {
                match fate(export.source, record) {
                    Ok(Fate::Staged(row)) => {
                        if row.event.page != PLAY {
                            *expected.pages.entry(row.event.page.clone()).or_default() += 1;
                        }
                        expected.staging.push(row.cells());
                        events.push(row.event);
                    }
                    Ok(Fate::LeftOut(name)) => {
                        *expected.left_out.entry(name.to_owned()).or_default() += 1;
                    }
                    Err(Rejected) => {
                        expected.rejected += 1;
                        expected.rejects.push(Style::PLAIN.write(record));
                    }
                }
            }
        }
    }
    expected.staging.sort();
    let (tables, duplicates) = crate::oracle::tables(&events, &[]);
    expected.tables = tables;
    expected.duplicates = u64::try_from(duplicates).expect("64 bits");
    expected
}

const PLAY: &str = "NextSong";

/// Returns what becomes of a record of this kind of export.
pub(super) fn fate(source: Source, record: &Json) -> Result<Fate, Rejected> {
    let fields = Fields { record, empty_is_null: source != Source::Eventsim };
    match source {
        Source::Eventsim => eventsim(&fields),
        Source::SpotifyExtended | Source::SpotifyAccount => spotify(&fields),
        Source::ListenBrainz => listenbrainz(&fields),
        Source::LastFm => lastfm(&fields),
        Source::Maloja => maloja(&fields),
        Source::Koito => koito(&fields),
    }
}

/// Event of the only user of a personal export, without place.
fn personal(
    start: i64,
    item_in_session: i32,
    page: &str,
    [artist, song, user_agent]: [Option<String>; 3],
    length: Option<f64>,
) -> Event {
    Event {
        artist,
        first_name: None,
        gender: None,
        item_in_session,
        last_name: None,
        length,
        level: None,
        location: None,
        page: page.to_owned(),
        session_id: start.div_euclid(DAY),
        song,
        ts: start,
        user_agent,
        user_id: Some(1),
    }
}

fn staged(event: Event) -> Fate {
    Fate::Staged(Box::new(Row { event, auth: None, method: None, registration: None }))
}

/// Returns the start of a play that ended then, after this duration in milliseconds. The start is
/// within the years 1 to 9999.
fn start_of(end: i64, duration: Option<f64>) -> Result<i64, Rejected> {
    let Some(duration) = duration else { return in_years(end) };
    // A time heard is not negative. No time is further from another within these years.
    if !(0.0..1e15).contains(&duration) {
        return Err(Rejected);
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
    in_years(end.checked_sub(duration.round() as i64).ok_or(Rejected)?)
}

fn eventsim(fields: &Fields) -> Result<Fate, Rejected> {
    let text = |key: &str| Ok(fields.text(&[key])?.map(|text| repaired(&text)));
    let user_id = match fields.first(&["userId"]) {
        Some(Json::Text(text)) if text.is_empty() => None,
        value => value.map(whole_of).transpose()?,
    };
    let item = fields.whole(&["itemInSession"])?.ok_or(Rejected)?;
    let event = Event {
        artist: text("artist")?,
        first_name: text("firstName")?,
        gender: text("gender")?,
        item_in_session: i32::try_from(item).map_err(|_| Rejected)?,
        last_name: text("lastName")?,
        length: fields.double(&["duration"])?,
        level: text("level")?,
        location: fields.joined(&["city", "state"], ", ", false)?.map(|text| repaired(&text)),
        page: PLAY.to_owned(),
        session_id: fields.whole(&["sessionId", "sessionid"])?.ok_or(Rejected)?,
        song: text("song")?,
        ts: in_years(fields.whole(&["ts"])?.ok_or(Rejected)?)?,
        user_agent: text("userAgent")?,
        user_id,
    };
    let (auth, registration) = (text("auth")?, fields.double(&["registration"])?);
    Ok(Fate::Staged(Box::new(Row { event, auth, method: None, registration })))
}

const TITLE: &str = "master_metadata_track_name";
const ALBUM_ARTIST: &str = "master_metadata_album_artist_name";
const HEARD: [&str; 2] = ["ms_played", "msPlayed"];

fn spotify_page(fields: &Fields) -> &'static str {
    let audiobook = ["audiobook_uri", "audiobook_title", "audiobook_chapter_uri", "audiobookName"];
    let heard = fields.first(&HEARD).map(double_of);
    if fields.has(&audiobook) {
        "Audiobook"
    } else if fields.has(&["spotify_episode_uri", "episode_name", "podcastName", "episodeName"]) {
        "Podcast"
    } else if !fields.has(&[TITLE, "trackName"]) || !fields.has(&[ALBUM_ARTIST, "artistName"]) {
        "Unattributed"
    } else if heard.is_some_and(|heard| heard.is_ok_and(|ms| ms < 30_000.0)) {
        "Skipped"
    } else {
        PLAY
    }
}

fn spotify(fields: &Fields) -> Result<Fate, Rejected> {
    const URIS: [&str; 3] = ["spotify_track_uri", "spotify_episode_uri", "audiobook_chapter_uri"];
    let titles = [&URIS[..], &[TITLE, "trackName", "episodeName", "chapterName"]].concat();
    let artists =
        [&URIS[..], &[ALBUM_ARTIST, "artistName", "podcastName", "audiobookName"]].concat();
    let heard = fields.double(&HEARD)?;
    let end = stamp(fields.first(&["ts", "endTime"]).ok_or(Rejected)?, true)?;
    let artist = fields.text(&[
        ALBUM_ARTIST,
        "artistName",
        "episode_show_name",
        "podcastName",
        "audiobook_title",
        "audiobookName",
    ])?;
    let song = fields.text(&[
        TITLE,
        "trackName",
        "episode_name",
        "episodeName",
        "audiobook_chapter_title",
        "chapterName",
    ])?;
    let user_agent = fields.text(&["user_agent_decrypted", "platform"])?;
    let mut event = personal(
        start_of(end, heard)?,
        fields.item(&[&["ts", "endTime"], &HEARD, &titles, &artists])?,
        spotify_page(fields),
        [artist, song, user_agent],
        heard.map(|ms| ms / 1_000.0),
    );
    event.location = fields.text(&["conn_country"])?;
    let method = fields.text(&["reason_end"])?;
    Ok(Fate::Staged(Box::new(Row { event, auth: None, method, registration: None })))
}

fn listenbrainz(fields: &Fields) -> Result<Fate, Rejected> {
    let (time, metadata) = (fields.has(&["listened_at"]), fields.has(&["track_metadata"]));
    if !time && metadata {
        return Ok(Fate::LeftOut("playing now"));
    }
    if !metadata && fields.has(&["score"]) {
        return Ok(Fate::LeftOut("feedback"));
    }
    if !time && fields.has(&["pinned_until", "blurb_content", "pinned_recording"]) {
        return Ok(Fate::LeftOut("pinned recording"));
    }
    if !time && !metadata && fields.has(&["user_id", "username"]) {
        return Ok(Fate::LeftOut("account"));
    }
    let start = in_years(epoch_seconds(fields.first(&["listened_at"]).ok_or(Rejected)?)?)?;
    let song = fields.text(&["track_metadata/track_name"])?;
    let artist = fields.text(&["track_metadata/artist_name"])?;
    let user_agent = fields.text(&[
        "track_metadata/additional_info/media_player",
        "track_metadata/additional_info/submission_client",
    ])?;
    let length = match fields.double(&["track_metadata/additional_info/duration_ms"])? {
        Some(ms) => Some(ms / 1_000.0),
        None => fields.double(&["track_metadata/additional_info/duration"])?,
    };
    let names = ["track_metadata/track_name", "track_metadata/artist_name"];
    let [by_title, by_artist] =
        names.map(|name| ["track_metadata/recording_msid", "recording_msid", name]);
    let item = fields.item(&[&["listened_at"], &by_title, &by_artist])?;
    Ok(staged(personal(start, item, PLAY, [artist, song, user_agent], length)))
}

fn lastfm(fields: &Fields) -> Result<Fate, Rejected> {
    if fields.is("@attr/nowplaying", "true") {
        return Ok(Fate::LeftOut("playing now"));
    }
    if fields.is("date/uts", "0") {
        return Ok(Fate::LeftOut("no date"));
    }
    let artist = ["artist/#text", "artist/name"];
    let start = in_years(epoch_seconds(fields.first(&["date/uts"]).ok_or(Rejected)?)?)?;
    let item = fields.item(&[&["date/uts"], &artist, &["name"], &["album/#text"]])?;
    let names = [fields.text(&artist)?, fields.text(&["name"])?, None];
    Ok(staged(personal(start, item, PLAY, names, None)))
}

fn maloja(fields: &Fields) -> Result<Fate, Rejected> {
    let page = if fields.has(&["track/title"]) { PLAY } else { "Unattributed" };
    let time = epoch_seconds(fields.first(&["time"]).ok_or(Rejected)?)?;
    let heard = if fields.is("origin", "import:spotify") {
        fields.double(&["duration"])?.map(|seconds| seconds * 1_000.0)
    } else {
        None
    };
    let start = start_of(time, heard)?;
    let artist = fields.joined(&["track/artists"], ", ", true)?;
    let names = [artist, fields.text(&["track/title"])?, fields.text(&["origin"])?];
    let item = fields.item(&[&["time"], &["track/title"], &["track/artists"]])?;
    Ok(staged(personal(start, item, page, names, fields.double(&["track/length"])?)))
}

fn koito(fields: &Fields) -> Result<Fate, Rejected> {
    const ARTIST: &str = "artists/[primary]/aliases/[primary]/alias";
    const SONG: &str = "track/aliases/[primary]/alias";
    let start = in_years(stamp(fields.first(&["listened_at"]).ok_or(Rejected)?, false)?)?;
    let item = fields.item(&[&["listened_at"], &[ARTIST], &[SONG]])?;
    let names = [fields.text(&[ARTIST])?, fields.text(&[SONG])?, fields.text(&["client"])?];
    let length = fields.double(&["track/duration"])?.filter(|&seconds| seconds != 0.0);
    Ok(staged(personal(start, item, PLAY, names, length)))
}
