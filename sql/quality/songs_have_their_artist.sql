-- test: each `artist_id` of `songs` is in `artists`
select
    songs.song_id,
    songs.artist_id
from songs
/*incremental join scope_songs using (song_id) */
left join artists on artists.artist_id = songs.artist_id
where artists.artist_id is null;
