-- query: where do people listen?
-- parameters: since, until, level, limit (20)
-- columns:
--   location: metropolitan area as logged; null when unknown
--   plays: plays from there
--   listeners: users who played, excluding guests
--   hours: sum of the lengths of the songs played
--   percent: share of all plays
with user_places as (
    /*include user_places() */
)

select
    location,
    cast(sum(plays) as bigint) as plays,
    count(distinct user_id) as listeners,
    f_round(coalesce(sum(seconds), 0) / 3600) as hours,
    f_percent(sum(plays), (select sum(plays) from user_places)) as "percent"
from user_places
group by location
order by plays desc, f_bytes(location) nulls last
limit $4;
