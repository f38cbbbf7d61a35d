//! Rows of the two staging tables, with the columns that the model needs.
//!
//! Other known fields are validated too, as a wrong one rejects the record.

use super::fields::{Fields, Rejected, required};

/// The known keys of an event.
pub(super) const EVENT_KEYS: [&str; 18] = [
    "artist",
    "auth",
    "firstName",
    "gender",
    "itemInSession",
    "lastName",
    "length",
    "level",
    "location",
    "method",
    "page",
    "registration",
    "sessionId",
    "song",
    "status",
    "ts",
    "userAgent",
    "userId",
];

/// "Required fields" of an event.
pub(super) const EVENT_REQUIRED: [&str; 4] = ["ts", "page", "sessionId", "itemInSession"];
/// "Required fields" of a song.
pub(super) const SONG_REQUIRED: [&str; 5] =
    ["song_id", "title", "artist_id", "artist_name", "duration"];

/// The known keys of a song.
pub(super) const SONG_KEYS: [&str; 10] = [
    "num_songs",
    "artist_id",
    "artist_latitude",
    "artist_longitude",
    "artist_location",
    "artist_name",
    "song_id",
    "title",
    "duration",
    "year",
];

/// One accepted event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    pub(crate) artist: Option<String>,
    pub(crate) first_name: Option<String>,
    pub(crate) gender: Option<String>,
    pub(crate) item_in_session: i32,
    pub(crate) last_name: Option<String>,
    pub(crate) length: Option<f64>,
    pub(crate) level: Option<String>,
    pub(crate) location: Option<String>,
    pub(crate) page: String,
    pub(crate) session_id: i64,
    pub(crate) song: Option<String>,
    pub(crate) ts: i64,
    pub(crate) user_agent: Option<String>,
    pub(crate) user_id: Option<i64>,
}

/// One accepted song record.
#[allow(clippy::struct_field_names, reason = "they are the columns' names")]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Song {
    pub(super) artist_id: String,
    pub(super) artist_latitude: Option<f64>,
    pub(super) artist_longitude: Option<f64>,
    pub(super) artist_location: Option<String>,
    pub(super) artist_name: String,
    pub(super) song_id: String,
    pub(super) title: String,
    pub(super) duration: f64,
    pub(super) year: Option<i32>,
}

/// "Required fields are `ts`, `page`, `sessionId`, `itemInSession` of an event."
pub(super) fn event(fields: &mut Fields) -> Result<Event, Rejected> {
    fields.text("auth")?;
    fields.text("method")?;
    fields.double("registration")?;
    fields.integer("status")?;
    Ok(Event {
        artist: fields.text("artist")?,
        first_name: fields.text("firstName")?,
        gender: fields.text("gender")?,
        item_in_session: required(fields.integer("itemInSession")?)?,
        last_name: fields.text("lastName")?,
        length: fields.double("length")?,
        level: fields.text("level")?,
        location: fields.text("location")?,
        page: required(fields.text("page")?)?,
        session_id: required(fields.bigint("sessionId")?)?,
        song: fields.text("song")?,
        ts: required(fields.bigint("ts")?)?,
        user_agent: fields.text("userAgent")?,
        user_id: fields.user_id("userId")?,
    })
}

/// "Required fields are `song_id`, `title`, `artist_id`, `artist_name`, `duration` of a song."
pub(super) fn song(fields: &mut Fields) -> Result<Song, Rejected> {
    fields.integer("num_songs")?;
    Ok(Song {
        artist_id: required(fields.text("artist_id")?)?,
        artist_latitude: fields.double("artist_latitude")?,
        artist_longitude: fields.double("artist_longitude")?,
        artist_location: fields.text("artist_location")?,
        artist_name: required(fields.text("artist_name")?)?,
        song_id: required(fields.text("song_id")?)?,
        title: required(fields.text("title")?)?,
        duration: required(fields.double("duration")?)?,
        year: fields.integer("year")?,
    })
}
