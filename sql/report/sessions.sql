-- query: how long are the sessions, and how much is played in them?
-- parameters: since, until, level
-- columns:
--   sessions: sessions with a play, by session number and user
--   listeners: users who played, excluding guests
--   plays: plays in them
--   plays_a_session: mean plays per session
--   most_plays: largest number of plays in one session
--   minutes_a_session: mean, from the start of the first play to the end of the last
--   longest_minutes: longest session
--   sessions_a_listener: mean sessions per user, excluding guests
with session_totals as (
    /*include session_totals() */
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
from session_totals;
