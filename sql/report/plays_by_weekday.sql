-- query: on which day of the week do people listen?
-- parameters: since, until, level
-- columns:
--   weekday: 0 Sunday to 6 Saturday, UTC; each day has a row
--   plays: plays that started on the day, in all weeks
--   listeners: users who played on the day, excluding guests
with weekdays as (
    select 0 as weekday
    union all select 1
    union all select 2
    union all select 3
    union all select 4
    union all select 5
    union all select 6
),

plays as (
    select
        time.weekday,
        count(*) as plays,
        count(distinct songplays.user_id) as listeners
    from songplays
    join time on time.start_time = songplays.start_time
    where /*include in_days(songplays.start_time) */
        and /*include at_level(songplays.level) */
    group by time.weekday
)

select
    weekdays.weekday,
    coalesce(plays.plays, 0) as plays,
    coalesce(plays.listeners, 0) as listeners
from weekdays
left join plays on plays.weekday = weekdays.weekday
order by weekdays.weekday;
