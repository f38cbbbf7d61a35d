-- User-Agent headers of all plays with a number, by which grouping is cheaper. The number is the same
-- wherever this fragment is included.
-- shared: page_numbered_agents
select
    user_agent,
    row_number() over (order by f_bytes(user_agent)) as agent
from (
    select distinct user_agent
    from songplays
    where user_agent is not null
) as agents
