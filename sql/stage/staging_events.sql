-- One accepted event of the activity log, from every loaded object.
-- grain: one record of an event object; source: log_data; values as logged, text repaired
-- key: object_id, byte_offset
create table if not exists staging_events (
    artist text, -- $.artist: performer of the song played
    auth label, -- $.auth: Logged In, Logged Out, Guest, Cancelled
    first_name short_text, -- $.firstName: of the user
    gender label, -- $.gender: of the user, as logged
    item_in_session integer, -- $.itemInSession required: position of the event in its session, from 0
    last_name short_text, -- $.lastName: of the user
    length double precision, -- $.length: of the song played, in seconds
    level label, -- $.level: free or paid, at the time of the event
    location text, -- $.location: of the user
    method label, -- $.method: HTTP method of the request
    page label, -- $.page required: NextSong is a song play
    registration double precision, -- $.registration: of the user, milliseconds since 1970 UTC
    session_id bigint, -- $.sessionId required: session number
    song text, -- $.song: title of the song played
    status integer, -- $.status: HTTP status of the response
    ts bigint /*redshift encode raw */, -- $.ts required epoch_ms: time of the event, milliseconds since 1970 UTC
    user_agent long_text, -- $.userAgent: User-Agent header of the browser
    user_id bigint, -- $.userId user_id: null when logged out
    load_id bigint not null, -- lineage: in etl_loads
    object_id bigint not null, -- lineage: in etl_objects; all rows of a group have the number of its first object
    byte_offset bigint not null -- lineage: where the record begins in the decompressed object; in a group a row number, not a position
    -- redshift: distributed by session, which every event has and no session dominates; by user,
    -- all logged-out events would be on one slice. Sorted by time, since loads select later events.
) /*redshift distkey(session_id) sortkey(ts) */;

-- For the bounds of incremental loads.
/*postgres create index if not exists staging_events_ts on staging_events (ts) */;
/*postgres create index if not exists staging_events_load_id on staging_events (load_id) */;
