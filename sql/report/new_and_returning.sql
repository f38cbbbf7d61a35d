-- query: how many listeners are new, and how many come back?
-- parameters: since, until, level, by (day, week, month, quarter)
-- columns:
--   period: first day of the day, week (Monday), month or quarter, UTC
--   listeners: users who played in the period, excluding guests
--   new_listeners: of these, users who had never played before, at any level
--   returning_listeners: users who had played before
--   new_percent: share of new listeners
with listener_intervals as (
    /*include listener_intervals($3) */
),

periods as (
    select
        /*include first_day_of_period($4, cast(day as timestamp)) */ as period,
        first_day,
        filtered_before,
        users
    from listener_intervals
    where /*include in_days(day) */
        and /*include at_level_code(level_code, $3) */
),

active as (
    select
        period,
        sum(users) as listeners,
        sum(case when first_day >= period then users else 0 end) as new_listeners
    from periods
    where /*include first_in_period(filtered_before, period) */
    group by period
)

select
    period,
    cast(listeners as bigint) as listeners,
    cast(new_listeners as bigint) as new_listeners,
    cast(listeners - new_listeners as bigint) as returning_listeners,
    f_percent(new_listeners, listeners) as new_percent
from active
order by period;
