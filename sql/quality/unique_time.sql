-- test: `start_time` is unique in `time`
-- Materialized for DuckDB: see sql/README.md.
with keys as /*duckdb materialized */ (
    select time.start_time
    from time
    /*incremental join scope_times on scope_times.start_time = time.start_time */
)

select
    start_time,
    count(*) as copies
from keys
group by start_time
having count(*) > 1;
