-- One object that was loaded.
-- grain: one object key; source: the listing and the reader; the same key with other content replaces its row
-- key: object_id
create table if not exists etl_objects (
    object_id bigint not null, -- stays with the key
    object_key varchar /*postgres collate "C" */ /*redshift (2048) */ not null, -- absolute path or URL
    source varchar /*postgres collate "C" */ not null, -- events or songs
    size_bytes bigint not null, -- as it lies in the source
    modified_ns bigint, -- modification time in ns since 1970, null when it was too fresh to tell versions apart
    etag varchar /*postgres collate "C" */, -- what the store calls this version of it, null where it has no name for versions
    fingerprint varchar /*postgres collate "C" */ not null, -- xxh3-128 of the content, empty where the warehouse fetched it and nobody here read it
    load_id bigint not null, -- in etl_loads: the load that read it last
    rows_staged bigint not null, -- records accepted
    rows_rejected bigint not null, -- records refused
    group_id bigint -- the number under which all rows of a group stand that the warehouse fetched itself, since nobody knows which of them came from which object; null when its rows are its own
    -- redshift: read whole, once a load
) /*redshift diststyle even */;
