//! SQL files of the load, as typed constants.

use sparkify_warehouse::sql_files;

sql_files! {
    /// Load metadata tables.
    pub mod ledger in "ledger" {
        ETL_LOADS = "etl_loads",
        ETL_OBJECTS = "etl_objects",
        ETL_REJECTS = "etl_rejects",
        ETL_ERASURES = "etl_erasures",
        ETL_LAYOUT = "etl_layout",
    }
    /// Steps of a load, and reads of the ledger.
    pub mod load in "load" {
        BEGIN = "begin",
        LOCK = "lock",
        LOCK_TABLE = "lock_table",
        COMMIT = "commit",
        ROLLBACK = "rollback",
        PREPARE = "prepare",
        DELETE_UNREAD = "delete_unread",
        PREPARE_UPDATE = "prepare_update",
        UPDATE_OBJECTS = "update_objects",
        AFFECTED_KEYS = "affected_keys",
        DELETE_REPLACED = "delete_replaced",
        TOUCHED_LOADS = "touched_loads",
        SCOPE = "scope",
        MATCHED_PLAYS = "matched_plays",
        TOUCHED_USERS = "touched_users",
        TOUCHED_DAYS = "touched_days",
        SCOPE_FACTS = "scope_facts",
        DROP_SCOPE = "drop_scope",
        FINISH = "finish",
        SUMMARY = "summary",
        OBJECTS = "objects",
        LAST = "last",
        DIGEST = "digest",
        PUBLISHED = "published",
        DROP = "drop",
        LAYOUT = "layout",
        RECORD_LAYOUT = "record_layout",
    }
    /// Migrations: the statements of each layout after the first, in ascending order.
    pub mod upgrade in "upgrade" {
        LAYOUT_2 = "layout_2",
    }
    /// Reads of whole tables, to copy and to compare them.
    pub mod transfer in "transfer" {
        ROWS = "rows",
    }
    /// Steps of the erasure of a person.
    pub mod erase in "erase" {
        HASHES = "hashes",
        COUNTS = "counts",
        NAMES = "names",
        AFFECTED_KEYS = "affected_keys",
        AFFECTED_OBJECTS = "affected_objects",
        UPDATE_OBJECTS = "update_objects",
        DELETE_ROWS = "delete_rows",
        REJECT = "reject",
        MESSAGES = "messages",
        MESSAGE = "message",
    }
    /// Templates of the statements that describe a table to clients.
    pub mod describe in "describe" {
        COMMENT_ON_TABLE = "comment_on_table",
        COMMENT_ON_COLUMN = "comment_on_column",
        PRIMARY_KEY = "primary_key",
        FOREIGN_KEY = "foreign_key",
        DECLARED_KEYS = "declared_keys",
    }
    /// Tables of the star schema, in the order in which they are built.
    pub mod model in "model" {
        SONGS = "songs",
        ARTISTS = "artists",
        USERS = "users",
        USER_LEVELS = "user_levels",
        SONGPLAYS = "songplays",
        TIME = "time",
    }
    /// Data tests: each returns the failing rows.
    pub mod quality in "quality" {
        ROWS_CONSERVED = "rows_conserved",
        NO_ORPHAN_ROWS = "no_orphan_rows",
        EVERY_PLAY_ONCE = "every_play_once",
        EVERY_USER = "every_user",
        EVERY_SONG_AND_ARTIST = "every_song_and_artist",
        KEYS_PRESENT = "keys_present",
        UNIQUE_SONGPLAYS = "unique_songplays",
        UNIQUE_USERS = "unique_users",
        UNIQUE_SONGS = "unique_songs",
        UNIQUE_ARTISTS = "unique_artists",
        UNIQUE_TIME = "unique_time",
        UNIQUE_USER_LEVELS = "unique_user_levels",
        SPANS_IN_ORDER = "spans_in_order",
        PLAYS_HAVE_THEIR_SONG = "plays_have_their_song",
        PLAYS_HAVE_THEIR_ARTIST = "plays_have_their_artist",
        PLAYS_HAVE_THEIR_USER = "plays_have_their_user",
        PLAYS_HAVE_THEIR_TIME = "plays_have_their_time",
        SONGS_HAVE_THEIR_ARTIST = "songs_have_their_artist",
        LEVELS_HAVE_THEIR_USER = "levels_have_their_user",
        NO_STRAY_TIMES = "no_stray_times",
        MATCH_IS_WHOLE = "match_is_whole",
        RANGES_TIME = "ranges_time",
        UNKNOWN_IS_NULL = "unknown_is_null",
    }
    /// Screens: each proves several data tests with one scan.
    pub mod screen in "screen" {
        TIMES = "times",
        MATCHES = "matches",
    }
    /// Queries of `sparkify rejects`.
    pub mod rejects in "rejects" {
        REASONS = "reasons",
        LIST = "list",
        ONE = "one",
        BY_OBJECT = "by_object",
        OF_OBJECTS = "of_objects",
        RAW_PART = "raw_part",
        NOT_KEPT = "not_kept",
    }
    /// Queries of `sparkify trace`.
    pub mod trace in "trace" {
        PLAYS = "plays",
        PLAY = "play",
        EVENTS = "events" of sparkify_reader::stage::STAGING_EVENTS,
        CATALOGUE = "catalogue" of sparkify_reader::stage::STAGING_SONGS,
    }
    /// Statements of `sparkify doctor`.
    pub mod doctor in "doctor" {
        PROBE_BEGIN = "probe_begin",
        PROBE = "probe",
        PROBE_UNDO = "probe_undo",
        VERSION = "version",
        RECENT_OBJECTS = "recent_objects",
    }
    /// Template of a statement of `sparkify doctor --plans`.
    pub mod explain in "doctor" {
        EXPLAIN = "explain",
    }
    /// Row counts, which are a saved query too.
    pub mod counts in "report" {
        ROW_COUNTS = "row_counts",
    }
    /// Templates of a direct load, one for both kinds of record: steps between objects that the
    /// warehouse copied and the staging tables.
    pub mod direct in "direct" {
        CREATE_LANDING = "create_landing",
        CLEAR_LANDING = "clear_landing",
        COUNT_LANDING = "count_landing",
        INVALID_ROWS = "invalid_rows",
        REPAIR_CANDIDATES = "repair_candidates",
        CREATE_REPAIRS = "create_repairs",
        COUNT_REPAIRS = "count_repairs",
        REPAIR = "repair",
        DROP_REPAIRS = "drop_repairs",
        LANDED_USERS = "landed_users",
        DELETE_USER = "delete_user",
        INSERT_STAGING = "insert_staging",
        DROP_LANDING = "drop_landing",
    }
}
