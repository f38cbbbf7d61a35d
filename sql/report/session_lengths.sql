-- question: how are the visits distributed by the songs played in them?
-- parameters: since, until, level
-- columns:
--   plays_from: fewest plays of the group
--   plays_to: most plays of the group; null: no bound
--   sessions: visits with so many plays; each group is there
--   percent: share of all sessions
--   plays: plays in them
--   minutes_a_session: mean length
with visits as (
    select
        session_id,
        user_id,
        count(*) as plays,
        (max(f_ms(start_time) + coalesce(length, 0) * 1000) - min(f_ms(start_time))) / 60000 as minutes
    from songplays
    where (cast($1 as timestamp) is null or start_time >= cast($1 as timestamp))
        and (cast($2 as timestamp) is null or start_time < cast($2 as timestamp))
        and (cast($3 as varchar) is null or level = cast($3 as varchar))
    group by session_id, user_id
),

bounds as (
    select 1 as plays_from, 1 as plays_to
    union all select 2, 5
    union all select 6, 10
    union all select 11, 20
    union all select 21, 50
    union all select 51, 100
    union all select 101, null
)

select
    bounds.plays_from,
    bounds.plays_to,
    count(visits.plays) as sessions,
    f_percent(count(visits.plays), (select count(*) from visits)) as "percent",
    cast(coalesce(sum(visits.plays), 0) as bigint) as plays,
    f_round(avg(visits.minutes)) as minutes_a_session
from bounds
left join visits
    on visits.plays >= bounds.plays_from and (bounds.plays_to is null or visits.plays <= bounds.plays_to)
group by bounds.plays_from, bounds.plays_to
order by bounds.plays_from;
