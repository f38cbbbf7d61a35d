-- Plays of the filtered days by day, hour of the day, level and match, with the times of the first and
-- the last one.
-- shared: page_play_hours
select
    day,
    hour,
    level,
    match_method,
    count(*) as plays,
    count(user_id) as user_plays,
    count(song_id) as matched_plays,
    count(seconds) as plays_with_length,
    sum(seconds) as seconds,
    min(start_time) as first_play,
    max(start_time) as last_play
from (
    select
        cast(start_time as date) as day,
        cast(extract(hour from start_time) as integer) as hour,
        level,
        match_method,
        user_id,
        song_id,
        /*include listened(length) */ as seconds,
        start_time
    from songplays
    where /*include in_days(start_time) */
) as plays
group by day, hour, level, match_method
