-- question: how long are the visits, and how much is played in them?
-- parameters: since, until, level
-- columns:
--   sessions: visits in which something was played: a session number and its user
--   listeners: users who played, guests aside
--   plays: plays in them
--   plays_a_session: mean
--   most_plays: in one session
--   minutes_a_session: mean, from the start of the first play to the end of the last
--   longest_minutes: of one session
--   sessions_a_listener: mean, guests aside
with visits as (
    select
        session_id,
        user_id,
        count(*) as plays,
        (max(f_ms(start_time) + coalesce(length, 0) * 1000) - min(f_ms(start_time))) / 60000 as minutes
    from songplays
    where (cast($1 as timestamp) is null or start_time >= cast($1 as timestamp))
        and (cast($2 as timestamp) is null or start_time < cast($2 as timestamp))
        and (cast($3 as varchar) is null or level = cast($3 as varchar))
    group by session_id, user_id
)

select
    count(*) as sessions,
    count(distinct user_id) as listeners,
    cast(coalesce(sum(plays), 0) as bigint) as plays,
    f_round(cast(sum(plays) as double precision) / nullif(count(*), 0)) as plays_a_session,
    max(plays) as most_plays,
    f_round(avg(minutes)) as minutes_a_session,
    f_round(max(minutes)) as longest_minutes,
    f_round(cast(count(user_id) as double precision) / nullif(count(distinct user_id), 0)) as sessions_a_listener
from visits;
