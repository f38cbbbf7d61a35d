-- Every level span, by user.
select
    user_id,
    level,
    valid_from,
    valid_to,
    is_current
from user_levels
order by user_id, valid_from, valid_to nulls last, f_bytes(level);
