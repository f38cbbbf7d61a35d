-- query: on which day of the week do people listen?
-- parameters: since, until, level
-- columns:
--   weekday: 0 Sunday to 6 Saturday, UTC; each day has a row
--   plays: plays that started on the day, in all weeks
--   listeners: users who played on the day, excluding guests
with session_days as (
    /*include session_days() */
),

weekdays as (
    select 0 as weekday
    union all select 1
    union all select 2
    union all select 3
    union all select 4
    union all select 5
    union all select 6
),

days as (
    select
        f_weekday(cast(day as timestamp)) as weekday,
        user_id,
        plays
    from session_days
    where /*include at_level(level) */
),

plays as (
    select
        weekday,
        cast(sum(plays) as bigint) as plays,
        count(distinct user_id) as listeners
    from days
    group by weekday
)

select
    weekdays.weekday,
    coalesce(plays.plays, 0) as plays,
    coalesce(plays.listeners, 0) as listeners
from weekdays
left join plays on plays.weekday = weekdays.weekday
order by weekdays.weekday;
