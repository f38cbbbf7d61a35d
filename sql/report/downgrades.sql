-- query: who went from paid to free, latest first?
-- parameters: since, until, limit (50)
-- columns:
--   changed_at: when, UTC
--   user_id: of the user
--   first_name: as last logged
--   last_name: as last logged
--   days_before: days at level paid before, as far back as the events go
--   level_now: free or paid, as last logged
with spans as (
    /*include changed_levels() */
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
where spans.level_before = 'paid'
    and spans.level = 'free'
    and /*include in_days(spans.valid_from) */
order by spans.valid_from desc, spans.user_id
limit $3;
