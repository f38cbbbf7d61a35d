-- test: each `artist_id` of `songplays` is in `artists`
select
    songplays.songplay_id,
    songplays.artist_id
from songplays
/*incremental join scope_plays using (session_id, item_in_session) */
left join artists on artists.artist_id = songplays.artist_id
where songplays.artist_id is not null and artists.artist_id is null;
