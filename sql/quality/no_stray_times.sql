-- test: each `start_time` of `time` is in `songplays`
-- Materialized for DuckDB: see sql/README.md.
with played as /*duckdb materialized */ (
    select songplays.start_time
    from songplays
    /*incremental join scope_times on scope_times.start_time = songplays.start_time
    where :within_times(touched_plays, songplays.start_time) */
)

select time.start_time
from time
/*incremental join scope_times on scope_times.start_time = time.start_time */
left join played on played.start_time = time.start_time
where played.start_time is null /*incremental and :within_times(touched_plays, time.start_time) */;
