-- claims: `songplay_id` is the key of `songplays`: no two rows share it
-- DuckDB scans rows of its own transaction with one thread: read once and kept, they are counted by all.
with keys as /*duckdb materialized */ (
    select songplays.songplay_id
    from songplays
    /*incremental join scope_plays using (session_id, item_in_session) */
)

select
    songplay_id,
    count(*) as copies
from keys
group by songplay_id
having count(*) > 1;
