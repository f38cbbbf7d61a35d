-- Objects of the last load that read any, as an example of what an incremental load reads.
select object_id
from etl_objects
where load_id = (select max(load_id) from etl_objects)
order by object_id desc
limit 100;
