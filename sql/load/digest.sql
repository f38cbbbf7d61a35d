-- Digest of the ledger. A load that extracted its objects before its transaction began compares it
-- under the lock: an equal one proves that no other load changed the ledger since.
/*redshift select
    count(*) as objects,
    sum(cast(strtol(substring(md5(
        cast(object_id as varchar) || '|' || object_key || '|' || source || '|' || cast(size_bytes as varchar)
        || '|' || coalesce(cast(modified_ns as varchar), '') || '|' || coalesce(etag, '') || '|' || fingerprint
        || '|' || cast(load_id as varchar) || '|' || cast(rows_staged as varchar) || '|' || cast(rows_rejected as varchar)
        || '|' || coalesce(cast(group_id as varchar), '')
    ), 1, 15), 16) as decimal(38, 0))) as digest,
    (select max(load_id) from etl_loads) as last_load,
    (select count(*) from etl_erasures) as erasures
from etl_objects */;
