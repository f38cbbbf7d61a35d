-- query: how do women and men listen?
-- parameters: since, until, level
-- columns:
--   gender: as last logged; null for guests and where it was not logged
--   plays: plays by them
--   listeners: users who played, excluding guests
--   hours: sum of the lengths of the songs played
--   plays_a_listener: mean plays per user, excluding guests
--   percent: share of all plays
with user_totals as (
    /*include user_totals() */
),

people as (
    select
        users.gender,
        user_totals.user_id,
        user_totals.plays,
        user_totals.seconds
    from user_totals
    left join users on users.user_id = user_totals.user_id
)

select
    gender,
    cast(sum(plays) as bigint) as plays,
    count(user_id) as listeners,
    f_round(coalesce(sum(seconds), 0) / 3600) as hours,
    f_round(cast(sum(case when user_id is not null then plays end) as double precision) / nullif(count(user_id), 0)) as plays_a_listener,
    f_percent(sum(plays), (select sum(plays) from user_totals)) as "percent"
from people
group by gender
order by plays desc, f_bytes(gender) nulls last;
