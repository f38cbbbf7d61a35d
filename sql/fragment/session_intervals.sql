-- Filtered plays by day, and by the day before on which the session had plays; null on its first day.
-- A session counts in a period if the day before is in an earlier one. This holds for periods of any
-- length, and is cheaper than counting distinct sessions for each of them.
-- shared: page_session_intervals
select
    day,
    day_before,
    count(*) as sessions,
    sum(plays) as plays,
    sum(seconds) as seconds
from (
    select
        day,
        lag(day) over (partition by user_id, session_id order by day) as day_before,
        plays,
        seconds
    from (
        /*include session_days($3) */
    ) as session_days
    where /*include in_days(day) */
        and /*include at_level_code(level_code, $3) */
) as intervals
group by day, day_before
