-- query: how much do people listen each week?
-- parameters: since, until, level
-- columns:
--   week_start: date of its Monday, UTC; a week without plays is left out
--   iso_year: year of the ISO week, which may differ from the year of the date
--   week: ISO week, 1 to 53
--   plays: plays that started in the week
--   listeners: users who played, excluding guests
--   sessions: sessions with a play
--   hours: sum of the lengths of the songs played
with by_session as (
    select
        date_trunc('week', start_time) as monday,
        user_id,
        session_id,
        count(*) as plays,
        sum(/*include listened(length) */) as seconds
    from songplays
    where /*include in_days(start_time) */
        and /*include at_level(level) */
    group by date_trunc('week', start_time), user_id, session_id
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
from by_session
group by monday
order by monday;
