-- query: how many listeners are new, and how many come back?
-- parameters: since, until, level, by (day, week, month, quarter)
-- columns:
--   period: first day of the day, week (Monday), month or quarter, UTC
--   listeners: users who played in the period, excluding guests
--   new_listeners: of these, users who had never played before, at any level
--   returning_listeners: users who had played before
--   new_percent: share of new listeners
with session_days as (
    /*include session_days() */
),

first_plays as (
    /*include first_plays() */
),

periods as (
    select
        /*include first_day_of_period($4, cast(day as timestamp)) */ as period,
        user_id
    from session_days
    where user_id is not null
        and /*include at_level(level) */
),

active as (
    select
        period,
        user_id
    from periods
    group by period, user_id
),

firsts as (
    select
        user_id,
        /*include first_day_of_period($4, first_play) */ as first_period
    from first_plays
)

select
    active.period,
    count(*) as listeners,
    count(case when active.period = firsts.first_period then 1 end) as new_listeners,
    count(case when active.period > firsts.first_period then 1 end) as returning_listeners,
    f_percent(count(case when active.period = firsts.first_period then 1 end), count(*)) as new_percent
from active
join firsts on firsts.user_id = active.user_id
group by active.period
order by active.period;
