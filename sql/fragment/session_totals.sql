-- Filtered plays of each session of a user, with the minutes from the start of the first to the end
-- of the last. Hours of the day and weekdays are sets of bits: bit n is hour or weekday n.
-- shared: page_session_totals
select
    session_id,
    user_id,
    count(*) as plays,
    sum(/*include listened(length) */) as seconds,
    (max(f_ms(start_time) + coalesce(length, 0) * 1000) - min(f_ms(start_time))) / 60000 as minutes,
    bit_or(cast(1 as bigint) << cast(extract(hour from start_time) as integer)) as hours,
    bit_or(cast(1 as bigint) << cast(f_weekday(start_time) as integer)) as weekdays
from songplays
where /*include in_days(start_time) */
    and /*include at_level(level) */
group by session_id, user_id
