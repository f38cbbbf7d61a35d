-- query: how many songs are played in a session?
-- parameters: since, until, level
-- columns:
--   plays_from: smallest number of plays in the group
--   plays_to: largest number of plays in the group; null: unlimited
--   sessions: sessions with that many plays; each group has a row
--   percent: share of all sessions
--   plays: plays in them
--   minutes_a_session: mean length in minutes
with session_totals as (
    /*include session_totals() */
),

bounds as (
    select 1 as plays_from, 1 as plays_to
    union all select 2, 5
    union all select 6, 10
    union all select 11, 20
    union all select 21, 50
    union all select 51, 100
    union all select 101, null
)

select
    bounds.plays_from,
    bounds.plays_to,
    count(session_totals.plays) as sessions,
    f_percent(count(session_totals.plays), (select count(*) from session_totals)) as "percent",
    cast(coalesce(sum(session_totals.plays), 0) as bigint) as plays,
    f_round(avg(session_totals.minutes)) as minutes_a_session
from bounds
left join session_totals
    on session_totals.plays >= bounds.plays_from and (bounds.plays_to is null or session_totals.plays <= bounds.plays_to)
group by bounds.plays_from, bounds.plays_to
order by bounds.plays_from;
