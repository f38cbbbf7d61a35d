-- Objects with rejected records, and the total length of these.
select
    object_id,
    sum(byte_length) as size_bytes
from etl_rejects
group by object_id
order by object_id;
