-- question: who listens most?
-- parameters: since, until, level, limit (10), by (plays, hours, sessions)
-- columns:
--   user_id: of the user
--   first_name: as logged last
--   last_name: as logged last
--   level: free or paid, as logged last
--   plays: how many songs they played
--   sessions: in how many visits
--   hours: time they listened
with listeners as (
    select
        user_id,
        count(*) as plays,
        count(distinct session_id) as sessions,
        f_round(coalesce(sum(length), 0) / 3600) as hours
    from songplays
    where (cast($1 as timestamp) is null or start_time >= cast($1 as timestamp))
        and (cast($2 as timestamp) is null or start_time < cast($2 as timestamp))
        and (cast($3 as varchar) is null or level = cast($3 as varchar))
        and user_id is not null
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
