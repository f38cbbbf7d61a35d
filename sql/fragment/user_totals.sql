-- Filtered plays of each user; one row without a user for all guests.
-- shared: page_user_totals
select
    user_id,
    count(*) as sessions,
    cast(sum(plays) as bigint) as plays,
    sum(seconds) as seconds,
    bit_or(hours) as hours,
    bit_or(weekdays) as weekdays
from (
    /*include session_totals() */
) as session_totals
group by user_id
