-- What a reject's bytes go on with behind the first $3: of the reject that begins at byte $2 of object $1. Redshift's Data API tells rows of 64 KB at most.
select "raw" /*redshift= substring("raw", cast($3 as integer) + 1, 24000) */
from etl_rejects
where object_id = cast($1 as bigint) and byte_offset = cast($2 as bigint);
