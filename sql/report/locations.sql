-- question: where do people listen?
-- parameters: since, until, level, limit (20)
-- columns:
--   location: metropolitan area as logged; null when unknown
--   plays: plays from there
--   listeners: users who played, guests aside
--   hours: time listened
--   percent: share of all plays
with plays as (
    select
        location as location,
        user_id,
        length
    from songplays
    where (cast($1 as timestamp) is null or start_time >= cast($1 as timestamp))
        and (cast($2 as timestamp) is null or start_time < cast($2 as timestamp))
        and (cast($3 as varchar) is null or level = cast($3 as varchar))
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
