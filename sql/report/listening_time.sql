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
with user_totals as (
    /*include user_totals() */
),

play_hours as (
    /*include play_hours() */
),

days as (
    select
        day,
        sum(plays) as plays,
        sum(plays_with_length) as plays_with_length
    from play_hours
    where /*include at_level(level) */
    group by day
),

totals as (
    select
        count(user_id) as listeners,
        sum(seconds) as seconds,
        sum(case when user_id is not null then seconds end) as listener_seconds
    from user_totals
),

counted as (
    select
        cast(coalesce(sum(plays), 0) as bigint) as plays,
        cast(coalesce(sum(plays_with_length), 0) as bigint) as plays_with_length,
        count(*) as days
    from days
)

select
    counted.plays,
    counted.plays_with_length,
    f_round(coalesce(totals.seconds, 0) / 3600) as hours,
    f_round(totals.seconds / nullif(counted.plays_with_length, 0) / 60) as minutes_a_play,
    totals.listeners,
    f_round(totals.listener_seconds / nullif(totals.listeners, 0) / 3600) as hours_a_listener,
    counted.days,
    f_round(totals.seconds / nullif(counted.days, 0) / 3600) as hours_a_day
from counted
cross join totals;
