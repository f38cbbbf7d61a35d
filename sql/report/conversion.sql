-- question: how many free users become paying ones, and how many go back?
-- parameters: since, until
-- columns:
--   users: users with an event in the range or a level that lasted into it
--   free_users: of these, users who were free at some time in it
--   paid_users: of these, users who were paid at some time in it
--   upgraded: users who went from free to paid in it
--   downgraded: users who went from paid to free in it
--   conversion_percent: upgraded of free users
--   churn_percent: downgraded of paid users
with spans as (
    select
        user_id,
        level,
        valid_from,
        valid_to,
        lag(level) over (partition by user_id order by valid_from, valid_to nulls last, f_bytes(level)) as level_before,
        lag(valid_from) over (partition by user_id order by valid_from, valid_to nulls last, f_bytes(level)) as since_before
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
