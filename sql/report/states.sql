-- query: in which states do people listen?
-- parameters: since, until, level, limit (20)
-- columns:
--   state: of the area's first city, for example NY of `New York-Newark-Jersey City, NY-NJ-PA`; null when unknown
--   plays: plays from there
--   listeners: users who played, excluding guests
--   hours: sum of the lengths of the songs played
--   percent: share of all plays
with user_places as (
    /*include user_places() */
),

states as (
    select
        place,
        nullif(split_part(split_part(location, ', ', 2), '-', 1), '') as state
    from (
        /*include numbered_locations() */
    ) as numbered_locations
),

places as (
    select
        states.state,
        user_places.user_id,
        user_places.plays,
        user_places.seconds
    from user_places
    left join states on states.place = user_places.place
)

select
    state,
    cast(sum(plays) as bigint) as plays,
    count(distinct user_id) as listeners,
    f_round(coalesce(sum(seconds), 0) / 3600) as hours,
    f_percent(sum(plays), (select sum(plays) from user_places)) as "percent"
from places
group by state
order by plays desc, f_bytes(state) nulls last
limit $4;
