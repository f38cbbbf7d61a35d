-- Song records that were fetched and are none by rule: what each needs is missing.
select
    running,
    num_songs,
    artist_id,
    artist_latitude,
    artist_longitude,
    artist_location,
    artist_name,
    song_id,
    title,
    duration,
    year
from landing_songs
where artist_id is null
    or artist_name is null
    or song_id is null
    or title is null
    or duration is null
order by running;
