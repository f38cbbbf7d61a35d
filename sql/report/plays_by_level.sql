-- query: how much do free and paid users listen?
-- parameters: since, until
-- columns:
--   level: free or paid, at the time of the play; null when it was not logged
--   plays: plays at that level
--   listeners: users who played at it, excluding guests
--   hours: sum of the lengths of the songs played
--   percent: share of all plays
with plays as (
    select
        level,
        user_id,
        /*include listened(length) */ as length
    from songplays
    where /*include in_days(start_time) */
)

select
    level,
    count(*) as plays,
    count(distinct user_id) as listeners,
    f_round(coalesce(sum(length), 0) / 3600) as hours,
    f_percent(count(*), (select count(*) from plays)) as "percent"
from plays
group by level
order by plays desc, f_bytes(level) nulls last;
