-- query: how many free users upgrade to paid, and how many paid users downgrade?
-- parameters: since, until
-- columns:
--   users: users with a level at some time in the range
--   free_users: of these, users who were free at some time in the range
--   paid_users: of these, users who were paid at some time in the range
--   upgraded: users who went from free to paid in the range
--   downgraded: users who went from paid to free in the range
--   conversion_percent: upgraded users, as a share of free users
--   churn_percent: downgraded users, as a share of paid users
with spans as (
    select
        user_id,
        level,
        valid_from,
        valid_to,
        /*include level_before() */
    from user_levels
),

within as (
    select
        user_id,
        level,
        case
            when (cast($1 as timestamp) is null or valid_from >= cast($1 as timestamp)) then level_before
        end as changed_from
    from spans
    where (cast($1 as timestamp) is null or valid_to is null or valid_to > cast($1 as timestamp))
        and (cast($2 as timestamp) is null or valid_from < cast($2 as timestamp))
),

counted as (
    select
        count(distinct user_id) as users,
        count(distinct case when level = 'free' then user_id end) as free_users,
        count(distinct case when level = 'paid' then user_id end) as paid_users,
        count(distinct case when changed_from = 'free' and level = 'paid' then user_id end) as upgraded,
        count(distinct case when changed_from = 'paid' and level = 'free' then user_id end) as downgraded
    from within
)

select
    users,
    free_users,
    paid_users,
    upgraded,
    downgraded,
    f_percent(upgraded, free_users) as conversion_percent,
    f_percent(downgraded, paid_users) as churn_percent
from counted;
