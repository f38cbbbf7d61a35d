-- query: at which hour of the day (UTC) do people listen?
-- parameters: since, until, level
-- columns:
--   hour: 0 to 23, UTC; each hour has a row
--   plays: plays that started in the hour, on all days
--   listeners: users who played in the hour, excluding guests
with
/*include hours_of_day() */,

user_totals as (
    /*include user_totals() */
),

play_hours as (
    /*include play_hours() */
),

plays as (
    select
        hour,
        cast(sum(plays) as bigint) as plays
    from play_hours
    where /*include at_level(level) */
    group by hour
),

sets as (
    select
        hours,
        count(user_id) as listeners
    from user_totals
    group by hours
),

listeners as (
    select
        hours.hour,
        sum(sets.listeners) as listeners
    from hours
    join sets on (sets.hours & (cast(1 as bigint) << hours.hour)) <> 0
    group by hours.hour
)

select
    hours.hour,
    coalesce(plays.plays, 0) as plays,
    cast(coalesce(listeners.listeners, 0) as bigint) as listeners
from hours
left join plays on plays.hour = hours.hour
left join listeners on listeners.hour = hours.hour
order by hours.hour;
