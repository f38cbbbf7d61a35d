-- Loads that staged the earlier versions of this load's objects.
select distinct etl_objects.load_id
from etl_objects
join scope_objects using (object_id);
