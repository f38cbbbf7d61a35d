-- test: each row of staging and `etl_rejects` belongs to an object in `etl_objects`
with owners as (
    select distinct object_id from staging_events /*incremental join scope_objects using (object_id) where :within(touched_loads, staging_events.load_id) */
    union
    select distinct object_id from staging_songs /*incremental join scope_objects using (object_id) where :within(touched_loads, staging_songs.load_id) */
    union
    select distinct object_id from etl_rejects /*incremental join scope_objects using (object_id) where :within(touched_loads, etl_rejects.load_id) */
)

select owners.object_id
from owners
left join etl_objects on etl_objects.object_id = owners.object_id
where etl_objects.object_id is null;
