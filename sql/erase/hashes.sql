-- Keyed hashes of all erased persons, with their keys.
select
    hash,
    key_id
from etl_erasures;
