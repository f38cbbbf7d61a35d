-- test: `songs` and `artists` hold exactly the songs and artists of staging
with counted as (
    select
        (select count(distinct song_id) from staging_songs /*incremental join scope_songs using (song_id) */) as songs_staged,
        (select count(*) from songs /*incremental join scope_songs using (song_id) */) as songs,
        (select count(distinct artist_id) from staging_songs /*incremental join scope_artists using (artist_id) */) as artists_staged,
        (select count(*) from artists /*incremental join scope_artists using (artist_id) */) as artists
)

select
    songs_staged,
    songs,
    artists_staged,
    artists
from counted
where songs_staged <> songs or artists_staged <> artists;
