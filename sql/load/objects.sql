-- Every loaded object, as the ledger describes it.
select
    object_id,
    object_key,
    source,
    size_bytes,
    modified_ns,
    etag,
    fingerprint,
    rows_staged,
    rows_rejected,
    group_id
from etl_objects;
