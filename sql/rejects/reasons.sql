-- How many rejects there are, by reason, among those whose reason holds $1 and whose object's key holds $2 (null: all).
select
    r.reason,
    count(*) as rejects
from etl_rejects as r
join etl_objects as o on o.object_id = r.object_id
where (cast($1 as varchar /*redshift (65535) */) is null or strpos(lower(r.reason), lower(cast($1 as varchar /*redshift (65535) */))) > 0)
    and (cast($2 as varchar /*redshift (65535) */) is null or strpos(o.object_key, cast($2 as varchar /*redshift (65535) */)) > 0)
group by r.reason
order by rejects desc, f_bytes(r.reason);
