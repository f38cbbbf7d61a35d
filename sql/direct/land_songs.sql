-- Song records as the warehouse fetched them, before they enter staging: a column a key of the record. See land_events.
drop table if exists landing_songs;
create temp table landing_songs (
    num_songs integer,
    artist_id varchar,
    artist_latitude double precision,
    artist_longitude double precision,
    artist_location varchar /*redshift (2048) */,
    artist_name varchar /*redshift (2048) */,
    song_id varchar,
    title varchar /*redshift (2048) */,
    duration double precision,
    year integer,
    running bigint /*redshift identity(0, 1) */
);
