-- The song records that were fetched into staging, read by the load $1, under the number $2 of their group.
insert into staging_songs (
    num_songs,
    artist_id,
    artist_latitude,
    artist_longitude,
    artist_location,
    artist_name,
    song_id,
    title,
    duration,
    year,
    load_id,
    object_id,
    byte_offset
)
select
    num_songs,
    artist_id,
    artist_latitude,
    artist_longitude,
    artist_location,
    artist_name,
    song_id,
    title,
    duration,
    year,
    cast($1 as bigint),
    cast($2 as bigint),
    running
from landing_songs
where artist_id is not null
    and artist_name is not null
    and song_id is not null
    and title is not null
    and duration is not null;
