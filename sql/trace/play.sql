-- Play $1.
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
where songplay_id = /*include as_songplay_id() */;
