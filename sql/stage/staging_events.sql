-- One accepted event of the activity log, from every object that is loaded.
-- grain: one record of an event object; source: log_data; values as logged, text repaired
-- key: object_id, byte_offset
create table if not exists staging_events (
    artist varchar /*postgres collate "C" */ /*redshift (2048) encode zstd */, -- performer of the song played
    auth varchar /*postgres collate "C" */ /*redshift encode bytedict */, -- Logged In, Logged Out, Guest, Cancelled
    first_name varchar /*postgres collate "C" */ /*redshift (1024) encode zstd */, -- of the user
    gender varchar /*postgres collate "C" */ /*redshift encode bytedict */, -- of the user, as logged
    item_in_session integer /*redshift encode az64 */, -- place of the event in its session, from 0
    last_name varchar /*postgres collate "C" */ /*redshift (1024) encode zstd */, -- of the user
    length double precision /*redshift encode zstd */, -- of the song played, in seconds
    level varchar /*postgres collate "C" */ /*redshift encode bytedict */, -- free or paid, at the time of the event
    location varchar /*postgres collate "C" */ /*redshift (2048) encode zstd */, -- of the user
    method varchar /*postgres collate "C" */ /*redshift encode bytedict */, -- HTTP method of the request
    page varchar /*postgres collate "C" */ /*redshift encode bytedict */, -- NextSong is a song play
    registration double precision /*redshift encode zstd */, -- of the user, milliseconds since 1970 UTC
    session_id bigint /*redshift encode az64 */, -- of the visit
    song varchar /*postgres collate "C" */ /*redshift (2048) encode zstd */, -- title of the song played
    status integer /*redshift encode az64 */, -- HTTP status of the answer
    ts bigint /*redshift encode raw */, -- time of the event, milliseconds since 1970 UTC
    user_agent varchar /*postgres collate "C" */ /*redshift (4096) encode zstd */, -- the browser's own words
    user_id bigint /*redshift encode az64 */, -- null when logged out
    load_id bigint /*redshift encode az64 */ not null, -- lineage: in etl_loads
    object_id bigint /*redshift encode az64 */ not null, -- lineage: in etl_objects; one of a group stands for all of it
    byte_offset bigint /*redshift encode az64 */ not null -- lineage: where the record begins in the decompressed object; in a group of objects no position, but what tells its rows apart
    -- redshift: by session, which every event has and no session dominates: by user, all that is logged out would lie on one slice. Sorted by time, since loads ask for what is later
) /*redshift distkey(session_id) sortkey(ts) */;
