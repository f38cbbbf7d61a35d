-- test: each `start_time` of `songplays` is in `time`
-- On Redshift the key is an expression, so that the planner does not take the declared key for
-- true instead of testing it.
-- Materialized for DuckDB: see sql/README.md.
with plays as /*duckdb materialized */ (
    select
        songplays.songplay_id,
        songplays.start_time
    from songplays /*incremental= scope_facts as songplays */
)

select
    plays.songplay_id,
    plays.start_time
from plays
left join time on time.start_time = plays.start_time /*redshift + interval '0 seconds' */
    /*incremental and :within_times(touched_plays, time.start_time) */
where plays.start_time is not null and time.start_time is null;
