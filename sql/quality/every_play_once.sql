-- claims: each staged play is one fact, and each fact a staged play
with staged as (
    select distinct
        session_id,
        item_in_session,
        ts,
        user_id
    from staging_events
    /*incremental join scope_plays using (session_id, item_in_session) */
    where page = 'NextSong'
),

counted as (
    select
        (select count(*) from staged) as plays_staged,
        (select count(*) from songplays /*incremental join scope_plays using (session_id, item_in_session) */) as facts
)

select
    plays_staged,
    facts
from counted
where plays_staged <> facts;
