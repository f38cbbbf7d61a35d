-- One rejected record, with its bytes.
-- grain: one rejected record; source: the reader; kept until its object is replaced
-- rule: an object with more than 1,000 keeps the first and the last 500
-- key: object_id, byte_offset
create table if not exists etl_rejects (
    load_id bigint not null, -- in etl_loads: the load that read it
    object_id bigint not null, -- in etl_objects
    byte_offset bigint not null, -- where it begins in the decompressed object; in a group a row number, not a position
    byte_length bigint not null, -- complete length; raw holds at most the first MiB
    reason short_text not null, -- why it was rejected
    "raw" blob not null -- its bytes as read
    -- redshift: few rows, selected by object
) /*redshift diststyle even sortkey(object_id) */;
