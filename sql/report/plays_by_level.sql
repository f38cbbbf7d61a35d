-- query: how much do free and paid users listen?
-- parameters: since, until
-- columns:
--   level: free or paid, at the time of the play; null when it was not logged
--   plays: plays at that level
--   listeners: users who played at it, excluding guests
--   hours: sum of the lengths of the songs played
--   percent: share of all plays
with session_days as (
    /*include session_days() */
)

select
    level,
    cast(sum(plays) as bigint) as plays,
    count(distinct user_id) as listeners,
    f_round(coalesce(sum(seconds), 0) / 3600) as hours,
    f_percent(sum(plays), (select sum(plays) from session_days)) as "percent"
from session_days
group by level
order by plays desc, f_bytes(level) nulls last;
