-- query: on which day of the week do people listen?
-- parameters: since, until, level
-- columns:
--   weekday: 0 Sunday to 6 Saturday, UTC; each day has a row
--   plays: plays that started on the day, in all weeks
--   listeners: users who played on the day, excluding guests
with user_totals as (
    /*include user_totals() */
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

play_hours as (
    /*include play_hours() */
),

plays as (
    select
        f_weekday(cast(day as timestamp)) as weekday,
        cast(sum(plays) as bigint) as plays
    from play_hours
    where /*include at_level(level) */
    group by f_weekday(cast(day as timestamp))
),

sets as (
    select
        weekdays,
        count(user_id) as listeners
    from user_totals
    group by weekdays
),

listeners as (
    select
        weekdays.weekday,
        sum(sets.listeners) as listeners
    from weekdays
    join sets on (sets.weekdays & (cast(1 as bigint) << weekdays.weekday)) <> 0
    group by weekdays.weekday
)

select
    weekdays.weekday,
    coalesce(plays.plays, 0) as plays,
    cast(coalesce(listeners.listeners, 0) as bigint) as listeners
from weekdays
left join plays on plays.weekday = weekdays.weekday
left join listeners on listeners.weekday = weekdays.weekday
order by weekdays.weekday;
