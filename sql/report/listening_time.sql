-- question: how long do people listen?
-- parameters: since, until, level
-- columns:
--   plays: plays in the range
--   plays_with_length: of these, plays whose length is known
--   hours: time listened
--   minutes_a_play: mean length of a play
--   listeners: users who played, guests aside
--   hours_a_listener: mean time of a user
--   days: days on which anybody played
--   hours_a_day: mean time of such a day
with plays as (
    select
        start_time,
        user_id,
        length
    from songplays
    where (cast($1 as timestamp) is null or start_time >= cast($1 as timestamp))
        and (cast($2 as timestamp) is null or start_time < cast($2 as timestamp))
        and (cast($3 as varchar) is null or level = cast($3 as varchar))
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
