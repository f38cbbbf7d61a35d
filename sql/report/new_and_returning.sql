-- question: how many listeners are new, and how many come back?
-- parameters: since, until, level, by (day, week, month)
-- columns:
--   period: first day of the day, week (Monday) or month, UTC
--   listeners: users who played in it, guests aside
--   new_listeners: of these, users who had never played before, at any level
--   returning_listeners: users who had
--   new_percent: new of all
with plays as (
    select distinct
        cast(case cast($4 as varchar)
            when 'week' then date_trunc('week', start_time)
            when 'month' then date_trunc('month', start_time)
            else date_trunc('day', start_time)
        end as date) as period,
        user_id
    from songplays
    where (cast($1 as timestamp) is null or start_time >= cast($1 as timestamp))
        and (cast($2 as timestamp) is null or start_time < cast($2 as timestamp))
        and (cast($3 as varchar) is null or level = cast($3 as varchar))
        and user_id is not null
),

firsts as (
    select
        user_id,
        min(cast(case cast($4 as varchar)
            when 'week' then date_trunc('week', start_time)
            when 'month' then date_trunc('month', start_time)
            else date_trunc('day', start_time)
        end as date)) as first_period
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
