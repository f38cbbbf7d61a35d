-- query: how much do people listen over time?
-- parameters: since, until, level, by (day, week, month, quarter)
-- columns:
--   period: first day of the day, week (Monday), month or quarter, UTC; one without plays is left out
--   plays: plays that started in the period
--   listeners: users who played, excluding guests
--   sessions: sessions with a play
--   hours: sum of the lengths of the songs played
with session_intervals as (
    /*include session_intervals() */
),

listener_intervals as (
    /*include listener_intervals($3) */
),

session_periods as (
    select
        /*include first_day_of_period($4, cast(day as timestamp)) */ as period,
        day_before,
        sessions,
        plays,
        seconds
    from session_intervals
),

listener_periods as (
    select
        /*include first_day_of_period($4, cast(day as timestamp)) */ as period,
        filtered_before,
        users
    from listener_intervals
    where /*include in_days(day) */
        and /*include at_level_code(level_code, $3) */
),

sessions as (
    select
        period,
        sum(plays) as plays,
        sum(case when day_before is null or day_before < period then sessions else 0 end) as sessions,
        sum(seconds) as seconds
    from session_periods
    group by period
),

listeners as (
    select
        period,
        sum(case when /*include first_in_period(filtered_before, period) */ then users else 0 end) as listeners
    from listener_periods
    group by period
)

select
    sessions.period,
    cast(sessions.plays as bigint) as plays,
    cast(coalesce(listeners.listeners, 0) as bigint) as listeners,
    cast(sessions.sessions as bigint) as sessions,
    f_round(coalesce(sessions.seconds, 0) / 3600) as hours
from sessions
left join listeners on listeners.period = sessions.period
order by sessions.period;
