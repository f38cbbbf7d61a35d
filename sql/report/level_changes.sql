-- query: how many users upgrade and downgrade over time?
-- parameters: since, until, by (day, week, month, quarter)
-- columns:
--   period: first day of the day, week (Monday), month or quarter, UTC; a period without a change is left out
--   upgrades: changes from free to paid
--   downgrades: changes from paid to free
--   net: upgrades minus downgrades
with spans as (
    /*include changed_levels() */
),

changes as (
    select
        /*include first_day_of_period($3, valid_from) */ as period,
        case when level_before = 'free' and level = 'paid' then 1 else 0 end as upgrade,
        case when level_before = 'paid' and level = 'free' then 1 else 0 end as downgrade
    from spans
    where /*include in_days(valid_from) */
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
