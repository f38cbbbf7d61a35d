-- test: each `artist_id` of `songs` is in `artists`
-- On Redshift the key is an expression, so that the planner does not take the declared key for
-- true instead of testing it.
select
    songs.song_id,
    songs.artist_id
from songs
/*incremental join scope_songs using (song_id) */
left join artists on artists.artist_id = songs.artist_id /*redshift || '' */
where artists.artist_id is null;
