-- Filtered plays of each session of a user, with the minutes from the start of the first to the end
-- of the last.
-- shared: page_session_totals
select
    session_id,
    user_id,
    count(*) as plays,
    sum(/*include listened(length) */) as seconds,
    (max(f_ms(start_time) + coalesce(length, 0) * 1000) - min(f_ms(start_time))) / 60000 as minutes
from songplays
where /*include in_days(start_time) */
    and /*include at_level(level) */
group by session_id, user_id
