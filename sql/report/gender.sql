-- question: how do women and men listen?
-- parameters: since, until, level
-- columns:
--   gender: as logged last; null for guests and where it was not logged
--   plays: plays by them
--   listeners: users who played, guests aside
--   hours: time listened
--   plays_a_listener: mean
--   percent: share of all plays
with plays as (
    select
        users.gender,
        songplays.user_id,
        songplays.length
    from songplays
    left join users on users.user_id = songplays.user_id
    where (cast($1 as timestamp) is null or songplays.start_time >= cast($1 as timestamp))
        and (cast($2 as timestamp) is null or songplays.start_time < cast($2 as timestamp))
        and (cast($3 as varchar) is null or songplays.level = cast($3 as varchar))
)

select
    gender,
    count(*) as plays,
    count(distinct user_id) as listeners,
    f_round(coalesce(sum(length), 0) / 3600) as hours,
    f_round(cast(count(user_id) as double precision) / nullif(count(distinct user_id), 0)) as plays_a_listener,
    f_percent(count(*), (select count(*) from plays)) as "percent"
from plays
group by gender
order by plays desc, f_bytes(gender) nulls last;
