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

plays as (
    select
        f_weekday(start_time) as weekday,
        extract(hour from start_time) as hour,
        count(*) as plays
    from songplays
    where /*include in_days(start_time) */
        and /*include at_level(level) */
    group by f_weekday(start_time), extract(hour from start_time)
)

select
    weekdays.weekday,
    hours.hour,
    coalesce(plays.plays, 0) as plays
from weekdays
cross join hours
left join plays on plays.weekday = weekdays.weekday and plays.hour = hours.hour
order by weekdays.weekday, hours.hour;
