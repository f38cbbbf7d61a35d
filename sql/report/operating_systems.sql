-- query: which operating systems do people listen with?
-- parameters: since, until, level
-- columns:
--   operating_system: from the User-Agent header; null when it is missing
--   plays: plays on it
--   listeners: users who played, excluding guests
--   hours: sum of the lengths of the songs played
--   percent: share of all plays
with user_places as (
    /*include user_places() */
),

agents as (
    select
        agent,
        case
            when user_agent = '' then null
            when user_agent like '%iPhone%' or user_agent like '%iPad%' or user_agent like '%iPod%' then 'iOS'
            when user_agent like '%Android%' then 'Android'
            when user_agent like '%Windows%' then 'Windows'
            when user_agent like '%Mac OS X%' or user_agent like '%Macintosh%' then 'macOS'
            when user_agent like '%CrOS%' then 'ChromeOS'
            when user_agent like '%Linux%' or user_agent like '%X11%' then 'Linux'
            else 'other'
        end /*postgres collate "C" */ as operating_system
    from (
        /*include numbered_agents() */
    ) as numbered_agents
),

plays as (
    select
        agents.operating_system,
        user_places.user_id,
        user_places.plays,
        user_places.seconds
    from user_places
    left join agents on agents.agent = user_places.agent
)

select
    operating_system,
    cast(sum(plays) as bigint) as plays,
    count(distinct user_id) as listeners,
    f_round(coalesce(sum(seconds), 0) / 3600) as hours,
    f_percent(sum(plays), (select sum(plays) from user_places)) as "percent"
from plays
group by operating_system
order by plays desc, f_bytes(operating_system) nulls last;
