-- query: how long do people listen?
-- parameters: since, until, level
-- columns:
--   plays: plays in the range
--   plays_with_length: plays with a length of at most a day; only they count below
--   hours: sum of the lengths of the songs played
--   minutes_a_play: mean length of these plays
--   listeners: users who played, excluding guests
--   hours_a_listener: mean of these hours per user, excluding guests
--   days: days with a play
--   hours_a_day: mean of these hours per day with a play
with plays as (
    select
        start_time,
        user_id,
        /*include listened(length) */ as length
    from songplays
    where /*include in_days(start_time) */
        and /*include at_level(level) */
)

select
    count(*) as plays,
    count(length) as plays_with_length,
    f_round(coalesce(sum(length), 0) / 3600) as hours,
    f_round(sum(length) / nullif(count(length), 0) / 60) as minutes_a_play,
    count(distinct user_id) as listeners,
    f_round(sum(case when user_id is not null then length end) / nullif(count(distinct user_id), 0) / 3600) as hours_a_listener,
    count(distinct cast(start_time as date)) as days,
    f_round(sum(length) / nullif(count(distinct cast(start_time as date)), 0) / 3600) as hours_a_day
from plays;
