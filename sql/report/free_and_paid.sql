-- query: how does the share of paid listeners change over time?
-- parameters: since, until, by (day, week, month, quarter)
-- columns:
--   period: first day of the day, week (Monday), month or quarter, UTC
--   free_plays: plays at level free
--   paid_plays: plays at level paid
--   free_listeners: users who played at level free
--   paid_listeners: users who played at level paid
--   paid_plays_percent: paid plays, as a share of free and paid plays
--   paid_listeners_percent: users who played at level paid, as a share of users who played at either level
with listener_intervals as (
    /*include listener_intervals(null) */
),

play_hours as (
    /*include play_hours() */
),

plays as (
    select
        /*include first_day_of_period($3, cast(day as timestamp)) */ as period,
        sum(case when level = 'free' then plays else 0 end) as free_plays,
        sum(case when level = 'paid' then plays else 0 end) as paid_plays
    from play_hours
    where level in ('free', 'paid')
    group by /*include first_day_of_period($3, cast(day as timestamp)) */
),

periods as (
    select
        /*include first_day_of_period($3, cast(day as timestamp)) */ as period,
        level_code,
        free_before,
        paid_before,
        users
    from listener_intervals
    where level_code in (1, 2)
        and /*include in_days(day) */
),

firsts as (
    select
        period,
        level_code,
        users,
        case when /*include first_in_period(free_before, period) */ then users else 0 end as first_at_free,
        case when /*include first_in_period(paid_before, period) */ then users else 0 end as first_at_paid
    from periods
),

listeners as (
    select
        period,
        sum(case when level_code = 1 then first_at_free else 0 end) as free_listeners,
        sum(case when level_code = 2 then first_at_paid else 0 end) as paid_listeners,
        sum(case when first_at_free = users and first_at_paid = users then users else 0 end) as listeners
    from firsts
    group by period
)

select
    plays.period,
    cast(plays.free_plays as bigint) as free_plays,
    cast(plays.paid_plays as bigint) as paid_plays,
    cast(coalesce(listeners.free_listeners, 0) as bigint) as free_listeners,
    cast(coalesce(listeners.paid_listeners, 0) as bigint) as paid_listeners,
    f_percent(plays.paid_plays, plays.free_plays + plays.paid_plays) as paid_plays_percent,
    f_percent(coalesce(listeners.paid_listeners, 0), coalesce(listeners.listeners, 0)) as paid_listeners_percent
from plays
left join listeners on listeners.period = plays.period
order by plays.period;
