-- Counts 1 if load $1, started at $2, is published. Runs after a connection was lost during commit.
select count(*) as loads
from etl_loads
where load_id = cast($1 as bigint) and started_at = cast($2 as timestamp) and outcome = 'published';
