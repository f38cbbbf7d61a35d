-- One accepted event of the activity log, from every object that is loaded.
-- grain: one record of an event object; source: log_data; values as logged, text repaired
-- key: object_id, byte_offset
create table if not exists staging_events (
    artist varchar /*postgres collate "C" */ /*redshift (2048) */, -- performer of the song played
    auth varchar /*postgres collate "C" */, -- Logged In, Logged Out, Guest, Cancelled
    first_name varchar /*postgres collate "C" */ /*redshift (1024) */, -- of the user
    gender varchar /*postgres collate "C" */, -- of the user, as logged
    item_in_session integer, -- place of the event in its session, from 0
    last_name varchar /*postgres collate "C" */ /*redshift (1024) */, -- of the user
    length double precision, -- of the song played, in seconds
    level varchar /*postgres collate "C" */, -- free or paid, at the time of the event
    location varchar /*postgres collate "C" */ /*redshift (2048) */, -- of the user
    method varchar /*postgres collate "C" */, -- HTTP method of the request
    page varchar /*postgres collate "C" */, -- NextSong is a song play
    registration double precision, -- of the user, milliseconds since 1970 UTC
    session_id bigint, -- of the visit
    song varchar /*postgres collate "C" */ /*redshift (2048) */, -- title of the song played
    status integer, -- HTTP status of the answer
    ts bigint, -- time of the event, milliseconds since 1970 UTC
    user_agent varchar /*postgres collate "C" */ /*redshift (4096) */, -- the browser's own words
    user_id bigint, -- null when logged out
    load_id bigint not null, -- lineage: in etl_loads
    object_id bigint not null, -- lineage: in etl_objects
    byte_offset bigint not null -- lineage: where the record begins in the decompressed object
);
