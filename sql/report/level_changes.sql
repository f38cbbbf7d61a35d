-- question: how many users upgrade and downgrade over time?
-- parameters: since, until, by (day, week, month)
-- columns:
--   period: first day of the day, week (Monday) or month, UTC; without any change it is left out
--   upgrades: changes from free to paid
--   downgrades: changes from paid to free
--   net: upgrades less downgrades
with spans as (
    select
        user_id,
        level,
        valid_from,
        lag(level) over (partition by user_id order by valid_from, valid_to nulls last, f_bytes(level)) as level_before,
        lag(valid_from) over (partition by user_id order by valid_from, valid_to nulls last, f_bytes(level)) as since_before
    from user_levels
),

changes as (
    select
        cast(case cast($3 as varchar)
            when 'week' then date_trunc('week', valid_from)
            when 'month' then date_trunc('month', valid_from)
            else date_trunc('day', valid_from)
        end as date) as period,
        case when level_before = 'free' and level = 'paid' then 1 else 0 end as upgrade,
        case when level_before = 'paid' and level = 'free' then 1 else 0 end as downgrade
    from spans
    where (cast($1 as timestamp) is null or valid_from >= cast($1 as timestamp))
        and (cast($2 as timestamp) is null or valid_from < cast($2 as timestamp))
)

select
    period,
    cast(sum(upgrade) as bigint) as upgrades,
    cast(sum(downgrade) as bigint) as downgrades,
    cast(sum(upgrade) - sum(downgrade) as bigint) as net
from changes
where upgrade + downgrade > 0
group by period
order by period;
