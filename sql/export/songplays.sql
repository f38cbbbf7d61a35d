-- Every play, by time.
select
    songplay_id,
    start_time,
    user_id,
    level,
    song_id,
    artist_id,
    session_id,
    location,
    user_agent,
    item_in_session,
    song_title,
    artist_name,
    length,
    match_method
from songplays
order by start_time, session_id, item_in_session, songplay_id;
