-- query: how much do people listen each day?
-- parameters: since, until, level
-- columns:
--   day: date, UTC; a day without plays is left out
--   plays: plays that started on the day
--   listeners: users who played, excluding guests
--   sessions: sessions with a play
--   hours: sum of the lengths of the songs played
with session_days as (
    /*include session_days() */
),

by_session as (
    select
        day,
        user_id,
        session_id,
        sum(plays) as plays,
        sum(seconds) as seconds
    from session_days
    where /*include at_level(level) */
    group by day, user_id, session_id
)

select
    day,
    cast(sum(plays) as bigint) as plays,
    count(distinct user_id) as listeners,
    count(*) as sessions,
    f_round(coalesce(sum(seconds), 0) / 3600) as hours
from by_session
group by day
order by day;
