-- Every reject of the objects $1 to $2.
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
where r.object_id between cast($1 as bigint) and cast($2 as bigint)
order by r.object_id, r.byte_offset;
