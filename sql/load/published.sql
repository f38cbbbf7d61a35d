-- Whether the load $1, begun at $2, is published: asked when the answer to its commit was lost.
select count(*) as loads
from etl_loads
where load_id = cast($1 as bigint) and started_at = cast($2 as timestamp) and outcome = 'published';
