-- query: where do people listen?
-- parameters: since, until, level, limit (20)
-- columns:
--   location: metropolitan area as logged; null when unknown
--   plays: plays from there
--   listeners: users who played, excluding guests
--   hours: sum of the lengths of the songs played
--   percent: share of all plays
with plays as (
    select
        location as location,
        user_id,
        /*include listened(length) */ as length
    from songplays
    where /*include in_days(start_time) */
        and /*include at_level(level) */
)

select
    location,
    count(*) as plays,
    count(distinct user_id) as listeners,
    f_round(coalesce(sum(length), 0) / 3600) as hours,
    f_percent(count(*), (select count(*) from plays)) as "percent"
from plays
group by location
order by plays desc, f_bytes(location) nulls last
limit $4;
