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
        time.weekday,
        time.hour,
        count(*) as plays
    from songplays
    join time on time.start_time = songplays.start_time
    where /*include in_days(songplays.start_time) */
        and /*include at_level(songplays.level) */
    group by time.weekday, time.hour
)

select
    weekdays.weekday,
    hours.hour,
    coalesce(plays.plays, 0) as plays
from weekdays
cross join hours
left join plays on plays.weekday = weekdays.weekday and plays.hour = hours.hour
order by weekdays.weekday, hours.hour;
