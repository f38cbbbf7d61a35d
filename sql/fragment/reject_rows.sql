-- Rejected records with their objects and loads. Redshift returns the first 24,000 bytes;
-- rejects/raw_part.sql returns more.
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
