-- Inserts the valid landed rows into staging, as rows of load $1 and of the object number $2, that
-- of their group. `case` keeps the cast from rows that are not valid.
insert into staging_:kind (
    /*each whole column*/:column,/*end*/
    /*each user_id column*/:column,/*end*/
    /*each other column*/:column,/*end*/
    load_id,
    object_id,
    byte_offset
)
select
    /*each whole column*/case when :key ~ '^-?(0|[1-9][0-9]{0,:digits})([.]0+)?$' then cast(split_part(:key, '.', 1) as :type) end,/*end*/
    /*each user_id column*/case when :key ~ '^-?(0|[1-9][0-9]{0,:digits})([.]0+)?$' then cast(split_part(:key, '.', 1) as :type) end,/*end*/
    /*each other column*/:key,/*end*/
    cast($1 as bigint),
    cast($2 as bigint),
    running
from landing_:kind
where /*each required column separated by and*/:key is not null/*end*/
    /*each whole column*/and (:key is null or :key ~ '^-?(0|[1-9][0-9]{0,:digits})([.]0+)?$')/*end*/
    /*each user_id column*/and (:key is null or :key = '' or :key ~ '^-?(0|[1-9][0-9]{0,:digits})([.]0+)?$')/*end*/
    /*each epoch_ms column*/and case when :key ~ '^-?(0|[1-9][0-9]{0,:digits})([.]0+)?$' then cast(split_part(:key, '.', 1) as bigint) end between -62135596800000 and 253402300799999/*end*/;
