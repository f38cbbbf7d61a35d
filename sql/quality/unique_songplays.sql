-- test: `songplay_id` is unique in `songplays`
-- Materialized for DuckDB: see sql/README.md.
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
