-- test: each `song_id` of `songplays` is in `songs`
select
    songplays.songplay_id,
    songplays.song_id
from songplays
/*incremental join scope_plays using (session_id, item_in_session) */
left join songs on songs.song_id = songplays.song_id
where songplays.song_id is not null and songs.song_id is null;
