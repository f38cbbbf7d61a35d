-- query: at which hour of the day (UTC) do people listen?
-- parameters: since, until, level
-- columns:
--   hour: 0 to 23, UTC; each hour has a row
--   plays: plays that started in the hour, on all days
--   listeners: users who played in the hour, excluding guests
with
/*include hours_of_day() */,

plays as (
    select
        time.hour,
        count(*) as plays,
        count(distinct songplays.user_id) as listeners
    from songplays
    join time on time.start_time = songplays.start_time
    where /*include in_days(songplays.start_time) */
        and /*include at_level(songplays.level) */
    group by time.hour
)

select
    hours.hour,
    coalesce(plays.plays, 0) as plays,
    coalesce(plays.listeners, 0) as listeners
from hours
left join plays on plays.hour = hours.hour
order by hours.hour;
