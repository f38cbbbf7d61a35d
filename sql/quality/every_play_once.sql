-- test: each staged play is exactly one fact, and each fact is a staged play
-- Materialized for DuckDB: see sql/README.md.
with plays as /*duckdb materialized */ (
    select
        session_id,
        item_in_session,
        ts,
        user_id
    from staging_events
    /*incremental join scope_plays using (session_id, item_in_session) */
    where page = 'NextSong' /*incremental and :within(touched_plays, ts) */
),

staged as (
    select distinct
        session_id,
        item_in_session,
        ts,
        user_id
    from plays
),

counted as (
    select
        (select count(*) from staged) as plays_staged,
        (select count(*) from songplays /*incremental= scope_facts as songplays */) as facts
)

select
    plays_staged,
    facts
from counted
where plays_staged <> facts;
