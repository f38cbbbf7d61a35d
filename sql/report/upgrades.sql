-- question: who went from free to paid, latest first?
-- parameters: since, until, limit (50)
-- columns:
--   changed_at: when, UTC
--   user_id: of the user
--   first_name: as logged last
--   last_name: as logged last
--   days_before: how long they had been free, as far as the events reach
--   level_now: free or paid, as logged last
with spans as (
    select
        user_id,
        level,
        valid_from,
        lag(level) over (partition by user_id order by valid_from, valid_to nulls last, f_bytes(level)) as level_before,
        lag(valid_from) over (partition by user_id order by valid_from, valid_to nulls last, f_bytes(level)) as since_before
    from user_levels
)

select
    spans.valid_from as changed_at,
    spans.user_id,
    users.first_name,
    users.last_name,
    f_round(cast(f_ms(spans.valid_from) - f_ms(spans.since_before) as double precision) / 86400000) as days_before,
    users.level as level_now
from spans
join users on users.user_id = spans.user_id
where spans.level_before = 'free'
    and spans.level = 'paid'
    and (cast($1 as timestamp) is null or spans.valid_from >= cast($1 as timestamp))
    and (cast($2 as timestamp) is null or spans.valid_from < cast($2 as timestamp))
order by spans.valid_from desc, spans.user_id
limit $3;
