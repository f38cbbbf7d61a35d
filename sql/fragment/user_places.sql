-- Filtered plays by number of location, number of browser and user, for results that group users by a
-- part of these. An unknown location or browser has no number.
-- shared: page_user_places
select
    numbered_locations.place,
    numbered_agents.agent,
    songplays.user_id,
    count(*) as plays,
    sum(/*include listened(songplays.length) */) as seconds
from songplays
left join (
    /*include numbered_locations() */
) as numbered_locations on numbered_locations.location = songplays.location
left join (
    /*include numbered_agents() */
) as numbered_agents on numbered_agents.user_agent = songplays.user_agent
where /*include in_days(songplays.start_time) */
    and /*include at_level(songplays.level) */
group by numbered_locations.place, numbered_agents.agent, songplays.user_id
