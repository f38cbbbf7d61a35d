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
),

numbered_locations as (
    /*include numbered_locations() */
),

by_place as (
    select
        place,
        cast(sum(plays) as bigint) as plays,
        count(distinct user_id) as listeners,
        f_round(coalesce(sum(seconds), 0) / 3600) as hours
    from user_places
    group by place
)

select
    numbered_locations.location,
    by_place.plays,
    by_place.listeners,
    by_place.hours,
    f_percent(by_place.plays, (select sum(plays) from by_place)) as "percent"
from by_place
left join numbered_locations on numbered_locations.place = by_place.place
order by by_place.plays desc, f_bytes(numbered_locations.location) nulls last
limit $4;
