-- The first $3 rejects whose reason holds $1 and whose object's key holds $2 (null: all).
select
    r.object_id,
    r.byte_offset,
    r.byte_length,
    o.object_key,
    r.load_id,
    l.started_at,
    r.reason,
    octet_length(r."raw") as kept,
    r."raw" /*redshift= substring(r."raw", 1, 24000) */
from etl_rejects as r
join etl_objects as o on o.object_id = r.object_id
join etl_loads as l on l.load_id = r.load_id
where (cast($1 as varchar /*redshift (65535) */) is null or strpos(lower(r.reason), lower(cast($1 as varchar /*redshift (65535) */))) > 0)
    and (cast($2 as varchar /*redshift (65535) */) is null or strpos(o.object_key, cast($2 as varchar /*redshift (65535) */)) > 0)
order by f_bytes(o.object_key), r.byte_offset
limit $3;
