-- Temporary tables for the objects that this load reads and for the keys that it affects.
drop table if exists scope_objects;
create temp table scope_objects (
    object_id bigint not null,
    load_id bigint not null
);
drop table if exists touched_events;
create temp table touched_events (
    session_id bigint,
    item_in_session integer,
    ts bigint,
    user_id bigint,
    page label
);
drop table if exists touched_songs;
create temp table touched_songs (
    song_id code,
    artist_id code,
    title text,
    artist_name text
);
