-- test: `start_time` is unique in `time`
-- On Redshift the key is an expression, so that the planner does not take the declared key for
-- true instead of testing it.
-- Materialized for DuckDB: see sql/README.md.
with keys as /*duckdb materialized */ (
    select time.start_time /*redshift + interval '0 seconds' as start_time */
    from time
    /*incremental join scope_times on scope_times.start_time = time.start_time
    where :within_times(touched_plays, time.start_time) */
)

select
    start_time,
    count(*) as copies
from keys
group by start_time
having count(*) > 1;
