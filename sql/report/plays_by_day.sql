-- query: how much do people listen each day?
-- parameters: since, until, level
-- columns:
--   day: date, UTC; a day without plays is left out
--   plays: plays that started on the day
--   listeners: users who played, excluding guests
--   sessions: sessions with a play
--   hours: sum of the lengths of the songs played
with by_session as (
    select
        cast(start_time as date) as day,
        user_id,
        session_id,
        count(*) as plays,
        sum(/*include listened(length) */) as seconds
    from songplays
    where /*include in_days(start_time) */
        and /*include at_level(level) */
    group by cast(start_time as date), user_id, session_id
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
