-- Filtered plays by location, browser and user, for results that group users by a part of these.
-- shared: page_user_places
select
    location,
    user_agent,
    user_id,
    count(*) as plays,
    sum(/*include listened(length) */) as seconds
from songplays
where /*include in_days(start_time) */
    and /*include at_level(level) */
group by location, user_agent, user_id
