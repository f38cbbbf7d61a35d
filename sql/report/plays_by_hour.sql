-- question: at which hour of the day (UTC) do people listen?
-- parameters: since, until, level
-- columns:
--   hour: 0 to 23, UTC; each is there
--   plays: plays that started in it, of all days
--   listeners: how many users played then, guests aside
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

plays as (
    select
        time.hour,
        count(*) as plays,
        count(distinct songplays.user_id) as listeners
    from songplays
    join time on time.start_time = songplays.start_time
    where (cast($1 as timestamp) is null or songplays.start_time >= cast($1 as timestamp))
        and (cast($2 as timestamp) is null or songplays.start_time < cast($2 as timestamp))
        and (cast($3 as varchar) is null or songplays.level = cast($3 as varchar))
    group by time.hour
)

select
    hours.hour,
    coalesce(plays.plays, 0) as plays,
    coalesce(plays.listeners, 0) as listeners
from hours
left join plays on plays.hour = hours.hour
order by hours.hour;
