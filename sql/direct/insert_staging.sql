-- Inserts the valid landed rows into staging, as rows of load $1 and of the object number $2, that
-- of their group.
insert into staging_:kind (
    /*each column*/:column,/*end*/
    load_id,
    object_id,
    byte_offset
)
select
    /*each column*/:key,/*end*/
    cast($1 as bigint),
    cast($2 as bigint),
    running
from landing_:kind
where /*each required column separated by and*/:key is not null/*end*/
    /*each epoch_ms column*/and :key between -62135596800000 and 253402300799999/*end*/;
