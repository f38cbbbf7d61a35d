-- query: how does the share of paid listeners change over time?
-- parameters: since, until, by (day, week, month)
-- columns:
--   period: first day of the day, week (Monday) or month, UTC
--   free_plays: plays at level free
--   paid_plays: plays at level paid
--   free_listeners: users who played at level free
--   paid_listeners: users who played at level paid
--   paid_plays_percent: paid plays, as a share of free and paid plays
--   paid_listeners_percent: users who played at level paid, as a share of users who played at either level
with plays as (
    select
        /*include first_day_of_period($3, start_time) */ as period,
        level,
        user_id
    from songplays
    where /*include in_days(start_time) */
        and level in ('free', 'paid')
)

select
    period,
    count(case when level = 'free' then 1 end) as free_plays,
    count(case when level = 'paid' then 1 end) as paid_plays,
    count(distinct case when level = 'free' then user_id end) as free_listeners,
    count(distinct case when level = 'paid' then user_id end) as paid_listeners,
    f_percent(count(case when level = 'paid' then 1 end), count(*)) as paid_plays_percent,
    f_percent(count(distinct case when level = 'paid' then user_id end), count(distinct user_id)) as paid_listeners_percent
from plays
group by period
order by period;
