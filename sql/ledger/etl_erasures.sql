-- Keyed hashes of erased persons, whose records later loads leave out.
-- grain: one keyed hash; source: `sparkify erase`
-- rule: HMAC-SHA256 with the erasure key, which is not stored in the warehouse
-- key: hash
create table if not exists etl_erasures (
    hash code not null, -- first 128 bits of the keyed hash, in hexadecimal
    kind label not null, -- user: of a user ID; name: of a first and last name; record: of the bytes of a rejected record
    key_id code not null, -- hash that identifies the erasure key
    erased_at timestamp not null, -- UTC
    version label not null -- of sparkify
    -- redshift: a few rows
) /*redshift diststyle all */;
