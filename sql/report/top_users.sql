-- query: who listens most?
-- parameters: since, until, level, limit (10), by (plays, hours, sessions)
-- columns:
--   user_id: of the user
--   first_name: as last logged
--   last_name: as last logged
--   level: free or paid, as last logged
--   plays: songs played
--   sessions: sessions with a play
--   hours: sum of the lengths of the songs played
with session_totals as (
    /*include session_totals() */
),

listeners as (
    select
        user_id,
        cast(sum(plays) as bigint) as plays,
        count(*) as sessions,
        f_round(coalesce(sum(seconds), 0) / 3600) as hours
    from session_totals
    where user_id is not null
    group by user_id
)

select
    listeners.user_id,
    users.first_name,
    users.last_name,
    users.level,
    listeners.plays,
    listeners.sessions,
    listeners.hours
from listeners
join users on users.user_id = listeners.user_id
order by
    case cast($5 as varchar)
        when 'hours' then listeners.hours
        when 'sessions' then cast(listeners.sessions as double precision)
        else cast(listeners.plays as double precision)
    end desc,
    listeners.plays desc,
    listeners.user_id
limit $4;
