-- query: at which hour of the day (UTC) do people listen?
-- parameters: since, until, level
-- columns:
--   hour: 0 to 23, UTC; each hour has a row
--   plays: plays that started in the hour, on all days
--   listeners: users who played in the hour, excluding guests
with
/*include hours_of_day() */,

by_user as (
    select
        extract(hour from start_time) as hour,
        user_id,
        count(*) as plays
    from songplays
    where /*include in_days(start_time) */
        and /*include at_level(level) */
    group by extract(hour from start_time), user_id
),

plays as (
    select
        hour,
        cast(sum(plays) as bigint) as plays,
        count(user_id) as listeners
    from by_user
    group by hour
)

select
    hours.hour,
    coalesce(plays.plays, 0) as plays,
    coalesce(plays.listeners, 0) as listeners
from hours
left join plays on plays.hour = hours.hour
order by hours.hour;
