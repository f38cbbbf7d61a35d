-- question: how does listening change from day to day?
-- parameters: since, until, level
-- columns:
--   day: date, UTC; a day without plays is left out
--   plays: plays that started on it
--   listeners: how many users played, guests aside
--   sessions: visits in which something was played
--   hours: time listened
with plays as (
    select
        cast(start_time as date) as day,
        user_id,
        session_id,
        length
    from songplays
    where (cast($1 as timestamp) is null or start_time >= cast($1 as timestamp))
        and (cast($2 as timestamp) is null or start_time < cast($2 as timestamp))
        and (cast($3 as varchar) is null or level = cast($3 as varchar))
),

visits as (
    select
        day,
        user_id,
        session_id,
        count(*) as plays,
        sum(length) as seconds
    from plays
    group by day, user_id, session_id
)

select
    day,
    cast(sum(plays) as bigint) as plays,
    count(distinct user_id) as listeners,
    count(*) as sessions,
    f_round(coalesce(sum(seconds), 0) / 3600) as hours
from visits
group by day
order by day;
