-- Columns of user_levels that come from the user's previous span: its level, and when it began.
lag(level) over (partition by user_id order by valid_from, valid_to nulls last, f_bytes(level)) as level_before,
lag(valid_from) over (partition by user_id order by valid_from, valid_to nulls last, f_bytes(level)) as since_before
