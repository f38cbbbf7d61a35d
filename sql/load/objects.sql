-- What the ledger knows of each object.
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
