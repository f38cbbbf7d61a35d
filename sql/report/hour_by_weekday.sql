-- question: at which hour of which day of the week do people listen?
-- parameters: since, until, level
-- columns:
--   weekday: 0 Sunday to 6 Saturday, UTC
--   hour: 0 to 23, UTC; all 168 pairs are there
--   plays: plays that started then, of all weeks
with digits as (
    select 0 as digit
    union all select 1
    union all select 2
    union all select 3
    union all select 4
    union all select 5
    union all select 6
    union all select 7
    union all select 8
    union all select 9
),

hours as (
    select tens.digit * 10 + ones.digit as hour
    from digits as tens
    cross join digits as ones
    where tens.digit * 10 + ones.digit < 24
),

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
    where (cast($1 as timestamp) is null or songplays.start_time >= cast($1 as timestamp))
        and (cast($2 as timestamp) is null or songplays.start_time < cast($2 as timestamp))
        and (cast($3 as varchar) is null or songplays.level = cast($3 as varchar))
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
