-- question: how does listening change from week to week?
-- parameters: since, until, level
-- columns:
--   week_start: date of its Monday, UTC; a week without plays is left out
--   iso_year: year of the ISO week, which is not always that of the date
--   week: ISO week, 1 to 53
--   plays: plays that started in it
--   listeners: how many users played, guests aside
--   sessions: visits in which something was played
--   hours: time listened
with plays as (
    select
        date_trunc('week', start_time) as monday,
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
        monday,
        user_id,
        session_id,
        count(*) as plays,
        sum(length) as seconds
    from plays
    group by monday, user_id, session_id
)

select
    cast(monday as date) as week_start,
    -- An ISO week belongs to the year of its Thursday.
    cast(extract(year from monday + interval '3 days') as integer) as iso_year,
    cast(f_week(monday) as integer) as week,
    cast(sum(plays) as bigint) as plays,
    count(distinct user_id) as listeners,
    count(*) as sessions,
    f_round(coalesce(sum(seconds), 0) / 3600) as hours
from visits
group by monday
order by monday;
