-- query: which browsers do people listen with?
-- parameters: since, until, level
-- columns:
--   browser: browser family, from the User-Agent header; null when it is missing
--   plays: plays in it
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
            when user_agent like '%Edge/%' or user_agent like '%Edg/%' then 'Edge'
            when user_agent like '%OPR/%' or user_agent like '%Opera%' then 'Opera'
            when user_agent like '%MSIE %' or user_agent like '%Trident/%' then 'Internet Explorer'
            when user_agent like '%Firefox/%' or user_agent like '%FxiOS/%' then 'Firefox'
            when user_agent like '%Chrome/%' or user_agent like '%CriOS/%' or user_agent like '%Chromium/%' then 'Chrome'
            when user_agent like '%Safari/%' then 'Safari'
            else 'other'
        end /*postgres collate "C" */ as browser
    from (
        /*include numbered_agents() */
    ) as numbered_agents
),

plays as (
    select
        agents.browser,
        user_places.user_id,
        user_places.plays,
        user_places.seconds
    from user_places
    left join agents on agents.agent = user_places.agent
)

select
    browser,
    cast(sum(plays) as bigint) as plays,
    count(distinct user_id) as listeners,
    f_round(coalesce(sum(seconds), 0) / 3600) as hours,
    f_percent(sum(plays), (select sum(plays) from user_places)) as "percent"
from plays
group by browser
order by plays desc, f_bytes(browser) nulls last;
