-- query: at which hour of which day of the week do people listen?
-- parameters: since, until, level
-- columns:
--   weekday: 0 Sunday to 6 Saturday, UTC
--   hour: 0 to 23, UTC; each of the 168 pairs has a row
--   plays: plays that started then, in all weeks
with
/*include hours_of_day() */,

weekdays as (
    select digit as weekday
    from digits
    where digit < 7
),

play_hours as (
    /*include play_hours() */
),

plays as (
    select
        f_weekday(cast(day as timestamp)) as weekday,
        hour,
        cast(sum(plays) as bigint) as plays
    from play_hours
    where /*include at_level(level) */
    group by f_weekday(cast(day as timestamp)), hour
)

select
    weekdays.weekday,
    hours.hour,
    coalesce(plays.plays, 0) as plays
from weekdays
cross join hours
left join plays on plays.weekday = weekdays.weekday and plays.hour = hours.hour
order by weekdays.weekday, hours.hour;
