-- Every loaded object, as the ledger describes it, and when the load that read it began.
select
    etl_objects.object_id,
    etl_objects.object_key,
    etl_objects.source,
    etl_objects.size_bytes,
    etl_objects.modified_ns,
    etl_objects.etag,
    etl_objects.fingerprint,
    etl_objects.rows_staged,
    etl_objects.rows_rejected,
    etl_objects.group_id,
    f_ms(etl_loads.started_at) as loaded_ms
from etl_objects
left join etl_loads on etl_loads.load_id = etl_objects.load_id;
