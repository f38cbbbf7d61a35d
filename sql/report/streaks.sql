-- query: on how many days do people listen, and on how many in a row?
-- parameters: since, until, level
-- columns:
--   days: days with a play, UTC
--   plays: plays on them
--   plays_a_day: mean plays per day with a play
--   most_plays: largest number of plays in one day
--   most_plays_on: the first day with that number
--   longest_streak: largest number of days in a row with a play
--   longest_from: its first day; of equally long streaks the first
--   longest_to: its last day
--   latest_streak: days in a row up to the last day with a play
--   latest_to: the last day with a play
with play_hours as (
    /*include play_hours() */
),

by_day as (
    select
        day,
        cast(sum(plays) as bigint) as plays
    from play_hours
    where /*include at_level(level) */
    group by day
),

numbered as (
    select
        day,
        plays,
        -- Days in a row have the same difference to their number.
        day - cast(row_number() over (order by day) as integer) as streak,
        row_number() over (order by plays desc, day) as place
    from by_day
),

streaks as (
    select
        min(day) as first_day,
        max(day) as last_day,
        count(*) as days,
        sum(plays) as plays,
        max(plays) as most_plays,
        max(case when place = 1 then day end) as most_plays_on
    from numbered
    group by streak
),

ranked as (
    select
        first_day,
        last_day,
        days,
        plays,
        most_plays,
        most_plays_on,
        row_number() over (order by days desc, first_day) as by_length,
        row_number() over (order by last_day desc) as by_time
    from streaks
)

select
    cast(coalesce(sum(days), 0) as bigint) as days,
    cast(coalesce(sum(plays), 0) as bigint) as plays,
    f_round(cast(sum(plays) as double precision) / nullif(cast(sum(days) as double precision), 0)) as plays_a_day,
    max(most_plays) as most_plays,
    max(most_plays_on) as most_plays_on,
    max(case when by_length = 1 then days end) as longest_streak,
    max(case when by_length = 1 then first_day end) as longest_from,
    max(case when by_length = 1 then last_day end) as longest_to,
    max(case when by_time = 1 then days end) as latest_streak,
    max(case when by_time = 1 then last_day end) as latest_to
from ranked;
