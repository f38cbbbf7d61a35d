-- The bytes of a rejected record after the first $3: of the record that begins at byte $2 of object
-- $1. Redshift's Data API returns rows of at most 64 KB.
select "raw" /*redshift= substring("raw", cast($3 as integer) + 1, 24000) */
from etl_rejects
where object_id = cast($1 as bigint) and byte_offset = cast($2 as bigint);
