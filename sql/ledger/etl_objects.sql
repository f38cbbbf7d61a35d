-- One loaded object.
-- grain: one object key; source: the listing and the reader; the same key with other content replaces its row
-- key: object_id
create table if not exists etl_objects (
    object_id bigint not null, -- never changes for a key
    object_key text not null, -- absolute path or URL
    source label not null, -- events or songs
    size_bytes bigint not null, -- as stored in the source
    modified_ns bigint, -- modification time in ns since 1970; null when it was too recent to identify a version
    etag code, -- version identifier: the etag of an object in S3, `ctime=...,inode=...` of a file; null where the source has none, or when it was too recent
    fingerprint code not null, -- xxh3-128 of the content; empty when the warehouse read the object itself
    load_id bigint not null, -- in etl_loads: the load that read it last
    rows_staged bigint not null, -- records accepted
    rows_rejected bigint not null, -- records rejected; `etl_rejects` keeps at most the first and the last 500
    group_id bigint, -- number of the group of objects that one COPY read, which does not report the object of a row; null when the object's rows have its own number
    rows_erased bigint -- valid records of erased persons, which are left out
    -- redshift: read completely, once per load
) /*redshift diststyle even */;
