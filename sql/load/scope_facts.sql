-- Rows of the affected plays after the transformation, which the data tests read instead of searching
-- `songplays` for them again.
create temp table scope_facts /*redshift distkey(user_id) */ as
select
    songplays.songplay_id,
    songplays.start_time,
    songplays.user_id,
    songplays.song_id,
    songplays.artist_id,
    songplays.session_id,
    songplays.item_in_session,
    songplays.location,
    songplays.match_method
from songplays
join scope_plays
    on scope_plays.session_id = songplays.session_id and scope_plays.item_in_session = songplays.item_in_session
where :within_times(touched_plays, songplays.start_time);
