-- test: each object has as many rows in staging and `etl_rejects` as `etl_objects` counts; at most 1,000 rejects are kept
with staged as (
    select object_id, count(*) as rows_found
    from staging_events
    /*incremental join scope_objects using (object_id) where :within(touched_loads, staging_events.load_id) */
    group by object_id
    union all
    select object_id, count(*)
    from staging_songs
    /*incremental join scope_objects using (object_id) where :within(touched_loads, staging_songs.load_id) */
    group by object_id
),

rejected as (
    select object_id, count(*) as rows_found
    from etl_rejects
    /*incremental join scope_objects using (object_id) where :within(touched_loads, etl_rejects.load_id) */
    group by object_id
)

select
    etl_objects.object_key,
    etl_objects.rows_staged,
    coalesce(staged.rows_found, 0) as found_staged,
    etl_objects.rows_rejected,
    coalesce(rejected.rows_found, 0) as found_rejected
from etl_objects
/*incremental join scope_objects using (object_id) */
left join staged on staged.object_id = etl_objects.object_id
left join rejected on rejected.object_id = etl_objects.object_id
where etl_objects.rows_staged <> coalesce(staged.rows_found, 0)
    or (
        etl_objects.rows_rejected <> coalesce(rejected.rows_found, 0)
        and (etl_objects.rows_rejected <= 1000 or coalesce(rejected.rows_found, 0) <> 1000)
    );
