-- test: the level spans of a user have no gap and no overlap, and only the last is open
with spans as (
    select
        user_id,
        level,
        valid_from,
        valid_to,
        is_current,
        lead(valid_from) over (
            partition by user_id
            order by valid_from, case when is_current then 1 else 0 end, valid_to
        ) as next_from
    from user_levels
    /*incremental join scope_users using (user_id) */
)

select
    user_id,
    level,
    valid_from,
    valid_to,
    is_current,
    next_from
from spans
where valid_to < valid_from
    or (is_current and valid_to is not null)
    or (not is_current and valid_to is null)
    or (next_from is null and not is_current)
    or (next_from is not null and (valid_to is null or valid_to <> next_from));
