-- Counts the rows of user $1 as erased, before they are deleted.
update etl_objects
set
    rows_staged = etl_objects.rows_staged - erased.erased_rows,
    rows_erased = etl_objects.rows_erased + erased.erased_rows
from (
    select object_id, count(*) as erased_rows
    from staging_events
    where user_id = cast($1 as bigint)
    group by object_id
) as erased
where etl_objects.object_id = erased.object_id;
