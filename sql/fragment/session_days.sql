-- Plays of a session by day and number of the level, of all days and levels.
-- arguments: filter
-- shared: page_session_days
select
    day,
    level_code,
    user_id,
    session_id,
    count(*) as plays,
    sum(seconds) as seconds
from (
    select
        cast(start_time as date) as day,
        /*include level_code(level, :filter) */ as level_code,
        user_id,
        session_id,
        /*include listened(length) */ as seconds
    from songplays
) as plays
group by day, level_code, user_id, session_id
