-- Temporary tables for the objects that this load reads and for the keys that it affects.
create temp table scope_objects (
    object_id bigint not null,
    load_id bigint not null
);
create temp table touched_events (
    session_id bigint,
    item_in_session integer,
    ts bigint,
    user_id bigint,
    page label,
    is_new boolean -- staged by this load
);
create temp table touched_songs (
    song_id code,
    artist_id code,
    title text,
    artist_name text
);
