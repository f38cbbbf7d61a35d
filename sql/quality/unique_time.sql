-- claims: `start_time` is the key of `time`: no two rows share it
-- DuckDB scans rows of its own transaction with one thread: read once and kept, they are counted by all.
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
