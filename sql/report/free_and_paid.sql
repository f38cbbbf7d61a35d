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
with session_days as (
    /*include session_days() */
),

periods as (
    select
        /*include first_day_of_period($3, cast(day as timestamp)) */ as period,
        level,
        user_id,
        plays
    from session_days
    where level in ('free', 'paid')
),

by_user as (
    select
        period,
        user_id,
        sum(case when level = 'free' then plays else 0 end) as free_plays,
        sum(case when level = 'paid' then plays else 0 end) as paid_plays
    from periods
    group by period, user_id
)

select
    period,
    cast(sum(free_plays) as bigint) as free_plays,
    cast(sum(paid_plays) as bigint) as paid_plays,
    count(case when free_plays > 0 then user_id end) as free_listeners,
    count(case when paid_plays > 0 then user_id end) as paid_listeners,
    f_percent(sum(paid_plays), sum(free_plays + paid_plays)) as paid_plays_percent,
    f_percent(count(case when paid_plays > 0 then user_id end), count(user_id)) as paid_listeners_percent
from by_user
group by period
order by period;
