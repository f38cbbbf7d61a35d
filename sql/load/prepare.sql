-- The objects that this load reads, and room for the keys that it touches.
drop table if exists scope_objects;
create temp table scope_objects (
    object_id bigint not null
);
drop table if exists touched_events;
create temp table touched_events (
    session_id bigint,
    item_in_session integer,
    ts bigint,
    user_id bigint,
    page varchar /*postgres collate "C" */
);
drop table if exists touched_songs;
create temp table touched_songs (
    song_id varchar /*postgres collate "C" */,
    artist_id varchar /*postgres collate "C" */,
    title varchar /*postgres collate "C" */ /*redshift (2048) */,
    artist_name varchar /*postgres collate "C" */ /*redshift (2048) */
);
