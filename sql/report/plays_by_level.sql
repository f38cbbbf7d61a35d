-- query: how much do free and paid users listen?
-- parameters: since, until
-- columns:
--   level: free or paid, at the time of the play; null when it was not logged
--   plays: plays at that level
--   listeners: users who played at it, excluding guests
--   hours: sum of the lengths of the songs played
--   percent: share of all plays
with listener_intervals as (
    /*include listener_intervals(null) */
),

play_hours as (
    /*include play_hours() */
),

-- The first play of a user at the level within the days is on such a day.
counted as (
    select
        level,
        sum(plays) as plays,
        sum(seconds) as seconds,
        0 as listeners
    from play_hours
    group by level
    union all
    select
        level,
        0 as plays,
        null as seconds,
        count(distinct user_id) as listeners
    from songplays
    where (level is null or level not in ('free', 'paid'))
        and /*include in_days(start_time) */
    group by level
    union all
    select
        cast('free' as varchar) as level,
        0 as plays,
        null as seconds,
        sum(users) as listeners
    from listener_intervals
    where level_code = 1
        and /*include in_days(day) */
        and (free_before is null or free_before < cast($1 as timestamp))
    union all
    select
        cast('paid' as varchar) as level,
        0 as plays,
        null as seconds,
        sum(users) as listeners
    from listener_intervals
    where level_code = 2
        and /*include in_days(day) */
        and (paid_before is null or paid_before < cast($1 as timestamp))
)

select
    level,
    cast(sum(plays) as bigint) as plays,
    cast(coalesce(sum(listeners), 0) as bigint) as listeners,
    f_round(coalesce(sum(seconds), 0) / 3600) as hours,
    f_percent(sum(plays), (select sum(plays) from counted)) as "percent"
from counted
group by level
having sum(plays) > 0
order by plays desc, f_bytes(level) nulls last;
