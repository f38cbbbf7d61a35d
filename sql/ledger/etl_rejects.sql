-- One record that could not be used, with its bytes.
-- grain: one reject; source: the reader; kept until its object is replaced
-- key: object_id, byte_offset
create table if not exists etl_rejects (
    load_id bigint not null, -- in etl_loads: the load that met it
    object_id bigint not null, -- in etl_objects
    byte_offset bigint not null, -- where it begins in the decompressed object; in a group of objects no position
    byte_length bigint not null, -- its whole length; raw holds at most the first MiB
    reason varchar /*postgres collate "C" */ /*redshift (1024) */ not null, -- what is wrong with it
    "raw" blob /*postgres= bytea *//*redshift= varbyte(1048576) */ not null -- its bytes as they came
    -- redshift: few, and asked for by object
) /*redshift diststyle even sortkey(object_id) */;
