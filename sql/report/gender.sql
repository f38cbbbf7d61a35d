-- query: how do women and men listen?
-- parameters: since, until, level
-- columns:
--   gender: as last logged; null for guests and where it was not logged
--   plays: plays by them
--   listeners: users who played, excluding guests
--   hours: sum of the lengths of the songs played
--   plays_a_listener: mean plays per user, excluding guests
--   percent: share of all plays
with plays as (
    select
        users.gender,
        songplays.user_id,
        /*include listened(songplays.length) */ as length
    from songplays
    left join users on users.user_id = songplays.user_id
    where /*include in_days(songplays.start_time) */
        and /*include at_level(songplays.level) */
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
