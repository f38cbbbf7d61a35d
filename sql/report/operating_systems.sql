-- question: which operating systems do people listen with?
-- parameters: since, until, level
-- columns:
--   operating_system: read from what the browser says of itself; null when it says nothing
--   plays: plays by it
--   listeners: users who played, guests aside
--   hours: time listened
--   percent: share of all plays
with plays as (
    select
        case
            when user_agent is null or user_agent = '' then null
            when user_agent like '%iPhone%' or user_agent like '%iPad%' or user_agent like '%iPod%' then 'iOS'
            when user_agent like '%Android%' then 'Android'
            when user_agent like '%Windows%' then 'Windows'
            when user_agent like '%Mac OS X%' or user_agent like '%Macintosh%' then 'macOS'
            when user_agent like '%CrOS%' then 'ChromeOS'
            when user_agent like '%Linux%' or user_agent like '%X11%' then 'Linux'
            else 'other'
        end /*postgres collate "C" */ as operating_system,
        user_id,
        length
    from songplays
    where (cast($1 as timestamp) is null or start_time >= cast($1 as timestamp))
        and (cast($2 as timestamp) is null or start_time < cast($2 as timestamp))
        and (cast($3 as varchar) is null or level = cast($3 as varchar))
)

select
    operating_system,
    count(*) as plays,
    count(distinct user_id) as listeners,
    f_round(coalesce(sum(length), 0) / 3600) as hours,
    f_percent(count(*), (select count(*) from plays)) as "percent"
from plays
group by operating_system
order by plays desc, f_bytes(operating_system) nulls last;
