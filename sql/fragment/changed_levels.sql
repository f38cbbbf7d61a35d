-- Spans of user_levels after another span of the same user, with its level and when it began. Only
-- users with a span that ended have such spans.
select
    user_id,
    level,
    valid_from,
    valid_to,
    level_before,
    since_before
from (
    select
        user_id,
        level,
        valid_from,
        valid_to,
        lag(level) over (partition by user_id order by valid_from, valid_to nulls last, f_bytes(level)) as level_before,
        lag(valid_from) over (partition by user_id order by valid_from, valid_to nulls last, f_bytes(level)) as since_before
    from user_levels
    where user_id in (select user_id from user_levels where valid_to is not null)
) as spans
where level_before is not null
