-- query: how much do people listen over time?
-- parameters: since, until, level, by (day, week, month, quarter)
-- columns:
--   period: first day of the day, week (Monday), month or quarter, UTC; one without plays is left out
--   plays: plays that started in the period
--   listeners: users who played, excluding guests
--   sessions: sessions with a play
--   hours: sum of the lengths of the songs played
with session_days as (
    /*include session_days() */
),

periods as (
    select
        /*include first_day_of_period($4, cast(day as timestamp)) */ as period,
        user_id,
        session_id,
        plays,
        seconds
    from session_days
    where /*include at_level(level) */
),

by_session as (
    select
        period,
        user_id,
        session_id,
        sum(plays) as plays,
        sum(seconds) as seconds
    from periods
    group by period, user_id, session_id
)

select
    period,
    cast(sum(plays) as bigint) as plays,
    count(distinct user_id) as listeners,
    count(*) as sessions,
    f_round(coalesce(sum(seconds), 0) / 3600) as hours
from by_session
group by period
order by period;
