-- Plays of a session by day and level, within the days of the filter. A day is enough for every
-- longer period.
-- shared: page_session_days
select
    cast(start_time as date) as day,
    level,
    user_id,
    session_id,
    count(*) as plays,
    sum(/*include listened(length) */) as seconds
from songplays
where /*include in_days(start_time) */
group by cast(start_time as date), level, user_id, session_id
