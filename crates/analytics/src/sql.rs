//! SQL files of this crate, as typed constants.

use sparkify_warehouse::sql_files;

sql_files! {
    /// Saved queries, in the order in which `sparkify query` lists them.
    pub mod report in "report" {
        ROW_COUNTS = "row_counts",
        OVERVIEW = "overview",
        TOP_SONGS = "top_songs",
        TOP_ARTISTS = "top_artists",
        TOP_USERS = "top_users",
        PLAYS_BY_HOUR = "plays_by_hour",
        PLAYS_BY_WEEKDAY = "plays_by_weekday",
        HOUR_BY_WEEKDAY = "hour_by_weekday",
        PLAYS_BY_DAY = "plays_by_day",
        PLAYS_BY_WEEK = "plays_by_week",
        PLAYS_BY_PERIOD = "plays_by_period",
        LISTENING_TIME = "listening_time",
        PLAYS_BY_LEVEL = "plays_by_level",
        FREE_AND_PAID = "free_and_paid",
        UPGRADES = "upgrades",
        DOWNGRADES = "downgrades",
        LEVEL_CHANGES = "level_changes",
        CONVERSION = "conversion",
        SESSIONS = "sessions",
        SESSION_LENGTHS = "session_lengths",
        STREAKS = "streaks",
        NEW_AND_RETURNING = "new_and_returning",
        RETENTION = "retention",
        LOCATIONS = "locations",
        STATES = "states",
        BROWSERS = "browsers",
        OPERATING_SYSTEMS = "operating_systems",
        GENDER = "gender",
        SONGS_BY_DECADE = "songs_by_decade",
        WHO_HEARD_WHAT_WHEN = "who_heard_what_when",
        MATCH_COVERAGE = "match_coverage",
        RECORDS_BY_FILE = "records_by_file",
        HISTORY = "history",
    }
    /// Values of the filters of saved queries.
    pub mod filter in "filter" {
        LEVELS = "levels",
        DAYS = "days",
    }
    /// Temporary tables that charts of the report page share.
    pub mod page in "page" {
        DROP_TABLE = "drop_table",
        PLAY_HOURS = "play_hours",
        SESSION_DAYS = "session_days",
        SESSION_INTERVALS = "session_intervals",
        LISTENER_INTERVALS = "listener_intervals",
        SESSION_TOTALS = "session_totals",
        USER_TOTALS = "user_totals",
        LOGGED_SONGS = "logged_songs",
        NUMBERED_SONGS = "numbered_songs",
        SONG_TOTALS = "song_totals",
        ARTIST_TOTALS = "artist_totals",
        NUMBERED_LOCATIONS = "numbered_locations",
        NUMBERED_AGENTS = "numbered_agents",
        USER_PLACES = "user_places",
    }
    /// Queries of an export, one per table of the model.
    pub mod export in "export" {
        SONGPLAYS = "songplays",
        USERS = "users",
        USER_LEVELS = "user_levels",
        SONGS = "songs",
        ARTISTS = "artists",
        TIME = "time",
    }
}
