-- query: in which states do people listen?
-- parameters: since, until, level, limit (20)
-- columns:
--   state: of the area's first city, for example NY of `New York-Newark-Jersey City, NY-NJ-PA`; null when unknown
--   plays: plays from there
--   listeners: users who played, excluding guests
--   hours: sum of the lengths of the songs played
--   percent: share of all plays
with plays as (
    select
        nullif(split_part(split_part(location, ', ', 2), '-', 1), '') as state,
        user_id,
        /*include listened(length) */ as length
    from songplays
    where /*include in_days(start_time) */
        and /*include at_level(level) */
)

select
    state,
    count(*) as plays,
    count(distinct user_id) as listeners,
    f_round(coalesce(sum(length), 0) / 3600) as hours,
    f_percent(count(*), (select count(*) from plays)) as "percent"
from plays
group by state
order by plays desc, f_bytes(state) nulls last
limit $4;
