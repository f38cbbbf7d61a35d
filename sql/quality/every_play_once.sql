-- claims: each staged play is one fact, and each fact a staged play
with staged as (
    select distinct
        session_id,
        item_in_session,
        ts,
        user_id
    from staging_events
    where page = 'NextSong'
),

counted as (
    select
        (select count(*) from staged) as plays_staged,
        (select count(*) from songplays) as facts
)

select
    plays_staged,
    facts
from counted
where plays_staged <> facts;
