-- question: which browsers do people listen with?
-- parameters: since, until, level
-- columns:
--   browser: family, read from what the browser says of itself; null when it says nothing
--   plays: plays by it
--   listeners: users who played, guests aside
--   hours: time listened
--   percent: share of all plays
with plays as (
    select
        case
            when user_agent is null or user_agent = '' then null
            when user_agent like '%Edge/%' or user_agent like '%Edg/%' then 'Edge'
            when user_agent like '%OPR/%' or user_agent like '%Opera%' then 'Opera'
            when user_agent like '%MSIE %' or user_agent like '%Trident/%' then 'Internet Explorer'
            when user_agent like '%Firefox/%' or user_agent like '%FxiOS/%' then 'Firefox'
            when user_agent like '%Chrome/%' or user_agent like '%CriOS/%' or user_agent like '%Chromium/%' then 'Chrome'
            when user_agent like '%Safari/%' then 'Safari'
            else 'other'
        end /*postgres collate "C" */ as browser,
        user_id,
        length
    from songplays
    where (cast($1 as timestamp) is null or start_time >= cast($1 as timestamp))
        and (cast($2 as timestamp) is null or start_time < cast($2 as timestamp))
        and (cast($3 as varchar) is null or level = cast($3 as varchar))
)

select
    browser,
    count(*) as plays,
    count(distinct user_id) as listeners,
    f_round(coalesce(sum(length), 0) / 3600) as hours,
    f_percent(count(*), (select count(*) from plays)) as "percent"
from plays
group by browser
order by plays desc, f_bytes(browser) nulls last;
