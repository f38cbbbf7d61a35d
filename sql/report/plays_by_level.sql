-- question: how much do free and paid users listen?
-- parameters: since, until
-- columns:
--   level: free or paid, at the time of the play; null when it was not logged
--   plays: plays at that level
--   listeners: users who played at it, guests aside
--   hours: time listened
--   percent: share of all plays
with plays as (
    select
        level,
        user_id,
        length
    from songplays
    where (cast($1 as timestamp) is null or start_time >= cast($1 as timestamp))
        and (cast($2 as timestamp) is null or start_time < cast($2 as timestamp))
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
