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
    /*include changed_levels() */
),

by_user as (
    select
        user_id,
        max(case when level = 'free' then 1 else 0 end) as is_free,
        max(case when level = 'paid' then 1 else 0 end) as is_paid
    from user_levels
    where (cast($1 as timestamp) is null or valid_to is null or valid_to > cast($1 as timestamp))
        and (cast($2 as timestamp) is null or valid_from < cast($2 as timestamp))
    group by user_id
),

changes as (
    select
        user_id,
        max(case when level_before = 'free' and level = 'paid' then 1 else 0 end) as has_upgraded,
        max(case when level_before = 'paid' and level = 'free' then 1 else 0 end) as has_downgraded
    from spans
    where /*include in_days(valid_from) */
        and (cast($1 as timestamp) is null or valid_to is null or valid_to > cast($1 as timestamp))
    group by user_id
),

counted as (
    select
        count(*) as users,
        cast(coalesce(sum(is_free), 0) as bigint) as free_users,
        cast(coalesce(sum(is_paid), 0) as bigint) as paid_users,
        cast(coalesce((select sum(has_upgraded) from changes), 0) as bigint) as upgraded,
        cast(coalesce((select sum(has_downgraded) from changes), 0) as bigint) as downgraded
    from by_user
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
