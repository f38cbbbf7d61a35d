-- test: `songplay_id` is unique in `songplays`
-- On Redshift the key is an expression, so that the planner does not take the declared key for
-- true instead of testing it.
-- Materialized for DuckDB: see sql/README.md.
with keys as /*duckdb materialized */ (
    select songplays.songplay_id /*redshift || '' as songplay_id */
    from songplays /*incremental= scope_facts as songplays */
)

select
    songplay_id,
    count(*) as copies
from keys
group by songplay_id
having count(*) > 1;
