-- query: how many listeners are new, and how many come back?
-- parameters: since, until, level, by (day, week, month)
-- columns:
--   period: first day of the day, week (Monday) or month, UTC
--   listeners: users who played in the period, excluding guests
--   new_listeners: of these, users who had never played before, at any level
--   returning_listeners: users who had played before
--   new_percent: share of new listeners
with plays as (
    select distinct
        /*include first_day_of_period($4, start_time) */ as period,
        user_id
    from songplays
    where /*include in_days(start_time) */
        and /*include at_level(level) */
        and user_id is not null
),

firsts as (
    select
        user_id,
        min(/*include first_day_of_period($4, start_time) */) as first_period
    from songplays
    where user_id is not null
    group by user_id
)

select
    plays.period,
    count(*) as listeners,
    count(case when plays.period = firsts.first_period then 1 end) as new_listeners,
    count(case when plays.period > firsts.first_period then 1 end) as returning_listeners,
    f_percent(count(case when plays.period = firsts.first_period then 1 end), count(*)) as new_percent
from plays
join firsts on firsts.user_id = plays.user_id
group by plays.period
order by plays.period;
