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
with user_totals as (
    /*include user_totals() */
),

ranked as (
    select
        user_id,
        plays,
        sessions,
        f_round(coalesce(seconds, 0) / 3600) as hours
    from user_totals
    where user_id is not null
    order by
        case cast($5 as varchar)
            when 'hours' then f_round(coalesce(seconds, 0) / 3600)
            when 'sessions' then cast(sessions as double precision)
            else cast(plays as double precision)
        end desc,
        plays desc,
        user_id
    limit $4
)

select
    ranked.user_id,
    users.first_name,
    users.last_name,
    users.level,
    ranked.plays,
    ranked.sessions,
    ranked.hours
from ranked
left join users on users.user_id = ranked.user_id
order by
    case cast($5 as varchar)
        when 'hours' then ranked.hours
        when 'sessions' then cast(ranked.sessions as double precision)
        else cast(ranked.plays as double precision)
    end desc,
    ranked.plays desc,
    ranked.user_id;
